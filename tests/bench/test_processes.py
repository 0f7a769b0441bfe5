"""Memory is compared like with like, and computing is counted of a whole family."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bench.processes import EVERY, MIB, WARM, Look, Memory, computed, family, pss

MINUTES = range(0, 600, int(EVERY))
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it is read from /proc")


def looked(growth: float) -> Memory:
    """Ten minutes in which caches fill until all is warm, and then something else grows, in MiB a second."""
    return Memory(
        [
            Look(second, {"server": 50 * MIB, "engine": int((400 + 2 * min(second, WARM)) * MIB + more)}, 7)
            for second in MINUTES
            for more in [growth * MIB * max(second - WARM, 0)]
        ]
    )


def test_caches_that_fill_while_it_warms_up_are_no_drift() -> None:
    drift, words = looked(0.0).drift()
    assert drift == 0
    assert "630 → 630 (server 50 → 50, engine 580 → 580)" in words


def test_what_grows_afterwards_is_told() -> None:
    drift, _ = looked(0.1).drift()
    assert drift == pytest.approx(0.1 * (570 - (WARM + 30)) / 633, rel=0.02)


@linux
def test_a_family_is_all_that_a_process_has_started_and_what_they_computed_stays_counted() -> None:
    before = computed(os.getpid())
    program = "import time\nwhile time.process_time() < 0.2: pass\ninput()"
    with subprocess.Popen([sys.executable, "-S", "-c", program], stdin=subprocess.PIPE) as child:
        assert child.pid in set(family(os.getpid()))
        assert pss(child.pid) > 0
        child.communicate(b"\n")
    assert computed(os.getpid()) - before > 0.15  # it is counted in ticks
    assert child.pid not in set(family(os.getpid()))
    assert pss(child.pid) == 0
