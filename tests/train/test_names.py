"""The naming lesson: visual tokens are drawn to the words for what they show, and to no others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from omma.errors import BadRecipe
from omma.prep.tokenizer import Tokenizer
from omma.sample import Size
from omma.synth import CLASSES, COLOURS
from omma.train.begin import begin
from omma.train.feed import make_batches
from omma.train.lesson import IGNORE, Marks
from omma.train.names import lexicon, naming_loss, shares
from omma.train.passes import totals_of
from omma.train.recipe import Course, Worlds
from tests.train.school import toy_recipe

NANO = Path(__file__).parents[2] / "recipes" / "nano" / "processor" / "tokenizer.json"
CIRCLE, RED, BLUE = CLASSES.index("circle"), COLOURS.index("red"), COLOURS.index("blue")


def marks(kinds: list[list[int]], colours: list[list[int]]) -> Marks:
    count = len(kinds)
    return Marks(np.array(kinds, np.uint8), np.array(colours, np.uint8), np.zeros((count, 6), np.float32))


def test_a_class_is_named_by_the_piece_that_stands_for_it_in_a_sentence() -> None:
    tokenizer = Tokenizer.from_file(NANO)
    words = lexicon(tokenizer)
    assert tokenizer.decode([words.kinds[CIRCLE]]) == " circle"
    assert tokenizer.decode([words.kinds[CLASSES.index("A")]]) == "A"
    assert tokenizer.decode([words.colours[RED]]) == " red"


def test_a_token_shows_shares_of_things_and_nothing_of_the_ground() -> None:
    kinds, colours = shares(marks([[0, 0, CIRCLE, CIRCLE], [0, 0, 0, IGNORE]], [[BLUE, BLUE, RED, RED]] * 2))
    assert kinds[0].nonzero()[0].tolist() == [CIRCLE]
    assert colours[0].nonzero()[0].tolist() == [RED]
    assert kinds[0, CIRCLE] == colours[0, RED] == 1.0
    assert not kinds[1].any()
    assert not colours[1].any()


def test_a_token_near_its_words_costs_less_than_one_near_others() -> None:
    tokenizer = Tokenizer.from_file(NANO)
    words = lexicon(tokenizer)
    table = torch.randn(tokenizer.size, 64, generator=torch.Generator().manual_seed(0))
    shown = marks([[CIRCLE] * 4], [[RED] * 4])
    right = (table[words.kinds[CIRCLE]] + table[words.colours[RED]])[None]
    wrong = (table[words.kinds[CIRCLE + 1]] + table[words.colours[BLUE]])[None]
    costs = [float(naming_loss(token, table, words, shown, 1.0)) for token in (right, wrong)]
    assert costs[0] < costs[1] - 3


def test_the_lesson_reaches_the_bridge_and_the_table_and_adds_up_over_passes(tmp_path: Path) -> None:
    data = Worlds((Course("scenes", level=1, sizes=(Size(84, 84),)),))
    taught = replace(toy_recipe(tmp_path), data=data, marks=1.0, names=1.0, precision="float32")
    run = begin(taught, "cpu")
    whole, parts = (make_batches(replace(taught, micro=micro), 0) for micro in (1, 2))
    loss, told = run.pupil(whole[0], totals_of(whole))
    loss.backward()
    assert told["names"] > 0
    for name in ("vision.merger.outer.weight", "decoder.embedding.weight"):
        gradient = run.model.get_parameter(name).grad
        assert gradient is not None
        assert gradient.abs().sum() > 0
    totals = totals_of(parts)
    assert sum(run.pupil(part, totals)[1]["names"] for part in parts) == pytest.approx(
        told["names"], rel=1e-4
    )


def test_names_without_marks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match="names are learned from marks"):
        replace(toy_recipe(tmp_path), marks=0.0, names=1.0).check()
