"""An answer that is held to a shape has that shape, whatever a model would rather say."""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from dataclasses import replace
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omma.engine.grammar import Grammars, Vocabulary, compile_shape
from omma.engine.schema_rules import INSTEAD, USUAL, Limits
from omma.errors import BadShape, MissingExtra
from omma.prep.calls import parse_calls
from omma.shape import Calls, Json, Matching, Schema, Shape
from tests.engine.schemas import schema_of
from tests.engine.walks import accepts, drawn, ended, grammars, nano, spelled

OBJECT = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}


def valid(value: Any, schema: Any) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(value)


def validated(seeds: range) -> int:
    """How many random answers to generated schemas were over in time; each of those is valid."""
    whole = 0
    for seed in seeds:
        schema = schema_of(seed)
        if (answer := drawn(grammars().of(Schema(schema)), seed)) is not None:
            valid(json.loads(answer), schema)
            whole += 1
    return whole


def test_random_answers_to_generated_schemas_parse_and_validate() -> None:
    assert validated(range(40)) > 30


@pytest.mark.soak
def test_random_answers_to_thousands_of_generated_schemas_parse_and_validate() -> None:
    assert validated(range(100, 2100)) > 1700


def test_any_json_object_is_one() -> None:
    answers = [drawn(grammars().of(Json()), seed, longest=3000) for seed in range(5)]
    assert all(isinstance(json.loads(answer), dict) for answer in answers if answer is not None)
    assert any(answers)


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        (
            OBJECT,
            ['{"a":1}', '{\n  "a": 1\n}'],
            ['{"a":1.0}', '{"a":1,"b":2}', "{}", '{"a":1} ', '{"a":\n\n1}'],
        ),
        (
            {"type": "number", "exclusiveMinimum": 3, "maximum": 3.125},
            ["3.10", "3.125"],
            ["3", "3.0", "3.126"],
        ),
        ({"type": "string", "maxLength": 2}, ['"🙂é"', r'"\n\""'], ['"abc"', '"a', r'"\ud83d"', '"\n"']),
        ({"type": "string", "format": "date"}, ['"2024-02-29"'], ['"2023-02-29"', '"0000-01-01"']),
        ({"type": "string", "pattern": "^ab+$"}, ['"abb"'], ['"a"', '"xab"', '"abc"']),
        ({"type": "string", "pattern": "b"}, ['"abc"', '"b"'], ['"ac"']),
        ({"anyOf": [{"const": 1}, {"const": "1"}, {"type": "null"}]}, ["1", '"1"', "null"], ["2", "true"]),
        ({"$ref": "#/$defs/a%20b", "$defs": {"a b": {"enum": [7]}}}, ["7"], ["8"]),
        ({"$ref": "#/$defs/a b", "$defs": {"a b": {"enum": [7]}}}, ["7"], ["8"]),
        ({"type": "integer", "multipleOf": 25, "minimum": 0}, ["75", "0"], ["74", "-25", "075"]),
        ({"oneOf": [{"type": "string", "maxLength": 1}, {"type": "null"}]}, ['"a"', "null"], ["1"]),
        ({"type": ["integer", "null"]}, ["12", "null"], ['"a"', "1.5"]),
    ],
)
def test_a_schema_takes_what_satisfies_it_and_nothing_else(
    schema: dict[str, Any], right: list[str], wrong: list[str]
) -> None:
    grammar = grammars().of(Schema(schema))
    assert [text for text in right if not accepts(grammar, text)] == []
    assert [text for text in wrong if accepts(grammar, text)] == []


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        *(
            ({"type": "object", "properties": {"x": {key: True}}}, re.escape(f"#/properties/x has '{key}'"))
            for key in INSTEAD
        ),
        ({"x-guidance": {"lenient": True}}, "'x-guidance'"),
        ({"type": "string", "format": "phone"}, "#/format is 'phone'"),
        ({"type": "text"}, "#/type is 'text'"),
        ({"$ref": "https://example.com/schema"}, r"#/\$ref"),
        ({"$ref": "#/const", "const": {"not": {}}}, "no schema stands"),
        ({"type": "string", "pattern": "(?=a)b"}, "look-ahead"),
        ({"type": "string", "pattern": "a" * 600}, "600 letters"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "cannot be held"),
        ({"type": "integer", "multipleOf": 0}, "above 0"),
        ({"items": 3}, "wanted a schema"),
        ({"anyOf": []}, "wanted a list of schemas"),
        ({"default": float("nan")}, "no JSON"),
        ({"default": {1, 2}}, "no JSON"),
        ({"type": "object", "minProperties": 5}, "list the names in required"),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, "two kinds of a oneOf.*; use anyOf, or"),
        ({"$ref": "#"}, "^# leads back to itself"),
        ({"anyOf": [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}]}, "^# leads back to itself"),
        ({"type": "string", "pattern": "x|(a{1000}){100}"}, "for 100,002 letters"),
        ({"enum": ["a", "b\ud800"]}, "the schema holds half of a character, near"),
        ([], "wanted an object"),
    ],
)
def test_what_an_answer_cannot_be_held_to_is_refused_by_name(schema: Any, told: str) -> None:
    with pytest.raises(BadShape, match=told) as refused:
        compile_shape(Schema(schema), nano())
    assert len(str(refused.value)) < 400
    assert "llguidance" not in str(refused.value)


