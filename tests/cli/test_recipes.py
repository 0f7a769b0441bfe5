"""A recipe is a program: it may import what lies beside it, and its model is written as it is said."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from omma.cli.teaching import _program, read_recipe
from omma.errors import BadRecipe
from omma.weights import read_spec
from omma.weights.config import write_config

ROOT = Path(__file__).parents[2]


def test_a_recipe_imports_what_lies_beside_it_and_leaves_the_path_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("STEPS = 7\n")
    (tmp_path / "mine.py").write_text("from beside_it import STEPS\n")
    before = list(sys.path)
    assert _program(tmp_path / "mine.py").STEPS == 7
    assert sys.path == before


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("def mine():\n    return 3\n", "returns 3; wanted an omma.train.recipe.Recipe"),
        ("def mine():\n    return {}['a']\n", "mine does not run: KeyError: 'a' (own.py line 2)"),
        ("def mine(a):\n    return a\n", "does not run: TypeError"),
        ("open('nowhere')\n", "does not run: FileNotFoundError"),
        ("def mine(:\n", "does not run: SyntaxError"),
        ("mine = 3\n", "no stage 'mine'"),
    ],
)
def test_what_is_wrong_in_a_persons_recipe_is_said_as_theirs(program: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(program)
    with pytest.raises(BadRecipe, match=re.escape(told)):
        read_recipe(f"{file}:mine")


def test_a_stage_need_not_say_what_it_returns(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    published = (ROOT / "recipes" / "stages" / "qwen_vl.py").read_text()
    file.write_text(published.replace(" -> Recipe", ""))
    assert read_recipe(f"{file}:align").steps == 50_000


def _named() -> list[str]:
    """FILE.py:STAGE of every recipe there is, private functions left out."""
    files = sorted((ROOT / "recipes").glob("*/*.py"))
    stages = [(file, re.findall(r"^def ([a-z]\w*)\(\) -> Recipe:", file.read_text(), re.M)) for file in files]
    return [f"{file.relative_to(ROOT)}:{stage}" for file, names in stages for stage in names]


@pytest.mark.parametrize("name", _named())
def test_the_model_of_every_recipe_is_the_one_that_its_folder_will_say(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    recipe = read_recipe(name)
    write_config(recipe.model, tmp_path, dtype="bfloat16")
    assert read_spec(tmp_path) == recipe.model
