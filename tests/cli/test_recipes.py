"""A recipe is a program: it may import what lies beside it."""

from __future__ import annotations

import sys
from pathlib import Path

from omma.cli.teaching import _program

ROOT = Path(__file__).parents[2]


def test_a_recipe_imports_what_lies_beside_it_and_leaves_the_path_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("STEPS = 7\n")
    (tmp_path / "mine.py").write_text("from beside_it import STEPS\n")
    before = list(sys.path)
    assert _program(tmp_path / "mine.py").STEPS == 7
    assert sys.path == before


def test_the_second_school_of_nano_has_stages_of_its_own() -> None:
    school = _program(ROOT / "recipes" / "nano" / "second.py")
    for stage in (school.see(), school.learn(), school.answer()):
        stage.check()
        assert stage.model.family == "qwen3-vl"
