"""The verbs that fit and merge: a run goes on, says what it brought; recipes run as before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.train.school import write_dialogues

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dialogues(tmp_path_factory.mktemp("data"), 20)


def test_one_command_fits_a_model_and_says_what_it_brought(
    omma: Run, toy: Path, data: Path, tmp_path: Path
) -> None:
    words = (
        "train",
        "tune",
        "--data",
        data,
        "--model",
        toy,
        "--out",
        tmp_path,
        "--turns",
        "1",
        "--rank",
        "2",
    )
    ended = omma(*words)
    assert ended.code == 0, ended
    assert "14 dialogues to learn from, 2 to stop by, 4 to judge by" in ended.out
    assert "4 word: right, %" in ended.out
    assert str(tmp_path / "adapter") in ended.out
    told = json.loads(omma(*words, "--json").out)
    assert told == json.loads((tmp_path / "report.json").read_text())
    told = json.loads(
        omma(
            "ask",
            data.parent / "0.png",
            "What colour?",
            "--model",
            tmp_path / "adapter",
            "--max-tokens",
            "3",
            "--json",
        ).out
    )
    assert told["usage"]["completion_tokens"] >= 1


def test_an_adapter_is_merged_by_a_command(omma: Run, toy: Path, data: Path, tmp_path: Path) -> None:
    out, merged = tmp_path / "out", tmp_path / "merged"
    omma("train", "tune", "--data", data, "--model", toy, "--out", out, "--turns", "1", "--json")
    ended = omma("train", "merge", out / "adapter", "--out", merged)
    assert ended.code == 0, ended
    assert (merged / "model.safetensors").exists()
    assert omma("ask", "Hello", "--model", merged, "--max-tokens", "2").code == 0


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("tune", "--out", "x"), "--data"),
        (("tune", "--data", "none.jsonl", "--out", "x"), "none.jsonl"),
        (("tune", "--data", "none.jsonl", "--out", "x", "--learns", "ears"), "ears"),
        (("tune", "--data", "none.jsonl", "--out", "x", "--rank", "0"), "--rank"),
        (("tune", "--data", "none.jsonl", "--out", "x", "--rank", "4", "--method", "full"), "--rank"),
        (("tune", "--data", "none.jsonl", "--out", "x", "--media", "nowhere"), "--media nowhere"),
        (
            ("tune", "--data", "none.jsonl", "--out", "x", "--seed", "99999999999999"),
            "seed is 99999999999999; wanted",
        ),
        (("tune", "--data", "none.jsonl", "--out", "x", "--seed", "9" * 30), "from 0 to 1,000,000,000,000"),
        (("tune", "--data", "none.jsonl", "--out", "x", "--seed", "-1"), "--seed"),
        (("tune", "--data", "none.jsonl", "--out", "x", "--dropout", "-0.1"), "a number from 0 to 0.95"),
        (("tune", "--data", "none.jsonl", "--out", "x", "--layers", ""), "layers is ''; wanted names"),
        (("tune", "--data", "none.jsonl", "--out", "x", "--layers", "query,"), "layers is 'query,'; wanted"),
        (("merge", "none", "--out", "x"), "none"),
        (("none.py:stage",), "none.py"),
        (("--out", "x", "none.py:stage"), "none.py"),
        ((), "ommand"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(words: tuple[str, ...], named: str, omma: Run) -> None:
    ended = omma("train", *words)
    assert ended.code == 2
    assert named in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_recipe_is_run_with_and_without_its_word(omma: Run, tmp_path: Path) -> None:
    file = tmp_path / "school.py"
    file.write_text("def stage() -> 'Recipe':\n    raise SystemExit(3)\n")
    for words in (("train", f"{file}:other"), ("train", "recipe", f"{file}:other")):
        ended = omma(*words)
        assert (ended.code, f"{file}:stage" in ended.err) == (2, True)


@pytest.mark.parametrize("verb", ["recipe", "tune", "merge"])
def test_the_help_shows_examples(verb: str, omma: Run) -> None:
    ended = omma("train", verb, "--help")
    assert ended.code == 0
    assert "omma train" in ended.out.partition("Examples")[2]


def test_the_example_draws_the_same_pictures_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        subprocess.run(
            [sys.executable, EXAMPLES / "symbols.py", tmp_path / name], check=True, stdout=subprocess.DEVNULL
        )
    lines = (tmp_path / "one" / "mine.jsonl").read_text().splitlines()
    assert len(lines) == 200
    for file in ("mine.jsonl", "test.jsonl", "mine/0000.png", "test/0199.png"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_several_processes_do_not_fit_one_model(
    omma: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    ended = omma("train", "tune", "--data", data, "--out", tmp_path / "out")
    assert ended.code == 2
    assert "leave torchrun out" in ended.err
