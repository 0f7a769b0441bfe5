"""Applications: every call can be carried out on the screen that is shown, and no question needs a guess."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
import pytest

from omma.chat import Answer, Seen, Usage
from omma.evals.marks import check_truth, mark
from omma.prep.actions import NEEDS, parse_actions
from omma.sample import Size
from omma.synth import Exercise, draw
from omma.synth.apps import Interface
from omma.synth.documents.sheet import Document
from omma.synth.places import overlap
from omma.synth.suites import FURTHER, questions
from omma.synth.wordings import wordings
from omma.synth.world import Turn

CALLED = tuple(task for task in wordings() if task.startswith("use_"))


@lru_cache
def exercises(level: int, split: str = "train", count: int = 40) -> tuple[Exercise, ...]:
    return tuple(draw("apps", (19, seed), split=split, level=level) for seed in range(count))


def every(split: str = "train") -> list[tuple[Exercise, Turn]]:
    return [(made, turn) for level in range(4) for made in exercises(level, split) for turn in made.turns]


def state_of(exercise: Exercise) -> Interface:
    assert isinstance(exercise.drawing, Document)
    assert isinstance(exercise.drawing.content, Interface)
    return exercise.drawing.content


@pytest.mark.parametrize("split", ["train", "test"])
def test_calls_are_read_back_as_the_actions_that_are_true(split: str) -> None:
    for exercise, turn in every(split):
        if "calls" not in turn.truth:
            continue
        check_truth(turn.truth)
        size = Size(*exercise.drawing.picture.size)
        seen = Seen("image", size, size, "grid")
        actions = parse_actions(turn.answer, seen)
        assert [action.name for action in actions] == [call["action"] for call in turn.truth["calls"]]
        assert {action.name for action in actions} <= set(NEEDS["computer_use"])
        assert mark(turn.truth, Answer(turn.answer, "stop", Usage(1, 1), seen=(seen,))).points == 1


def test_every_kind_of_call_is_asked_for() -> None:
    asked = Counter(turn.task for _, turn in every())
    assert {task for task in CALLED if asked[task] < 3} == set()
    assert (
        min(asked[task] for task in ("type_target", "widget_enabled", "focused_field", "selected_item")) > 5
    )


def test_where_a_click_goes_its_thing_lies_on_top() -> None:
    for exercise, turn in every():
        for call in turn.truth.get("calls", []):
            if "box" in call:
                x1, y1, x2, y2 = (round(edge) for edge in call["box"])
                number = exercise.drawing.thing_map[(y1 + y2) // 2, (x1 + x2) // 2]
                assert number in state_of(exercise).active
                assert np.abs(np.array(exercise.drawing.things[number].box) - call["box"]).max() < 0.1


def test_what_lies_under_an_open_menu_or_behind_a_dialog_is_not_asked_about() -> None:
    covered = 0
    for exercise in exercises(3):
        drawing, state = exercise.drawing, state_of(exercise)
        front = [thing for thing in drawing.things if thing.kind in ("card", "dialog")]
        usable = {drawing.things[number].text for number in state.active}
        for number, thing in enumerate(drawing.things):
            if front and number not in state.active and thing.text and thing.text not in usable:
                covered += 1
                asked = [turn for turn in exercise.turns if f'"{thing.text}"' in turn.question]
                assert all(turn.task == "use_absent" for turn in asked), asked
        for number in state.active:
            thing = drawing.things[number]
            if drawing.things.index(front[0]) > number if front else False:
                assert overlap(front[0].box, thing.box) == 0
    assert covered > 20


def test_nothing_is_done_where_it_is_so_already_and_nothing_where_it_cannot_be() -> None:
    told = Counter[str]()
    for exercise, turn in every():
        (first, *_) = turn.truth.get("calls", [{}])
        if turn.task in ("use_on", "use_off", "use_choose"):
            thing = next(t for t in exercise.drawing.things if f'"{t.text}"' in turn.question and t.state)
            done = (thing.state in ("on", "checked")) == (turn.task != "use_off")
            assert first.get("status") == ("success" if done else None)
            told["success" if done else "click"] += 1
        if turn.task == "use_absent":
            told[first["action"]] += 1
    assert min(told.values()) >= 8
    assert set(told) == {"success", "click", "left_click", "terminate"}


def test_a_field_with_the_focus_is_typed_into_at_once() -> None:
    first = Counter[tuple[bool, str]]()
    for exercise, turn in every():
        if turn.task == "use_type":
            focused = state_of(exercise).focused
            name = None if focused is None else exercise.drawing.things[focused].text
            first[f'"{name}"' in turn.question, turn.truth["calls"][0]["action"]] += 1
    assert set(first) == {(True, "type"), (False, "left_click")}


def test_labels_that_are_asked_for_stand_for_one_thing() -> None:
    for exercise, turn in every():
        for call in turn.truth.get("calls", []):
            if "box" in call:
                bearing = [t for t in exercise.drawing.things if t.text and f'"{t.text}"' in turn.question]
                assert len({thing.box for thing in bearing if thing.kind != "text"}) == 1


@pytest.mark.parametrize("name", list(FURTHER))
def test_further_suites_ask_what_they_are_for(name: str) -> None:
    found = list(questions(name, 8))
    assert {turn.task for _, turn in found} <= {*FURTHER[name].tasks}
    for _, turn in found:
        check_truth(turn.truth)