CHAIN: dict[str, Any] = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}


@pytest.mark.parametrize(
    "schema",
    [
        CHAIN,
        {"type": "array", "items": {"$ref": "#"}, "minItems": 1},
        {"type": "array", "prefixItems": [{}, {"$ref": "#"}], "minItems": 2},
        {"type": "object", "additionalProperties": {"$ref": "#"}, "required": ["a"]},
        CHAIN | {"properties": {"next": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"$ref": "#"}}},
        {"properties": {"a/b": {"type": "array", "items": {"$ref": "#/properties/a~1b"}, "minItems": 3}}},
        {"allOf": [{"$ref": "#"}, {"type": "string"}]},
    ],
)  # fmt: skip
def test_a_schema_without_a_value_that_ends_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(BadShape, match=r"leads back to itself: .* without end"):
        compile_shape(Schema(schema), nano())


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (CHAIN | {"required": []}, '{"next":{}}'),
        ({"anyOf": [CHAIN["properties"]["next"], {"type": "null"}]}, "null"),
        ({"type": "object", "properties": {"a": {"anyOf": [{"$ref": "#"}, {"const": 1}]}}, "required": ["a"]},
         '{"a":{"a":1}}'),
        ({"type": ["array", "null"], "items": {"$ref": "#"}, "minItems": 1}, "[[null]]"),
        ({"type": "array", "items": {"$ref": "#"}}, "[[],[[]]]"),
        ({"type": "array", "prefixItems": [{"type": "null"}, {"$ref": "#"}], "minItems": 1}, "[null]"),
    ],
)  # fmt: skip
def test_a_schema_that_holds_itself_and_ends_is_taken(schema: dict[str, Any], value: str) -> None:
    assert accepts(grammars().of(Schema(schema)), value)


