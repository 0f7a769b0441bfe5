"""What servers and networks do wrong is one typed error with one sentence, asked again where that helps."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import omma
from omma.chat import Answer, Message, Options, Usage, message
from omma.errors import (
    BadInput,
    BadMessage,
    BadShape,
    Busy,
    Interrupted,
    OmmaError,
    PromptTooLong,
    TooLarge,
    UnknownModel,
    UnknownOption,
    Unreachable,
)
from omma.remote import model as remote_model
from omma.remote.events import events
from omma.remote.hearing import Hearing
from omma.remote.refusals import refusal, wait
from omma.shape import Calls, Matching, Places, Schema
from tests.remote.foreign import FORMS, Foreign, Reply, serving

HELLO = [message("user", "Hello?")]


def hi(said: tuple[Message, ...], body: Mapping[str, Any]) -> Answer:
    return Answer("Hi there.", "stop", Usage(3, 2))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_model, "PAUSE", 0.0)


def no(status: int, body: Any, **headers: str) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status, headers, raw


def vllm(status: int, text: str) -> Reply:
    return no(status, {"error": {"message": text, "type": "BadRequestError", "param": None, "code": status}})


def sglang(status: int, text: str) -> Reply:
    flat = {"object": "error", "message": text, "type": "BadRequest", "param": None, "code": status}
    return no(status, flat)


REFUSALS: list[tuple[Reply, type[OmmaError], str]] = [
    (vllm(400, "This model's maximum context length is 4096 tokens."), PromptTooLong, "4096"),
    (sglang(400, "The input is longer than the model's context length."), PromptTooLong, "longer"),
    (vllm(400, "top_p must be in (0, 1]"), BadMessage, "top_p"),
    (no(422, {"detail": [{"loc": ["body", "messages"], "msg": "required"}]}), BadMessage, "body.messages"),
    (no(401, {"error": "Unauthorized"}), Unreachable, "Unauthorized"),
    (vllm(404, "The model `x` does not exist."), UnknownModel, "`x`"),
    (no(413, b"<html><body><h1>413 Too Large</h1></body></html>"), TooLarge, "413 Too Large"),
    (
        no(400, {"error": {"message": "no", "code": "invalid_schema", "param": None}}),
        BadShape,
        "no",
    ),
]


@pytest.mark.parametrize(("reply", "kind", "words"), REFUSALS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_no_of_any_shape_is_the_error_that_means_it(
    reply: Reply, kind: type[OmmaError], words: str
) -> None:
    with serving(Foreign(hi, no=[reply])) as foreign:
        there = omma.connect(foreign.url)
        with pytest.raises(kind) as told:
            there.chat(HELLO)
        there.close()
    assert type(told.value) is kind
    assert words in str(told.value)
    assert "<" not in str(told.value)
    assert len(foreign.asked) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 408])
def test_what_passes_is_asked_again_until_it_goes(status: int) -> None:
    with serving(Foreign(hi, no=[no(status, b"bad gateway")] * 2)) as foreign:
        there = omma.connect(foreign.url, retries=2)
        assert there.chat(HELLO).text == "Hi there."
        there.close()
    assert len(foreign.asked) == 3


def test_it_is_asked_so_many_times_and_no_more() -> None:
    with serving(Foreign(hi, no=[no(500, b"")] * 9)) as foreign:
        there = omma.connect(foreign.url, retries=2)
        with pytest.raises(Interrupted, match="500"):
            there.chat(HELLO)
        there.close()
    assert len(foreign.asked) == 3


def test_a_busy_server_is_come_back_to_when_it_says_or_left_with_its_time() -> None:
    soon, late = (
        no(429, {"error": {"message": "full"}}, **{"retry-after": after}) for after in ("0", "3600")
    )
    with serving(Foreign(hi, no=[soon, late])) as foreign:
        there = omma.connect(foreign.url)
        with pytest.raises(Busy, match="full") as told:
            there.chat(HELLO)
        there.close()
    assert told.value.retry_after == 3600
    assert len(foreign.asked) == 2


def test_retry_after_may_be_a_date() -> None:
    assert wait(None) == 1
    assert wait("7") == 7
    assert wait("soon") == 1
    assert 50 < wait(formatdate(time.time() + 60, usegmt=True)) <= 61


def test_nobody_there_is_said_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="nobody answers"):
            omma.connect(f"http://127.0.0.1:{taken.getsockname()[1]}/v1")


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://a", "file:///etc/passwd", "http://a:b@c/v1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UnknownOption, match=r"address"):
        omma.connect(url)


def test_the_key_is_sent_and_never_shown() -> None:
    with serving(Foreign(hi, no=[no(401, b"")])) as foreign:
        there = omma.connect(foreign.url.removesuffix("/v1"), key="sesame")
        with pytest.raises(Unreachable) as told:
            there.chat(HELLO)
        there.close()
    assert set(foreign.keys) == {"Bearer sesame"}
    assert "sesame" not in f"{told.value} {there!r}"


def test_a_model_the_server_has_not_is_refused_with_those_it_has() -> None:
    with serving(Foreign(hi)) as foreign, pytest.raises(UnknownModel, match="omma-nano"):
        omma.connect(foreign.url, "gpt")


def test_a_dialect_that_no_name_tells_has_to_be_given() -> None:
    with serving(Foreign(hi, model="llava")) as foreign:
        with pytest.raises(UnknownOption, match="dialect="):
            omma.connect(foreign.url)
        there = omma.connect(foreign.url, dialect="relative")
        assert there.dialect == "relative"
        there.close()


def test_closing_a_stream_closes_the_connection() -> None:
    with serving(Foreign(hi, endless=True)) as foreign:
        there = omma.connect(foreign.url)
        stream = there.stream(HELLO)
        assert next(stream).text
        stream.close()
        assert foreign.left.wait(30)
        assert list(stream) == []
        there.close()


def test_leaving_many_closes_all_of_them() -> None:
    with serving(Foreign(hi)) as foreign:
        there = omma.connect(foreign.url)
        told = there.answers([HELLO] * 50, Options(), rows=2)
        next(told)
        told.close()  # type: ignore[attr-defined]
        assert len(foreign.asked) < 50
        there.close()


def test_a_silent_server_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(Unreachable, match="silent"):
        omma.connect(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=0.2)


@pytest.mark.parametrize("form", FORMS)
def test_thoughts_that_come_apart_stand_before_the_text(form: str) -> None:
    with serving(Foreign(hi, form, thoughts="Hm.")) as foreign:
        there = omma.connect(foreign.url, "omma-nano")
        told = there.chat(HELLO)
        there.close()
    assert (told.thoughts, told.said) == ("Hm.", "Hi there.")
    assert there.thinks


def test_options_go_by_the_names_that_servers_know() -> None:
    with serving(Foreign(hi)) as foreign:
        there = omma.connect(foreign.url)
        there.chat(HELLO, temperature=0.5, top_k=3, seed=7, stop="x", logprobs=2, shape=Matching("a+"))
        there.chat(HELLO, shape=Schema({"type": "object"}))
        with pytest.raises(BadShape, match="Places"):
            there.chat(HELLO, shape=Places(omma.sample.Size(1, 1), "grid"))
        there.close()
    first, second = foreign.asked
    assert {name: first[name] for name in ("temperature", "top_k", "seed", "stop")} == {
        "temperature": 0.5,
        "top_k": 3,
        "seed": 7,
        "stop": ["x"],
    }
    assert first["structured_outputs"] == {"regex": "a+"}
    assert (first["logprobs"], first["top_logprobs"]) == (True, 2)
    assert "max_tokens" not in first
    assert second["response_format"]["json_schema"]["schema"] == {"type": "object"}


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


FIELDS = [
    *("choices", "delta", "message", "content", "usage", "error", "index", "omma", "seen", "text"),
    *("logprobs", "finish_reason", "prompt_tokens_details", "top_logprobs", "code", "bytes"),
    *("times", "original", "logprob", "tool_calls", "function", "name", "arguments"),
]


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


def test_tools_and_their_calls_go_in_openais_form() -> None:
    zoom = {"type": "function", "function": {"name": "zoom", "parameters": {"type": "object"}}}
    call = {"id": "a", "type": "function", "function": {"name": "zoom", "arguments": '{"by": 2}'}}
    said: list[Any] = [
        {"role": "user", "content": "Zoom."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "done", "tool_call_id": "a"},
    ]
    with serving(Foreign(hi)) as foreign:
        there = omma.connect(foreign.url)
        there.chat(said, tools=[zoom], shape=Calls((("zoom", {"type": "object"}),), must=True))
        there.close()
    (asked,) = foreign.asked
    assert asked["messages"] == said
    assert asked["tools"] == [zoom]
    assert asked["tool_choice"] == "required"


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


def test_nothing_of_the_wing_needs_torch(fresh: Callable[[str], str]) -> None:
    said = fresh("import sys, omma; omma.Remote; print('torch' in sys.modules)")
    assert said == "False"


@pytest.fixture
def fresh() -> Callable[[str], str]:
    import subprocess
    import sys

    def run(program: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.strip()

    return run
