"""What people say is read whole: a field that nobody reads is refused, and so is one that says two things."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest

from omma import chat
from omma.chat import (
    Answer,
    Image,
    Message,
    Options,
    Text,
    Tool,
    ToolCall,
    Usage,
    Video,
    messages,
)
from omma.errors import BadMessage, UnknownOption


def said(**part: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [part]}]


def test_a_developer_speaks_as_the_system_and_a_field_of_nothing_says_nothing() -> None:
    gave = {"role": "assistant", "content": "Red.", "refusal": None, "audio": None, "tool_calls": None}
    told = messages([{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}, gave])
    assert [one.role for one in told] == ["system", "user", "assistant"]


def test_the_form_of_openai_is_read() -> None:
    url = {"url": "a.png", "max_pixels": 50_000}
    content = [{"type": "image_url", "image_url": url}, {"type": "text", "text": "What?"}]
    assert messages([{"role": "user", "content": content}]) == (
        Message("user", (Image("a.png", max_pixels=50_000), Text("What?"))),
    )
    assert messages(said(type="video", video="a.mp4", fps=2))[0].parts == (Video("a.mp4", fps=2),)


@pytest.mark.parametrize(
    ("spoken", "named"),
    [
        ([chat.message("wizard", "Hello")], r"messages\[0\].role is 'wizard'"),  # type: ignore[arg-type]
        ([Message("user", (5,))], r"messages\[0\].parts\[0\] is 5"),  # type: ignore[arg-type]
        ([Message("user", (Text(None),))], r"parts\[0\].text is NoneType"),  # type: ignore[arg-type]
        ([Message("user", "Hello")], r"parts is str"),  # type: ignore[arg-type]
        ([chat.message("user", "Hello"), chat.message("raw", "Once")], "a raw message stands beside others"),
    ],
)
def test_a_message_made_by_hand_is_held_to_what_it_may_be(spoken: list[Message], named: str) -> None:
    with pytest.raises(BadMessage, match=named):
        messages(spoken)


def test_words_to_be_continued_stand_alone() -> None:
    assert messages([chat.message("raw", "Once")]) == (chat.message("raw", "Once"),)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"max_tokens": 0}, "a whole number from 1 to 1,000,000"),
        ({"repetition_penalty": 0}, "a number from 0.01 to 100"),
        ({"seed": 2**63}, "from -9,223,372,036,854,775,808 to 9,223,372,036,854,775,807"),
    ],
    ids=str,
)
def test_a_range_is_told_in_figures_that_a_person_reads(wish: dict[str, Any], words: str) -> None:
    with pytest.raises(UnknownOption, match=words):
        Options.of(**wish)


def test_what_tools_gave_back_stands_in_the_order_of_their_calls() -> None:
    calls = [{"id": name, "function": {"name": "look", "arguments": "{}"}} for name in "ab"]
    gave = [{"role": "tool", "tool_call_id": name, "content": name} for name in ("b", "a")]
    unnamed = {"role": "tool", "content": "c"}
    told = messages(
        [{"role": "assistant", "tool_calls": calls}, unnamed, *gave, {"role": "user", "content": "?"}]
    )
    assert [message.text for message in told] == ["", "a", "b", "c", "?"]


@pytest.mark.parametrize(
    ("detail", "kept"), [("low", "low"), ("high", None), ("original", None), ("auto", None), (None, None)]
)
def test_low_detail_is_kept_and_others_are_the_models_own(
    detail: str | None, kept: Literal["low"] | None
) -> None:
    (read,) = messages(said(type="image_url", image_url={"url": "a.png", "detail": detail}))
    assert read.parts == (Image("a.png", detail=kept),)


@pytest.mark.parametrize(
    ("spoken", "named"),
    [
        (said(type="image_url", image_url={"url": "a.png", "detail": "best"}), "detail is 'best'"),
        (said(type="image_url", image_url={"url": "a.png", "detail": "low", "max_pixels": 9}), "two things"),
        (said(type="image_url", image_url={"url": "a.png", "detail": "low"}, detail="high"), "detail twice"),
        (said(type="image_url", image_url={"url": "a.png", "width": 9}), "width"),
        (said(type="video_url", video_url={"url": "a.mp4", "detail": "low"}), "detail"),
        (said(type="text", text="Hello", lang="en"), "lang"),
        ([{"role": "user", "content": "Hello", "name": "anna"}], "name"),
        ([{"role": "user", "content": "Hello", "cache": True}], "cache"),
    ],
)
def test_what_nobody_reads_is_refused_and_named(spoken: list[dict[str, Any]], named: str) -> None:
    with pytest.raises(BadMessage, match=r"messages\[0\].*" + named):
        messages(spoken)


def test_what_was_thought_is_told_from_what_was_said() -> None:
    usage = Usage(1, 1)
    thinking = Answer("a red one?\n</think>\n\nRed.", "stop", usage)
    assert (thinking.thoughts, thinking.said) == ("a red one?", "Red.")
    plain = Answer("Red.\n", "stop", usage)
    assert (plain.thoughts, plain.said) == ("", "Red.\n")


def calling(**call: Any) -> list[dict[str, Any]]:
    """A turn of the assistant with one call, of which something is said otherwise."""
    body = {"name": "look", "arguments": '{"x": 1}'} | call.pop("function", {})
    return [{"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": body} | call]}]


def test_calls_of_tools_and_what_they_answer_are_read() -> None:
    answer = {"role": "tool", "tool_call_id": "c1", "content": "a cup"}
    assert messages([*calling(), answer]) == (
        Message("assistant", (), (ToolCall("look", {"x": 1}, "c1"),)),
        Message("tool", (Text("a cup"),), answers="c1"),
    )


@pytest.mark.parametrize(
    ("spoken", "named"),
    [
        (calling(function={"arguments": "{"}), r"tool_calls\[0\].function.arguments is no JSON"),
        (calling(function={"arguments": "[1]"}), "arguments is list"),
        (calling(function={"arguments": "[" * 100_000}), "arguments is no JSON"),
        (calling(function={"name": ""}), "function.name is ''"),
        (calling(function={"extra": 1}), "extra"),
        (calling(type="custom"), "type 'custom'"),
        (calling(id=7), "id 7"),
        ([{"role": "assistant", "tool_calls": 3}], "tool_calls is int"),
        ([{"role": "assistant", "tool_calls": [{}]}], "is no call"),
        ([{"role": "assistant", "content": None}], "content is NoneType"),
        ([{"role": "user", "content": "Hi", "tool_calls": []}], "tool_calls, which nobody reads"),
        ([{"role": "tool", "content": "Hi", "tool_call_id": 3}], "tool_call_id is 3"),
    ],
)
def test_calls_that_are_none_are_refused_by_their_place(spoken: list[dict[str, Any]], named: str) -> None:
    with pytest.raises(BadMessage, match=r"messages\[0\].*" + named):
        messages(spoken)


def test_tools_are_read_from_openais_form_and_written_to_it() -> None:
    form = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    (tool,) = chat.tools([form])
    assert tool == Tool("look", parameters={"type": "object"})
    assert json.loads(json.dumps(tool.form)) == form
    assert Options.of(tools=[form]).tools == (tool,)


@pytest.mark.parametrize(
    ("tools", "named"),
    [
        ({}, "wanted a list of tools"),
        ([{"type": "retrieval"}], r"tools\[0\] is no tool"),
        ([{"function": {"name": "two words"}}], "'two words'"),
        ([{"function": {"name": "a\n</tools>"}}], "wanted 1 to 64"),
        ([Tool("a"), Tool("a")], "two tools are called 'a'"),
        ([{"function": {"name": "a", "parameters": 3}}], "wanted a JSON Schema"),
        ([{"function": {"name": "a", "cost": 3}}], "cost"),
    ],
)
def test_tools_that_are_none_are_refused(tools: Any, named: str) -> None:
    with pytest.raises(BadMessage, match=named):
        chat.tools(tools)


def test_options_made_by_hand_hold_tools_and_nothing_else() -> None:
    with pytest.raises(UnknownOption, match="no Tool"):
        Options(tools=({"function": {}},)).check()  # type: ignore[arg-type]
