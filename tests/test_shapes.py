"""The bundled model, at its most random, answers in the shape that it is held to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import PIL.Image
import pytest

import omma
from omma.chat import Options, message
from omma.engine.generate import generate
from omma.engine.request import Request
from omma.errors import BadShape
from omma.respond import Model
from omma.shape import Calls, Json, Matching, Places, Schema
from tests.engine.schemas import schema_of

WILDEST = 100.0  # the highest temperature that is taken


@cache
def nano() -> Model:
    return omma.load("omma-nano")


def answers(schemas: list[dict[str, Any]], longest: int) -> list[str | None]:
    """A most random answer to each schema, None where it was not over in time; 32 are written together."""

    def asked() -> Iterator[Request]:
        for seed, schema in enumerate(schemas):
            wishes = Options.of(shape=Schema(schema), temperature=WILDEST, seed=seed, max_tokens=longest)
            yield nano().prepared((message("user", "Tell me."),), wishes)[0]

    texts = [""] * len(schemas)
    ends: list[str | None] = [None] * len(schemas)
    for piece in generate(nano().network, asked(), nano().spell, rows=32):
        assert piece.error is None
        texts[piece.index] += piece.text
        if piece.finish is not None:
            ends[piece.index] = texts[piece.index] if piece.finish == "stop" else None
    return ends


def valid(answer: str, schema: dict[str, Any]) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(json.loads(answer))


@pytest.mark.parametrize(
    ("count", "deep", "longest"), [(40, 2, 120), pytest.param(1_000, 3, 300, marks=pytest.mark.soak)]
)
def test_every_answer_to_a_generated_schema_parses_and_validates(count: int, deep: int, longest: int) -> None:
    schemas = [schema_of(seed, deep) for seed in range(count)]
    told = answers(schemas, longest)
    for answer, schema in zip(told, schemas, strict=True):
        if answer is not None:
            valid(answer, schema)
    assert len([answer for answer in told if answer is not None]) > 0.75 * count


def test_an_answer_is_one_of_what_may_be_said() -> None:
    colours = {"type": "object", "properties": {"colour": {"enum": ["red", "green", "blue"]}}}
    schema = {**colours, "required": ["colour"], "additionalProperties": False}
    reply = nano().ask("examples/shapes.png", "What colour is the square?", shape=Schema(schema))
    assert json.loads(reply.text) == {"colour": "green"}


def test_a_pattern_is_matched_and_the_answer_ends_with_it() -> None:
    reply = nano().ask(None, "A number?", shape=Matching(r"\d{3}-\d{3}"), temperature=WILDEST, seed=1)
    assert (len(reply.text), reply.text[3], reply.finish_reason) == (7, "-", "stop")


def test_an_answer_that_is_cut_is_the_beginning_of_one() -> None:
    reply = nano().ask(None, "Anything?", shape=Json(), temperature=WILDEST, seed=1, max_tokens=3)
    assert reply.finish_reason == "length"
    assert reply.text.startswith("{")


@pytest.mark.parametrize("seed", range(2))
def test_boxes_lie_inside_whatever_the_model_would_rather_say(seed: int) -> None:
    picture = PIL.Image.new("RGB", (300, 200), "white")
    found = nano().find(picture, "cup", inside=True, temperature=WILDEST, seed=seed, max_tokens=100)
    assert all(0 <= box.x1 < box.x2 <= 300 and 0 <= box.y1 < box.y2 <= 200 for box in found)


def test_held_to_places_the_model_finds_what_it_finds_unheld() -> None:
    free = nano().find("examples/shapes.png", "circle")
    assert free
    assert nano().find("examples/shapes.png", "circle", inside=True) == free


@pytest.mark.parametrize("seed", range(2))
def test_one_point_is_given_inside_the_picture(seed: int) -> None:
    picture = PIL.Image.new("RGB", (300, 200), "white")
    place = nano().point(picture, "cup", inside=True, temperature=WILDEST, seed=seed, max_tokens=100)
    assert place is None or (0 <= place.x <= 300 and 0 <= place.y <= 200)


def test_places_in_a_picture_that_nobody_shows_are_refused() -> None:
    with pytest.raises(BadShape, match="0 are shown"):
        nano().ask(None, "Where?", shape=Places())


def test_tools_are_offered_and_called() -> None:
    parameters = {
        "type": "object",
        "properties": {"x": {"type": "integer", "minimum": 0, "maximum": 9}},
        "required": ["x"],
        "additionalProperties": False,
    }
    look = {"type": "function", "function": {"name": "look", "parameters": parameters}}
    shape = Calls((("look", parameters),), several=False)
    reply = nano().ask(None, "Look.", tools=[look], shape=shape, temperature=WILDEST, seed=3)
    (call,) = reply.calls
    assert call.name == "look"
    assert set(call.arguments) == {"x"}
    assert call.arguments["x"] in range(10)
