"""Calls of tools are read out of any answer: whole, several, cut short, or nearly right."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from omma.chat import ToolCall, message
from omma.prep.calls import Called, parse_calls
from omma.prep.template import pieces
from omma.turns import Message, Text

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(), inner, max_size=2)),
    max_leaves=5,
)
calls = st.builds(
    ToolCall, st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.dictionaries(st.text(), values, max_size=3)
)


def written(said: Message) -> str:
    """What the assistant of a conversation writes."""
    told = [piece.what for piece in pieces([said], prompt=False) if piece.learned]
    return "".join(one.text if isinstance(one, Text) else getattr(one, "name", "") for one in told[:-1])


@given(st.sampled_from(["", "Let me look.", "a { b"]), st.lists(calls, min_size=1, max_size=3))
def test_what_is_written_is_read_back_whatever_texts_hold(words: str, said: list[ToolCall]) -> None:
    answer = written(Message("assistant", (Text(words),), tuple(said)))
    told = parse_calls(answer, name="c")
    assert (told.text, told.cut) == (words, False)
    assert [(one.name, one.arguments) for one in told.calls] == [(one.name, one.arguments) for one in said]
    assert [one.id for one in told.calls] == [f"c_{i}" for i in range(len(said))]


@given(st.lists(calls, min_size=1, max_size=2), st.data())
def test_an_answer_cut_anywhere_gives_only_whole_calls(said: list[ToolCall], data: st.DataObject) -> None:
    answer = written(Message("assistant", (), tuple(said)))
    told = parse_calls(answer[: data.draw(st.integers(0, len(answer)))])
    whole = [(one.name, one.arguments) for one in said]
    assert [(one.name, one.arguments) for one in told.calls] == whole[: len(told.calls)]


@given(st.text(st.sampled_from('<tool_cal/>{}[]":, \n\\aname1')))
def test_any_text_is_read(text: str) -> None:
    told = parse_calls(text)
    assert all(isinstance(one.arguments, dict) for one in told.calls)


def test_a_call_without_its_end_mark_is_a_call_when_it_is_whole() -> None:
    told = parse_calls('<tool_call>\n{"name": "look", "arguments": {"x": 1}}')
    assert told == Called("", (ToolCall("look", {"x": 1}, "call_0"),))


def test_an_unfinished_call_is_told_and_left_out() -> None:
    assert parse_calls('So:\n<tool_call>\n{"name": "look", "arguments": {"x": 1') == Called(
        "So:", (), cut=True
    )


def test_arguments_may_be_written_as_text_and_json_be_nearly_right() -> None:
    text = "<tool_call>{'name': 'a', 'arguments': {x: 1,},}</tool_call>"
    quoted = json.dumps({"name": "b", "arguments": '{"y": 2}'})
    told = parse_calls(f"{text}<tool_call>{quoted}</tool_call>")
    assert [(one.name, one.arguments) for one in told.calls] == [("a", {"x": 1}), ("b", {"y": 2})]


def test_thoughts_call_nothing() -> None:
    thought = '<tool_call>{"name": "a", "arguments": {}}</tool_call></think>\n\nNo.'
    assert parse_calls(thought) == Called(thought)


def test_an_answer_without_calls_is_words() -> None:
    answer: Any = message("assistant", "Hello {name}").text
    assert parse_calls(answer) == Called("Hello {name}")
