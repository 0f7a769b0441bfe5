"""Objects are read out of any text: right JSON as JSON has it, the rest as far as it goes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from omma.prep.loose import entries

words = st.text(st.characters(codec="utf-8"))
numbers = st.floats(allow_nan=False, allow_infinity=False)
plain = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | numbers | words
values = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(words, inner), max_leaves=12)


@given(st.dictionaries(words, values), words, st.sampled_from([None, 1]), st.booleans())
def test_json_is_read_as_json(value: dict[str, Any], before: str, indent: int | None, fenced: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=fenced)
    text = f"```json\n{text}\n```" if fenced else text
    prose = before.replace("{", "").replace("</think>", "")
    assert next(entries(prose + text)) == value


SLOPPY = {
    "{'a': 'b', \"n\": 1}": {"a": "b", "n": 1},
    "{a: 'b', n: 1,}": {"a": "b", "n": 1},
    '{"a": "no "cat" here", "n": 1}': {"a": 'no "cat" here', "n": 1},
    '{"a": "5" screen", "n": 1}': {"a": '5" screen', "n": 1},
    '{"a": "two\nlines", "n": 1}': {"a": "two\nlines", "n": 1},
    "{'a': 'it's', 'n': 1}": {"a": "it's", "n": 1},
    '{"a": "b" "n": 1}': {"a": "b", "n": 1},
    '{"a": True, "n": None}': {"a": True, "n": None},
    '{"n": (1, 2), "m": [1, 2,]}': {"n": [1, 2], "m": [1, 2]},
    '{"n": [1, 2}': {"n": [1, 2]},
    '{"n": 1]}': {"n": 1},
    '{"n": 1, // the first\n "m": 2}': {"n": 1, "m": 2},
    'so "be it: {"n": 1}': {"n": 1},
    'one {"x": 2}\nno: {"n": 0}</think>\n\n{"n": 1}': {"n": 1},
    '{"a": "b",\n "c": "lost,\n "n": 1}': {"a": "b", "n": 1},
}


@pytest.mark.parametrize("text", SLOPPY)
def test_what_is_nearly_json_is_understood(text: str) -> None:
    found = next(entries(text))
    assert {key: found[key] for key in SLOPPY[text]} == SLOPPY[text]
    assert not found.cut


def test_an_object_comes_before_those_it_holds_even_without_a_key() -> None:
    assert list(entries('{"a":{"b":[{"c":1},{"d":2}]},{"e":3}} {"f":4}')) == [
        {"a": {"b": [{"c": 1}, {"d": 2}]}},
        {"b": [{"c": 1}, {"d": 2}]},
        {"c": 1},
        {"d": 2},
        {"e": 3},
        {"f": 4},
    ]


@given(st.lists(st.dictionaries(words, values), max_size=4), st.integers(0, 400), st.sampled_from([None, 1]))
@example([{"}\n": None}], len('{"list": [{"}\\'), None)  # cut behind the backslash
def test_a_text_cut_anywhere_gives_all_objects_that_are_whole(
    told: list[dict[str, Any]], length: int, indent: int | None
) -> None:
    text = '{"list": ['
    whole = 0
    for number, entry in enumerate(told):
        text += (", " if number else "") + json.dumps(entry, indent=indent)
        whole += len(text) <= length
    root, *inside = entries(text[:length]) if length else [{}]
    outermost = [entry for entry in root.get("list", []) if not getattr(entry, "cut", False)]
    assert outermost == told[:whole]
    assert all(any(entry is one for one in inside) for entry in outermost)


@pytest.mark.parametrize("junk", ["{", '{ 5" wide ', '{"x" ', '{{"a": 1} "label": ', "{it's "])
def test_an_object_is_found_behind_a_brace_that_nothing_closes(junk: str) -> None:
    found = list(entries(f'{junk}{{"n": 1}} {{"m": "a", "k": 2}}'))
    assert {"n": 1} in found
    assert {"m": "a", "k": 2} in found


def test_objects_may_lie_deeper_than_any_model_writes() -> None:
    text = '{"a":' * 5000 + '{"n": 1}' + "}" * 5000
    assert {"n": 1} in list(entries(text))


@given(st.text() | st.lists(st.sampled_from([*"{}[]()\"',:\\n1", "\n", "true", "</think>\n"])).map("".join))
def test_no_text_is_fatal(text: str) -> None:
    for entry in entries("{" + text):
        assert isinstance(entry, dict)
