"""A survey counts what is there: lengths, sizes, repeats, and what is set aside with its reason."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.corpus.aside import Aside, Report
from omma.corpus.dialogue import sample_of
from omma.corpus.duplicates import Sightings
from omma.corpus.reading import Corpus
from omma.corpus.record import Place
from omma.corpus.spread import BARS, Spread
from omma.corpus.survey import Survey, survey
from tests.corpus.goods import FORMS, llava, picture, write, write_list
from tests.corpus.models import processor


def surveyed(file: Path, **model: Any) -> Survey:
    return survey(Corpus(file), processor(**model))


@pytest.mark.parametrize("form", FORMS)
def test_good_data_are_wholly_usable(form: str, tmp_path: Path) -> None:
    file = write(form, tmp_path, 6)
    told = surveyed(file).form()
    assert (told["records"], told["usable"], told["set_aside"]) == (6, 6, {})
    assert told["roles"] == {"user": 6, "assistant": 6}
    assert told["pictures"]["count"] == told["media"]["different"] == 6
    assert told["media_in_a_record"] == {"1": 6}
    corpus = Corpus(file)
    samples = [sample_of(corpus.record(raw), processor()) for raw in corpus.scan()]
    assert told["tokens"]["total"] == sum(sample.length for sample in samples)
    assert json.loads(json.dumps(told)) == told


BAD: dict[str, dict[str, Any]] = {
    "missing media": {**llava(0), "image": "none.png"},
    "broken picture": {**llava(0), "image": "words.png"},
    "tags": {**llava(0), "image": ["0.png", "1.png"]},
    "role": {"conversations": [{"from": "bot", "value": "x"}]},
    "empty answer": {"conversations": [{"from": "human", "value": "x"}, {"from": "gpt", "value": " "}]},
    "too long": {"conversations": [{"from": "human", "value": "7" * 3000}, {"from": "gpt", "value": "x"}]},
    "record": {"conversations": "x"},
}


def test_bad_records_are_set_aside_each_with_its_reason(tmp_path: Path) -> None:
    write("llava list", tmp_path, 4)
    (tmp_path / "words.png").write_text("not a picture")
    file = write_list(tmp_path / "data.json", [llava(0), *BAD.values(), llava(1)])
    told: list[Aside] = []
    found = survey(Corpus(file), processor(), told.append)
    assert found.usable == 2
    assert [(aside.place.number, aside.kind) for aside in told] == list(enumerate(BAD, 2))
    assert set(found.form()["set_aside"]) == set(BAD)


def test_repeats_are_found_by_what_they_say_and_show(tmp_path: Path) -> None:
    write("llava list", tmp_path, 3)
    (tmp_path / "copy.png").write_bytes(picture(0))
    renamed, reworded = {**llava(0), "image": "copy.png"}, llava(0)
    reworded["conversations"][0]["value"] = "<image>\nColour?"
    file = write_list(
        tmp_path / "data.json", [llava(0), llava(1), renamed, reworded, {**llava(1), "id": "x"}]
    )
    told = surveyed(file).form()
    assert told["repeated_records"] == 2
    assert told["repeats"] == [
        (f"{file} record 1", f"{file} record 3"),
        (f"{file} record 2", f"{file} record 5"),
    ]
    assert told["media"] == {"shown": 5, "different": 2, "copies": 1}


def test_fields_that_nobody_reads_are_named(tmp_path: Path) -> None:
    write("llava list", tmp_path, 2)
    file = write_list(
        tmp_path / "data.json", [llava(0) | {"source": "web"}, llava(1) | {"source": "web", "x": 1}]
    )
    assert surveyed(file).form()["fields_nobody_reads"] == {"source": 2, "x": 1}


def test_pictures_that_change_their_size_are_counted(tmp_path: Path) -> None:
    told = surveyed(write("llava list", tmp_path, 8), max_pixels=56 * 56).form()["pictures"]
    assert told["made_smaller"] == 1  # only 63 × 56 loses over a tenth of its area
    assert told["sizes"][0] == [56, 56, 1]


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=60))
def test_bars_hold_every_number_once(values: list[int]) -> None:
    spread = Spread()
    for value in values:
        spread.take(value)
    bars = spread.bars()
    assert sum(bar.holds for bar in bars) == len(values)
    assert all(a.high == b.low for a, b in pairwise(bars))
    assert len(bars) <= BARS + 3
    for bar in bars:
        assert bar.holds == sum(bar.low <= value < bar.high for value in values)
    assert spread.at(0.5) in values


@given(st.lists(st.tuples(st.binary(max_size=1), st.binary(max_size=1)), max_size=40))
def test_sightings_count_as_sets_do(seen: list[tuple[bytes, bytes]]) -> None:
    sightings = Sightings()
    for number, (content, name) in enumerate(seen):
        sightings.see(content, number, name)
    assert sightings.different == len({content for content, _ in seen})
    assert sightings.copies == len(set(seen)) - sightings.different
    contents = [content for content, _ in seen]
    repeats = [
        (contents.index(content), i) for i, content in enumerate(contents) if contents.index(content) < i
    ]
    assert [tuple(map(int, pair)) for pair in sightings.pairs(100)] == repeats


def test_a_report_tells_a_record_once_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    first, second = (Aside(Place("a", n, "line"), "tags", "why") for n in (1, 2))
    report = Report(tmp_path / "aside.jsonl")
    assert not report.path.exists()
    assert [report.take([first, first]), report.take([first]), report.count] == [1, 0, 1]
    report.path.write_text(report.path.read_text() + '{"file": "a", "li')
    again = Report(report.path)
    assert [again.take([first]), again.take([second]), again.count] == [0, 1, 2]
    assert [json.loads(line)["line"] for line in report.path.read_text().splitlines()] == [1, 2]
    assert json.loads(report.path.read_text().splitlines()[0]) == first.form()


def test_a_survey_ends_its_progress_at_the_end(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    file = write("native lines", tmp_path, 5)
    survey(Corpus(file), processor(), progress=lambda done, whole: heard.append((done, whole)))
    assert heard == sorted(heard)
    assert heard[-1] == (file.stat().st_size,) * 2


def test_nothing_to_measure_is_nothing() -> None:
    assert Spread().bars() == []
    assert Spread().form() == {"count": 0}
    assert Sightings().pairs(3) == []
    assert Sightings().copies == Sightings().different == 0


def test_only_what_is_learned_from_is_added_up(tmp_path: Path) -> None:
    write("llava list", tmp_path, 1)
    alone = surveyed(write_list(tmp_path / "data.json", [llava(0)])).form()
    both = surveyed(write_list(tmp_path / "data.json", [llava(0), BAD["too long"]])).form()
    assert (both["usable"], both["tokens"]["count"]) == (1, 2)
    assert both["tokens"]["usable"] == alone["tokens"]["total"] < both["tokens"]["total"]
    assert both["visual_tokens"]["usable"] == alone["visual_tokens"]["total"]
    assert both["learned_tokens"] == alone["learned_tokens"]
    assert both["answers"] == 1


def test_one_file_under_other_spellings_is_no_copy(tmp_path: Path) -> None:
    write("llava list", tmp_path, 1)
    (tmp_path / "link.png").symlink_to("0.png")
    names = ("0.png", "./0.png", f"../{tmp_path.name}/0.png", "link.png")
    file = write_list(tmp_path / "data.json", [llava(0) | {"image": name} for name in names])
    assert surveyed(file).form()["media"] == {"shown": 4, "different": 1, "copies": 0}
