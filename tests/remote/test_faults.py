"""What servers and networks do wrong is one typed error with one sentence, asked again where that helps."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any

import pytest

import omma
from omma.chat import Answer, Message, Options, Text, Tool, ToolCall, Usage, message
from omma.errors import (
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
from omma.remote.refusals import wait
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


ADDRESSES = ["", "localhost:8000", "ftp://a", "file:///etc/passwd", "http://a:b@c/v1"]
ADDRESSES += ["http://[::1/v1", "http://a:99999/v1", "http://a\ud800/v1", "http://a/\ud800"]


@pytest.mark.parametrize("url", ADDRESSES, ids=ascii)
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


WISHES: list[dict[str, Any]] = [
    *({"key": key} for key in ("k\xe4se", "two\nlines", b"sesame")),
    *({"timeout": seconds} for seconds in (-1, 0, None, float("nan"), float("inf"))),
    *({"retries": times} for times in (-1, 1.5, None)),
]


@pytest.mark.parametrize("wish", WISHES, ids=str)
def test_what_no_connection_can_be_is_refused_by_name(wish: dict[str, Any]) -> None:
    (name,) = wish
    with pytest.raises(UnknownOption, match=name) as told:
        omma.connect("http://127.0.0.1:9/v1", **wish)
    assert name != "key" or str(wish[name]) not in str(told.value)  # it is never shown


HALF = "a\ud800b"
OBJECT = {"type": "object", "properties": {HALF: {"type": "string"}}}
CALLED = Message("assistant", (), (ToolCall("f", {"word": HALF}, "1"),))


@pytest.mark.parametrize(
    ("said", "wishes"),
    [
        ([message("user", HALF)], {}),
        ([*HELLO, CALLED, Message("tool", (Text("b"),), answers="1")], {}),
        (HELLO, {"tools": [Tool("f", HALF)]}),
        (HELLO, {"tools": [Tool("f", "", OBJECT)]}),
        (HELLO, {"shape": Schema(OBJECT)}),
        (HELLO, {"shape": Matching(HALF)}),
    ],
    ids=["words", "call", "tool", "parameters", "schema", "regex"],
)
def test_half_of_a_character_is_refused_wherever_it_stands(said: Any, wishes: dict[str, Any]) -> None:
    with serving(Foreign(hi)) as foreign:
        there = omma.connect(foreign.url)
        with pytest.raises(BadMessage, match="half of a character"):
            there.chat(said, **wishes)
        (told,) = there.generate([said], errors="return", **wishes)  # it ends alone
        there.close()
    assert isinstance(told, BadMessage)
    assert not foreign.asked


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