def nested(deep: int, key: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(deep):
        schema = {"anyOf": [schema]} if key == "anyOf" else {key: schema if key == "items" else {"a": schema}}
    return schema


BOMBS: dict[str, Any] = {
    "deep items": nested(5000, "items"),
    "deep names": nested(100, "properties"),
    "deep choice": nested(400, "anyOf"),
    "many names": {"properties": {f"p{i}": {"type": "string"} for i in range(5000)}},
    "many values": {"enum": list(range(50_000))},
    "many schemas": {"anyOf": [{"type": "string", "maxLength": i} for i in range(3000)]},
    "long": {"const": "x" * 100_000},
    "product": {
        "allOf": [{"anyOf": [{"properties": {f"{k}{i}": {}}} for i in range(40)]} for k in "abcdef"],
    },
    "patterns that meet": {"allOf": [{"pattern": f"{c}[a-z]*"} for c in "abcdefghijklmnopqrst"]},
    "patterns of names": {"patternProperties": {f"^x{i}y.*z$": {} for i in range(300)}},
    "multiples": {"allOf": [{"type": "integer", "multipleOf": p} for p in (997, 991, 983)]},
    "one multiple": {"type": "integer", "multipleOf": 9_999_991},
    "items without end": {"type": "array", "minItems": 10**9},
    "letters without end": {"type": "string", "minLength": 10**12},
    "itself": {"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}], "$defs": {
        name: {"type": "object", "properties": {"child": {"$ref": f"#/$defs/{name}"}}} for name in "ab"
    }},
    "only itself": {"$ref": "#"},
    "a chain": {"$ref": "#/$defs/0", "$defs": {
        str(i): {"allOf": [{"$ref": f"#/$defs/{min(i + 1, 300)}"}], "minLength": 1} for i in range(301)
    }},
    "a long chain": {"$ref": "#/$defs/0", "$defs": {
        str(i): {"$ref": f"#/$defs/{min(i + 1, 900)}"} for i in range(901)
    }},
    "in a ring": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_schema_bomb_is_refused(bomb: str) -> None:
    with pytest.raises(BadShape):
        compile_shape(Schema(BOMBS[bomb]), nano()).walk().mask()


PATTERNS = (
    "((a{1,100}){1,100}){1,100}",
    "(.*a){20}.{20}",
    "(a|b)*a(a|b){40}",
    r"(\p{L}|\p{N}){1,500}\p{Greek}{500}",
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_wild_pattern_is_walked_in_small_steps_or_refused(pattern: str) -> None:
    with suppress(BadShape):
        walk = compile_shape(Matching(pattern), nano()).walk()
        told = ended(walk, 0, nano(), 80)
        assert told is None or re.match(r"[\w\s]*", spelled(told))


@pytest.mark.parametrize(
    "pattern",
    [
        "[a-c]{3}",
        r"\d{4}-\d{2}",
        "(yes|no|maybe so)",
        "a/b?",
        r"line\n?",
        "^whole$",
        "^a|b$",
        r"[^\n]{0,5}é",
        "",
    ],
)
def test_a_random_answer_to_a_pattern_matches_it_whole(pattern: str) -> None:
    for seed in range(5):
        answer = drawn(grammars().of(Matching(pattern)), seed)
        assert answer is not None
        assert re.fullmatch(pattern, answer)


@pytest.mark.parametrize(
    "pattern",
    ["(", "(?=a)", r"(a)\1", "a" * 1000, "a\ud800", 3, "a{99999}", "((ab){100}){60}", "[a]{9}{9999}"],
)
def test_what_is_no_pattern_is_refused(pattern: Any) -> None:
    with pytest.raises(BadShape):
        compile_shape(Matching(pattern), nano())


@pytest.mark.parametrize(
    ("shape", "do"),
    [
        (Matching("("), "mend it"),
        (Matching("limit("), "mend it"),
        (Schema({"type": "integer", "minimum": 5, "maximum": 3}), "mend it"),
        (Matching("(a|b)*a" + "(a|b|cd)" * 40), "make it simpler"),
    ],
    ids=["broken", "named", "empty", "large"],
)
def test_what_is_broken_is_to_be_mended_and_what_is_too_large_made_simpler(shape: Shape, do: str) -> None:
    with pytest.raises(BadShape, match=f"; {do}$"):
        compile_shape(shape, nano(), Limits(compile_fuel=300))


@pytest.mark.parametrize("pattern", [r"[^\s\S]", r"a[^\s\S]"])
def test_a_pattern_that_no_text_matches_is_said_to_be_that(pattern: str) -> None:
    with pytest.raises(BadShape, match="no text matches it"):
        compile_shape(Matching(pattern), nano()).walk().mask()


LOOK = ("look", OBJECT)
STOP = ("stop", {"type": "object", "properties": {}, "additionalProperties": False})


@pytest.mark.parametrize("seed", range(10))
def test_calls_are_of_tools_that_there_are_with_their_own_arguments(seed: int) -> None:
    answer = drawn(grammars().of(Calls((LOOK, STOP))), seed, longest=2000)
    if answer is None:
        return
    told = parse_calls(answer)
    assert told.calls
    assert (told.text, told.cut) == ("", False)
    for call in told.calls:
        valid(dict(call.arguments), dict((LOOK, STOP))[call.name])


def test_text_may_stand_before_calls_that_need_not_be_and_holds_none() -> None:
    told = [drawn(grammars().of(Calls((LOOK,), must=False)), seed, longest=2000) for seed in range(20)]
    parsed = [parse_calls(answer) for answer in told if answer is not None]
    assert any(one.text for one in parsed)
    assert not any("<tool_call>" in one.text for one in parsed)
    assert all(call.name == "look" for one in parsed for call in one.calls)


def test_where_several_are_not_wanted_there_is_one_call() -> None:
    answers = [drawn(grammars().of(Calls((LOOK, STOP), several=False)), seed) for seed in range(8)]
    assert {len(parse_calls(answer).calls) for answer in answers if answer is not None} == {1}


def test_the_marks_of_a_call_are_its_tokens() -> None:
    walk = grammars().of(Calls((STOP,))).walk()
    assert np.flatnonzero(walk.mask()).tolist() == [nano().marks["<tool_call>"]]


@pytest.mark.parametrize("shape", [Matching("[a-c]{2}"), Schema(OBJECT), Calls((STOP,))])
def test_a_model_that_thinks_is_free_before_its_answer_and_held_after(shape: Shape) -> None:
    walk = grammars(thinks=True).of(shape).walk()
    for token in nano().tokenizer.text('I think { "so" }'):
        assert walk.mask()[token]
        walk.take(token)
    assert not walk.mask()[list(nano().stop_ids)].any()
    walk.take(nano().marks["</think>"])
    told = ended(walk, 0, nano(), 400)
    assert told is not None
    assert drawn(grammars().of(shape), 0) is not None
    assert accepts(grammars().of(Matching(r"(?s:\n{0,2}.*)")), spelled(told)) or "<tool_call>" in spelled(
        told
    )


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(0, 30))
def test_a_copy_goes_its_own_way_and_allows_the_same(seed: int, steps: int) -> None:
    walk = grammars().of(Schema(schema_of(seed))).walk()
    dice = np.random.default_rng(seed)
    for _ in range(steps):
        walk.take(int(dice.choice(np.flatnonzero(walk.mask()))))
        if walk.ended:
            return
    before, other = walk.mask().copy(), walk.copy()
    other.take(int(np.flatnonzero(before)[-1]))
    assert (walk.mask() == before).all()
    assert ended(walk.copy(), seed, nano(), 50) == ended(walk, seed, nano(), 50)


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_what_is_forced_is_allowed_one_after_the_other(seed: int) -> None:
    walk, dice = grammars().of(Schema(schema_of(seed))).walk(), np.random.default_rng(seed)
    for _ in range(20):
        ahead = walk.copy()
        for token in walk.forced():
            assert ahead.mask()[token]
            ahead.take(token)
        allowed = np.flatnonzero(walk.mask())
        walk.take(int(dice.choice(allowed)))
        if walk.ended:
            return


def test_a_token_that_is_not_allowed_is_refused_and_nothing_changes() -> None:
    walk = grammars().of(Schema(OBJECT)).walk()
    before = walk.mask()
    with pytest.raises(ValueError, match="not allowed"):
        walk.take(nano().marks["<|im_start|>"])
    assert (walk.mask() == before).all()


def test_marks_and_unused_ids_are_never_allowed_in_text() -> None:
    walk = grammars().of(Json()).walk()
    for token in nano().tokenizer.text('{"'):
        walk.take(token)
    assert not walk.mask()[sorted(nano().marks.values())].any()


def test_a_shape_is_compiled_once_and_the_oldest_is_forgotten() -> None:
    kept = Grammars(nano(), keep=2)
    first = kept.of(Matching("a"))
    assert kept.of(Matching("a")) is first
    kept.of(Matching("b"))
    kept.of(Matching("c"))
    assert kept.of(Matching("a")) is not first


def test_what_is_made_ready_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    known = nano()
    kept = Grammars(Vocabulary(known.tokenizer, known.size, known.stop_ids))
    kept.ready()
    monkeypatch.delattr("llguidance.LLTokenizer")
    assert kept.of(Matching("b")).walk().mask().sum() == 1


def test_absence_of_the_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llguidance", None)
    with pytest.raises(MissingExtra, match=r"omma\[grammar\]"):
        compile_shape(Json(), nano())


def test_limits_are_a_value() -> None:
    with pytest.raises(BadShape, match="at most 1 are taken"):
        compile_shape(Schema({"properties": {"a": {}, "b": {}}}), nano(), replace(USUAL, names=1))


def test_a_chain_of_references_within_the_limit_is_compiled() -> None:
    chain = {str(i): {"anyOf": [{"type": "null"}, {"$ref": f"#/$defs/{i + 1}"}]} for i in range(190)}
    grammar = grammars().of(Schema({"$ref": "#/$defs/0", "$defs": {**chain, "190": {"type": "boolean"}}}))
    assert accepts(grammar, "true")
    assert not accepts(grammar, "1")


def test_parameters_of_a_tool_are_an_object() -> None:
    with pytest.raises(BadShape, match="wanted an object"):
        compile_shape(Calls((("look", {"type": "string"}),)), nano())
    grammar = grammars().of(Calls((("look", {}),)))
    assert not accepts(grammar, '<tool_call>\n{"name": "look", "arguments": 3}\n</tool_call>')
    assert accepts(grammar, '<tool_call>\n{"name": "look", "arguments": {}}\n</tool_call>')


@pytest.mark.parametrize("number", [-(2**63), 1 - 2**63, 2**63, 10**30])
def test_whole_numbers_at_the_end_of_64_bits_are_refused_and_not_compiled(number: int) -> None:
    for schema in ({"const": number}, {"enum": [1, number]}, {"const": {"a": [number]}}):
        with pytest.raises(BadShape, match=r"wanted whole numbers within ±9·10\^18"):
            grammars().of(Schema(schema))


@pytest.mark.parametrize("number", [-9 * 10**18, 9 * 10**18, True])
def test_numbers_short_of_that_stand_as_they_are(number: int) -> None:
    assert json.loads(drawn(grammars().of(Schema({"const": number})), 0) or "") == number
