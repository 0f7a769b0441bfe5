"""What else a record says beside its pair never spoils the line that is written of it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from omma.corpus.clean_likeness import Similarity, StoredScore
from omma.corpus.clean_pairs import read_pairs
from omma.corpus.clean_run import Plan, clean_corpus
from omma.corpus.clean_shards import json_line
from omma.corpus.reading import Corpus
from omma.corpus.survey import survey
from tests.corpus.goods import llava, native, put_pictures, write_lines
from tests.corpus.models import processor

CAPTION = {"image": "0.png", "caption": "A red field"}
FOREIGN: dict[str, dict[str, Any]] = {
    "no messages": {"messages": None},
    "no conversations": {"conversations": None},
    "things": {"objects": ["dog", "cat"]},
    "an empty thing": {"objects": {}, "tools": ""},
    "tools": {"tools": "hammer and nails"},
    "a film": {"video": "film.mp4", "videos": None},
    "a weight in words": {"weight": "3 kg"},
    "a weight that is none": {"weight": math.nan},
    "a heavy weight": {"weight": 10**400},
    "two of a name": {"objects": [1], "source_objects": [2]},
}


def cleaned(folder: Path, *records: dict[str, Any]) -> list[dict[str, Any]]:
    """What is kept of the records, all of which must be usable."""
    put_pictures(folder, 2)
    (folder / "out").mkdir()
    write_lines(folder / "pairs.jsonl", records)
    clean_corpus(read_pairs(folder / "pairs.jsonl"), folder / "out", Plan((), None))
    file = folder / "out/pairs.jsonl"
    kept = [json.loads(line, parse_constant=pytest.fail) for line in file.read_text().splitlines()]
    if kept:
        told = survey(Corpus(file), processor())
        assert (told.usable, told.records) == (len(kept), len(kept)), told.examples
    return kept


@pytest.mark.parametrize("more", FOREIGN.values(), ids=FOREIGN)
def test_fields_of_native_names_are_kept_where_they_do_no_harm(more: dict[str, Any], tmp_path: Path) -> None:
    (line,) = cleaned(tmp_path, CAPTION | more)
    assert line["messages"][-1] == {"role": "assistant", "content": "A red field"}
    said = [value for value in more.values() if value is not None and value == value]
    assert [value for value in said if value in line.values()] == said


def test_conversations_with_such_fields_are_kept_too(tmp_path: Path) -> None:
    (line,) = cleaned(tmp_path, llava(0) | {"objects": ["dog"], "tools": "saw", "messages": None})
    assert (line["source_objects"], line["source_tools"]) == (["dog"], "saw")


def test_what_a_native_record_says_of_itself_is_in_its_pair(tmp_path: Path) -> None:
    record = native(0) | {"objects": {"ref": ["red"]}, "tools": [], "weight": 2, "source": "web"}
    record["messages"][-1]["content"] = "<ref-object> it is"
    (line,) = cleaned(tmp_path, record)
    assert line == line | {"weight": 2.0, "source": "web"}
    assert line["messages"][-1]["content"] == "red it is"
    assert not line.keys() & {"objects", "tools"}


def test_a_sound_weight_stays_and_one_of_0_is_no_pair(tmp_path: Path) -> None:
    assert [line["weight"] for line in cleaned(tmp_path, CAPTION | {"weight": 2.5})] == [2.5]
    (tmp_path / "none").mkdir()
    assert cleaned(tmp_path / "none", CAPTION | {"weight": 0}) == []
    assert "its weight is 0" in (tmp_path / "none/out/dropped.jsonl").read_text()


def test_a_text_of_no_word_has_no_line(tmp_path: Path) -> None:
    kept = cleaned(tmp_path, {"image": "0.png", "captions": ["A red field", " "]})
    assert [line["messages"][-1]["content"] for line in kept] == ["A red field"]


def test_pictures_under_two_names_are_two(tmp_path: Path) -> None:
    assert cleaned(tmp_path, CAPTION | {"png": "1.png"}) == []
    assert "it has 2 pictures" in (tmp_path / "out/dropped.jsonl").read_text()


def test_numbers_beyond_all_measure_end_nothing(tmp_path: Path) -> None:
    assert cleaned(tmp_path, CAPTION | {"labels": [[0, 1, 0, 0, 1, 10**400]]}) == []
    (tmp_path / "score").mkdir()
    file = write_lines(tmp_path / "score/pairs.jsonl", [CAPTION | {"similarity": 10**400}])
    rules = (Similarity(StoredScore(), 0.3),)
    assert clean_corpus(read_pairs(file), tmp_path / "score/out", Plan(rules, None)).pairs == 1


def test_numbers_that_json_does_not_have_are_null(tmp_path: Path) -> None:
    (line,) = cleaned(tmp_path, CAPTION | {"score": math.nan, "more": [math.inf, -math.inf, 1.5]})
    assert (line["score"], line["more"]) == (None, [None, None, 1.5])
    assert json_line({"a": [math.nan, "é"]}) == '{"a": [null, "é"]}\n'
