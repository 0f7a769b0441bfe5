"""The papers of the house say what is there: commands, files, targets, budgets."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

import omma
from bench.docs import BLOCK, CLI, README, cli_page
from bench.results import ROOT
from omma.cli import main
from omma.cli.app import verbs

PAPERS = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS = sorted(
    path for wing in ("src", "bench", "recipes", "examples") for path in (ROOT / wing).rglob("*.py")
)
MAKEFILE = (ROOT / "Makefile").read_text()
NOT_TEXT = {".png", ".webp", ".jpg", ".safetensors"}
MADE_LATER = ("runs/", "docs/results", "docs/pictures/", "examples/out")


def test_the_help_in_the_docs_is_the_help_of_the_program() -> None:
    assert CLI.read_text() == cli_page(), "run `make docs`, or `.venv/bin/python -m bench.docs cli`"


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)
def test_files_that_papers_name_are_there(paper: Path) -> None:
    text = BLOCK.sub("", paper.read_text())
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    named = re.findall(r"(?<![\w/])(?:src|tests|bench|docs|recipes|examples|data)/[\w./-]*\w", text)
    told = {paper.parent / link for link in links} | {ROOT / name for name in named}
    missing = {str(path.resolve().relative_to(ROOT)) for path in told if not path.exists()}
    assert not {name for name in missing if not name.startswith(MADE_LATER)}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)
def test_targets_that_papers_name_can_be_made(paper: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)", paper.read_text())) | set(
        re.findall(r"^\$ make ([a-z]+)", paper.read_text(), re.MULTILINE)
    )
    assert named <= targets


def test_commands_of_the_readme_exist_with_their_options() -> None:
    commands = [what for kind, what in BLOCK.findall(README.read_text()) if kind == "run"]
    assert len(commands) >= 5
    for command in commands:
        program, *words = shlex.split(command)
        if program == "omma":
            assert words[0] in verbs()
            help_page = cli_page().partition(f"## omma {words[0]}\n")[2].partition("\n## ")[0]
            assert all(word in help_page for word in words if word.startswith("--"))
        else:
            assert program == "python"
            assert (ROOT / words[0]).is_file()


def test_files_shown_in_the_readme_are_shown_as_they_are() -> None:
    text = README.read_text()
    for found in BLOCK.finditer(text):
        if found.group(1) == "file" and "```" in found.group(0):
            assert (ROOT / found.group(2)).read_text().strip() in found.group(0)


@pytest.mark.parametrize("target", ["setup", "demo", "check", "test", "parity", "eval", "bench"])
def test_every_target_sets_up_its_own_environment(target: str) -> None:
    assert re.search(rf"^{target}: \$\(READY\)", MAKEFILE, re.MULTILINE)


def test_the_gate_runs_the_tests() -> None:
    gate = ROOT / ".ci" / "run"
    assert os.access(gate, os.X_OK)
    assert "make test" in gate.read_text()
    assert subprocess.run(["bash", "-n", gate]).returncode == 0


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == omma.__version__
    assert f"## {omma.__version__}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_says_what_it_is_for_and_keeps_its_budget(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert text.startswith('"""'), "the first line says in one sentence what the file is for"
    assert len(text.splitlines()) <= 350
    long = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno >= 40
    ]
    assert not long


def test_the_house_names_no_workplace() -> None:
    """No machine's own folders, no package index by address: the house stands anywhere."""
    tied = re.compile(r"(?<![\w.])/(?:root|work|home/\w+)/|https?://[^\s\"')]+/(?:simple|whl)\b")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    wrong = []
    for name in filter(None, tracked.stdout.split("\0")):
        path = ROOT / name
        if path == Path(__file__) or path.suffix in NOT_TEXT or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        wrong += [f"{name}: {found.group()}" for found in tied.finditer(text)]
    assert not wrong


def test_the_program_can_be_run_as_a_module() -> None:
    assert main(["--help"]) == 0


def test_make_train_goes_through_the_whole_school() -> None:
    school = ast.parse((ROOT / "recipes" / "nano" / "school.py").read_text())
    stages = [
        node.name
        for node in school.body
        if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) == "Recipe"
    ]
    stages.remove("further")  # it begins from the weights in the package
    assert f"for stage in {' '.join(stages)};" in MAKEFILE
