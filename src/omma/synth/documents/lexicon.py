"""Names, goods and labels that documents are made of; one entry in five is kept for the test."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from random import Random
from zlib import crc32

from omma.synth.vocabulary import kept_for_test
from omma.synth.world import Split

HELD_OUT = 5  # one entry in so many never stands in a training document


@cache
def lexicon() -> dict[str, tuple[str, ...]]:
    """All sections of the list that stands beside this file, in its order."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in (files("omma.synth.documents") / "lexicon.txt").read_text("ascii").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
            found[section] = []
        elif line and not line.startswith("#"):
            found[section] += [entry.strip() for entry in line.split(";")]
    return {name: tuple(entries) for name, entries in found.items()}


@cache
def entries(section: str, held_out: bool) -> tuple[str, ...]:
    """The entries of a section for training, or those kept for the test.

    An entry with a word that training never prints is always kept. Where nothing is kept, all are given.
    """
    every = lexicon()[section]
    chosen = tuple(entry for entry in every if _kept(entry) == held_out)
    return chosen or every


def _kept(entry: str) -> bool:
    runs = entry.replace("/", " ").replace("-", " ").split()
    return crc32(entry.encode()) % HELD_OUT == 0 or any(kept_for_test(run.strip(".,:!?")) for run in runs)


def pick(section: str, split: Split, dice: Random) -> str:
    """An entry of a section; in the test split every second one was never seen in training."""
    return dice.choice(entries(section, split == "test" and dice.random() < 0.5))


def several(section: str, count: int, split: Split, dice: Random) -> list[str]:
    """`count` different entries, or as many as there are."""
    known = entries(section, False)
    if split == "train":
        return dice.sample(known, min(count, len(known)))
    kept = entries(section, True)
    shuffled = dice.sample(known, len(known)) + dice.sample(kept, len(kept))
    dice.shuffle(shuffled)
    return list(dict.fromkeys(shuffled))[:count]
