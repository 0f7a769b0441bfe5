"""The fuzzers find what is planted, and take refusals in our own words for what they are."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bench.fuzz_child import Watch, by_chance, mutated
from bench.fuzz_draw import Draw
from bench.fuzz_targets import PARSERS, Parser


def planted(data: bytes) -> None:
    """A parser with a fault: it falls over a zero in the first place."""
    if data[:1] == b"\0":
        raise IndexError("planted")


def test_a_planted_fault_is_found_kept_and_told_once(tmp_path: Path) -> None:
    watch = Watch(planted, tmp_path, "changed at random")
    dice = random.Random(1)
    for _ in range(300):
        watch(mutated([b"\x01\x02\x03", b"abc"], dice, 64))
    watch.close()
    assert watch.count == 300
    (told,) = watch.found.values()
    assert "planted" in told
    kept = [path for path in tmp_path.glob("finding-*") if not path.suffix]
    assert [path.read_bytes()[:1] for path in kept] == [b"\0"]


@pytest.mark.parametrize("name", PARSERS)
def test_each_parser_bears_its_seeds_and_a_few_changes(name: str, tmp_path: Path) -> None:
    parser = PARSERS[name]
    watch = Watch(parser.ready(), tmp_path, "changed at random")
    by_chance(Parser(name, parser.ready, parser.seeds, parser.longest), watch, 0.0, 1)
    dice, seeds = random.Random(2), parser.seeds()
    for _ in range(10):
        watch(mutated(seeds, dice, parser.longest))
    watch.close()
    assert watch.count > 10
    assert not watch.found


def test_drawing_ends_whatever_the_bytes_are() -> None:
    dice = random.Random(3)
    for _ in range(200):
        draw = Draw(dice.randbytes(dice.randrange(400)))
        draw.changed(draw.value(["a"], ["b"]), ["a"], ["b"])
        assert draw.left >= 0
