"""Streams of events and refusals are heard right in whatever form and however cut, or are one typed error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import omma
from omma.errors import BadInput, Busy, Interrupted, OmmaError, PromptTooLong
from omma.remote.events import events
from omma.remote.hearing import Hearing
from omma.remote.refusals import refusal


def heard(*chunks: Any) -> list[omma.Delta]:
    told = (chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in chunks)
    return list(Hearing((), "there").stream(told))


def chunk(text: str | None, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


@pytest.mark.parametrize(
    ("chunks", "kind"),
    [
        ([chunk("a")], Interrupted),
        ([chunk("a"), "[DONE]"], Interrupted),
        ([chunk("a"), {"error": {"message": "died", "code": 500}}], Interrupted),
        ([{"error": {"message": "long", "code": "context_length_exceeded"}}], PromptTooLong),
        ([{"object": "error", "message": "full", "code": 429}], Busy),
        ([chunk("a", "abort")], Interrupted),
        ([chunk("a", "content_filter")], BadInput),
        (["nonsense"], Interrupted),
        (["[1]"], Interrupted),
        (['{"choices": ' + "[" * 100_000], Interrupted),
    ],
    ids=str,
)
def test_an_answer_that_does_not_end_as_it_should_is_an_error(
    chunks: list[Any], kind: type[OmmaError]
) -> None:
    with pytest.raises(kind) as told:
        heard(*chunks)
    assert type(told.value) is kind


def test_a_server_may_tell_probabilities_and_content_in_parts() -> None:
    probable = {"content": [{"token": "é", "logprob": -0.5, "top_logprobs": [{"token": "e", "logprob": -1}]}]}
    part = {"choices": [{"delta": {"content": [{"type": "text", "text": "é"}]}, "logprobs": probable}]}
    first, last = heard(part, chunk(None, "length"))
    assert first.text == "é"
    assert (first.chosen[0].bytes, first.chosen[0].likeliest[0].logprob) == ("é".encode(), -1)
    assert last.finish_reason == "length"


def test_calls_that_come_apart_stand_in_the_text_as_models_write_them() -> None:
    begun = {"index": 0, "id": "a", "type": "function", "function": {"name": "zoom", "arguments": ""}}
    more = [{"index": 0, "function": {"arguments": piece}} for piece in ('{"by"', ": 2}")]
    told = heard(
        *({"choices": [{"delta": {"content": None, "tool_calls": [one]}}]} for one in (begun, *more)),
        chunk(None, "tool_calls"),
    )
    text = "".join(delta.text for delta in told)
    assert text == '<tool_call>\n{"name": "zoom", "arguments": {"by": 2}}\n</tool_call>'
    assert told[-1].finish_reason == "stop"


FIELDS = [
    *("choices", "delta", "message", "content", "usage", "error", "index", "omma", "seen", "text"),
    *("logprobs", "finish_reason", "prompt_tokens_details", "top_logprobs", "code", "bytes"),
    *("times", "original", "logprob", "tool_calls", "function", "name", "arguments"),
]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(json_values, max_size=3))
def test_no_json_whatever_breaks_the_hearing(chunks: list[Any]) -> None:
    with suppress(OmmaError):
        heard(*chunks)


@given(json_values, st.integers(201, 599), st.binary(max_size=20))
def test_no_body_whatever_breaks_a_refusal(body: Any, status: int, tail: bytes) -> None:
    assert str(refusal(status, {}, json.dumps(body).encode() + tail, "there"))


def _events(data: list[str], end: bytes) -> bytes:
    return b"".join(b"data: " + one.encode() + end + end for one in data)


@given(
    st.lists(st.text(alphabet="a\u2028\x85\x0b é{}", min_size=1, max_size=6), max_size=4),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.data(),
)
def test_events_are_the_same_however_their_bytes_are_cut(data: list[str], end: bytes, draw: Any) -> None:
    raw = _events(data, end)
    cuts = sorted(draw.draw(st.sets(st.integers(0, len(raw)), max_size=8)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert list(events(pieces)) == data


@given(json_values, json_values)
def test_nor_does_anything_in_a_choice(probable: Any, own: Any) -> None:
    told = {"choices": [{"delta": {"content": "a"}, "logprobs": {"content": [probable]}}], "omma": own}
    with suppress(OmmaError):
        heard(told, chunk(None, "stop"))


def test_a_line_without_end_is_left() -> None:
    def flood() -> Iterator[bytes]:
        while True:
            yield b"x" * (1 << 20)

    with pytest.raises(Interrupted, match="line"):
        list(events(flood()))
