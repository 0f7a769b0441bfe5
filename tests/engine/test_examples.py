"""For a pattern of a string a short match is told, where patterns only ask for letters."""

from __future__ import annotations

import json
import re

import pytest

from omma.engine.examples import example, examples_of
from omma.shape import Calls, Json, Schema
from tests.engine.schemas import PATTERNS

UNANCHORED = (
    "abc", r"\d{3}-\d{4}", "(foo|ba[rz])+q", r"[^a-zA-Z0-9]{2}", r"a{2,}?b*c+?", "[]x]y", r"\bwhole\b",
    "(?:x|yy){3}", r"\x41\u0042", "é.ü", r"[\w.]+@[\w-]+\.com", "x{,3}y", "{}",
)  # fmt: skip


@pytest.mark.parametrize("pattern", [*PATTERNS, *UNANCHORED])
def test_an_example_matches(pattern: str) -> None:
    told = example(pattern)
    assert told is not None
    assert re.search(pattern, told, re.ASCII)


@pytest.mark.parametrize("pattern", ["(?=a)b", r"(a)\1{300}", "a{900}", "(a", "[a", "a)", "\\", "(?P<n>a)"])
def test_of_what_cannot_be_told_there_is_none(pattern: str) -> None:
    assert example(pattern) is None


def test_examples_are_spelled_as_in_json_and_of_every_schema_inside() -> None:
    schema = {
        "properties": {"a": {"pattern": '"q'}, "b": {"items": {"pattern": "\\\\"}}, "c": {"pattern": "x*"}}
    }
    assert sorted(bytes(told) for told in examples_of(Schema(schema))) == [rb"\"q", rb"\\"]
    assert [json.loads(f'"{bytes(told).decode()}"') for told in examples_of(Calls((("f", schema),)))]
    assert examples_of(Json()) == ()
