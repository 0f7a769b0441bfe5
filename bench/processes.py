"""What a server's processes hold of the memory, second by second, and how long they have computed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import httpx

EVERY = 2.0  # seconds between two looks at memory
WARM = 90.0  # seconds in which what is remembered fills up to its bounds
STRETCH = 60.0  # seconds at both ends that are compared
TICK = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20


class Look(NamedTuple):
    """Bytes by kind of process at a moment, and bytes of what the server remembers by its own account."""

    when: float
    held: Mapping[str, int]
    kept: int

    @property
    def whole(self) -> int:
        """Bytes of all processes together."""
        return sum(self.held.values())


@dataclass
class Memory:
    """Memory of all processes of a server, look after look."""

    looks: list[Look] = field(default_factory=list)

    async def look(self, client: httpx.AsyncClient, server: int) -> None:
        """Look again and again, until cancelled."""
        while True:
            state: dict[str, Any] = (await client.get("/readyz")).json()["state"]
            engines, decoders = state["processes"]["engines"], state["processes"]["decoders"]
            count = state["engines"]
            kinds = {
                "server": [server],
                "engine": engines[:count],
                "spare engine": engines[count:],
                "decoders": [one for number in decoders for one in family(number)],
            }
            held = {kind: sum(map(pss, numbers)) for kind, numbers in kinds.items()}
            kept = sum(state.get(name, 0) for name in ("page_bytes", "feature_bytes", "clip_bytes"))
            self.looks.append(Look(perf_counter(), held, kept))
            await asyncio.sleep(EVERY)

    def drift(self) -> tuple[float, str]:
        """By how much the last stretch is over the first one after warming up, medians; and that in words."""
        began, ended = self.looks[0].when, self.looks[-1].when
        warm = min(WARM, 0.3 * (ended - began))
        stretch = min(STRETCH, (ended - began - warm) / 4)
        first = [look for look in self.looks if 0 <= look.when - began - warm <= stretch]
        last = [look for look in self.looks if look.when >= ended - stretch]
        before, after = (median(look.whole for look in part) for part in (first, last))
        kinds = ", ".join(
            f"{kind} {_median(first, kind):,.0f} → {_median(last, kind):,.0f}" for kind in first[0].held
        )
        words = (
            f"sum of the PSS of all processes, MiB, median of {stretch:.0f} s after {warm:.0f} s of warming "
            f"up and of the last {stretch:.0f} s: {before / MIB:,.0f} → {after / MIB:,.0f} ({kinds}); of it "
            f"kept to be used again {first[-1].kept / MIB:,.0f} → {last[-1].kept / MIB:,.0f}"
        )
        return after / before - 1, words


def _median(looks: Sequence[Look], kind: str) -> float:
    return median(look.held[kind] for look in looks) / MIB


def pss(number: int) -> int:
    """Bytes that a process alone has, and its share of those it has with others; 0 where it has ended."""
    try:
        words = Path(f"/proc/{number}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return 1024 * int(next(line for line in words.splitlines() if line.startswith("Pss:")).split()[1])


def family(number: int) -> Iterator[int]:
    """A process, and all that it has started and their children."""
    yield number
    with suppress(OSError):  # it, or one of its threads, has just ended
        for thread in Path(f"/proc/{number}/task").iterdir():
            for child in (thread / "children").read_text(encoding="ascii").split():
                yield from family(int(child))


def computed(number: int) -> float:
    """Seconds that a process has computed, with all of its family, those that have ended too."""
    spent = 0.0
    for one in family(number):
        with suppress(OSError):
            words = Path(f"/proc/{one}/stat").read_text(encoding="ascii", errors="replace")
            spent += sum(int(ticks) for ticks in words.rpartition(")")[2].split()[11:15]) / TICK
    return spent
