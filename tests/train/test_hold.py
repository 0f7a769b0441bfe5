"""One run at a time works in a folder, and a process that died holds nothing."""

from __future__ import annotations

import subprocess
import sys
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
