"""One run at a time works in a folder, and a process that died holds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from omma.errors import BadCheckpoint
from omma.train.hold import LOCK, held
from omma.train.loop import train
from tests.train.school import toy_recipe

HOLDER = """
import sys, time
from pathlib import Path
from omma.train.hold import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_folder_is_held_until_its_holder_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, folder], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(BadCheckpoint, match="held by another run"), held(folder):
            pass
    finally:
        holder.kill()
        holder.communicate()
    assert (folder / LOCK).exists()
    with held(folder):
        (folder / "log.jsonl").touch()
    assert [file.name for file in folder.iterdir()] == ["log.jsonl"]


def test_a_folder_that_was_made_for_nothing_is_taken_away(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), held(tmp_path / "run"):
        _ = 1 / 0
    assert not (tmp_path / "run").exists()


def test_a_recipe_is_not_run_twice_at_once_in_one_folder(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path, steps=1)
    with held(tmp_path / "run"), pytest.raises(BadCheckpoint, match="another run"):
        train(recipe, tmp_path / "run", workers=0)
    assert train(recipe, tmp_path / "run", workers=0) == tmp_path / "run" / "model"


def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be written any more, so the system says: whoever runs the tests may write anywhere."""
    monkeypatch.setattr("omma.train.hold.os.access", lambda path, mode: not mode & os.W_OK)


def standing(folder: Path) -> dict[Path, int]:
    """Every file and folder, and when it was last written."""
    return {path: path.stat().st_mtime_ns for path in (folder, *folder.rglob("*"))}


def test_a_finished_run_needs_no_disk_that_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, run = toy_recipe(tmp_path, steps=1), tmp_path / "run"
    assert train(recipe, run, workers=0) == run / "model"
    before = standing(run)
    read_only(monkeypatch)
    assert train(recipe, run, workers=0) == run / "model"
    assert standing(run) == before
    with pytest.raises(BadCheckpoint, match="run holds a run of recipe"):
        train(replace(recipe, seed=1), run, workers=0)
    (run / "model" / "tokenizer_config.json").unlink()
    with pytest.raises(BadCheckpoint, match=r"run cannot be written to: .*; make it writable, or copy it"):
        train(recipe, run, workers=0)


def test_an_unfinished_run_on_a_disk_that_cannot_be_written_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, run = toy_recipe(tmp_path, steps=2), tmp_path / "run"
    train(recipe, run, workers=0, stop_after=0)
    before = standing(run)
    read_only(monkeypatch)
    with pytest.raises(BadCheckpoint, match=r"run cannot be written to: .*; make it writable, or copy it"):
        train(recipe, run, workers=0)
    assert standing(run) == before


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("file", "file/run"):
        with pytest.raises(BadCheckpoint, match=r"cannot be made: .*; name a folder"), held(tmp_path / name):
            pass
