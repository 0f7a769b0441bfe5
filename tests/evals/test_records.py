"""Records are compared field by field, and figures within their tolerance."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omma.chat import Answer, Usage
from omma.evals.figures import chance
from omma.evals.marks import Question, check_truth, mark
from omma.evals.records import fields_told, first_json
from omma.evals.texts import first_figure
from omma.sample import Size

BILL = {
    "number": "A-7",
    "total": 12.5,
    "items": [{"name": "Tea", "price": 2.5}, {"name": "Rice", "price": 10}],
}


def points(truth: dict[str, Any], text: str) -> float:
    return mark(truth, Answer(text, "stop", Usage(1, 1))).points


@pytest.mark.parametrize(
    ("told", "share"),
    [
        (BILL, 1),
        (BILL | {"number": "a-7 ", "total": "12.50"}, 1),
        (BILL | {"number": "B-7"}, 2 * 5 / 12),
        (BILL | {"extra": 1}, 2 * 6 / 13),
        ({"total": 12.5}, 2 * 1 / 7),
        (BILL | {"items": BILL["items"][1:]}, 2 * 4 / 10),  # type: ignore[index]
        (BILL | {"items": []}, 2 * 2 / 8),
        (BILL | {"items": {"name": "Tea"}}, 2 * 2 / 9),
        (BILL | {"total": True}, 2 * 5 / 12),
        ([BILL], 0),
        ({}, 0),
    ],
)
def test_a_record_is_worth_what_was_worked_out_by_hand(told: object, share: float) -> None:
    assert fields_told(BILL, json.dumps(told)) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "none", "{", '{"number": "A-7"', "[" * 3000, "{]}"])
def test_a_text_without_whole_json_is_worth_nothing(text: str) -> None:
    assert fields_told(BILL, text) == 0


def test_json_is_found_among_words() -> None:
    assert first_json('Here [it] is:\n```json\n{"a": [1]}\n```') == {"a": [1]}


fields = st.recursive(
    st.one_of(st.integers(0, 99), st.text("abc", min_size=1, max_size=4), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3),
        st.dictionaries(st.text("xyz", min_size=1, max_size=2), inner, min_size=1, max_size=3),
    ),
)


@settings(max_examples=30)
@given(st.dictionaries(st.text("uvw", min_size=1, max_size=2), fields, min_size=1, max_size=3))
def test_a_record_is_wholly_told_by_itself(record: dict[str, Any]) -> None:
    assert fields_told(record, json.dumps(record)) == 1


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("104", True),
        ("about 96 units", True),
        ("$1,00", False),
        ("94", False),
        ("no idea", False),
        ("-100", False),
    ],
)
def test_a_value_may_be_off_by_its_tolerance(text: str, right: bool) -> None:
    assert points({"value": 100, "tolerance": 0.05}, text) == right


def test_without_a_tolerance_a_value_is_exact() -> None:
    assert points({"value": 1234.5}, "$1,234.50") == 1
    assert points({"value": 1234.5}, "1234.6") == 0
    assert points({"value": 0.1 + 0.2, "tolerance": 0.0}, "0.3") == 1


def test_charts_may_be_told_within_a_tolerance() -> None:
    truth = {"record": {"Jan": 100, "Feb": 50}, "tolerance": 0.05}
    assert points(truth, '{"Jan": 104, "Feb": 40}') == 0.5


@pytest.mark.parametrize(
    ("text", "figure"),
    [("1,234,567.5 kg", 1234567.5), ("-3", -3), (".5", 0.5), ("12%", 12), ("x", None), ("1,2", 1)],
)
def test_the_first_figure_is_read_as_it_is_printed(text: str, figure: float | None) -> None:
    assert first_figure(text) == figure


@pytest.mark.parametrize(
    "truth",
    [{"value": "3"}, {"value": math.nan}, {"value": 1, "tolerance": None}, {"record": {}}, {"record": 3}],
)
def test_a_truth_of_no_use_is_refused(truth: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        check_truth(truth)


def test_one_who_never_looks_says_what_is_right_elsewhere() -> None:
    truths: list[dict[str, Any]] = [
        {"value": 100, "tolerance": 0.05},
        {"value": 102, "tolerance": 0.05},
        {"value": 7},
    ]
    asked = [Question(Path(), "?", "chart_value", truth, Size(9, 9)) for truth in truths]
    assert chance(asked) == pytest.approx(2 / 3)
