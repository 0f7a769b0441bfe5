"""`omma data pages` writes what a browser shows, names what gave nothing, and refuses in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from omma.errors import MissingExtra
from omma.synth.browser import find_browser
from tests.cli.conftest import Run


def test_pages_become_dialogues(omma: Run, tmp_path: Path) -> None:
    try:
        find_browser()
    except MissingExtra as none:
        pytest.skip(str(none))
    (tmp_path / "a.html").write_text("<h1>Tea</h1><p>Pour the water.")
    (tmp_path / "b.html").write_text("")
    ended = omma("data", "pages", tmp_path, tmp_path / "out", "--size", "320x240", "--shots", "1", "--json")
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert told["count"] == 1
    assert [entry["page"] for entry in told["skipped"]] == [str(tmp_path / "b.html")]
    (row,) = Path(told["lines"]).read_text().splitlines()
    assert json.loads(row)["messages"][1]["content"] == "Tea\nPour the water."


@pytest.mark.parametrize("wish", [["none.html"], ["."], ["a.html", "--browser", "no-browser"]])
def test_a_wish_that_cannot_be_met_is_one_sentence(omma: Run, tmp_path: Path, wish: list[str]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.html").write_text("<p>Hello")
    first = tmp_path / "empty" if wish[0] == "." else tmp_path / wish[0]
    ended = omma("data", "pages", first, tmp_path / "out", *wish[1:])
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("omma: ")
    assert len(ended.err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_pages_that_give_nothing_are_no_success(omma: Run, tmp_path: Path) -> None:
    try:
        find_browser()
    except MissingExtra as none:
        pytest.skip(str(none))
    (tmp_path / "b.html").write_text("")
    ended = omma("data", "pages", tmp_path, tmp_path / "out", "--shots", "1")
    assert (ended.code, "none of the 1 pages" in ended.err) == (2, True)
