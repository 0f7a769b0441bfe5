"""What a speed run is asked to do and what it reports, so that omma and its peers do the very same work."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

Made = TypeVar("Made")


@dataclass(frozen=True)
class Job:
    """One picture, one question, `tokens` greedy tokens, in the checkpoint's own dtype.

    Every stage is done once to warm up and then `repeats` times; its median counts.
    """

    folder: str
    picture: str
    question: str
    tokens: int
    repeats: int
    threads: int

    def words(self) -> str:
        """The job as one word of a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_command_line(cls) -> Job:
        """The job this process was started for."""
        return cls(**json.loads(sys.argv[1]))


@dataclass(frozen=True)
class Report:
    """Seconds of each stage, tokens a second, prompt tokens, and the process's peak memory in bytes."""

    load: float
    prepare: float
    tower: float
    prefill: float
    decode: float
    prompt: int
    peak: int

    def tell(self) -> None:
        """Write it where the bench reads it: the last line of stdout."""
        print(json.dumps(asdict(self)))


def timed(work: Callable[[], Made], repeats: int) -> tuple[float, Made]:
    """Median seconds of a piece of work, and what it made; the first of several runs is not counted."""
    spent = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        made = work()
        spent.append(time.perf_counter() - began)
    return median(spent[1:] or spent), made


def peak() -> int:
    """The most memory this process has held, mapped files included, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not say how much memory a process held")
