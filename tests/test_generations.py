"""What each generation of the family costs in code: few files of its own, none of which repeats another."""

from __future__ import annotations

import ast
from itertools import combinations
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src" / "omma"
# Files of the network that only this generation needs, beside those of Qwen2.5-VL. All else of it are values.
OWN = {
    "Qwen-VL (2023)": ("model/resampler.py", "ops/stretch.py"),
    "Qwen2-VL": (),
    "Qwen3-VL": ("ops/grid.py",),
    "Qwen3-VL of experts": ("model/experts.py", "ops/experts.py", "ops/router.py"),
    "described models": (),
}
IMPORTS = (ast.Import, ast.ImportFrom)
SAME = 6  # lines that follow each other, beyond which two files say the same


def lines(file: str) -> list[str]:
    return (SOURCES / file).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("generation", OWN)
def test_the_tour_states_the_lines_of_a_generation(generation: str) -> None:
    files = OWN[generation]
    count = sum(len(lines(file)) for file in files)
    named = ", ".join(f"`{file}`" for file in files) or "none"
    tour = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    assert f"| {generation} | {named} | {count} |" in tour


def test_the_tour_states_what_all_share() -> None:
    own = {file for files in OWN.values() for file in files}
    shared = [
        path.relative_to(SOURCES).as_posix()
        for wing in ("model", "ops")
        for path in sorted((SOURCES / wing).glob("*.py"))
    ]
    count = sum(len(lines(file)) for file in shared if file not in own)
    tour = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    assert f"| all of them | the rest of `model` and `ops` | {count} |" in tour


def test_no_file_of_the_network_or_its_folders_repeats_another() -> None:
    runs: dict[str, set[tuple[str, ...]]] = {}
    for wing in ("model", "ops", "weights"):
        for path in (SOURCES / wing).glob("*.py"):
            source = path.read_text(encoding="utf-8")
            brought = [node.end_lineno or 0 for node in ast.parse(source).body if isinstance(node, IMPORTS)]
            body = source.splitlines()[max(brought, default=0) :]
            said = list(filter(None, map(str.strip, body)))
            runs[path.name] = {tuple(said[i : i + SAME]) for i in range(len(said) - SAME + 1)}
    for one, other in combinations(sorted(runs), 2):
        assert not runs[one] & runs[other], (one, other)
