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
from omma.engine.engine import Engine, Written
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


def answers(schemas: list[dict[str, Any]], longest: int) -> list[str]:
    """A most random answer to each schema, however it ended; 32 are written together."""

    def asked() -> Iterator[Request]:
        for seed, schema in enumerate(schemas):
            wishes = Options.of(shape=Schema(schema), temperature=WILDEST, seed=seed, max_tokens=longest)
            yield nano().prepared((message("user", "Tell me."),), wishes)[0]

    texts = [""] * len(schemas)
    for piece in generate(nano().network, asked(), nano().spell, rows=32):
        assert piece.error is None
        texts[piece.index] += piece.text
    return texts


def valid(answer: str, schema: dict[str, Any]) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(json.loads(answer))


@pytest.mark.parametrize(
    ("count", "deep", "longest"), [(40, 2, 200), pytest.param(1_000, 3, 400, marks=pytest.mark.soak)]
)
def test_every_answer_to_a_generated_schema_parses_and_validates(count: int, deep: int, longest: int) -> None:
    schemas = [schema_of(seed, deep) for seed in range(count)]
    for answer, schema in zip(answers(schemas, longest), schemas, strict=True):
        valid(answer, schema)


def test_an_answer_is_one_of_what_may_be_said() -> None:
    colours = {"type": "object", "properties": {"colour": {"enum": ["red", "green", "blue"]}}}
    schema = {**colours, "required": ["colour"], "additionalProperties": False}
    reply = nano().ask("examples/shapes.png", "What colour is the square?", shape=Schema(schema))
    assert json.loads(reply.text) in [{"colour": colour} for colour in ("red", "green", "blue")]


def test_a_pattern_is_matched_and_the_answer_ends_with_it() -> None:
    reply = nano().ask(None, "A number?", shape=Matching(r"\d{3}-\d{3}"), temperature=WILDEST, seed=1)
    assert (len(reply.text), reply.text[3], reply.finish_reason) == (7, "-", "stop")


def test_an_answer_without_room_for_the_shortest_end_is_the_beginning_of_one() -> None:
    shape = Matching("a{90}")
    reply = nano().ask(None, "Anything?", shape=shape, temperature=WILDEST, seed=1, max_tokens=3)
    assert reply.finish_reason == "length"
    assert set(reply.text) == {"a"}


def test_an_answer_that_is_made_shorter_is_whole_and_says_so() -> None:
    reply = nano().ask(None, "Anything?", shape=Json(), temperature=WILDEST, seed=1, max_tokens=9)
    assert reply.finish_reason == "length"
    assert isinstance(json.loads(reply.text), dict)


def near_the_limit(seed: int) -> Request:
    wishes = Options.of(
        shape=Schema(schema_of(seed, 2)), temperature=seed % 2 * WILDEST, seed=seed, max_tokens=20 + seed
    )
    return nano().prepared((message("user", "Tell me."),), wishes)[0]


def test_near_the_limit_tokens_are_the_same_with_guesses_and_beside_others() -> None:
    asked = [near_the_limit(seed) for seed in range(12)]
    told: list[list[list[int]]] = []
    for rows, guesses in ((1, 0), (12, 8)):
        engine = Engine(nano().network, rows=rows, guesses=guesses, invariant=True)
        tickets = {engine.add(one): number for number, one in enumerate(asked)}
        written: list[list[int]] = [[] for _ in asked]
        while not engine.idle:
            for step in engine.step():
                assert isinstance(step, Written)
                written[tickets[step.ticket]].append(step.token)
        told.append(written)
    assert told[0] == told[1]


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
