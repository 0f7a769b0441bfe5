"""Does a speed job with omma: ``python -m bench.run_omma JOB``."""

from __future__ import annotations

import time
from statistics import median
from typing import Any, NamedTuple

import torch

import omma
from bench.job import Job, Report, peak, timed
from omma.chat import Image, message
from omma.engine.engine import Engine
from omma.engine.request import Request, Sampling
from omma.model.pieces import Pieces
from omma.respond import Model
from omma.sample import Sample


class Written(NamedTuple):
    """Seconds of the tower and of the rest of the first step, and tokens a second from there on."""

    tower: float
    prefill: float
    decode: float


class Watched:
    """The model's tower with a watch on it: the seconds of its last look, which is done in pieces."""

    def __init__(self, model: Model) -> None:
        self.looking, self.seconds = model.network.looking, 0.0
        model.network.looking = self  # type: ignore[assignment, method-assign]

    def __call__(self, *seen: Any) -> Pieces[torch.Tensor]:
        """The same pieces; what passes between them does not count."""
        pieces, self.seconds = self.looking(*seen), 0.0
        while True:
            began = time.perf_counter()
            try:
                next(pieces)
            except StopIteration as end:
                made: torch.Tensor = end.value
                return made
            finally:
                self.seconds += time.perf_counter() - began
            yield


def written(model: Model, tower: Watched, sample: Sample, tokens: int) -> Written:
    """One answer, step by step. Nothing ends it early."""
    engine = Engine(model.network)
    engine.add(Request(sample, Sampling(), frozenset(), tokens))
    began = time.perf_counter()
    engine.step()
    first = time.perf_counter()
    while not engine.idle:
        engine.step()
    rate = (tokens - 1) / (time.perf_counter() - first)
    return Written(tower.seconds, first - began - tower.seconds, rate)


def main() -> None:
    """Load, prepare, see, write; report."""
    job = Job.from_command_line()
    torch.set_num_threads(job.threads)
    began = time.perf_counter()
    model = omma.load(job.folder)
    load = time.perf_counter() - began
    spoken = [message("user", Image(job.picture), job.question)]
    prepare, sample = timed(lambda: model.processor.sample(spoken), 5 * job.repeats)
    watched = Watched(model)
    runs = [written(model, watched, sample, job.tokens) for _ in range(job.repeats + 1)][1:]
    tower, prefill, decode = (median(column) for column in zip(*runs, strict=True))
    Report(load, prepare, tower, prefill, decode, sample.length, peak()).tell()


if __name__ == "__main__":
    main()
