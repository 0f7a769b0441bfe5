"""The words of skills, as data, are those that the skills say."""

from __future__ import annotations

import pytest

from omma.errors import BadInput
from omma.prep.dialects import DIALECTS
from omma.skills import find, locate, point, read
from omma.skills.prompts import prompts


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_has_words_for_every_skill_that_it_has(dialect: str) -> None:
    told = prompts(dialect)
    assert told["find"] == find.PROMPTS[dialect]
    assert told["read"] == read.PROMPTS_WITH_BOXES[dialect]
    assert told["point"] == point.PROMPTS[dialect]
    assert told.get("locate") == locate.PROMPTS.get(dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_wish_has_one_place_in_the_words(dialect: str) -> None:
    wishful = {name for name, words in prompts(dialect).items() if words.count("{what}") == 1}
    assert wishful - {"locate"} == {"find", "point", "extract", "evidence"}
    assert ("locate" in wishful) == (dialect != "tags")  # the generation of 2023 sees no videos


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(BadInput, match="dialect"):
        prompts("latin")
