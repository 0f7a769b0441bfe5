"""An answer that is held to a shape comes to its end before its tokens are used up, and is whole there."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from omma.engine import ways
from omma.engine.closing import AMPLE, ENOUGH, Closing
from omma.engine.grammar import Grammar, Vocabulary, compile_shape
from omma.engine.ways import Letters, way_out
from omma.prep.calls import parse_calls
from omma.prep.dialects import DIALECTS
from omma.prep.forms import found
from omma.prep.ranks import RankedTokenizer
from omma.sample import Size
from omma.shape import Calls, Json, Matching, Places, Schema
from tests.engine.schemas import FORMATS, PATTERNS, schema_of
from tests.engine.test_grammar import LOOK, STOP, valid
from tests.engine.walks import accepts, closed, ended, grammars, nano, spelled


def shortest(grammar: Grammar) -> tuple[int, ...]:
    """The shortest answer that is found, without its stop id."""
    assert grammar.endings is not None
    assert grammar.endings.least is not None
    return grammar.endings.least


def closes(seed: int, deep: int = 3) -> str:
    """Random answers to a schema with few tokens, none too few, are all valid; why the shortest one ended."""
    schema = schema_of(seed, deep)
    grammar = grammars().of(Schema(schema))
    least = len(shortest(grammar))
    more = int(np.random.default_rng(seed).integers(1, 60))
    for most in (least + more, least):
        told, why = closed(grammar, seed, most)
        assert len(told) <= most
        valid(json.loads(spelled(told)), schema)
    return why


@pytest.mark.parametrize("first", range(0, 24, 8))
def test_with_few_tokens_every_answer_to_a_generated_schema_is_valid(first: int) -> None:
    assert {closes(seed, 2) for seed in range(first, first + 8)} & {"length"}


@pytest.mark.soak
@pytest.mark.parametrize("first", range(0, 1000, 100))
def test_with_few_tokens_every_answer_to_a_thousand_schemas_is_valid(first: int) -> None:
    assert {closes(seed) for seed in range(first, first + 100)} >= {"length"}


@pytest.mark.parametrize("seed", range(6))
def test_an_answer_that_ends_by_itself_far_from_the_limit_is_as_without_one(seed: int) -> None:
    grammar = grammars().of(Schema(schema_of(seed, 2)))
    free = ended(grammar.walk(), seed, nano(), 400)
    if free is not None:
        assert closed(grammar, seed, 5000) == (free, "stop")


@pytest.mark.parametrize("seed", range(6))
def test_an_answer_that_is_not_cut_is_as_without_a_limit(seed: int) -> None:
    grammar = grammars().of(Schema(schema_of(seed, 1)))
    free = ended(grammar.walk(), seed, nano(), 400)
    if free is not None:
        for more in range(4):
            told, why = closed(grammar, seed, len(free) + more)
            assert told == free or why == "length"


def test_far_from_the_limit_nothing_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    grammar = grammars().of(Schema(schema_of(2)))
    assert grammar.endings is not None
    closing, walk = Closing(grammar.endings, 10**6), grammar.walk()
    monkeypatch.setattr(walk, "copy", None)
    for _ in range(20):
        token = closing.chosen(walk, 10**6, lambda _: int(np.flatnonzero(walk.mask())[0]))
        walk.take(token)
        closing.take(token)


@pytest.mark.parametrize("seed", range(8))
def test_the_shortest_end_is_within_reach_wherever_an_answer_stands(seed: int) -> None:
    grammar = grammars().of(Schema(schema_of(seed)))
    assert grammar.endings is not None
    endings, dice, opened = grammar.endings, np.random.default_rng(seed), 0
    walk, letters = grammar.walk(), endings.begun()
    for step in range(60):
        if step % 12 == 0:
            bound = endings.reach.within + endings.reach.level * opened
            assert way_out(letters.copy(), endings.letters, most=bound, work=4000) is not None
        token = int(dice.choice(np.flatnonzero(walk.mask())))
        if token in nano().stop_ids:
            return
        opened += endings.letters.opens(token)
        walk.take(token)
        for letter in endings.letters.of([token]):
            letters.take(letter)


@pytest.mark.parametrize(
    "schema",
    [
        *({"type": "string", "pattern": pattern, "maxLength": 20} for pattern in PATTERNS),
        *({"type": "string", "format": name, "maxLength": 45} for name in FORMATS),
        {"type": "string", "minLength": 9},
        {"type": "string", "pattern": "abc"},
        {"type": "array", "items": {"type": "string", "pattern": r"\d{3}-[xyz]{4}"}, "minItems": 2},
        {"type": "array", "items": {"type": "integer"}, "minItems": 5},
        {"type": "integer", "minimum": 17, "multipleOf": 25},
        {"type": "array", "items": {"type": "integer", "minimum": 1728, "multipleOf": 7}, "minItems": 2},
        {"type": "object", "properties": {f"name {i}": {"type": "string"} for i in range(12)},
         "required": [f"name {i}" for i in range(12)]},
    ],
)  # fmt: skip
def test_a_value_of_every_kind_is_ended_in_time(schema: dict[str, Any]) -> None:
    grammar = grammars().of(Schema(schema))
    least = len(shortest(grammar))
    for seed, more in enumerate((0, 1, 5)):
        valid(json.loads(spelled(closed(grammar, seed, least + more)[0])), schema)


@pytest.mark.parametrize(
    "pattern",
    [r"\d{4}-\d{2}", "(yes|no|maybe so)", "(a|b{40})", r"[a-z]+( [a-z]+){2,5}\.", ".*[xyz]{2}.*", "é{3}"],
)
def test_a_match_of_a_pattern_is_whole(pattern: str) -> None:
    grammar = grammars().of(Matching(pattern))
    least = len(shortest(grammar))
    for seed, more in enumerate((0, 1, 6)):
        assert re.fullmatch(pattern, spelled(closed(grammar, seed, least + more)[0]))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("points", [False, True])
def test_places_are_whole(dialect: str, points: bool) -> None:
    vocabulary = nano()
    if dialect == "tags":
        ranked = RankedTokenizer.of(nano().tokenizer)
        vocabulary = Vocabulary(ranked, ranked.size, frozenset({ranked.token_ids.turn_end}))
    grammar = compile_shape(Places(Size(640, 480), dialect, points=points), vocabulary)
    for seed, most in enumerate((6, 25, 40, 60)):
        text = spelled(closed(grammar, seed, most, vocabulary)[0], vocabulary)
        assert accepts(grammar, text, vocabulary)
        assert all(len(numbers) == (2 if points else 4) for numbers, _, _ in found(text, 2 if points else 4))


@pytest.mark.parametrize("seed", range(3))
def test_calls_are_whole(seed: int) -> None:
    grammar = grammars().of(Calls((LOOK, STOP)))
    text = spelled(closed(grammar, seed, len(shortest(grammar)) + 7 * seed)[0])
    told = parse_calls(text)
    assert told.calls
    assert not told.cut


def test_a_call_that_has_no_room_is_not_begun_and_words_are_cut_as_ever() -> None:
    grammar = grammars().of(Calls((LOOK,), must=False))
    call = nano().marks["<tool_call>"]
    assert grammar.endings is not None
    closing, walk = Closing(grammar.endings, 5), grammar.walk()
    assert closing.chosen(walk, 5, lambda refused: None if refused else call) in nano().stop_ids
    assert closing.reason == "length"
    for seed in range(3):
        told, why = closed(grammar, seed, 6)
        assert why in ("length", "stop")
        assert call not in told


def test_thoughts_are_ended_for_an_answer() -> None:
    schema = {"type": "boolean"}
    grammar = grammars(thinks=True).of(Schema(schema))
    told, why = closed(grammar, 1, 12)
    assert why == "length"
    assert json.loads(spelled(told).split("</think>")[1]) in (True, False)


def test_what_does_not_fit_at_all_is_cut_and_said_to_be() -> None:
    grammar = grammars().of(Schema({"type": "string", "format": "uuid"}))
    told, why = closed(grammar, 0, 5)
    assert (len(told), why) == (5, "length")
    walk = grammar.walk()
    assert walk.follows(told) == 5


def test_an_answer_of_just_as_many_tokens_as_there_are_is_whole() -> None:
    grammar = grammars().of(Matching("[a-c]{3}"))
    assert closed(grammar, 0, 3)[1] in ("stop", "length")
    assert closed(grammars().of(Schema({"const": 1})), 0, 1) == (nano().tokenizer.text("1"), "stop")


def test_one_that_hurries_ends_the_shortest_way() -> None:
    grammar = grammars().of(Json())
    assert grammar.endings is not None
    closing, walk, told = Closing(grammar.endings, 1000), grammar.walk(), list[int]()
    for token in nano().tokenizer.text('{"a":[["b'):
        walk.take(token)
        closing.take(token)
    assert closing.hurry(walk, 1000)
    while (token := closing.chosen(walk, 1000, lambda _: 0)) not in nano().stop_ids:
        walk.take(token)
        closing.take(token)
        told.append(token)
    assert spelled(told) == '"]]}'
    assert closing.reason == "loop"


def test_a_text_is_spelled_in_as_few_tokens_as_there_are() -> None:
    letters = Letters((b"a", b"b", b"ab", b"<m>", b"abb", b"c"), frozenset({3}), frozenset({9}))
    spelled = letters.of([0, 1, 1, 5, 3, 0, 1])
    assert spelled == [*b"abbc", 256, *b"ab"]
    assert letters.fewest(spelled) == (4, 5, 3, 2)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"enum": {"$ref": "#/$defs/a"}}, "required": ["enum"]},
        {"type": "object", "properties": {"$defs": {"$ref": "#/$defs/a"}}, "required": ["$defs"]},
        {"enum": [{"$ref": "nowhere"}, 1]},
        {"type": "array", "items": {"$ref": "#/$defs/b"}, "minItems": 1},
        {"type": "boolean", "title": {"$ref": "nowhere/at/all", "pattern": "("}},
        {"type": "boolean", "discriminator": {"more": [{"$ref": "#/nowhere"}]}},
    ],
    ids=[
        *("a property called enum", "a property called $defs", "a value that looks like one", "a way round"),
        *("a title that looks like one", "something said that holds one"),
    ],
)
def test_references_are_followed_where_they_are_references(schema: dict[str, Any]) -> None:
    tree = {"type": "object", "properties": {"more": {"$ref": "#/$defs/b"}}, "additionalProperties": False}
    whole = {**schema, "$defs": {"a": {"type": "boolean"}, "b": tree}}
    grammar = grammars().of(Schema(whole))
    told, _ = closed(grammar, 0, len(shortest(grammar)))
    valid(json.loads(spelled(told)), whole)


LONG_LISTS = [
    {"type": "array", "minItems": 500, "items": {"type": "integer"}},
    {
        "type": "array",
        "minItems": 60,
        "items": {
            "type": "object",
            "properties": {"a": {"enum": ["x", "y"]}, "b": {"type": "integer"}},
            "required": ["a", "b"],
            "additionalProperties": False,
        },
    },
]


@pytest.mark.parametrize("schema", LONG_LISTS, ids=["no room for it", "just room for it"])
def test_looking_for_an_end_has_an_end(schema: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    searched, found = list[int](), ways._Search.found

    def counted(search: ways._Search) -> tuple[int, ...] | None:
        told = found(search)
        searched.append(search.count)
        return told

    grammar = grammars().of(Schema(schema))
    assert grammar.endings is not None
    most = 200 if schema["minItems"] == 500 else len(shortest(grammar)) + 100
    grammar.endings.ready(most)
    monkeypatch.setattr(ways._Search, "found", counted)
    told, why = closed(grammar, 0, most)
    assert sum(searched) <= max(ENOUGH * grammar.endings.first, AMPLE) + grammar.endings.first
    assert why == "length"
    if schema["minItems"] == 60:
        valid(json.loads(spelled(told)), schema)
    else:
        assert not searched
