"""What is promised of omma-nano can be measured: the sets are there, goals are said, a peer reads too."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.eval import PROMISES, SUITES, add_row, goal_of, in_order
from bench.results import Table
from bench.tesseract import read_by_tesseract
from omma.chat import Answer, Usage
from omma.evals.marks import Mark
from omma.evals.suites import Record, Suite, SuiteScore, read_suite
from omma.synth import suites as drawn

READER = """#!/bin/sh
case "$*" in *--list-langs*) echo eng ;; *) /bin/cat > /dev/null; printf 'a b' ;; esac
"""


def score_of(suite: Suite, points: float) -> SuiteScore:
    """Every question answered alike."""
    answer = Answer("", "stop", Usage(1, 1))
    return SuiteScore(
        suite, tuple(Record(question, answer, Mark(points)) for question in suite.questions), 18
    )


@pytest.mark.parametrize("name", sorted(PROMISES))
def test_every_promise_has_a_committed_set_of_three_hundred(name: str) -> None:
    suite = read_suite(SUITES / f"{name}.jsonl")
    assert len(suite.questions) >= 300
    assert suite.counts_errors == PROMISES[name].title.endswith("letters wrong")
    assert suite.counts_errors or suite.chance < 0.75


def test_every_suite_that_can_be_drawn_is_promised_or_named() -> None:
    browsed = {"browsed", "browsed_lines"}  # recipes/nano/browsed.py draws them in a browser
    assert PROMISES.keys() == drawn.SUITES.keys() | browsed


def test_the_committed_sets_are_small() -> None:
    assert sum(path.stat().st_size for path in SUITES.rglob("*")) < 30e6


def test_a_language_is_measured_against_english_which_is_asked_first() -> None:
    names = [path.stem for path in in_order(Path(f"{name}.jsonl") for name in sorted(PROMISES))]
    assert names[-5:] == ["scenes_de", "scenes_es", "scenes_fr", "scenes_ja", "scenes_zh"]
    assert goal_of("scenes_ja", {"scenes_en": 91.5}) == 86.5
    assert goal_of("scenes_ja", {}) is None
    assert goal_of("tables", {}) == 92


@pytest.mark.parametrize(("points", "met"), [(0.8, True), (0.6, False)])
def test_a_floor_is_held_or_the_row_says_no(points: float, met: bool, tmp_path: Path) -> None:
    table = Table("eval", "make eval", folder=tmp_path)
    add_row(table, score_of(read_suite(SUITES / "scene_questions.jsonl"), points), 1.0, 92)
    (row,) = table.rows
    assert row.met is met
    assert row.goal == "≥ 70, hoped ≥ 92"
    assert "not reached" in row.note


def test_a_goal_without_a_floor_breaks_no_command(tmp_path: Path) -> None:
    table = Table("eval", "make eval", folder=tmp_path)
    add_row(table, score_of(read_suite(SUITES / "tables.jsonl"), 0.1), 1.0, 92)
    assert (table.rows[0].met, table.exit_code) == (None, 0)


@pytest.mark.parametrize(
    ("there", "note"), [(True, "peer: Tesseract"), (False, "Tesseract is not installed")]
)
def test_a_reader_of_print_is_the_peer_where_lines_are_read(
    there: bool, note: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if there:
        (tmp_path / "tesseract").write_text(READER)
        (tmp_path / "tesseract").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    lines = read_suite(SUITES / "lines.jsonl")
    few = Suite("lines", lines.questions[:2])
    share, told = read_by_tesseract(few)
    assert told == note
    assert (share is not None and 0 < share <= 1) == there
    assert read_by_tesseract(Suite("find", read_suite(SUITES / "find.jsonl").questions[:2])) == (None, "")


def test_a_language_that_the_reader_lacks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tesseract").write_text(READER)
    (tmp_path / "tesseract").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    chinese = Suite("chinese_lines", read_suite(SUITES / "chinese_lines.jsonl").questions[:1])
    assert read_by_tesseract(chinese) == (None, "Tesseract is there without chi_sim")
