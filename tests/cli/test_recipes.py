"""A recipe is a program: it may import what lies beside it, and its model is written as it is said."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from omma.cli.cleaning import LineUp
from omma.cli.programs import program
from omma.cli.teaching import read_recipe
from omma.errors import BadRecipe, UnknownOption
from omma.weights import read_spec
from omma.weights.config import write_config

ROOT = Path(__file__).parents[2]


def test_a_recipe_imports_what_lies_beside_it_and_leaves_the_path_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("STEPS = 7\n")
    (tmp_path / "mine.py").write_text("from beside_it import STEPS\n")
    before = list(sys.path)
    assert program(tmp_path / "mine.py", "recipe", BadRecipe).STEPS == 7
    assert sys.path == before


def refused(own: Path, written: str, told: str) -> None:
    """What is written as a person's own recipe is refused with these words."""
    own.write_text(written)
    with pytest.raises(BadRecipe, match=re.escape(told)):
        read_recipe(f"{own}:mine")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("1 / 0\n", "own.py does not run: ZeroDivisionError: division by zero (own.py line 1)"),
        ("raise RuntimeError('why')\n", "own.py does not run: RuntimeError: why (own.py line 1)"),
        ("\nassert 1 == 2\n", "own.py does not run: AssertionError (own.py line 2)"),
        ("{}['a']\n", "own.py does not run: KeyError: 'a' (own.py line 1)"),
        ("import re\nre.compile('(')\n", "at position 0 (own.py line 2)"),
        ("class Odd(Exception): ...\nraise Odd(3)\n", "own.py does not run: Odd: 3 (own.py line 2)"),
        ("import sys\nsys.exit(0)\n", "own.py does not run: SystemExit: 0 (own.py line 2)"),
        ("def mine():\n    return {}['a']\n", "mine does not run: KeyError: 'a' (own.py line 2)"),
        ("def mine():\n    raise StopIteration\n", "mine does not run: StopIteration (own.py line 2)"),
    ],
)
def test_one_sentence_tells_of_a_persons_own_program(written: str, told: str, tmp_path: Path) -> None:
    refused(own := tmp_path / "own.py", written, told)
    with pytest.raises(UnknownOption, match=re.escape(told)):
        LineUp(f"{own}:mine")()


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("def mine():\n    return 3\n", "returns 3; wanted an omma.train.recipe.Recipe"),
        ("def mine(a):\n    return a\n", "does not run: TypeError"),
        ("open('nowhere')\n", "does not run: FileNotFoundError"),
        ("def mine(:\n", "does not run: SyntaxError"),
        ("mine = 3\n", "no stage 'mine'"),
    ],
)
def test_what_is_wrong_in_a_persons_recipe_is_said_as_theirs(written: str, told: str, tmp_path: Path) -> None:
    refused(tmp_path / "own.py", written, told)


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
