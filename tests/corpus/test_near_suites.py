"""Evaluation sets are seen whole: every picture of a question, and every file of a folder."""

from __future__ import annotations

import gzip
import io
import json
import os
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from omma.corpus.clean import KEEP, Pair, Sight
from omma.corpus.near_suites import HeldOut, held_out
from omma.errors import BadData
from tests.corpus.planted import drawings

ONE, OTHER, THIRD = drawings()[:3]
LONG = "one two three four five six seven eight nine ten"


def asked(picture: str, **more: Any) -> str:
    size = PIL.Image.open(io.BytesIO(ONE)).size
    said = {"picture": picture, "question": "What?", "task": "x", "truth": {"word": "a"}, "size": size}
    return json.dumps(said | more) + "\n"


def falls(rule: HeldOut, picture: bytes, text: str = "A scene") -> bool:
    return rule.judge(Pair(picture, (text,)), Sight(picture)) != KEEP


def put(folder: Path, **pictures: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in pictures.items():
        (folder / f"{name}.png").write_bytes(body)
    return folder


def test_all_pictures_of_a_question_and_what_was_said_before_are_kept_out(tmp_path: Path) -> None:
    put(tmp_path, a=ONE, b=OTHER, c=THIRD)
    line = asked("a.png", more=["b.png", "c.png"], before=[["Why?", LONG]])
    (tmp_path / "suite.jsonl").write_text(line)
    rule = held_out([tmp_path / "suite.jsonl"])
    assert [falls(rule, shown) for shown in (ONE, OTHER, THIRD, drawings()[3])] == [True] * 3 + [False]
    assert falls(rule, drawings()[3], LONG)
    assert not [held for held in rule.texts if held.text.endswith(".png")]


def test_pictures_under_two_names_are_both_kept_out(tmp_path: Path) -> None:
    put(tmp_path, a=ONE, b=OTHER)
    (tmp_path / "suite.jsonl").write_text(json.dumps({"image": "a.png", "png": "b.png", "answer": "x"}))
    rule = held_out([tmp_path / "suite.jsonl"])
    assert falls(rule, ONE)
    assert falls(rule, OTHER)


@pytest.mark.parametrize("name", ["more.jsonl.gz", "more.ndjson", "deep/down/more.jsonl", "MORE.JSONL"])
def test_every_list_of_a_folder_is_read(name: str, tmp_path: Path) -> None:
    put(tmp_path, a=ONE)
    (tmp_path / "list.jsonl").write_text(asked("a.png"))
    file = put((tmp_path / name).parent, b=OTHER) / Path(name).name
    line = asked("b.png").encode()
    file.write_bytes(gzip.compress(line) if name.endswith("gz") else line)
    rule = held_out([tmp_path])
    assert {held.suite.lower() for held in rule.pictures} == {"list", "more"}
    assert falls(rule, OTHER)


def test_pictures_beside_a_list_are_read_and_those_it_shows_once(tmp_path: Path) -> None:
    put(tmp_path, a=ONE)
    put(tmp_path / "deep", b=OTHER)
    (tmp_path / "list.jsonl").write_text(asked("a.png"))
    os.symlink(tmp_path, tmp_path / "deep" / "round")
    told = [(held.suite, held.place) for held in held_out([tmp_path]).pictures]
    assert told == [("list", "line 1"), (tmp_path.name, "deep/b.png")]


def test_what_a_folder_holds_besides_is_refused_or_told(tmp_path: Path) -> None:
    put(tmp_path, a=ONE)
    (tmp_path / "notes.txt").write_text("words")
    heard: list[str] = []
    held_out([tmp_path], heard.append)
    assert len(heard) == 1
    assert "notes.txt" in heard[0]
    (tmp_path / "val.jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    with pytest.raises(BadData, match="is packed"):
        held_out([tmp_path])
