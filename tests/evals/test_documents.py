"""Suites of documents are marked: what was drawn is worth everything, silence nothing, a slip a part."""

from __future__ import annotations

import json

import pytest

from omma.chat import Answer, Usage
from omma.evals.marks import check_truth, mark, missed
from omma.synth.suites import questions

SUITES = (
    "pages",
    "rotated",
    "tables",
    "table_questions",
    "charts",
    "chart_tables",
    "invoices",
    "receipts",
    "forms",
)


def points(truth: dict[str, object], text: str) -> float:
    marked = mark(truth, Answer(text, "stop", Usage(1, 1)))
    return 1 - marked.points / marked.full if "lines" in truth else marked.points / marked.full


@pytest.mark.parametrize("name", SUITES)
def test_the_drawn_answer_is_worth_everything_and_silence_nothing(name: str) -> None:
    for _, turn in questions(name, 6):
        truth = json.loads(json.dumps(turn.truth))
        check_truth(truth)
        assert points(truth, turn.answer) == pytest.approx(1)
        assert points(truth, "") == 0
        assert missed(truth).full > 0


def test_one_wrong_cell_costs_a_part_of_a_table() -> None:
    for _, turn in questions("tables", 6):
        wrong = turn.answer.replace("</td>", "?!</td>", 1)
        assert 0.5 < points(turn.truth, wrong) < 1


def test_a_chart_told_a_little_off_is_told_and_one_told_far_off_is_not() -> None:
    for _, turn in questions("chart_tables", 8):
        record = turn.truth["record"]
        if isinstance(record, dict) and all(
            isinstance(value, (int, float)) and value for value in record.values()
        ):
            near = {name: value * 1.04 for name, value in record.items()}
            far = {name: value * 1.2 for name, value in record.items()}
            assert points(turn.truth, json.dumps(near)) == 1
            assert points(turn.truth, json.dumps(far)) == 0
