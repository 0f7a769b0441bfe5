"""Text as it comes: no character is split, no stop is shown, nothing depends on how the tokens lie."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from omma.engine.text import TextStream

BYTES = {number: bytes([number]) for number in range(256)}


def pieces(text: bytes, *stop: str) -> list[str]:
    """Feed byte by byte: the hardest cut there is."""
    stream = TextStream(BYTES.__getitem__, stop)
    return [*(stream.add(byte) for byte in text), stream.close()]


def cut(text: str, stops: list[str]) -> str:
    """The plain meaning: letter by letter, the text ends where the first stop is complete."""
    for end in range(len(text) + 1):
        if done := [len(stop) for stop in stops if text[:end].endswith(stop)]:
            return text[: end - max(done)]
    return text


def test_a_character_of_four_bytes_comes_whole() -> None:
    assert pieces("a😀".encode()) == ["a", "", "", "", "😀", ""]


def test_unfinished_bytes_are_said_to_be_broken() -> None:
    assert pieces("😀".encode()[:3]) == ["", "", "", "\N{REPLACEMENT CHARACTER}"]


def test_the_text_before_a_stop_is_kept() -> None:
    assert "".join(pieces(b"yes. no", ".")) == "yes"


def test_a_beginning_that_is_no_stop_is_released_at_once() -> None:
    assert pieces(b"a\n\nb", "\n\n\n") == ["a", "", "", "\n\nb", ""]


def test_a_beginning_at_the_end_is_released_on_close() -> None:
    assert pieces(b"END", "END OF") == ["", "", "", "END"]


@given(st.binary(max_size=40))
def test_any_bytes_stream_to_what_they_decode_to_at_once(raw: bytes) -> None:
    assert "".join(pieces(raw)) == raw.decode("utf-8", "replace")


@given(
    st.text("abé", max_size=30),
    st.lists(st.text("abé", min_size=1, max_size=4), max_size=3),
    st.lists(st.integers(1, 5), min_size=1, max_size=8),
)
def test_stops_do_not_depend_on_how_the_text_is_cut(text: str, stops: list[str], lengths: list[int]) -> None:
    raw, tokens, at = text.encode(), [], 0
    while at < len(raw):
        length = lengths[len(tokens) % len(lengths)]
        tokens.append(raw[at : at + length])
        at += length
    stream = TextStream(tokens.__getitem__, stops)
    told = ""
    for token in range(len(tokens)):
        told += stream.add(token)
        if stream.stopped:
            break
    assert told + stream.close() == cut(text, stops)
