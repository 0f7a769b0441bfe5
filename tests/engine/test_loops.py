"""A circle is found wherever it begins; what people write is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omma.chat import Options
from omma.engine.lookup import Lookup
from omma.engine.loops import LONGEST, LOOK, SPAN, TIMES, circles
from omma.engine.request import Defaults, Sampling, request
from omma.errors import UnknownOption
from omma.sample import Sample


@settings(max_examples=60)
@given(st.integers(1, LONGEST), st.integers(0, 100), st.integers(0, 1000))
def test_a_circle_gone_round_long_enough_is_found(period: int, before: int, seed: int) -> None:
    dice = np.random.default_rng(seed)
    circle = [1000, *dice.integers(0, 50, period - 1)]
    written = [*dice.integers(0, 50, before), *circle * ((max(SPAN, TIMES * period) + LOOK) // period + 2)]
    written = written[: len(written) // LOOK * LOOK]
    assert circles(written)


@settings(max_examples=60)
@given(st.integers(1, LONGEST), st.integers(0, 1000))
def test_a_circle_gone_round_less_often_is_none(period: int, seed: int) -> None:
    dice = np.random.default_rng(seed)
    circle = [1000, *dice.integers(0, 50, period - 1)]
    most = max(SPAN, TIMES * period) - LOOK
    written = ([*range(2000, 2000 + LOOK)] + circle * (most // period))[: most // LOOK * LOOK]
    assert not circles(written)


@settings(max_examples=40)
@given(st.integers(2, 400), st.integers(1, 30), st.integers(0, 1000))
def test_a_table_whose_rows_differ_anywhere_is_none(rows: int, width: int, seed: int) -> None:
    dice = np.random.default_rng(seed)
    row = dice.integers(0, 20, width).tolist()
    written: list[int] = []
    for number in range(rows):  # numbered rows, the last digits of coordinates, cells that repeat
        written += [*row, 30 + number // 10 % 10, 30 + number % 10]
        assert not circles(written)


def test_forty_empty_rows_are_a_table() -> None:
    assert not circles([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16] * 40)


@pytest.mark.parametrize("kept", [True, False])
def test_a_circle_ends_an_answer_unless_it_is_to_be_kept(kept: bool) -> None:
    sample = Sample(np.zeros(3, np.int64), np.zeros((3, 3), np.int64))
    how = Defaults(Sampling(), frozenset({1}))
    assert request(sample, Options(keep_loops=kept), how, context=99).loops is not kept
    with pytest.raises(UnknownOption, match="keep_loops is 'no'; wanted True or False"):
        Options.of(keep_loops="no")


@pytest.mark.parametrize("most", [1, 4, 8])
def test_a_guess_is_what_followed_the_same_words(most: int) -> None:
    lookup = Lookup([1, 2, 3, 4, 5, 6, 7, 8, 9], most)
    assert lookup.guess() == []
    for token in (1, 2, 3):
        lookup.write(token)
    assert lookup.guess() == [4, 5, 6, 7][:most]


def test_wrong_guesses_make_for_fewer() -> None:
    lookup = Lookup([1, 2, 3, 4, 5, 6, 1, 2, 3], 8)
    assert lookup.guess() == [4, 5, 6, 1]
    lookup.judge(4, 0)
    assert lookup.guess() == [4]
    lookup.judge(1, 1)
    assert lookup.guess() == [4, 5]
