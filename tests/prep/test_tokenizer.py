"""Words never become marks; every text comes back; a small vocabulary is whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omma.errors import BadFolder, BadMessage
from omma.prep.processor import COMPOSED
from omma.prep.tokenizer import Tokenizer
from omma.prep.vocabulary import SHOWN, SILENT, train_tokenizer

MARKS = SILENT + SHOWN
# Texts with marks in them, whole and in pieces.
markup = st.lists(
    st.one_of(st.sampled_from(MARKS), st.text(), st.sampled_from(["<|", "|>", "im_start", "<think"])),
    max_size=6,
).map("".join)
session = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@session
@given(markup)
def test_no_wording_reaches_a_mark(tokenizer: Tokenizer, text: str) -> None:
    assert not set(tokenizer.text(text)) & set(tokenizer.marks.values())


@session
@given(st.lists(st.one_of(st.sampled_from(MARKS), st.text(st.characters(codec="ascii"))), max_size=6))
def test_a_text_comes_back_as_it_was(tokenizer: Tokenizer, texts: list[str]) -> None:
    text = "".join(texts)
    assert tokenizer.decode(tokenizer.text(text)) == text


@session
@given(st.one_of(st.text(), st.text("\u03b1\u0313\u0300\u0345\u1112\u1161\u11ab", min_size=8)))
def test_no_text_has_more_letters_than_its_tokens_can_hold(tokenizer: Tokenizer, text: str) -> None:
    assert len(text) <= COMPOSED * len(tokenizer.text(text)) * tokenizer.longest


def test_text_is_brought_to_nfc(tokenizer: Tokenizer) -> None:
    assert tokenizer.decode(tokenizer.text("e\u0301")) == "\u00e9"


@session
@given(st.text())
def test_the_bytes_of_ids_are_the_bytes_of_the_text(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.text(text)
    assert b"".join(map(tokenizer.bytes_of, ids)).decode() == tokenizer.decode(ids)


def test_an_id_that_nobody_uses_writes_nothing(tokenizer: Tokenizer) -> None:
    assert tokenizer.bytes_of(tokenizer.size + 5) == b""


def test_half_a_character_is_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(BadMessage, match="half of a character, near 'ab"):
        tokenizer.text("ab\ud800")


def test_markup_is_left_out_of_the_text_and_thoughts_are_kept(tokenizer: Tokenizer) -> None:
    ids = [tokenizer.mark("<think>"), *tokenizer.text("a"), tokenizer.mark("<|im_end|>")]
    assert tokenizer.decode(ids) == "<think>a"
    assert tokenizer.decode(ids, skip_marks=False) == "<think>a<|im_end|>"


def test_marks_of_boxes_are_kept_where_places_are_told_by_them(tokenizer: Tokenizer) -> None:
    box, turn = tokenizer.mark("<|box_start|>"), tokenizer.mark("<|im_end|>")
    assert tokenizer.bytes_of(box, skip_marks=True, places=True) == b"<|box_start|>"
    assert tokenizer.bytes_of(box, skip_marks=True) == b""
    assert tokenizer.bytes_of(turn, skip_marks=True, places=True) == b""


def test_marks_follow_the_pieces_in_the_public_order(tokenizer: Tokenizer) -> None:
    first = tokenizer.size - len(MARKS)
    assert [tokenizer.mark(name) for name in MARKS] == list(range(first, tokenizer.size))
    ids = tokenizer.token_ids
    assert ids.vision_start - ids.end_of_text == 151_652 - 151_643
    assert ids.video - ids.end_of_text == 151_656 - 151_643


def test_the_size_counts_bytes_merges_and_marks() -> None:
    texts = ["the red circle and the blue square"] * 20
    assert train_tokenizer(iter(texts), 300).size == 300
    assert len(train_tokenizer(iter(texts), 300).text("the")) < 3


def test_the_same_texts_make_the_same_vocabulary() -> None:
    texts = ["the red circle", "a blue square", "den röda cirkeln"] * 5
    assert train_tokenizer(iter(texts), 330).source == train_tokenizer(iter(texts), 330).source


def test_a_mark_that_also_stands_among_the_pieces_is_out_of_reach(tokenizer: Tokenizer) -> None:
    raw = json.loads(tokenizer.source)
    raw["model"]["vocab"] |= {entry["content"]: entry["id"] for entry in raw["added_tokens"]}
    raw["model"]["ignore_merges"] = True
    sly = Tokenizer(json.dumps(raw))
    assert not set(sly.text("<think>")) & set(sly.marks.values())


def test_a_mark_that_is_not_there_is_said_by_name(tokenizer: Tokenizer) -> None:
    with pytest.raises(BadFolder, match=r"<\|audio\|>"):
        tokenizer.mark("<|audio|>")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"model": {"vocab": {"☃☃": 0}}, "added_tokens": []}', "\x00"]
)
def test_a_broken_tokenizer_file_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(text)
    with pytest.raises(BadFolder, match=r"tokenizer\.json"):
        Tokenizer.from_file(path)


def test_a_missing_tokenizer_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match=r"absent\.json"):
        Tokenizer.from_file(tmp_path / "absent.json")
