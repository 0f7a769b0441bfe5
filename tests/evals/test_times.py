"""Answers about time, order and reckoning are marked by how much of them is right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.chat import Answer, Usage, Video
from omma.errors import BadData
from omma.evals.figures import chance
from omma.evals.marks import Question, check_truth, mark
from omma.evals.suites import _said, read_suite
from omma.evals.times import SHARES, overlap_in_time, read_spans, written
from omma.sample import Size
from omma.synth.suites import make_suite


def points(truth: dict[str, object], text: str) -> float:
    return mark(truth, Answer(text, "stop", Usage(1, 1))).points


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ('[{"start":1.0,"end":3.5}]', [(1.0, 3.5)]),
        ("From 1.5 s to 3 s.", [(1.5, 3.0)]),
        ("1 - 2.5 seconds, and 4–5", [(1.0, 2.5), (4.0, 5.0)]),
        ('{"start": 3, "end": 1}', []),
        ('{"start": "x"}', []),
        ("never", []),
    ],
)
def test_spans_are_read_as_json_and_as_people_write_them(text: str, spans: list[tuple[float, float]]) -> None:
    assert read_spans(text) == spans


def spans() -> st.SearchStrategy[list[tuple[float, float]]]:
    pair = st.tuples(st.integers(0, 20), st.integers(0, 8)).map(lambda p: (float(p[0]), float(p[0] + p[1])))
    return st.lists(pair, min_size=1, max_size=4)


@given(spans(), spans())
def test_overlap_in_time_is_a_share_and_symmetric(some: list[tuple[float, float]], others: list) -> None:  # type: ignore[type-arg]
    assert 0 <= overlap_in_time(some, others) <= 1
    assert overlap_in_time(some, others) == pytest.approx(overlap_in_time(others, some))
    assert overlap_in_time(some, some) == 1


def test_half_of_a_span_is_worth_a_half() -> None:
    assert points({"spans": [[1.0, 3.0]]}, '[{"start":1,"end":2}]') == 0.5
    assert points({"spans": [[1.0, 3.0]]}, "") == 0


def test_a_moment_may_be_off_by_a_little() -> None:
    truth = {"second": 2.5, "within": 0.5}
    assert points(truth, "2 s") == points(truth, "at 3.0 seconds") == 1
    assert points(truth, "4 s") == points(truth, "soon") == 0


def test_an_order_is_worth_its_right_pairs() -> None:
    truth = {"order": ["the red circle appears", "the cat moves left", "the sun grows"]}
    assert points(truth, "The red circle appears\nthe cat  moves left\nthe sun grows") == 1
    assert points(truth, "the cat moves left\nthe red circle appears\nthe sun grows") == pytest.approx(2 / 3)
    assert points(truth, "the sun grows") == 0
    assert points({"order": ["it moves"]}, "first it moves") == 1


@pytest.mark.parametrize(
    ("result", "text", "right"),
    [
        ("$7.50", "apple: $3\n$3 + $4.50 = $7.50\n$7.50", 1),
        ("12", "5 + 7 = 12\n12", 1),
        ("12", "The result is 12.", 1),
        ("12", "12\n5 + 7 = 13\n13", 0),
        ("1200", "1,200", 1),
        ("12", "", 0),
    ],
)
def test_the_last_number_is_the_result(result: str, text: str, right: float) -> None:
    assert points({"result": result, "steps": []}, text) == right


@pytest.mark.parametrize("told", ["Sí, hay uno.", "sí", "«Sí»"])
def test_yes_is_understood_in_other_languages(told: str) -> None:
    assert points({"word": "sí"}, told) == 1
    assert points({"word": "no"}, told) == 0
    assert points({"word": "はい"}, "はい、あります。") == 1
    assert points({"word": "圆形"}, "圆形。") == 1


TRUTHS: list[dict[str, object]] = [
    {"spans": [[0.5, 2.0]]},
    {"second": 1.5, "within": 0.5},
    {"order": ["a", "b"]},
    {"result": "$3.20"},
]


@pytest.mark.parametrize("truth", TRUTHS)
def test_a_truth_told_is_wholly_right_and_blind_answers_may_be(truth: dict[str, object]) -> None:
    check_truth(truth)
    assert points(truth, written(truth)) == 1
    size = Size(10, 10)
    assert chance([Question(Path(), "?", "t", truth, size)]) == 1


@pytest.mark.parametrize(
    "truth", [{"spans": [[2, 1]]}, {"spans": []}, {"second": "x"}, {"order": [1]}, {"result": "none"}]
)
def test_a_truth_that_no_answer_can_meet_is_refused(truth: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        check_truth(truth)


def test_every_form_can_be_told() -> None:
    assert {key for truth in TRUTHS for key in truth} >= set(SHARES)


def test_clips_references_and_pictures_are_asked_as_they_were_drawn(tmp_path: Path) -> None:
    clips = read_suite(make_suite("clip_times", 2, tmp_path)).questions
    (asked,) = _said(clips[0])
    assert isinstance(asked.parts[0], Video)
    assert asked.parts[0].fps == clips[0].fps
    references = read_suite(make_suite("references", 2, tmp_path)).questions
    spoken = _said(references[0])
    assert [said.role for said in spoken] == ["user", "assistant", "user"]
    assert len(spoken[0].parts) == 2 + len(references[0].more)
    assert spoken[-1].text == references[0].question


@pytest.mark.parametrize("wrong", [{"more": ["no.webp"]}, {"before": [["a"]]}, {"fps": 0}, {"more": 3}])
def test_a_line_with_a_wrong_picture_clip_or_past_is_named(tmp_path: Path, wrong: dict[str, object]) -> None:
    file = make_suite("references", 1, tmp_path)
    row = json.loads(file.read_text()) | wrong
    file.write_text(json.dumps(row))
    with pytest.raises(BadData, match="line 1"):
        read_suite(file)
