"""The verbs that make and measure: data is the same every time, suites give figures, recipes train."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from omma.chat import messages
from tests.cli.conftest import Run


def test_data_is_drawn_and_can_be_read_as_conversations(omma: Run, tmp_path: Path) -> None:
    ended = omma("data", "make", "scenes", "--count", "3", "--size", "168x140", "--out", tmp_path / "new")
    assert ended.code == 0, ended
    lines = [json.loads(line) for line in (tmp_path / "new/scenes.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    for line in lines:
        said = messages(line["messages"])
        with Image.open(tmp_path / "new" / said[0].parts[0].source) as picture:  # type: ignore[union-attr]
            assert picture.size == (168, 140)


@pytest.mark.parametrize("world", ["scenes", "words", "screens"])
def test_the_same_words_make_the_same_files(world: str, omma: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        omma("data", "make", world, "--count", "2", "--level", "1", "--out", tmp_path / name)
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*")]
    assert len(files) == 3
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["dreams"], "scenes, words, letters, screens"),
        (["scenes", "--size", "big"], "448x336"),
        (["scenes", "--size", "4x4"], "28"),
        (["scenes", "--level", "9"], "--level"),
        (["scenes", "--count", "0"], "--count"),
    ],
)
def test_data_that_cannot_be_made_is_refused(words: list[str], named: str, omma: Run, tmp_path: Path) -> None:
    ended = omma("data", "make", *words, "--out", tmp_path / "new")
    assert ended.code == 2
    assert named in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not (tmp_path / "new").exists()


def test_earlier_data_is_replaced_only_on_request(omma: Run, tmp_path: Path) -> None:
    words = ("data", "make", "scenes", "--count", "1", "--size", "112x112", "--out", tmp_path)
    made = omma(*words)
    assert (made.code, made.out) == (0, f"1 conversation in {tmp_path / 'scenes.jsonl'}\n")
    ended = omma(*words)
    assert ended.code == 2
    assert "scenes.jsonl" in ended.err
    assert "--overwrite" in ended.err
    assert omma(*words, "--overwrite").code == 0


def test_a_place_that_cannot_be_written_is_refused(omma: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = omma("data", "make", "scenes", "--out", tmp_path / "file" / "new")
    assert ended.code == 2
    assert "file/new" in ended.err


def test_a_suite_is_drawn_and_measured(omma: Run, toy: Path, tmp_path: Path) -> None:
    told = json.loads(omma("data", "suite", "counting", "--count", "6", "--out", tmp_path, "--json").out)
    assert told["count"] == 6
    measured = json.loads(omma("eval", told["lines"], "--model", toy, "--json").out)
    assert measured["suites"][0]["questions"] == 6
    assert "counting" in omma("data", "suite", "nonsense", "--out", tmp_path).err


def suite(folder: Path) -> Path:
    Image.new("RGB", (56, 56), "red").save(folder / "red.png")
    question = {"picture": "red.png", "question": "Red?", "task": "colour", "size": [56, 56]}
    lines = [json.dumps(question | {"truth": {"word": word}}) for word in ("red", "blue")]
    (folder / "colours.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def test_a_model_is_measured_on_every_suite_of_a_folder(omma: Run, toy: Path, tmp_path: Path) -> None:
    words = ("eval", suite(tmp_path), "--model", toy, "--sheet", tmp_path / "failures.html")
    ended = omma(*words)
    assert ended.code == 0, ended
    assert ended.out.splitlines()[1].startswith("colours")
    assert "<html>" in (tmp_path / "failures.html").read_text()
    told = json.loads(omma(*words, "--json").out)
    assert told["suites"][0]["questions"] == 2
    assert told["suites"][0]["chance"] == 0.5


def test_a_picture_that_cannot_be_read_is_a_wrong_answer_and_said(
    omma: Run, toy: Path, tmp_path: Path
) -> None:
    lines = suite(tmp_path) / "colours.jsonl"
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    lines.write_text(lines.read_text() + lines.read_text().splitlines()[0].replace("red.png", "broken.png"))
    ended = omma("eval", tmp_path, "--model", toy)
    assert ended.code == 0, ended
    assert ended.out.splitlines()[1].split()[-2] == "3"
    assert "colours, question 3: " in ended.err
    assert "broken.png" in ended.err
    told = json.loads(omma("eval", tmp_path, "--model", toy, "--json").out)["suites"][0]
    assert told["questions"] == 3
    assert [failure["question"] for failure in told["unanswered"]] == [3]
    assert "broken.png" in told["unanswered"][0]["error"]


def test_a_suite_of_which_nothing_can_be_answered_is_a_failure(omma: Run, toy: Path, tmp_path: Path) -> None:
    (suite(tmp_path) / "red.png").write_bytes(b"not a picture")
    ended = omma("eval", tmp_path, "--model", toy)
    assert ended.code == 1
    assert "no question of colours could be answered" in ended.err


@pytest.mark.parametrize("link", ["same", "symbolic", "hard", "other", "folder", "pipe"])
def test_a_sheet_overwrites_nothing_but_an_earlier_sheet(
    link: str, omma: Run, toy: Path, tmp_path: Path
) -> None:
    lines = suite(tmp_path) / "colours.jsonl"
    before, sheet = lines.read_text(), tmp_path / "sheet.html"
    match link:
        case "same":
            sheet = lines
        case "symbolic":
            sheet.symlink_to(lines)
        case "hard":
            sheet.hardlink_to(lines)
        case "other":
            sheet.write_text("<!doctype html>\n<html>mine</html>")
        case "folder":
            sheet.mkdir()
        case "pipe":
            os.mkfifo(sheet)
    ended = omma("eval", lines, "--model", toy, "--sheet", sheet)
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1, ended.err  # refused before any question is put
    assert lines.read_text() == before


def test_figures_are_told_even_where_the_sheet_cannot_be_written(
    omma: Run, toy: Path, tmp_path: Path
) -> None:
    ended = omma("eval", suite(tmp_path), "--model", toy, "--sheet", tmp_path / ("x" * 300 + ".html"))
    assert ended.code == 2
    assert "colours" in ended.out
    assert "cannot be written" in ended.err


def test_a_suite_that_is_not_there_is_refused(omma: Run, toy: Path, tmp_path: Path) -> None:
    assert omma("eval", tmp_path, "--model", toy).code == 2
    assert omma("eval", tmp_path / "none.jsonl", "--model", toy).code == 2
    (tmp_path / "bad.jsonl").write_text("{}\n")
    ended = omma("eval", tmp_path, "--model", toy)
    assert ended.code == 2
    assert "bad.jsonl, line 1" in ended.err
