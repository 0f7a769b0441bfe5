"""Every verb against a server as strict as vLLM can be: no field it does not know, its names, its errors."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

import omma
from omma.chat import Answer, Message, Usage
from omma.errors import BadMessage, BadShape, PromptTooLong, UnknownModel, Unreachable
from omma.shape import Json, Matching, Places, Schema
from tests.remote.foreign import Foreign, Reply, serving

EXAMPLES = Path(__file__).parents[2] / "examples"
SHAPES, HEADING, FORM = (EXAMPLES / name for name in ("shapes.png", "heading.png", "form.png"))
MODEL = "house/omma-nano-tuned"
KEY = "a-key"

# What a chat request may have: OpenAI's fields and vLLM's own (its OpenAI-compatible server's page).
KNOWN = {
    *("messages", "model", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs", "max_tokens"),
    *("max_completion_tokens", "n", "presence_penalty", "response_format", "seed", "stop", "stream"),
    *("stream_options", "temperature", "top_p", "tools", "tool_choice", "parallel_tool_calls", "user"),
    *("top_k", "min_p", "repetition_penalty", "skip_special_tokens", "structured_outputs"),
}
PARTS = {"text": {"type", "text"}, "image_url": {"type", "image_url"}, "video_url": {"type", "video_url"}}
SAID = {"role", "content", "tool_calls", "tool_call_id"}


@dataclass
class Strict(Foreign):
    """Takes what it knows and says no to anything else, as vLLM words it."""

    context: int = 1 << 20

    def refuses(self, body: Mapping[str, Any]) -> Reply | None:
        """The first thing that is wrong."""
        if self.keys[-1] != f"Bearer {KEY}":
            return 401, {"content-type": "application/json"}, b'{"error":"Unauthorized"}'
        if body["model"] != self.model:
            return _no(404, "NotFoundError", f"The model `{body['model']}` does not exist.")
        if unknown := set(body) - KNOWN:
            return _no(400, "BadRequestError", f"Extra inputs are not permitted: {sorted(unknown)}")
        for said in body["messages"]:
            if unknown := set(said) - SAID:
                return _no(400, "BadRequestError", f"Extra inputs are not permitted: {sorted(unknown)}")
            for part in said["content"] if isinstance(said["content"], list) else ():
                shown = {"url"} if part["type"] == "text" else set(part.get(part["type"], ()))
                if set(part) != PARTS.get(part["type"]) or shown != {"url"}:
                    return _no(400, "BadRequestError", f"Unknown part: {part['type']}")
        if len(json.dumps(body)) > self.context:
            words = "This model's maximum context length is 512 tokens. However, you requested 900 tokens"
            return _no(400, "BadRequestError", words)
        return None


def _no(status: int, kind: str, words: str) -> Reply:
    error = {"error": {"message": words, "type": kind, "param": None, "code": status}}
    return status, {"content-type": "application/json"}, json.dumps(error).encode()


@lru_cache(maxsize=1)
def nano() -> omma.Model:
    return omma.load("omma-nano")


def answer(said: tuple[Message, ...], body: Mapping[str, Any]) -> Answer:
    """What nano says; of a call that must be made, vLLM makes one."""
    return nano().chat(said, max_tokens=body.get("max_tokens"), temperature=0)


@pytest.fixture
def strict() -> Iterator[Strict]:
    with serving(Strict(answer, "vllm", MODEL)) as foreign:
        yield foreign  # type: ignore[misc]


@pytest.fixture
def remote(strict: Strict) -> Iterator[omma.Remote]:
    there = omma.connect(strict.url, key=KEY, retries=0)
    yield there
    there.close()


def clip() -> bytes:
    frames = [PIL.Image.new("RGB", (64, 48), (40 * i, 0, 0)) for i in range(6)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=500)
    return file.getvalue()


SHORT: dict[str, Any] = {"max_tokens": 24, "temperature": 0}
VERBS: dict[str, Any] = {
    "ask": lambda model: model.ask([SHAPES, HEADING], "Which is larger?", **SHORT).text,
    "ask of nothing": lambda model: model.ask(None, "Hello?", **SHORT).text,
    "chat": lambda model: model.chat([{"role": "user", "content": "Hello?"}], **SHORT).text,
    "stream": lambda model: "".join(
        piece.text for piece in model.chat([{"role": "user", "content": "Hello?"}], stream=True, **SHORT)
    ),
    "find": lambda model: model.find(SHAPES, "red circle", **SHORT),
    "point": lambda model: model.point(FORM, 'the "Save" button', **SHORT),
    "read": lambda model: model.read(HEADING, **SHORT),
    "document": lambda model: model.document(HEADING, **SHORT),
    "describe": lambda model: model.describe(SHAPES, **SHORT),
    "locate": lambda model: model.locate(omma.Video(clip()), "it becomes red", **SHORT),
    "generate": lambda model: [
        one.text
        for one in model.generate([[{"role": "user", "content": word}] for word in ("A", "B")], **SHORT)
    ],
    "limited": lambda model: model.ask(omma.Image(SHAPES, max_pixels=50_000), "What?", **SHORT).text,
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_goes_and_gives_what_it_gives_here(remote: omma.Remote, strict: Strict, verb: str) -> None:
    there = VERBS[verb](remote)
    assert strict.asked, "nothing was asked"
    assert {body["model"] for body in strict.asked} == {MODEL}
    if verb != "limited":  # a picture that is made smaller here is not resized twice in the same way there
        assert there == VERBS[verb](nano())


def test_every_option_goes_by_a_name_it_knows(remote: omma.Remote, strict: Strict) -> None:
    said: Any = [{"role": "user", "content": "Hello?"}]
    all_of_them: dict[str, Any] = {
        "top_p": 0.9,
        "top_k": 5,
        "min_p": 0.1,
        "repetition_penalty": 1.1,
        "presence_penalty": 0.5,
        "frequency_penalty": 0.5,
        "seed": 3,
        "logprobs": 2,
        "stop": ["x"],
        "keep_loops": True,
    }
    remote.chat(said, **(SHORT | all_of_them))
    for shape in (Json(), Schema({"type": "object"}), Matching("[ab]+")):
        remote.chat(said, shape=shape, **SHORT)
    look = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    remote.chat(said, tools=[look], **SHORT)
    called = {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    remote.chat(
        [*said, {"role": "assistant", "content": None, "tool_calls": [called]},
         {"role": "tool", "content": "a cup", "tool_call_id": "a"}],
        tools=[look],
        **SHORT,
    )  # fmt: skip
    assert len(strict.asked) == 6


def test_what_no_such_server_can_be_told_is_refused_here(remote: omma.Remote, strict: Strict) -> None:
    with pytest.raises(BadShape, match="Places"):
        remote.find(SHAPES, "star", inside=True)
    with pytest.raises(BadShape):
        remote.chat([{"role": "user", "content": "?"}], shape=Places())
    with pytest.raises(omma.errors.UnknownOption, match="echo"):
        remote.chat([{"role": "user", "content": "?"}], logprobs=0, prompt_logprobs=True)
    with pytest.raises(omma.errors.UnknownOption, match="fps"):
        remote.locate(omma.Video(clip(), fps=1.0), "a change")
    assert not strict.asked


def test_its_errors_are_ours_that_mean_the_same(strict: Strict) -> None:
    said: Any = [{"role": "user", "content": "Hello?"}]
    with pytest.raises(UnknownModel, match=f"it has {MODEL}"):
        omma.connect(strict.url, "omma-other", key=KEY)
    nobody = omma.connect(strict.url, retries=0)
    with pytest.raises(Unreachable, match="give the server's key"):
        nobody.chat(said)
    remote = omma.connect(strict.url, key=KEY, retries=0)
    strict.context = 10
    with pytest.raises(PromptTooLong, match="maximum context length"):
        remote.chat(said)
    strict.context = 1 << 20
    words = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
    strict.no = [_no(400, "BadRequestError", words)]
    with pytest.raises(BadMessage, match="enable-auto-tool-choice"):
        remote.chat(said)
    flat = {"object": "error", "message": "gone", "type": "NotFoundError", "param": None, "code": 404}
    strict.no = [(404, {}, json.dumps(flat).encode())]
    with pytest.raises(UnknownModel, match="gone"):
        remote.chat(said)
    strict.model = "house/other"
    with pytest.raises(UnknownModel, match="does not exist"):
        remote.chat(said)
    for there in (nobody, remote):
        there.close()


@pytest.mark.parametrize(
    ("form", "model", "wanted"),
    [
        ("vllm", "Qwen/Qwen2-VL-7B-Instruct", False),
        ("sglang", "Qwen/Qwen-VL-Chat", False),
        ("vllm", "Qwen/Qwen2.5-VL-7B-Instruct", None),
        ("whole", "Qwen/Qwen2-VL-7B-Instruct", None),
    ],
)
def test_marks_of_places_are_asked_for_where_a_server_leaves_them_out(
    form: str, model: str, wanted: bool | None
) -> None:
    """vLLM and SGLang drop special tokens of an answer unless they are told not to."""
    marked = "<|object_ref_start|>a<|object_ref_end|><|box_start|>(100,500),(200,1000)<|box_end|>"
    tagged = "<ref>a</ref><box>(100,500),(200,999)</box>"
    bare = "a(100,500),(200,1000)"

    def told(said: tuple[Message, ...], body: Mapping[str, Any]) -> Answer:
        text = tagged if "Chat" in model else marked
        return Answer(text if body.get("skip_special_tokens") is False else bare, "stop", Usage(1, 1))

    with serving(Foreign(told, form, model)) as foreign:
        there = omma.connect(foreign.url, model)
        found = there.find(SHAPES, "a")
        there.close()
    assert foreign.asked[0].get("skip_special_tokens") is wanted
    assert wanted is None or [box.label for box in found] == ["a"]
