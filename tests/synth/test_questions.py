"""An answer follows from its truth, its truth from the drawing, and guessing does not help."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from random import Random

import numpy as np
import pytest
from PIL import Image

from omma.synth import WORLDS, Drawing, Thing, Turn, dialogue, draw
from omma.synth.ask_scenes import scene_turns
from omma.synth.asking import on_grid
from omma.synth.colours import NAMED
from omma.synth.dialogue import json_line
from omma.synth.documents.worlds import DOCUMENT_WORLDS
from omma.synth.gallery import GALLERY, SETS
from omma.synth.world import OBJECTS, SHAPES

SPLITS = ("train", "test")
PLAIN = [world for world in WORLDS if world not in GALLERY | SETS]  # the others: test_gallery, test_sets


@lru_cache
def turns(world: str, split: str = "train", count: int = 12) -> list[tuple[Drawing, Turn]]:
    found = []
    for level in range(4):
        for seed in range(count):
            exercise = draw(world, (11, seed), split=split, level=level, maps=False)
            found += [(exercise.drawing, turn) for turn in exercise.turns]
    return found


@pytest.mark.parametrize("world", PLAIN)
@pytest.mark.parametrize("split", SPLITS)
def test_an_answer_is_its_truth_in_words(world: str, split: str) -> None:
    for drawing, turn in turns(world, split):
        truth = turn.truth
        json.dumps(truth)
        assert "{" not in turn.question or "record" in truth
        if "word" in truth:
            assert turn.answer == truth["word"]
        elif "number" in truth:
            assert turn.answer == str(truth["number"])
        elif "lines" in truth:
            assert turn.answer == "\n".join(truth["lines"])
        elif "boxes" in truth:
            width, height = drawing.picture.size
            written = json.loads(turn.answer)
            assert len(written) == len(truth["boxes"])
            for row, box in zip(written, truth["boxes"], strict=True):
                back = np.array(row["bbox_2d"]) / 1000 * (width, height, width, height)
                np.testing.assert_allclose(back, box["box"], atol=0.1 + max(width, height) / 1000)
        elif "point" in truth:
            x, y = np.array(json.loads(turn.answer)["point_2d"]) / 1000 * drawing.picture.size
            x1, y1, x2, y2 = truth["box"]
            assert x1 <= x <= x2
            assert y1 <= y <= y2
        elif not document_truth(turn):
            assert turn.task == "describe"


def document_truth(turn: Turn) -> bool:
    """Whether the truth is of a document (figure, record, corners, table), as the answer reads."""
    truth = turn.truth
    if "value" in truth:
        assert float(re.sub(r"[^0-9.-]", "", turn.answer)) == pytest.approx(truth["value"])
    elif "record" in truth:
        assert json.loads(turn.answer) == truth["record"]
    elif "quads" in truth:
        assert len(json.loads(turn.answer)) == len(truth["quads"])
    else:
        return turn.answer == truth.get("html")
    return True


@pytest.mark.parametrize("world", [world for world in PLAIN if world not in DOCUMENT_WORLDS])
def test_the_answers_that_say_most_come_first(world: str) -> None:
    first = "read" if world in ("words", "letters") else "describe"
    for seed in range(10):
        told = draw(world, seed, maps=False).turns
        assert told[0].task == first
        assert "bbox_2d" in told[1].answer
        assert len(told) >= 3


@pytest.mark.parametrize("task", ["exists", "relation", "has_word", "widget_state"])
def test_yes_is_as_frequent_as_no(task: str) -> None:
    world = {"has_word": "words", "widget_state": "screens"}.get(task, "scenes")
    said = Counter(
        turn.answer
        for seed in range(320)
        for turn in draw(world, (5, seed), level=1 + seed % 2, maps=False).turns
        if turn.task == task and turn.answer in ("yes", "no")
    )
    assert said.total() > 50
    assert abs(said["yes"] / said.total() - 0.5) < 3 * 0.5 / said.total() ** 0.5


def test_no_count_is_asked_for_too_often() -> None:
    said = Counter(
        turn.answer
        for seed in range(200)
        for turn in draw("scenes", (6, seed), level=3, maps=False).turns
        if turn.task == "count"
    )
    assert set(map(str, range(8))) <= set(said)
    assert max(said.values()) < 0.3 * said.total()


def test_counts_and_boxes_agree_with_the_things() -> None:
    for drawing, turn in turns("scenes"):
        if turn.task == "find":
            for row in turn.truth["boxes"]:
                what = row["label"]
                fitting = [t for t in drawing.things if what in (t.kind, t.name, f"{t.colour} thing")]
                assert len(fitting) == len(turn.truth["boxes"])
        if turn.task == "count":
            known = Counter(
                name for t in drawing.things for name in (t.kind, t.name, f"{t.colour} thing", "thing")
            )
            assert turn.truth["number"] in {0, *known.values()}


def hand_made(*things: Thing) -> Drawing:
    nothing = np.zeros((0, 0), np.uint8)
    picture = Image.new("RGB", (300, 300), "white")
    return Drawing(picture, things, "scenes", "white", nothing, nothing, nothing.astype(np.int16))


def asked(drawing: Drawing, task: str) -> list[Turn]:
    return [
        turn
        for seed in range(150)
        for turn in scene_turns(drawing, "train", Random(seed))
        if turn.task == task
    ]


CIRCLE = Thing("circle", "red", (20, 20, 80, 80), size="medium")
STAR = Thing("star", "blue", (200, 25, 260, 85), size="medium")
TREE = Thing("tree", "green", (110, 200, 230, 290), size="large")


def test_questions_about_a_known_scene_are_answered_rightly() -> None:
    scene = hand_made(CIRCLE, STAR, TREE)
    for turn in asked(scene, "colour"):
        for thing in (CIRCLE, STAR, TREE):
            if thing.kind in turn.question.lower():
                assert turn.answer == thing.colour
    for turn in asked(scene, "shape"):
        for thing in (CIRCLE, STAR, TREE):
            if f"{thing.colour}" in turn.question.lower():
                assert turn.answer == thing.kind
    for turn in asked(scene, "place"):
        for thing, place in ((CIRCLE, "top left"), (STAR, "top right"), (TREE, "bottom")):
            if thing.kind in turn.question.lower():
                assert turn.answer == place
    assert {turn.answer for turn in asked(scene, "relation")} >= {"yes", "no"}


def test_left_and_right_are_what_they_are() -> None:
    for turn in asked(hand_made(CIRCLE, STAR), "relation"):
        if turn.answer in ("yes", "no"):
            words = turn.question.lower()
            circle_first = words.index("circle") < words.index("star")
            assert (turn.answer == "yes") == (circle_first == ("left of" in words))


def test_a_thing_that_has_a_double_is_never_spoken_of_as_the_only_one() -> None:
    scene = hand_made(CIRCLE, replace(CIRCLE, box=(20, 200, 80, 260)), STAR)
    for task in ("relation", "compare", "point", "place"):
        for turn in asked(scene, task):
            assert "circle" not in turn.question.lower()


def test_nothing_is_said_left_of_what_stands_above_it() -> None:
    for turn in asked(hand_made(CIRCLE, replace(STAR, box=(25, 200, 85, 260))), "relation"):
        assert "left" not in turn.question
        assert "right of" not in turn.question


def test_two_of_nearly_the_same_size_are_not_compared() -> None:
    assert not asked(hand_made(CIRCLE, replace(STAR, box=(200, 25, 264, 89))), "compare")


def test_colours_and_kinds_are_answered_by_known_words() -> None:
    for _, turn in turns("scenes"):
        if turn.task == "colour":
            assert turn.answer in NAMED
        if turn.task == "shape":
            assert turn.answer in SHAPES + OBJECTS


def test_what_is_read_is_what_was_printed() -> None:
    for drawing, turn in turns("words"):
        if turn.task == "read":
            assert turn.truth["lines"] == [thing.text for thing in drawing.things]
        if turn.task == "has_word" and turn.answer == "no":
            word = turn.question.split('"')[1].lower()
            assert all(word not in thing.text.lower() for thing in drawing.things)


def test_a_click_hits_the_widget_of_that_label() -> None:
    for drawing, turn in turns("screens"):
        if turn.task == "point":
            boxes = [thing.box for thing in drawing.things if thing.text == turn.truth["label"]]
            assert any(np.allclose(box, turn.truth["box"], atol=0.06) for box in boxes)


def test_a_dialogue_shows_its_picture_once() -> None:
    exercise = draw("scenes", 1, maps=False)
    spoken = dialogue(exercise)
    assert [message.role for message in spoken] == ["user", "assistant"] * len(exercise.turns)
    assert sum(len(message.parts) == 2 for message in spoken) == 1
    line = json_line(exercise, "a/1.webp")
    assert line["messages"][0]["content"][0] == {"type": "image_url", "image_url": {"url": "a/1.webp"}}


@pytest.mark.parametrize(("value", "number"), [(0, 0), (49.9, 499), (100, 999), (-3, 0)])
def test_the_grid_has_a_thousand_steps(value: float, number: int) -> None:
    assert on_grid(value, 100) == number


@pytest.mark.parametrize("world", ["scenes", "words", "screens", "tables"])
def test_a_world_goes_on_asking_and_repeats_nothing(world: str) -> None:
    few, many = draw(world, 4, level=2, maps=False), draw(world, 4, level=2, maps=False, questions=20)
    assert many.drawing.picture.tobytes() == few.drawing.picture.tobytes()
    assert many.turns[: len(few.turns)] == few.turns
    assert len(few.turns) < len(many.turns) <= 20
    asked = [turn.question for turn in many.turns]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("seed", range(20))
def test_only_tasks_that_are_wanted_are_asked(seed: int) -> None:
    asked = draw("scenes", seed, level=2, maps=False, tasks=("relation", "count"), questions=8).turns
    assert asked
    assert {turn.task for turn in asked} <= {"relation", "count"}


@pytest.mark.parametrize("world", ["scenes", "screens"])
def test_places_of_what_is_there_are_asked_more_often_than_of_what_is_not(world: str) -> None:
    asked = [
        turn
        for seed in range(20)
        for turn in draw(world, seed, level=1, maps=False, tasks=("find", "point"), questions=8).turns
    ]
    nothing = [turn for turn in asked if turn.truth == {"boxes": []}]
    assert len(asked) > 120
    assert len(nothing) < len(asked) / 3


def test_yes_stays_as_frequent_as_no_when_many_are_asked() -> None:
    said = [
        turn.answer
        for seed in range(60)
        for turn in draw("scenes", seed, level=2, maps=False, tasks=("relation",), questions=8).turns
        if turn.answer in ("yes", "no")
    ]
    assert len(said) > 150
    assert 0.42 < said.count("yes") / len(said) < 0.58
