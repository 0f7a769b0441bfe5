"""Does a speed job with omma: ``python -m bench.run_omma JOB``."""

from __future__ import annotations

import time

import torch

import omma
from bench.job import Job, Report, peak, timed
from omma.chat import Image, message
from omma.engine.engine import Engine
from omma.engine.request import Request, Sampling
from omma.respond import Model
from omma.sample import Sample


def written(model: Model, sample: Sample, tokens: int) -> tuple[float, float]:
    """Seconds to the first token, and tokens a second from there on. Nothing ends the answer early."""
    engine = Engine(model.network)
    engine.add(Request(sample, Sampling(), frozenset(), tokens))
    began = time.perf_counter()
    engine.step()
    first = time.perf_counter()
    while not engine.idle:
        engine.step()
    return first - began, (tokens - 1) / (time.perf_counter() - first)


def main() -> None:
    """Load, prepare, see, write; report."""
    job = Job.from_command_line()
    torch.set_num_threads(job.threads)
    began = time.perf_counter()
    model = omma.load(job.folder)
    load = time.perf_counter() - began
    spoken = [message("user", Image(job.picture), job.question)]
    prepare, sample = timed(lambda: model.processor.sample(spoken), 5 * job.repeats)
    rows_PC = torch.from_numpy(sample.visuals[0].rows_PC)
    with torch.inference_mode():
        tower, _ = timed(lambda: model.network.see(rows_PC, [sample.visuals[0].grid]), job.repeats)
    runs = [written(model, sample, job.tokens) for _ in range(job.repeats + 1)][1:]
    first = sorted(seconds for seconds, _ in runs)[len(runs) // 2]
    decode = sorted(rate for _, rate in runs)[len(runs) // 2]
    Report(load, prepare, tower, max(first - tower, 0.0), decode, sample.length, peak()).tell()


if __name__ == "__main__":
    main()
