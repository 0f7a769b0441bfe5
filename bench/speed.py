"""Speed and memory of omma beside transformers: the same weights, machine and threads, in one run.

    python -m bench.speed                the table of docs/results/bench.json, a quarter of an hour
    python -m bench.speed --only nano    some of the models; prints, and writes nothing
    python -m bench.speed --toy          toy shapes, to try the bench itself; writes nothing

Every measurement is a process of its own. This one imports no torch, so that its memory is not theirs.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import NamedTuple

from PIL import Image

from bench.job import Job, Report
from bench.results import ROOT, Table

CACHE = ROOT / "runs" / "bench"
NANO = ROOT / "src" / "omma" / "assets" / "omma-nano"
QUESTION = "What is in the picture?"
MOST_MEMORY = 1.15  # of the file, for loading and answering with a checkpoint of 3B
PATIENCE = 600  # seconds that one process may take


@dataclass(frozen=True)
class Subject:
    """A model that is measured: its folder, or the shape of random weights written there first."""

    name: str
    folder: Path
    shape: str | None
    picture: tuple[int, int]
    tokens: int
    repeats: int
    starts: int  # how often a whole command is started
    stages: bool = True  # False: only the whole command, and its memory against the file


SUBJECTS = (
    Subject("omma-nano", NANO, None, (336, 252), 64, 9, 3),
    Subject("3B cut to 12 layers", CACHE / "3b-12", "qwen2.5-vl-3b/12", (448, 448), 32, 5, 2),
    Subject("3B", CACHE / "3b", "qwen2.5-vl-3b", (448, 448), 1, 1, 2, stages=False),
)
TOYS = (
    Subject("toy", CACHE / "toy", "toy", (224, 168), 16, 3, 2),
    Subject("toy, whole command", CACHE / "toy", "toy", (224, 168), 1, 1, 1, stages=False),
)


class Ended(NamedTuple):
    """A command that was run: what it printed, its seconds, the most memory it held, in bytes."""

    out: str
    seconds: float
    peak: int


def run(words: list[str]) -> Ended | str:
    """Run one process alone; a sentence when it failed."""
    quiet = {**os.environ, "TOKENIZERS_PARALLELISM": "false", "TRANSFORMERS_VERBOSITY": "error"}
    began = time.perf_counter()
    with subprocess.Popen(
        words, cwd=ROOT, env=quiet, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            out, wrong = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return f"took longer than {PATIENCE} s"
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    seconds = time.perf_counter() - began
    if process.returncode:
        return (wrong.strip().splitlines() or [f"exit code {process.returncode}"])[-1][:200]
    return Ended(out, seconds, peak_told(wrong))


def peak_told(wrong: str) -> int:
    """The memory that `bench.whole` says its command held."""
    told = [line for line in wrong.splitlines() if line.startswith("peak ")]
    return int(told[-1].split()[1]) if told else 0


def report(program: str, job: Job) -> Report | str:
    """The report of one child program, or why there is none."""
    ended = run([sys.executable, "-m", program, job.words()])
    return ended if isinstance(ended, str) else Report(**json.loads(ended.out.strip().splitlines()[-1]))


def whole(words: list[str], times: int) -> tuple[float, int] | str:
    """Median seconds and largest memory of a whole command, after one start that warms the disk's cache."""
    ended = [run([sys.executable, "-m", "bench.whole", *words]) for _ in range(times + 1)]
    if wrong := [one for one in ended if isinstance(one, str)]:
        return wrong[0]
    good = [one for one in ended[1:] if isinstance(one, Ended)]
    return median(one.seconds for one in good), max(one.peak for one in good)


def measure(table: Table, subject: Subject, threads: int) -> None:
    """All rows of one subject."""
    if subject.shape is not None and not subject.folder.exists():
        print(f"writing random weights of {subject.name} to {subject.folder}", file=sys.stderr)
        subject.folder.parent.mkdir(parents=True, exist_ok=True)
        made = run([sys.executable, "-m", "bench.checkpoints", subject.shape, str(subject.folder)])
        if isinstance(made, str):
            table.row(subject.name, None, note=f"its weights could not be written: {made}")
            return
    if not (subject.folder / "config.json").exists():
        table.row(subject.name, None, met=False, note=f"{subject.folder.name} is not there")
        return
    job = Job(
        str(subject.folder), str(picture(subject.picture)), QUESTION, subject.tokens, subject.repeats, threads
    )
    if subject.stages:
        stages(table, subject.name, job)
    command(table, subject, job)


