"""The demonstration's questions can be answered, and its judge is neither blind nor blunt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bench.demo import EXAMPLES, answer, judge_reading, judge_words, read_boxes
from omma.chat import Delta, Options, Seen, Usage
from omma.prep.boxes import Box, write_boxes, write_point
from omma.respond import Model
from omma.sample import Size

QUESTIONS: list[dict[str, Any]] = json.loads((EXAMPLES / "questions.json").read_text())
TRUTHS = read_boxes(EXAMPLES / "boxes.json")


def knows(question: dict[str, Any]) -> str:
    """What one who knows the truth writes."""
    from omma.prep.boxes import Point

    size = picture_size(question["picture"])
    parts = TRUTHS[question["picture"]]
    match question["verb"]:
        case "find":
            boxes = [box for name in question["boxes"] for box in parts[name]]
            return write_boxes(boxes, Seen("image", size, size, "grid"))
        case "point":
            (box,) = parts[question["inside"]]
            middle = Point((box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2)
            return write_point(middle, Seen("image", size, size, "grid"))
        case _:
            return str(question.get("reads") or question.get("says") or question["number"])


def picture_size(name: str) -> Size:
    with Image.open(EXAMPLES / name) as picture:
        return Size(*picture.size)


def responder(text: str, size: Size) -> Model:
    """Answers everything with this text."""

    def stream(spoken: object, options: Options) -> Any:
        yield Delta(text, "stop", Usage(1, 1, 1), (Seen("image", size, size, "grid"),))

    model = Model.__new__(Model)
    model.stream = stream  # type: ignore[method-assign,assignment]
    model.ask = lambda picture, question, **_: next(stream(question, Options()))  # type: ignore[method-assign,assignment]
    return model


def test_there_are_enough_questions_about_enough_pictures() -> None:
    assert len(QUESTIONS) >= 10
    assert len({question["picture"] for question in QUESTIONS}) >= 6
    assert {question["verb"] for question in QUESTIONS} == {"ask", "find", "read", "point"}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: f"{q['picture']}-{q['verb']}-{q['question']}")
def test_the_truth_is_judged_right_and_nonsense_wrong(
    question: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.demo.OUT", tmp_path)
    size = picture_size(question["picture"])
    assert answer(responder(knows(question), size), question, TRUTHS).right
    for nonsense in ("", "[]", "purple elephants", '[{"bbox_2d":[0,0,999,999],"label":"all"}]'):
        assert not answer(responder(nonsense, size), question, TRUTHS).right


@pytest.mark.parametrize("said", ["Blue", "blue.", "The square is blue.", "A blue square, I think"])
def test_a_colour_may_be_said_in_a_sentence(said: str) -> None:
    assert judge_words({"says": "blue", "never": ["red"]}, said)[1]


@pytest.mark.parametrize("said", ["red", "blue or red", "bluebell", ""])
def test_a_colour_beside_its_rival_is_no_answer(said: str) -> None:
    assert not judge_words({"says": "blue", "never": ["red"]}, said)[1]


def test_a_few_letters_may_be_wrong() -> None:
    question = {"reads": "The garden is open today", "errors": 0.15}
    assert judge_reading(question, "The gorden is open\ntodey")[1]
    assert not judge_reading(question, "The guardian was opened to play")[1]


def test_every_picture_fits_into_every_part_it_names() -> None:
    for picture, parts in TRUTHS.items():
        size = picture_size(picture)
        for box in (box for boxes in parts.values() for box in boxes):
            assert isinstance(box, Box)
            assert 0 <= box.x1 < box.x2 <= size.width, (picture, box)
            assert 0 <= box.y1 < box.y2 <= size.height, (picture, box)
