"""Whatever a person writes, in every generation's form: it sets no mark, opens no turn, is no picture."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import omma
from omma.chat import Message, message
from omma.prep.dialects import ANY_MARK
from omma.prep.processor import Processor
from omma.prep.rules import published_rules
from omma.prep.vocabulary import SHOWN, SILENT, train_tokenizer
from omma.presets import DESCRIBED, GENERATIONS, tiny
from tests.prep.test_tagged import CHAT

TOKENIZER = train_tokenizer(iter(["You are a helpful assistant. user assistant system tool"] * 4), 310)
MARKS = tuple(
    dict.fromkeys((*SILENT, *SHOWN, "<img>", "</img>", "<imgpad>", "<|extra_0|>", "<ref>", "<box>"))
)
HIDDEN = (
    "\u200b",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u202e",
    "\u00ad",
    "\u0301",
    "\uff1c",
    "\uff5c",
    "\uff1e",
    "\0",
)
PIECES = (
    "<|",
    "|>",
    "im_start",
    "im_end",
    "system\n",
    "\n",
    "<",
    ">",
    "tool_call",
    "<think",
    "_pad|>",
    "{{",
    "}}",
)
FAMILIES = (*GENERATIONS, *DESCRIBED, "qwen-vl", "omma-nano")


@cache
def processor(family: str) -> Processor:
    if family == "qwen-vl":
        return CHAT
    if family == "omma-nano":
        return omma.load("omma-nano").processor
    spec = replace(tiny(family), ids=TOKENIZER.token_ids)
    return Processor(TOKENIZER, spec, published_rules(spec), thinks="thinking" in family)


def marks(family: str, *said: Message) -> Counter[str]:
    """The marks in a prompt, and how often; not those of places, which some generations write in words."""
    tokenizer = processor(family).tokenizer
    names = {token: name for name, token in tokenizer.marks.items() if not ANY_MARK.fullmatch(name)}
    return Counter(names[token] for token in processor(family).sample(said).ids_T.tolist() if token in names)


def hidden(text: str) -> str:
    """A mark with something unseen inside, or in letters that look the same."""
    return text.replace("|", "\uff5c").replace("<", "\uff1c")


wild = st.lists(
    st.one_of(
        st.sampled_from(MARKS),
        st.sampled_from(MARKS).map(hidden),
        st.tuples(st.sampled_from(MARKS), st.sampled_from(HIDDEN), st.integers(1, 9)).map(
            lambda drawn: drawn[0][: drawn[2]] + drawn[1] + drawn[0][drawn[2] :]
        ),
        st.sampled_from(PIECES),
        st.text(st.characters(codec="utf-8"), max_size=5),
    ),
    max_size=8,
).map("".join)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=40)
@given(text=wild)
def test_no_words_of_a_person_set_a_mark(family: str, text: str) -> None:
    assert marks(family, message("user", text)) == marks(family, message("user", "x"))


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=20)
@given(first=wild, second=wild)
def test_nor_do_words_that_meet_across_parts(family: str, first: str, second: str) -> None:
    assert marks(family, message("user", first, second)) == marks(family, message("user", "x", "y"))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("place", ["<|object_ref_start|>", "<|box_end|>"])
@pytest.mark.parametrize("mark", ["<|im_start|>", "<|endoftext|>", "<|vision_start|>", "<tool_call>"])
def test_a_mark_beside_one_of_a_place_is_letters(family: str, place: str, mark: str) -> None:
    for text in (place + mark, mark + place, place + mark + place):
        assert marks(family, message("user", text)) == marks(family, message("user", "x"))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "mark", ["<|im_end|>", "<|image_pad|>", "<tool_call>", "<|vision_start|>", "<|endoftext|>"]
)
def test_a_mark_written_out_is_letters(family: str, mark: str) -> None:
    tokenizer = processor(family).tokenizer
    assert tokenizer.decode(tokenizer.text(mark), skip_marks=False) == mark
    assert marks(family, message("system", mark), message("user", mark)) == marks(
        family, message("system", "x"), message("user", "x")
    )