def stages(table: Table, name: str, job: Job) -> None:
    """Rows of preparing, tower, prefill, decoding, loading and memory, each beside the peer's."""
    print(f"{name}: stages", file=sys.stderr)
    ours = report("bench.run_omma", job)
    theirs = report("bench.run_transformers", job) if find_spec("transformers") else "it is not installed"
    if isinstance(ours, str):
        table.row(name, None, met=False, note=f"omma failed: {ours}")
        return
    peer = theirs if isinstance(theirs, Report) else None
    absent = "" if isinstance(theirs, Report) else f"no transformers: {theirs}"
    rows = (
        ("prepare", "picture and words prepared", 1000.0, "ms", True),
        ("tower", "vision tower", 1000.0, "ms", True),
        ("prefill", f"prefill of {ours.prompt} tokens", 1000.0, "ms", True),
        ("decode", "decoding", 1.0, "tokens/s", False),
        ("load", "loading", 1.0, "s", True),
        ("peak", "peak memory", 2**-30, "GiB", True),
    )
    for field, title, scale, unit, less in rows:
        value = getattr(ours, field) * scale
        other = getattr(peer, field) * scale if peer else None
        note = (
            absent
            if other is None
            else ratio(value, other, less=less, worse="larger" if field == "peak" else "slower")
        )
        if peer and field == "prefill" and peer.prompt != ours.prompt:
            note += f"; transformers' prompt has {peer.prompt} tokens"
        table.row(f"{name}: {title}", value, unit, peer=other, note=note)


def command(table: Table, subject: Subject, job: Job) -> None:
    """Rows of the whole command, from the shell to the first token, and of its memory."""
    print(f"{subject.name}: whole commands", file=sys.stderr)
    ask = ["-m", "omma", "ask", job.picture, job.question, "--model", job.folder, "--max-tokens", "1"]
    ours = whole(ask, subject.starts)
    title = f"{subject.name}: from command to first token"
    if isinstance(ours, str):
        table.row(title, None, met=False, note=f"omma failed: {ours}")
        return
    seconds, peak = ours
    if subject.stages:
        theirs: tuple[float, int] | str = "it is not installed"
        if find_spec("transformers"):
            theirs = whole(["-m", "bench.run_transformers", job.words(), "cold"], subject.starts)
        if isinstance(theirs, str):
            table.row(title, seconds, "s", note=f"no transformers: {theirs}")
        else:
            table.row(title, seconds, "s", peer=theirs[0], note=ratio(seconds, theirs[0], less=True))
        return
    table.row(title, seconds, "s", note="`omma ask`, the file in the system's cache")
    size = sum(path.stat().st_size for path in subject.folder.glob("*.safetensors"))
    share = peak / size
    table.row(
        f"{subject.name}: peak memory of that command",
        share,
        "of the file",
        goal=f"≤ {MOST_MEMORY}",
        met=share <= MOST_MEMORY,
        note=f"{peak / 2**30:.2f} GiB held, {size / 2**30:.2f} GiB on disk",
    )


def ratio(ours: float, theirs: float, *, less: bool, worse: str = "slower") -> str:
    """How many times as good as the peer."""
    if not ours or not theirs:
        return "too short to compare"
    times = theirs / ours if less else ours / theirs
    return f"{times:.2f}× transformers" if times >= 1 else f"{times:.2f}× transformers: {worse}"


def picture(size: tuple[int, int]) -> Path:
    """The example scene at this size."""
    path = CACHE / f"picture-{size[0]}x{size[1]}.png"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(ROOT / "examples" / "garden.png") as scene:
            scene.convert("RGB").resize(size).save(path)
    return path


def main() -> int:
    """Measure everything, print, write; 1 when something that was promised is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="parts of the names of models to measure")
    parser.add_argument("--toy", action="store_true", help="toy shapes; nothing is written")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    wish = parser.parse_args()
    table = Table("bench", "make bench")
    subjects = TOYS if wish.toy else SUBJECTS
    for subject in subjects:
        if not wish.only or any(part in subject.name for part in wish.only):
            measure(table, subject, wish.threads)
    if wish.toy or wish.only:
        table.show()
        return table.exit_code
    return table.publish()


if __name__ == "__main__":
    raise SystemExit(main())
