"""Every no: its status, its sentence, its place, and the official client's exception for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from omma.errors import (
    BadPicture,
    BadShape,
    Busy,
    Interrupted,
    MissingExtra,
    OmmaError,
    OutOfMemory,
    PlaceholderMismatch,
    PromptTooLong,
    TooLarge,
)
from omma.serve.keys import KeyRing
from omma.serve.settings import Settings
from tests.serve.desks import NAME, ScriptDesk, Served, serving, told

SAID = [{"role": "user", "content": "Hello"}]
KINDS: list[tuple[OmmaError, type[openai.APIStatusError], int, str]] = [
    (BadPicture("the picture is broken"), openai.BadRequestError, 400, "invalid_image"),
    (PromptTooLong("too many tokens"), openai.BadRequestError, 400, "context_length_exceeded"),
    (BadShape("no such schema"), openai.BadRequestError, 400, "invalid_schema"),
    (TooLarge("too many pixels"), openai.APIStatusError, 413, "request_too_large"),
    (Busy("come again", retry_after=2.5), openai.RateLimitError, 429, "rate_limit_exceeded"),
    (Interrupted("the worker died"), openai.InternalServerError, 503, "interrupted"),
    (OutOfMemory("no memory"), openai.InternalServerError, 507, "out_of_memory"),
    (MissingExtra("no av"), openai.InternalServerError, 501, "not_installed"),
]


@pytest.fixture(scope="module")
def desk() -> ScriptDesk:
    return ScriptDesk()


@pytest.fixture(scope="module")
def served(desk: ScriptDesk) -> Iterator[Served]:
    with serving(desk, Settings(body=20_000)) as served:
        yield served


@pytest.fixture
def http(served: Served) -> Iterator[httpx.Client]:
    with served.http() as http:
        yield http


def ask(http: httpx.Client, **more: Any) -> httpx.Response:
    return http.post("/v1/chat/completions", json={"messages": SAID, **more})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("error", "kind", "status", "code"), KINDS)
def test_each_error_is_told_as_it_is(
    served: Served, desk: ScriptDesk, error: OmmaError, kind: type, status: int, code: str, stream: bool
) -> None:
    desk.script = [error]
    with served.client() as client, pytest.raises(kind) as raised:
        client.chat.completions.create(model=NAME, messages=SAID, stream=stream)  # type: ignore[call-overload]
    assert (raised.value.status_code, raised.value.code) == (status, code)
    assert str(error) in raised.value.message
    assert ("retry-after" in raised.value.response.headers) == (status in (429, 503))


def test_a_fault_of_ours_is_told_without_its_words(served: Served, desk: ScriptDesk) -> None:
    desk.script = [PlaceholderMismatch("secret words of the prompt")]
    with served.http() as http:
        answer = ask(http)
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_busy_says_when_to_come_again_in_whole_seconds(served: Served, desk: ScriptDesk) -> None:
    desk.script = [Busy("come again", retry_after=2.5)]
    with served.http() as http:
        assert ask(http).headers["retry-after"] == "3"


def test_an_error_in_the_middle_ends_the_stream_and_is_raised(served: Served, desk: ScriptDesk) -> None:
    desk.script = [*told("Hel")[:1], Interrupted("the worker died")]
    with served.client() as client:
        stream = client.chat.completions.create(model=NAME, messages=SAID, stream=True)  # type: ignore[call-overload]
        got = []
        with pytest.raises(openai.APIError, match="the worker died"):
            got += [chunk.choices[0].delta.content for chunk in stream]
        with pytest.raises(openai.APIError, match="the worker died"):
            list(client.responses.create(model=NAME, input="Hello", stream=True))


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"messages": []}, "messages", "1 or more"),
    ({"messages": None}, "messages", "a list"),
    ({"messages": [{"role": "cat", "content": "x"}]}, "messages[0].role", "user"),
    ({"messages": [{"role": "user"}]}, "messages[0].content", "missing"),
    ({"messages": [{"role": "user", "content": None}]}, "messages[0].content", "text or a list"),
    ({"messages": [{"role": "user", "content": "x", "nam": "a"}]}, "messages[0].nam", "not known"),
    ({"messages": [{"role": "assistant"}]}, "messages[0].content", "neither"),
    ({"temperature": -1}, "temperature", "0 or more"),
    ({"temperature": "hot"}, "temperature", "a number"),
    ({"top_p": 1.5}, "top_p", "1 at most"),
    ({"max_tokens": 0}, "max_tokens", "1 or more"),
    ({"max_tokens": 3, "max_completion_tokens": 4}, "max_tokens", "two things"),
    ({"n": 17}, "n", "16 at most"),
    ({"n": 2.0}, "n", "n is 2.0; wanted a whole number"),
    ({"seed": 2**63}, "seed", "wanted 9,223,372,036,854,775,807 at most"),
    ({"reasoning_effort": "low"}, "reasoning_effort", "choose another model"),
    ({"max_output_tokens": 3}, "max_output_tokens", "use max_tokens"),
    ({"tool_choice": {"type": "custom"}}, "tool_choice.type", "function, allowed_tools"),
    ({"top_logprobs": 2}, "top_logprobs", "logprobs"),
    ({"stream_options": {"include_usage": True}}, "stream_options", "stream"),
    ({"logit_bias": {"5": 1.0}}, "logit_bias", "no token is favoured"),
    ({"functions": []}, "functions", "use tools"),
    ({"temprature": 1}, "temprature", "not known"),
    ({"tool_choice": "required"}, "tool_choice", "send tools"),
    ({"regex": "a", "response_format": {"type": "json_object"}}, "regex", "two things"),
    ({"response_format": {"type": "xml"}}, "response_format.type", "json_schema"),
    ({"stop": [""]}, "stop[0]", "not empty"),
    ({"stop": 3}, "stop", "text or a list of texts"),
    (
        {"messages": [{"role": "tool", "tool_call_id": "a", "content": "x"}]},
        "messages[0].tool_call_id",
        "the id of a call",
    ),
]


@pytest.mark.parametrize(("more", "param", "words"), WRONG, ids=[str(one[1]) for one in WRONG])
def test_what_is_wrong_is_named_by_its_place(http: httpx.Client, more: Any, param: str, words: str) -> None:
    answer = ask(http, **more)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["type"]) == (400, param, "invalid_request_error")
    assert words in error["message"]
    assert "\n" not in error["message"]


def test_what_is_null_was_not_given(http: httpx.Client, desk: ScriptDesk) -> None:
    desk.script = told("x")
    unheard = ("reasoning_effort", "verbosity", "functions", "function_call", "audio", "web_search_options")
    assert ask(http, **dict.fromkeys(unheard)).status_code == 200


def test_json_may_begin_with_a_mark_and_utf_16_is_named(http: httpx.Client, desk: ScriptDesk) -> None:
    desk.script = told("x")
    body = json.dumps({"messages": SAID})
    kind = {"content-type": "application/json"}
    codings = {"utf-8-sig": 200, "utf-16": 400}
    for coding, status in codings.items():
        answer = http.post("/v1/chat/completions", content=body.encode(coding), headers=kind)
        assert answer.status_code == status
    assert "wanted UTF-8" in answer.json()["error"]["message"]


def picture(**source: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "image_url", "image_url": source}]}]


SOURCES: list[tuple[dict[str, Any], str, str]] = [
    ({"url": "http://a.example/b.png"}, "url", "fetches nothing"),
    ({"url": "/etc/passwd"}, "url", "names nothing"),
    ({"url": "file:///etc/passwd"}, "url", "names nothing"),
    ({"url": "media:abc"}, "url", "keeps no uploads"),
    ({"url": "data:image/png,abc"}, "url", "base64"),
    ({"url": "data:image/png;base64,a"}, "url", "base64"),
    ({"url": "data:image/png;base64,"}, "url", "no bytes"),
    ({"url": "data:;base64,AAAA", "detail": "low", "max_pixels": 9}, "max_pixels", "two things"),
    ({"url": "data:;base64,AAAA", "min_pixels": 10, "max_pixels": 9}, "min_pixels", "lower it"),
]


@pytest.mark.parametrize(("source", "field", "words"), SOURCES, ids=[one[2] for one in SOURCES])
def test_a_wrong_source_is_named_by_its_place(
    http: httpx.Client, source: Any, field: str, words: str
) -> None:
    error = ask(http, messages=picture(**source)).json()["error"]
    assert error["param"] == f"messages[0].content[0].image_url.{field}"
    assert words in error["message"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"{", "JSON"),
        (b"[]", "an object"),
        (b"\xff\xfe", "JSON"),
        (b"[" * 9_999, "JSON"),
        (b'{"messages": "\\ud800"}', "JSON"),
        (b'{"seed": 1' + b"0" * 6_000 + b"}", "JSON"),
    ],
)
def test_what_is_no_json_is_400(http: httpx.Client, raw: bytes, words: str) -> None:
    answer = http.post("/v1/chat/completions", content=raw, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "multipart/form-data; boundary=x", "application/json; charset=utf-16"]
)
def test_another_type_is_415(http: httpx.Client, kind: str | None) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = http.post("/v1/chat/completions", content=json.dumps({"messages": SAID}), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")


def test_a_compressed_body_is_415(http: httpx.Client) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert http.post("/v1/chat/completions", content=b"x", headers=headers).status_code == 415


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413_and_the_connection_goes_on(http: httpx.Client, chunked: bool) -> None:
    raw = b"x" * 30_000
    for _ in range(2):
        answer = http.post(
            "/v1/chat/completions",
            content=iter([raw[:15_000], raw[15_000:]]) if chunked else raw,
            headers={"content-type": "application/json"},
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/models/", 404, "model_not_found"),
        ("GET", "/v1/models/nobody", 404, "model_not_found"),
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("OPTIONS", "/v1/chat/completions", 405, "method_not_allowed"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
    ],
)
def test_what_is_not_offered_says_so(
    http: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    answer = http.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert (status != 405) or answer.headers["allow"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/v1/models", "/", "/openapi.json"])
def test_the_head_of_what_can_be_had_can_be_had_alone(http: httpx.Client, path: str) -> None:
    assert set(http.options(path).headers["allow"].split(", ")) == {"GET", "HEAD"}
    whole, head = http.get(path), http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_an_unknown_model_is_404(served: Served) -> None:
    with served.client() as client, pytest.raises(openai.NotFoundError, match="known: omma-nano"):
        client.chat.completions.create(model="nobody", messages=SAID)  # type: ignore[arg-type]


def test_a_wrong_key_is_401_and_only_health_is_open() -> None:
    ring = KeyRing.of({"a-key-of-anna": "anna"})
    with serving(desk := ScriptDesk(), keys=ring) as served:
        for key in ("wrong", "a-key-of-ann", "ключ"):
            with served.http(headers={"authorization": f"Bearer {key}".encode()}) as http:
                answers = [
                    http.get(path)
                    for path in ("/v1/models", "/metrics", "/readyz", "/", "/openapi.json", "/x")
                ]
                assert {answer.status_code for answer in answers} == {401}
                assert answers[0].headers["www-authenticate"].startswith("Bearer")
                assert http.get("/healthz").status_code == 200
        with served.client(api_key="a-key-of-anna") as client:
            client.chat.completions.create(model=NAME, messages=SAID)  # type: ignore[arg-type]
        with served.client() as client, pytest.raises(openai.AuthenticationError):
            client.models.list()
        with served.http(auth=("anyone", "a-key-of-anna")) as http:
            assert http.get("/v1/models").status_code == 200
    assert [order.tenant for order in desk.orders] == ["anna"]
