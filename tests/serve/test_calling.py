"""Calls of tools and thoughts, taken out of a text that comes in pieces."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omma.serve.calling import Calls
from omma.serve.speech import Called, Said, Thought, Thoughts

calmly = settings(suppress_health_check=[HealthCheck.too_slow])
ANY = st.text(alphabet='<>/tolcahink_ {}\n"\\ab', max_size=40)
OBJECTS = st.dictionaries(
    st.text(max_size=6), st.recursive(st.text(max_size=8) | st.integers(), st.lists, max_leaves=4)
)


def cut(text: str, places: Iterable[int]) -> list[str]:
    """The text in pieces, cut at these places."""
    borders = sorted({min(place, len(text)) for place in places} | {0, len(text)})
    return [text[a:b] for a, b in itertools.pairwise(borders)]


def heard(pieces: Iterable[str]) -> tuple[str, list[tuple[str, str]]]:
    """Words, and calls with their arguments."""
    calls, words, found = Calls(), "", []
    for one in [*(one for piece in pieces for one in calls.feed(piece)), *calls.end()]:
        if isinstance(one, Said):
            words += one.text
        elif one.name is not None:
            assert one.index == len(found)
            found.append((one.name, one.arguments))
        else:
            name, arguments = found[one.index]
            found[one.index] = (name, arguments + one.arguments)
    return words, found


def called(name: str, arguments: object) -> str:
    told = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    return f"<tool_call>\n{told}\n</tool_call>"


@calmly
@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=9), OBJECTS), min_size=1, max_size=3),
    st.lists(st.integers(0, 300)),
)
def test_calls_come_out_whole_however_the_text_is_cut(
    calls: list[tuple[str, dict[str, object]]], places: list[int]
) -> None:
    text = "I look.\n" + "\n".join(called(name, arguments) for name, arguments in calls)
    words, found = heard(cut(text, places))
    assert words == "I look."
    assert [(name, json.loads(arguments)) for name, arguments in found] == calls


@calmly
@given(ANY, st.lists(st.integers(0, 50)))
def test_how_a_text_is_cut_changes_nothing(text: str, places: list[int]) -> None:
    assert heard(cut(text, places)) == heard([text])


@calmly
@given(ANY.filter(lambda text: "<tool_call>" not in text), st.lists(st.integers(0, 50)))
def test_words_without_a_call_are_what_was_said(text: str, places: list[int]) -> None:
    assert heard(cut(text, places)) == (text, [])


def test_what_only_looks_like_a_call_stays_words() -> None:
    text = "<tool_call>\nnothing\n</tool_call>"
    assert heard([text]) == (text, [])


@pytest.mark.parametrize("text", ["<tool_call>", '<tool_call>\n{"name": "lo'])
def test_a_call_that_was_cut_before_its_arguments_is_nothing(text: str) -> None:
    assert heard([f"I look.\n{text}"]) == ("I look.", [])


def test_a_call_that_was_cut_short_keeps_what_it_had() -> None:
    assert heard(['<tool_call>\n{"name": "look", "arguments": {"at": "th']) == ("", [("look", '{"at": "th')])


def parted(pieces: Iterable[str], *, thinks: bool) -> tuple[str, str]:
    """Thoughts, and words."""
    thoughts, told = Thoughts(thinks), {Thought: "", Said: ""}
    for one in [*(one for piece in pieces for one in thoughts.feed(piece)), *thoughts.end()]:
        told[type(one)] += one.text
    return told[Thought], told[Said]


@calmly
@given(ANY, ANY, st.lists(st.integers(0, 90)))
def test_thoughts_and_words_are_parted_at_the_mark(thought: str, said: str, places: list[int]) -> None:
    if "</think>" in thought + "</think>"[:-1]:
        return
    text = f"{thought}\n</think>\n\n{said}"
    assert parted(cut(text, places), thinks=True) == (thought.strip("\n"), said.lstrip("\n"))


@calmly
@given(ANY, st.lists(st.integers(0, 50)))
def test_who_does_not_think_has_every_letter_said(text: str, places: list[int]) -> None:
    assert parted(cut(text, places), thinks=False) == ("", text)


def test_thoughts_without_an_end_are_thoughts() -> None:
    assert parted(["hm", "m </thi"], thinks=True) == ("hmm </thi", "")


def test_calls_never_lose_their_place() -> None:
    assert [one for one in Calls().feed(called("a", {})) if isinstance(one, Called)] == [
        Called(0, "", "a"),
        Called(0, "{}"),
    ]
