"""Order without lists: every place is worked out from its number, and nothing comes twice or is left out."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omma.corpus.mix import Mix, Part, Shelf
from omma.corpus.order import BLOCK, Order, shuffled, split_count, split_record, turn_of
from tests.corpus.goods import llava, native, write_lines, write_table

KEYS = st.integers(0, 2**64 - 1)


@given(st.integers(1, 700), KEYS)
def test_a_shuffle_gives_each_number_once(count: int, key: int) -> None:
    assert sorted(shuffled(place, count, key) for place in range(count)) == list(range(count))


def test_a_shuffle_is_well_stirred() -> None:
    count, rounds = 200, 300
    firsts = Counter(shuffled(0, count, key) for key in range(rounds * 10))
    assert len(firsts) == count
    assert max(firsts.values()) < 45  # 15 are expected; a fair draw passes 45 once in 10^8
    neighbours = sum(
        shuffled(i + 1, count, key) == shuffled(i, count, key) + 1 for key in range(20) for i in range(199)
    )
    assert neighbours < 60  # 20 are expected


@given(st.lists(st.integers(0, 9), max_size=30).filter(sum), KEYS)
def test_blocks_stay_together_and_each_record_comes_once(blocks: list[int], key: int) -> None:
    order = Order(sum(blocks), blocks)
    told = [order.at(place, key) for place in range(order.count)]
    assert sorted(told) == list(range(order.count))
    block_of = [number for number, length in enumerate(blocks) for _ in range(length)]
    runs = [block_of[record] for record in told]
    changes = sum(a != b for a, b in pairwise(runs))
    assert changes == len(set(block_of)) - 1


@given(st.integers(0, 500))
def test_splits_together_are_everything(count: int) -> None:
    train = {split_record(place, "train") for place in range(split_count(count, "train"))}
    test = {split_record(place, "test") for place in range(split_count(count, "test"))}
    assert not train & test
    assert train | test == set(range(count))
    assert len(test) == count // 20


@settings(max_examples=15)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=6), st.integers(0, 2**32))
def test_every_block_of_a_mix_holds_the_shares(weights: list[float], seed: int) -> None:
    turns = [turn_of(index, weights, seed) for index in range(2 * BLOCK)]
    for half in (turns[:BLOCK], turns[BLOCK:]):
        counts = Counter(source for source, _ in half)
        for source, weight in enumerate(weights):
            assert abs(counts[source] - BLOCK * weight / sum(weights)) <= len(weights)


@settings(max_examples=15)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=6), st.integers(0, 2**32))
def test_a_source_of_a_mix_gives_its_samples_one_after_another(weights: list[float], seed: int) -> None:
    turns = [turn_of(index, weights, seed) for index in range(2 * BLOCK)]
    for source in range(len(weights)):
        numbers = sorted(number for which, number in turns if which == source)
        assert numbers == list(range(len(numbers)))


@pytest.fixture
def mix(tmp_path: Path) -> Mix:
    lines = write_lines(tmp_path / "a.jsonl", [native(i) for i in range(60)])
    table = write_table(tmp_path / "b.parquet", [llava(i) for i in range(45)], group=7)
    return Mix((Part(lines, 3.0), Part(table, 1.0)))


def test_a_sample_is_a_pure_function_of_its_number(mix: Mix) -> None:
    unbroken = [Shelf(mix).pick(index, seed=3) for index in range(100)]
    again = Shelf(mix)
    assert [again.pick(index, seed=3) for index in reversed(range(100))] == unbroken[::-1]
    assert [again.pick(index, seed=4) for index in range(100)] != unbroken


def test_every_record_of_a_file_comes_once_before_any_comes_again(mix: Mix) -> None:
    shelf = Shelf(mix)
    for part, length in enumerate((57, 43)):
        told = sorted((shelf._turn(i, 0, "train")[1], shelf.pick(i, 0).record)
                      for i in range(1024) if shelf.pick(i, 0).part == part)  # fmt: skip
        first, second = ({record for _, record in told[at : at + length]} for at in (0, length))
        assert len(first) == len(second) == length
        assert first == second


def test_held_out_records_are_never_drawn_for_training(mix: Mix) -> None:
    shelf = Shelf(mix)
    train = {shelf.pick(index, 0, "train", attempt) for index in range(300) for attempt in range(2)}
    test = {shelf.pick(index, 0, "test", attempt) for index in range(100) for attempt in range(2)}
    assert not train & test
    assert len(test) == shelf.count("test") == 3 + 2


def test_a_file_too_short_to_hold_anything_out_gives_nothing_to_the_check(tmp_path: Path) -> None:
    long = write_lines(tmp_path / "long.jsonl", [native(i) for i in range(40)])
    short = write_lines(tmp_path / "short.jsonl", [native(i) for i in range(3)])
    shelf = Shelf(Mix((Part(short, 9.0), Part(long))))
    assert {shelf.pick(index, 0, "test").part for index in range(50)} == {1}
    assert {shelf.pick(index, 0, "train").part for index in range(50)} == {0, 1}


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_that_makes_no_sense_is_told(weight: float) -> None:
    assert "weight" in (Mix((Part(Path("a.jsonl"), weight),)).problem() or "")
    assert Mix(()).problem()
