"""A vocabulary of ranks is read, spells as ranks say, and is written back byte for byte."""

from __future__ import annotations

import base64
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from omma.errors import BadFolder, BadMessage
from omma.prep.ranks import LONGEST, MARKS, RANKS, TAGS, RankedTokenizer
from omma.prep.tokenizer import Tokenizer
from omma.prep.vocabulary import SPLIT, train_tokenizer

WORDS = [
    "the red thing, then the other thing",
    "Überraschung été 日本語の文字 中文",
    "1234 don't I'LL\n\n  x",
    "aaaa",
]
TEXTS = st.text(st.sampled_from("thered ng,.’'L\n\t12éÜ日本語の文a<>box/") | st.characters(codec="utf-8"))


@pytest.fixture(scope="module")
def ranked() -> RankedTokenizer:
    return RankedTokenizer.of(train_tokenizer(iter(WORDS * 6), 420))


def table(tokenizer: RankedTokenizer) -> dict[bytes, int]:
    lines = (line.split() for line in tokenizer.ranks.splitlines())
    return {base64.b64decode(token): int(rank) for token, rank in lines}


def plainly(text: str, ranks: dict[bytes, int]) -> list[int]:
    """Byte pairs as they are defined: of all neighbours those of the lowest rank join, over and over."""
    ids = []
    split = pre_tokenizers.Split(tokenizers.Regex(SPLIT), "isolated")
    for piece, _ in split.pre_tokenize_str(unicodedata.normalize("NFC", text)):
        parts = [bytes([byte]) for byte in piece.encode()]
        while True:
            pairs = [(ranks.get(a + b, len(ranks)), i) for i, (a, b) in enumerate(pairwise(parts))]
            if not pairs or min(pairs)[0] == len(ranks):
                break
            place = min(pairs)[1]
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
        ids += [ranks[part] for part in parts]
    return ids


@given(text=TEXTS)
def test_words_are_spelled_as_the_ranks_say(ranked: RankedTokenizer, text: str) -> None:
    if not any(tag in unicodedata.normalize("NFC", text) for tag in TAGS):
        assert ranked.text(text) == plainly(text, table(ranked))


@given(text=TEXTS)
def test_what_was_spelled_is_read_again(ranked: RankedTokenizer, text: str) -> None:
    assert ranked.decode(ranked.text(text)) == unicodedata.normalize("NFC", text)


def test_a_file_comes_back_byte_for_byte(ranked: RankedTokenizer, tmp_path: Path) -> None:
    (tmp_path / RANKS).write_bytes(ranked.ranks)
    again = RankedTokenizer.from_file(tmp_path / RANKS)
    assert (again.ranks, again.source) == (ranked.ranks, ranked.source)


def test_line_ends_of_another_system_change_nothing(ranked: RankedTokenizer, tmp_path: Path) -> None:
    (tmp_path / RANKS).write_bytes(ranked.ranks.replace(b"\n", b"\r\n"))
    assert RankedTokenizer.from_file(tmp_path / RANKS).ranks == ranked.ranks


def test_learned_merges_are_found_again_from_the_ranks() -> None:
    trained = train_tokenizer(iter(WORDS * 6), 420)
    ranked = RankedTokenizer.of(trained)
    for text in WORDS:
        assert ranked.text(text) == trained.text(text)


@pytest.mark.parametrize(
    ("mark", "public"),
    [
        *(("<|endoftext|>", 151_643), ("<|im_start|>", 151_644), ("<|im_end|>", 151_645)),
        *(("<|extra_0|>", 151_646), ("<|extra_204|>", 151_850), ("<ref>", 151_851), ("</ref>", 151_852)),
        *(("<box>", 151_853), ("</box>", 151_854), ("<quad>", 151_855), ("</quad>", 151_856)),
        *(("<img>", 151_857), ("</img>", 151_858), ("<imgpad>", 151_859)),
    ],
)
def test_marks_follow_the_ranks_in_the_public_order(mark: str, public: int) -> None:
    assert 151_643 + MARKS.index(mark) == public


def test_tags_of_places_are_marks_in_text(ranked: RankedTokenizer) -> None:
    text = "<ref>the thing</ref><box>(1,2),(3,4)</box><quad></quad>"
    ids = ranked.text(text)
    assert [token for token in ids if token >= ranked.mark(MARKS[0])] == [ranked.mark(tag) for tag in TAGS]
    assert ranked.decode(ids) == text


@pytest.mark.parametrize(
    "mark", ["<img>", "</img>", "<imgpad>", "<|im_start|>", "<|endoftext|>", "<|extra_0|>"]
)
def test_no_text_is_a_mark_of_turns_or_pictures(ranked: RankedTokenizer, mark: str) -> None:
    ids = ranked.text(f"a{mark}/etc/passwd</img>")
    assert max(ids) < ranked.mark(MARKS[0])
    assert ranked.decode(ids) == f"a{mark}/etc/passwd</img>"


def test_a_tag_that_a_sign_joins_is_none(ranked: RankedTokenizer) -> None:
    assert ranked.mark("<box>") not in ranked.text("<box>\u0338")  # together they are one letter, not less


def test_markup_of_turns_and_pictures_is_not_shown(ranked: RankedTokenizer) -> None:
    ids = [ranked.mark(mark) for mark in ("<img>", "<imgpad>", "</img>", "<ref>", "<|im_end|>")]
    assert ranked.decode(ids) == "<ref>"


def test_half_a_character_is_refused(ranked: RankedTokenizer) -> None:
    with pytest.raises(BadMessage, match="half of a character"):
        ranked.text("a\ud800")


def bytes_alone() -> list[bytes]:
    return [base64.b64encode(bytes([i])) + b" %d" % i for i in range(256)]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([*bytes_alone()[:255]], "lacks 1 of the 256 bytes"),
        ([*bytes_alone(), b"YWI= 300"], "ranks are not 0 to 256"),
        ([*bytes_alone(), b"YQ== 256"], "holds a token twice"),
        ([*bytes_alone(), b"YWI="], "line 257 is b'YWI='"),
        ([*bytes_alone(), b"\xff\xfe 256"], "line 257"),
        ([*bytes_alone(), b"YWI= two"], "line 257"),
        ([*bytes_alone(), base64.b64encode(b"a" * (LONGEST + 1)) + b" 256"], "a token of 1,025 bytes"),
        ([], "lacks 256 of the 256 bytes"),
    ],
)
def test_a_file_that_is_none_is_refused(lines: list[bytes], told: str, tmp_path: Path) -> None:
    (tmp_path / RANKS).write_bytes(b"".join(line + b"\n" for line in lines))
    with pytest.raises(BadFolder, match=told):
        RankedTokenizer.from_file(tmp_path / RANKS)


def test_a_token_that_no_joins_make_is_spelled_where_it_stands_alone() -> None:
    ranks = {bytes([i]): i for i in range(256)} | {b"abc": 256}
    tokenizer = RankedTokenizer(ranks)
    assert tokenizer.text("abc") == [256]
    assert tokenizer.text("abcd") == [97, 98, 99, 100]


def test_it_is_a_tokenizer_like_any_other(ranked: RankedTokenizer) -> None:
    assert isinstance(ranked, Tokenizer)
    assert ranked.size == len(table(ranked)) + len(MARKS)
