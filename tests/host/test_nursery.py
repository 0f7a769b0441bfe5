"""A job that computes for long comes behind everything else; one that waits does not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import pytest

from omma.host.decode_child import BEHIND, YOUNG, _computed, _Nursery

LONG = 120.0  # seconds that nothing takes
BUSY, WAITING = "while True: pass", "input()"
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no such clock")


@contextmanager
def child(program: str) -> Iterator[int]:
    words = [sys.executable, "-S", "-c", program]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def nursery(number: int) -> Any:
    """A nursery with one child, which is to be looked at now."""
    made = _Nursery.__new__(_Nursery)
    made._children = {number: None}  # type: ignore[dict-item]
    made._young = deque([(0.0, number)])
    made._nice = min(19, os.nice(0) + BEHIND)
    return made


@linux
def test_a_child_that_computes_for_long_comes_behind() -> None:
    with child(BUSY) as number:
        made, until = nursery(number), monotonic() + LONG
        while (left := made._aged()) is not None:
            assert monotonic() < until
            sleep(left)
        assert _computed(number) >= YOUNG
        assert os.getpriority(os.PRIO_PROCESS, number) == made._nice


@linux
def test_a_child_that_waits_is_looked_at_again_and_left_as_it_is() -> None:
    with child(WAITING) as number:
        made = nursery(number)
        assert 0 < made._aged() <= YOUNG
        assert os.getpriority(os.PRIO_PROCESS, number) == os.nice(0)


def test_a_child_that_has_ended_is_looked_at_no_more() -> None:
    made = nursery(1)
    made._children.clear()
    assert made._aged() is None
