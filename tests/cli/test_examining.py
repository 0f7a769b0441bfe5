"""omma data doctor: says what a file holds, exits 0 when it can be used and 2 with a sentence when not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.corpus.goods import llava, native, put_pictures, write, write_lines, write_list


def test_a_good_file_is_told_in_words(omma: Run, toy: Path, tmp_path: Path) -> None:
    file = write("llava list", tmp_path, 6)
    ended = omma("data", "doctor", file, "--model", toy)
    assert ended.code == 0, ended
    for words in (
        "a JSON list of LLaVA or ShareGPT conversations",
        "6 records, 6 of them usable",
        "user 6, assistant 6",
        "tokens in a record (the model holds",
        "█" * 10,
    ):
        assert words in ended.out
    assert "\nset aside" not in ended.out


def test_the_same_in_json(omma: Run, toy: Path, tmp_path: Path) -> None:
    told = json.loads(
        omma("data", "doctor", write("native lines", tmp_path, 4), "--model", toy, "--json").out
    )
    assert (told["records"], told["usable"], told["form"]) == (4, 4, "native")


def test_what_is_set_aside_is_shown_and_written(omma: Run, toy: Path, tmp_path: Path) -> None:
    put_pictures(tmp_path, 2)
    file = write_lines(tmp_path / "data.jsonl", [native(0), native(7), native(8), native(1)])
    ended = omma("data", "doctor", file, "--model", toy, "--report", tmp_path / "bad.jsonl")
    assert ended.code == 0
    assert "missing media: 2" in ended.out
    assert "line 2" in ended.out
    lines = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_text().splitlines()]
    assert [(line["line"], line["kind"]) for line in lines] == [(2, "missing media"), (3, "missing media")]


def test_pictures_may_stand_elsewhere(omma: Run, toy: Path, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    put_pictures(tmp_path / "pictures", 2)
    file = write_list(tmp_path / "data.json", [llava(0), llava(1)])
    assert omma("data", "doctor", file, "--model", toy, "--media", tmp_path / "pictures").code == 0
    ended = omma("data", "doctor", file, "--model", toy)
    assert ended.code == 2
    assert "no record that can be used" in ended.err
    assert "missing media: 2" in ended.out


def test_what_is_no_data_file_is_refused_in_a_sentence(omma: Run, toy: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("only words\n")
    good = write("native lines", tmp_path, 1)
    for words, named in (
        ([tmp_path / "words.txt"], "is not a data file"),
        ([tmp_path / "none.jsonl"], "none.jsonl"),
        ([good, "--form", "nonsense"], "known: native, llava, qwen, captions"),
        ([good, "--media", tmp_path / "none"], "no such folder"),
        ([good, "--report", tmp_path / "none" / "bad.jsonl"], "cannot be written"),
        ([good, "--model", "nobody"], "nobody"),
    ):
        ended = omma("data", "doctor", "--model", toy, *words)
        assert ended.code == 2, ended
        assert ended.out == ""
        assert named in ended.err
        assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("link", ["same", "spelled", "symbolic", "hard"])
def test_a_report_never_overwrites_the_data(link: str, omma: Run, toy: Path, tmp_path: Path) -> None:
    file = write("native lines", tmp_path, 2)
    before = file.read_bytes()
    report = tmp_path / "report.jsonl"
    if link == "same":
        report = file
    elif link == "spelled":
        report = tmp_path / ".." / tmp_path.name / file.name
    elif link == "symbolic":
        report.symlink_to(file)
    else:
        report.hardlink_to(file)
    ended = omma("data", "doctor", file, "--model", toy, "--report", report)
    assert (ended.code, ended.out) == (2, "")
    assert "is read as data" in ended.err
    assert file.read_bytes() == before


def test_a_report_does_not_fall_among_the_data_of_a_folder(omma: Run, toy: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    file = write("native lines", tmp_path / "data", 2)
    for name, said in ((file.name, "is read as data"), ("bad.jsonl", "would be read as data the next time")):
        ended = omma("data", "doctor", tmp_path / "data", "--model", toy, "--report", file.with_name(name))
        assert ended.code == 2
        assert said in ended.err
    assert omma("data", "doctor", file, "--model", toy).code == 0


def test_only_an_earlier_report_is_replaced(omma: Run, toy: Path, tmp_path: Path) -> None:
    put_pictures(tmp_path, 1)
    file = write_lines(tmp_path / "data.jsonl", [native(0), native(7)])
    report = tmp_path / "bad.jsonl"
    for _ in range(2):
        assert omma("data", "doctor", file, "--model", toy, "--report", report).code == 0
        assert len(report.read_text().splitlines()) == 1
    for other in (tmp_path / "0.png", write_lines(tmp_path / "other.jsonl", [native(0)])):
        before = other.read_bytes()
        ended = omma("data", "doctor", file, "--model", toy, "--report", other)
        assert ended.code == 2
        assert "other things than a report" in ended.err
        assert other.read_bytes() == before
