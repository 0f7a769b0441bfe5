"""Suites and data files: always the same, read back as they were drawn, and never written over others."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omma.chat import messages
from omma.errors import BadInput, UnknownOption
from omma.evals.marks import check_truth
from omma.sample import Size
from omma.synth import draw
from omma.synth.suites import SUITES, make_data, make_suite, questions


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("name", list(SUITES))
def test_a_suite_asks_what_it_is_for_in_small_pictures(name: str) -> None:
    for exercise, turn in questions(name, 8):
        assert turn.task in SUITES[name].tasks
        check_truth(turn.truth)
        assert max(exercise.drawing.picture.size) <= 280


def test_counting_asks_for_one_to_six_alike() -> None:
    assert [turn.answer for _, turn in questions("counting", 6)] == ["1", "2", "3", "4", "5", "6"]


def test_suites_of_one_album_show_the_same_pictures_and_write_each_once(tmp_path: Path) -> None:
    lists = {tongue: rows(make_suite(f"scenes_{tongue}", 12, tmp_path)) for tongue in ("en", "ja")}
    shown = {tongue: {str(row["picture"]) for row in told} for tongue, told in lists.items()}
    files = {f"scenes/{path.name}" for path in (tmp_path / "scenes").iterdir()}
    assert shown["en"] | shown["ja"] == files
    assert shown["en"] & shown["ja"]
    tasks = [[row["task"] for row in told] for told in lists.values()]
    assert tasks[0] == tasks[1]
    assert all(str(row["question"]).isascii() for row in lists["en"])
    assert not any(str(row["question"]).isascii() for row in lists["ja"])


def test_tasks_are_asked_alike(tmp_path: Path) -> None:
    asked = Counter(turn.task for _, turn in questions("charts", 40))
    assert sum(asked.values()) == 40
    assert 15 <= asked["chart_value"] <= 25
    assert min(asked.values()) >= 7


def test_a_suite_is_written_and_read_back(tmp_path: Path) -> None:
    found = rows(make_suite("words", 3, tmp_path))
    assert len(found) == 3
    for row, (exercise, turn) in zip(found, questions("words", 3), strict=True):
        assert (row["question"], row["task"], row["truth"]) == (turn.question, turn.task, turn.truth)
        with Image.open(tmp_path / str(row["picture"])) as picture:
            assert list(picture.size) == row["size"]
            apart = np.asarray(picture.convert("RGB"), float) - np.asarray(exercise.drawing.picture, float)
            assert np.abs(apart).mean() < 4


def test_data_is_dialogues_with_pictures_beside_them(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    file = make_data(
        "scenes", 3, tmp_path, seed=4, level=1, size=Size(112, 112), progress=lambda *at: told.append(at)
    )
    assert told == [(1, 3), (2, 3), (3, 3)]
    for number, row in enumerate(rows(file)):
        spoken = messages(row["messages"])  # type: ignore[arg-type]
        drawn = draw("scenes", (4, number), level=1, size=Size(112, 112))
        assert [message.text for message in spoken[1::2]] == [turn.answer for turn in drawn.turns]
        assert (tmp_path / spoken[0].parts[0].source).is_file()  # type: ignore[union-attr]


def test_files_are_not_written_over_unless_that_is_asked_for(tmp_path: Path) -> None:
    make_data("words", 2, tmp_path, level=0)
    with pytest.raises(BadInput, match="exist already"):
        make_data("words", 1, tmp_path, level=0)
    make_data("words", 1, tmp_path, level=0, overwrite=True)
    assert len(list((tmp_path / "words").iterdir())) == 1
    (tmp_path / "words" / "cat.webp").touch()  # somebody else's
    make_data("words", 1, tmp_path, level=0, overwrite=True)
    assert sorted(file.name for file in (tmp_path / "words").iterdir()) == ["000001.webp", "cat.webp"]


@pytest.mark.parametrize("wish", [{"world": "dreams", "count": 1}, {"world": "words", "count": 0}])
def test_a_wish_that_cannot_be_met_writes_nothing(tmp_path: Path, wish: dict[str, object]) -> None:
    with pytest.raises(UnknownOption):
        make_data(folder=tmp_path, **wish)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_an_unknown_suite_is_refused() -> None:
    with pytest.raises(UnknownOption, match="scene_questions"):
        next(questions("dreams", 1))
