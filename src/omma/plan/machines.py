"""Machines: how much memory accelerators have by their makers' word, and what this one has."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from omma.errors import UnknownOption

# Gigabytes (10⁹ bytes) as the makers' data sheets have them; the true sizes are a little larger.
ACCELERATORS: dict[str, int] = {
    "T4": 16,
    "V100-32GB": 32,
    "A10": 24,
    "A16": 16,
    "A30": 24,
    "A40": 48,
    "A100-40GB": 40,
    "A100-80GB": 80,
    "L4": 24,
    "L40S": 48,
    "H100": 80,
    "H200": 141,
    "B200": 180,
    "RTX-3060": 12,
    "RTX-3090": 24,
    "RTX-4060": 8,
    "RTX-4090": 24,
    "RTX-5090": 32,
    "RTX-A6000": 48,
    "MI210": 64,
    "MI250X": 128,
    "MI300X": 192,
    "MI325X": 256,
}
USUAL = ("RTX-4090", "L40S", "H100", "H200")
MOST = 1024  # accelerators in one count


class Accelerator(NamedTuple):
    """An accelerator by name, with its memory in bytes."""

    name: str
    memory: int


class Memory(NamedTuple):
    """Bytes of a memory: all, and what is free or can be made free. `name` is what it belongs to."""

    name: str
    total: int
    free: int


def accelerator(name: str) -> Accelerator:
    """The accelerator of this name, case and dashes aside. Raises UnknownOption with those that are meant."""
    plain = {_plain(known): known for known in ACCELERATORS}
    found = plain.get(_plain(name)) or plain.get(f"{_plain(name)}80gb")
    if found is None:
        close = [plain[one] for one in get_close_matches(_plain(name), plain, n=3, cutoff=0.5)]
        raise UnknownOption(f"--gpu {name}: not in the table; wanted {', '.join(close or ACCELERATORS)}")
    return Accelerator(found, ACCELERATORS[found] * 10**9)


def how_many(one: Accelerator, *, divided: int, whole: int) -> int | None:
    """How many of an accelerator hold what is `divided` between them and what each holds `whole`, in bytes.

    Weights, keys and values are cut into 1, 2, 4, 8 … equal parts. None if no number suffices.
    """
    count = 1
    while divided / count + whole > one.memory:
        count *= 2
        if count > MOST:
            return None
    return count


def this_machine() -> Memory:
    """The memory of this machine that its processor computes in."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Memory("this machine", total, min(total, _available() or total))


def _available() -> int | None:
    told = Path("/proc/meminfo")
    found = re.search(r"MemAvailable:\s+(\d+) kB", told.read_text()) if told.exists() else None
    return int(found[1]) * 1024 if found else None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().removeprefix("nvidia").removeprefix("amd"))
