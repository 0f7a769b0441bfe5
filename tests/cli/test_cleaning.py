"""`omma data clean` writes what it keeps and drops, tells each rule's figures, and refuses in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.corpus.planted import drawings

EXAMPLES = Path(__file__).parents[2] / "examples"
SAID = (
    "A drawing of a scene for the wall",
    "Рисунок на стене дома",
    "IMG_2041.JPG",
    "A <b>paper</b> kite over the hill",
    "A drawing of a scene for the wall!",
)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Five pairs, the last one near the first."""
    folder = tmp_path / "web"
    folder.mkdir()
    rows = []
    for number, said in enumerate(SAID):
        (folder / f"{number}.png").write_bytes(drawings()[number % 4])
        rows.append({"image": f"{number}.png", "caption": said, "similarity": 0.2 + number / 20})
    (folder / "pairs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return folder / "pairs.jsonl"


def kept(out: Path) -> list[str]:
    lines = (out / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["messages"][1]["content"] for line in lines]


def test_pairs_are_cleaned_and_every_rule_has_a_row(omma: Run, pairs: Path, tmp_path: Path) -> None:
    ended = omma("data", "clean", pairs, tmp_path / "out")
    assert ended.code == 0, ended
    assert kept(tmp_path / "out") == ["A paper kite over the hill", SAID[4]]
    table = {line[:14].strip(): line[14:].split() for line in ended.out.splitlines()}
    assert table["script"][:3] == ["5", "0", "1"]
    assert table["html"][:3] == ["5", "1", "0"]
    assert table["near copy"][:3] == ["3", "0", "1"]
    assert "2 of 5 pairs are in" in ended.out
    assert "cleaning 5/5" in ended.err


def test_the_figures_come_as_json(omma: Run, pairs: Path, tmp_path: Path) -> None:
    ended = omma("data", "clean", pairs, tmp_path / "out", "--near", "off", "--json")
    told = json.loads(ended.out)
    assert (told["pairs"], told["kept"], told["dropped"]) == (5, 3, 2)
    assert {rule["rule"]: rule["dropped"] for rule in told["rules"]}["irregular"] == 1
    assert ended.err == ""


def test_what_is_near_an_evaluation_set_is_dropped(omma: Run, pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "shown.png").write_bytes(drawings()[3])
    omma("data", "clean", pairs, tmp_path / "out", "--against", tmp_path / "bench")
    assert kept(tmp_path / "out") == [SAID[4]]
    assert "near bench: shown.png" in (tmp_path / "out/dropped.jsonl").read_text()


def test_rules_of_ones_own_are_used_by_every_worker(omma: Run, pairs: Path, tmp_path: Path) -> None:
    own = ("--rules", f"{EXAMPLES / 'likeness.py'}:rules")
    pairs.write_text(pairs.read_text() * 150)  # more than one shard
    told = json.loads(omma("data", "clean", pairs, tmp_path / "out", *own, "--workers", "2", "--json").out)
    figures = {rule["rule"]: rule["dropped"] for rule in told["rules"]}
    assert (told["pairs"], figures["similarity"]) == (750, 150)
    assert told["kept"] == 2


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_goes_wrong_in_a_rule_of_ones_own_is_said_as_ones_own(
    workers: str, omma: Run, pairs: Path, tmp_path: Path
) -> None:
    pairs.write_text(pairs.read_text() * 150)  # more than one shard
    file = tmp_path / "own.py"
    rule = "class Odd(Rule):\n    name = 'odd'\n    def judge(self, pair, sight):\n        return 1 / 0\n"
    file.write_text(f"from omma.corpus.clean import Rule\n{rule}def mine():\n    return [Odd()]\n")
    ended = omma("data", "clean", pairs, tmp_path / "out", "--rules", f"{file}:mine", "--workers", workers)
    assert ended.code == 2, ended
    assert "rule odd fails on a pair: ZeroDivisionError: division by zero (own.py line 5)" in ended.err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--rules", "none"], "web, academic, grounded, pages"),
        (["--rules", "nowhere.py:rules"], "nowhere.py"),
        (["--rules", f"{EXAMPLES / 'likeness.py'}:none"], "no function none"),
        (["--rules", f"{EXAMPLES / 'likeness.py'}:Rule"], "does not run"),
        (["--near", "everything"], "--near"),
        (["--workers", "0"], "--workers"),
        (["--against", "nowhere"], "nowhere is not there"),
    ],
)
def test_what_cannot_be_done_is_refused(
    words: list[str], named: str, omma: Run, pairs: Path, tmp_path: Path
) -> None:
    ended = omma("data", "clean", pairs, tmp_path / "out", *words)
    assert ended.code == 2, ended
    assert named in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_data_is_never_written_over(omma: Run, pairs: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in pairs.parent.iterdir()}
    for out in (pairs.parent, tmp_path):
        for words in ([], ["--overwrite"]):
            ended = omma("data", "clean", pairs, out, *words)
            assert ended.code == 2
            assert "lies in" in ended.err
    assert {path: path.read_bytes() for path in pairs.parent.iterdir()} == before


def test_data_that_is_not_there_or_is_none_is_refused(omma: Run, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("only words")
    for name in ("none.jsonl", "words.txt"):
        ended = omma("data", "clean", tmp_path / name, tmp_path / "out")
        assert ended.code == 2
        assert name in ended.err
        assert not (tmp_path / "out").exists()


def test_a_cleaning_is_replaced_only_on_request(omma: Run, pairs: Path, tmp_path: Path) -> None:
    assert omma("data", "clean", pairs, tmp_path / "out").code == 0
    ended = omma("data", "clean", pairs, tmp_path / "out")
    assert ended.code == 2
    assert "finished cleaning" in ended.err
    assert omma("data", "clean", pairs, tmp_path / "out", "--overwrite").code == 0


def test_a_stop_says_that_the_same_command_goes_on(
    omma: Run, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("omma.corpus.clean_shards.Shard.write", stopped)
        ended = omma("data", "clean", pairs, tmp_path / "out")
    assert ended.code == 130
    assert "the same command goes on" in ended.err
    assert omma("data", "clean", pairs, tmp_path / "out").code == 0


def test_the_help_shows_examples(omma: Run) -> None:
    ended = omma("data", "clean", "--help")
    assert ended.code == 0
    assert "omma data clean" in ended.out.partition("Examples")[2]


def test_data_that_a_pattern_names_in_the_folder_written_to_are_refused(
    omma: Run, pairs: Path, tmp_path: Path
) -> None:
    assert omma("data", "clean", pairs, tmp_path / "out").code == 0
    before = (tmp_path / "out/pairs.jsonl").read_bytes()
    ended = omma("data", "clean", tmp_path / "**/pairs.jsonl", tmp_path / "out", "--overwrite")
    assert ended.code == 2
    assert "which is written to" in ended.err
    assert (tmp_path / "out/pairs.jsonl").read_bytes() == before
