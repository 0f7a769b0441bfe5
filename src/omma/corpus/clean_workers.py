"""Who does the work: this process alone, or several beside it; what comes out is the same, in order."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Protocol

from omma.corpus.clean_batch import Batch, CleanBatch
from omma.errors import BadInput


class Workers(Protocol):
    """Maps the work over batches."""

    def run(self, work: CleanBatch, batches: Iterator[Batch]) -> Iterator[Batch]:
        """What comes out of each batch, in order. Takes in only a few batches ahead of what it gives."""
        ...


@dataclass(frozen=True)
class Alone:
    """No worker but this process."""

    def run(self, work: CleanBatch, batches: Iterator[Batch]) -> Iterator[Batch]:
        return map(work, batches)


@dataclass(frozen=True)
class Processes:
    """So many processes beside this one."""

    count: int

    def run(self, work: CleanBatch, batches: Iterator[Batch]) -> Iterator[Batch]:
        pool = ProcessPoolExecutor(self.count, get_context("spawn"), initializer=_begin, initargs=(work,))
        waiting: deque[Future[Batch]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(_do, batch))
                if len(waiting) >= 2 * self.count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise BadInput(
                "a worker was ended from outside, most likely for want of memory; run the same again with "
                "fewer workers: it goes on where it stopped"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_work: list[CleanBatch] = []  # of this worker


def _begin(work: CleanBatch) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one stops it
    _work[:] = [work]


def _do(batch: Batch) -> Batch:
    return _work[0](batch)
