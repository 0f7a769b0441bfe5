"""Calls are worth a point where they do what is wanted, in its order; blind clicks are worth little."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from omma.chat import Answer, Seen, Usage
from omma.evals.figures import chance
from omma.evals.marks import Question, check_truth, mark
from omma.sample import Size

SIZE = Size(200, 100)
TYPED = {"calls": [{"action": "left_click", "box": [20, 10, 60, 30]}, {"action": "type", "text": "anna"}]}
KEYS = {"calls": [{"action": "key", "keys": ["ctrl", "s"]}]}
WHEEL = {"calls": [{"action": "scroll", "pixels": -3}]}
OVER = {"calls": [{"action": "terminate", "status": "success"}]}


def call(**arguments: Any) -> str:
    return f"<tool_call>\n{json.dumps({'name': 'computer_use', 'arguments': arguments})}\n</tool_call>"


def worth(truth: dict[str, Any], text: str) -> float:
    return mark(truth, Answer(text, "stop", Usage(1, 1), seen=(Seen("image", SIZE, SIZE, "grid"),))).points


CLICK, TYPE = call(action="left_click", coordinate=[200, 200]), call(action="type", text="anna")


@pytest.mark.parametrize(
    ("truth", "told", "points"),
    [
        (TYPED, f"{CLICK}\n{TYPE}", 1),
        (TYPED, f"Thought: type it.\n{CLICK}\n{TYPE}", 1),
        (TYPED, f"{TYPE}\n{CLICK}", 0),
        (TYPED, CLICK, 0),
        (TYPED, f"{CLICK}\n{TYPE}\n{TYPE}", 0),
        (TYPED, f"{call(action='left_click', coordinate=[400, 200])}\n{TYPE}", 0),
        (TYPED, f"{CLICK}\n{call(action='type', text='ann')}", 0),
        (TYPED, f"{call(action='double_click', coordinate=[200, 200])}\n{TYPE}", 0),
        (KEYS, call(action="key", keys=["Ctrl", "S"]), 1),
        (KEYS, call(action="key", keys=["s", "ctrl"]), 0),
        (WHEEL, call(action="scroll", pixels=-10), 1),
        (WHEEL, call(action="scroll", pixels=3), 0),
        (OVER, call(action="terminate", status="success"), 1),
        (OVER, call(action="terminate", status="failure"), 0),
        (OVER, "done", 0),
    ],
)
def test_an_answer_is_worth_a_point_where_it_does_what_is_wanted(truth: Any, told: str, points: int) -> None:
    check_truth(truth)
    assert worth(truth, told) == points


@pytest.mark.parametrize(
    "calls",
    [
        [],
        "click",
        [{"action": "fly"}],
        [{"action": "left_click"}],
        [{"action": "type"}],
        [{"action": "key", "keys": "s"}],
    ],
)
def test_a_truth_that_no_answer_could_meet_is_refused(calls: Any) -> None:
    with pytest.raises(ValueError, match="an action"):
        check_truth({"calls": calls})


def test_who_never_looks_gets_the_commonest_call_or_a_lucky_click() -> None:
    def asked(*truths: Any) -> list[Question]:
        return [Question(Path("a.png"), "Do it.", "use", truth, SIZE) for truth in truths]

    assert chance(asked(OVER, OVER, OVER, TYPED)) == 0.75
    assert chance(asked(TYPED, TYPED)) == pytest.approx(40 * 20 / (200 * 100))
    middle = {"calls": [{"action": "left_click", "box": [90, 40, 110, 60]}]}
    assert chance(asked(middle, TYPED)) == 0.5
