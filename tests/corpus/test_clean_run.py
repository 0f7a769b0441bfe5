"""A cleaning comes out the same however it is cut, shared or stopped, and what it drops is written down."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omma.corpus.clean import Pair
from omma.corpus.clean_batch import Batch, CleanBatch, Row, row_of
from omma.corpus.clean_likeness import ColourWords, Similarity
from omma.corpus.clean_pairs import Found, read_pairs
from omma.corpus.clean_rules import academic, web
from omma.corpus.clean_run import Plan, clean_corpus
from omma.corpus.clean_texts import Length
from omma.corpus.clean_workers import Alone, Processes
from omma.corpus.near_groups import Near
from omma.corpus.reading import Corpus
from omma.errors import BadInput, MissingFile
from tests.corpus.planted import drawings, noise, planted

RULES = web(Similarity(ColourWords(), 0.3))


def found(count: int, seed: int = 5) -> list[Found]:
    return [Found(f"web line {n}", one.pair) for n, one in enumerate(planted(count, seed), 1)]


def written(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def columns(rows: list[Row]) -> Batch:
    return {name: [getattr(row, name) for row in rows] for name in Row._fields}


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6))
@settings(max_examples=5)
def test_rules_commute_with_sharding(cuts: list[int]) -> None:
    rows = [row_of(n, one) for n, one in enumerate(found(48))]
    work = CleanBatch(RULES)
    whole = work(columns(rows))
    parts: Batch = {"number": [], "outcome": []}
    at = 0
    for size in [*cuts, len(rows)]:
        for name, column in work(columns(rows[at : at + size])).items():
            parts[name] += column
        at += size
    assert parts == whole


@pytest.mark.parametrize("shard", [1, 7, 60, 1000])
def test_the_size_of_shards_leaves_no_trace(shard: int, tmp_path: Path) -> None:
    for name, size in (("one", 13), ("other", shard)):
        clean_corpus(found(60), tmp_path / name, Plan(RULES, shard=size))
    assert written(tmp_path / "one") == written(tmp_path / "other")


def test_any_number_of_workers_writes_the_same_bytes(tmp_path: Path) -> None:
    for name, workers in (("alone", Alone()), ("two", Processes(2)), ("three", Processes(3))):
        clean_corpus(found(60), tmp_path / name, Plan(RULES, shard=8), workers)
    assert written(tmp_path / "alone") == written(tmp_path / "two") == written(tmp_path / "three")


@dataclass
class Counting:
    """A worker that counts what it is given, and may be stopped in the middle."""

    stop_after: int = 10**9
    batches: list[int] = field(default_factory=list)

    def run(self, work: CleanBatch, batches: Iterator[Batch]) -> Iterator[Batch]:
        for batch in batches:
            if len(self.batches) >= self.stop_after:
                raise KeyboardInterrupt
            self.batches.append(batch["number"][0])
            yield work(batch)


def test_a_cleaning_that_was_stopped_goes_on_and_writes_the_same(tmp_path: Path) -> None:
    plan = Plan(RULES, shard=8)
    clean_corpus(found(60), tmp_path / "whole", plan)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            clean_corpus(found(60), tmp_path / "stopped", plan, Counting(stop_after=3))
        assert not (tmp_path / "stopped/pairs.jsonl").exists()
    last = Counting()
    clean_corpus(found(60), tmp_path / "stopped", plan, last)
    assert last.batches == [48, 56]
    assert written(tmp_path / "stopped") == written(tmp_path / "whole")


def test_shards_of_other_pairs_or_other_rules_are_done_again(tmp_path: Path) -> None:
    plan = Plan(RULES, shard=8)
    with pytest.raises(KeyboardInterrupt):
        clean_corpus(found(30), tmp_path / "out", plan, Counting(stop_after=3))
    with pytest.raises(KeyboardInterrupt):
        clean_corpus(found(30, seed=6), tmp_path / "out", plan, Counting(stop_after=2))
    other = Counting()
    clean_corpus(found(30, seed=6), tmp_path / "out", Plan((Length(),), shard=8), other)
    assert other.batches == [0, 8, 16, 24]


def test_nothing_vanishes_unsaid(tmp_path: Path) -> None:
    told = found(90)
    report = clean_corpus(told, tmp_path, Plan(RULES))
    dropped, changed = lines(tmp_path / "dropped.jsonl"), lines(tmp_path / "changed.jsonl")
    kept = [line["messages"][1]["content"] for line in lines(tmp_path / "pairs.jsonl")]  # type: ignore[index]
    gone = {line["where"] for line in dropped}
    assert len(dropped) == len(gone)
    assert len(kept) + len(gone) == len(told)
    assert all(line["rule"] and line["why"] for line in (*dropped, *changed))
    before = {text for line in changed for text in line["before"]["texts"]}  # type: ignore[index]
    for one in told:
        assert isinstance(one.pair, Pair)
        assert one.where in gone or all(text in kept or text in before for text in one.pair.texts)
    form = json.loads((tmp_path / "report.json").read_text())
    assert form["kept"] == report.kept == len(kept)
    assert sum(rule["dropped"] for rule in form["rules"]) == len(gone)
    assert sum(rule["changed"] for rule in form["rules"]) == len(changed)
    for first, second in zip(form["rules"], form["rules"][1:], strict=False):
        assert second["seen"] == first["seen"] - first["dropped"]


def web_folder(folder: Path) -> Path:
    """Captions in a list, several to a picture, with fields of their own."""
    folder.mkdir()
    dice = Random(4)
    rows = []
    for number in range(6):
        (folder / f"{number}.png").write_bytes(drawings()[number])
        said = [f"A drawing of scene {number}", f"A drawing of scene {number} for the wall"]
        rows.append({"image": f"{number}.png", "captions": said, "score": dice.random(), "id": number})
    (folder / "web.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return folder / "web.jsonl"


def test_pictures_stay_where_they_are_and_lines_find_them(tmp_path: Path) -> None:
    data = web_folder(tmp_path / "web")
    before = written(tmp_path / "web")
    clean_corpus(read_pairs(data), tmp_path / "deep" / "out", Plan(web()))
    assert written(tmp_path / "web") == before
    corpus = Corpus(tmp_path / "deep" / "out" / "pairs.jsonl")
    records = [corpus.record(raw) for raw in corpus.scan()]
    assert [record.messages[1].text for record in records] == [
        f"A drawing of scene {number} for the wall" for number in range(6)
    ]
    for number, record in enumerate(records):
        shown = record.messages[0].parts[0]
        assert Path(shown.source).read_bytes() == drawings()[number]  # type: ignore[union-attr]
    assert [line["id"] for line in lines(tmp_path / "deep/out/pairs.jsonl")] == list(range(6))


def test_what_was_cleaned_is_clean(tmp_path: Path) -> None:
    clean_corpus(read_pairs(web_folder(tmp_path / "web")), tmp_path / "one", Plan(web()))
    report = clean_corpus(read_pairs(tmp_path / "one/pairs.jsonl"), tmp_path / "two", Plan(web()))
    assert report.kept == report.pairs == 6
    assert not (tmp_path / "two/changed.jsonl").read_text()
    assert (tmp_path / "two/pairs.jsonl").read_bytes() == (tmp_path / "one/pairs.jsonl").read_bytes()


def test_pictures_of_a_shard_are_laid_down_byte_for_byte(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "web.tar", "w") as tar:
        for number in range(4):
            said = f"A drawing of scene {number} for the wall" if number != 2 else "short"
            for ending, body in (("png", drawings()[number]), ("txt", said.encode())):
                member = tarfile.TarInfo(f"{number:04}.{ending}")
                member.size = len(body)
                tar.addfile(member, io.BytesIO(body))
    clean_corpus(read_pairs(tmp_path / "web.tar"), tmp_path / "out", Plan(web(), shard=3), Processes(2))
    laid = {name: body for name, body in written(tmp_path / "out").items() if name.startswith("pictures/")}
    assert list(laid.values()) == [drawings()[0], drawings()[1], drawings()[3]]
    addresses = [
        line["messages"][0]["content"][0]["image_url"]["url"] for line in lines(tmp_path / "out/pairs.jsonl")
    ]  # type: ignore[index]
    assert addresses == sorted(laid)


def test_a_conversation_that_is_no_pair_is_set_aside(tmp_path: Path) -> None:
    shown = {"type": "image_url", "image_url": {"url": "a.png"}}
    asked = {"role": "user", "content": [shown, {"type": "text", "text": "What is this?"}]}
    answer = {"role": "assistant", "content": "A drawing of a scene"}
    (tmp_path / "a.png").write_bytes(drawings()[0])
    talks = [[asked, answer], [asked, answer, asked, answer], [{"role": "user", "content": "Hi"}, answer]]
    rows = [json.dumps({"messages": talk, "weight": 0.5}) for talk in talks]
    (tmp_path / "talks.jsonl").write_text("\n".join(rows))
    report = clean_corpus(read_pairs(tmp_path / "talks.jsonl"), tmp_path / "out", Plan(web()))
    assert (report.kept, report.tallies["record"].dropped) == (1, 2)
    (line,) = lines(tmp_path / "out/pairs.jsonl")
    assert line["weight"] == 0.5
    assert line["messages"][0]["content"][1]["text"] == "What is this?"  # type: ignore[index]
    aside = lines(tmp_path / "out/dropped.jsonl")
    assert aside[0]["value"]["messages"] == talks[1]  # type: ignore[index]


def test_a_folder_with_other_things_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/mine.png").write_bytes(drawings()[0])
    (tmp_path / "report.json").write_text("{}")
    before = written(tmp_path)
    for overwrite in (False, True):
        with pytest.raises(BadInput, match="new or empty"):
            clean_corpus(found(3), tmp_path, Plan(RULES), overwrite=overwrite)
    assert written(tmp_path) == before


def test_a_finished_cleaning_is_replaced_only_on_request(tmp_path: Path) -> None:
    clean_corpus(found(9), tmp_path, Plan(RULES))
    with pytest.raises(BadInput, match="overwrite"):
        clean_corpus(found(5), tmp_path, Plan(RULES))
    assert clean_corpus(found(5), tmp_path, Plan(RULES), overwrite=True).pairs == 5


def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="length"):
        clean_corpus([], tmp_path / "out", Plan((Length(), Length(2))))
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        clean_corpus(read_pairs(tmp_path / "none.jsonl"), tmp_path / "out", Plan(RULES))


def test_several_texts_that_stand_are_a_line_each(tmp_path: Path) -> None:
    pair = Pair(drawings()[0], ("A drawing of a scene", "A scene, drawn by hand"))
    report = clean_corpus([Found("here", pair)], tmp_path, Plan((Length(),)))
    assert (report.kept, len(lines(tmp_path / "pairs.jsonl"))) == (1, 2)


def test_copies_are_found_across_shards(tmp_path: Path) -> None:
    said = "A harbour with boats"
    pairs = [Pair(noise(240, 240 + n % 2), (said,)) for n in range(2)] + [Pair(drawings()[0], (said,))]
    told = [Found(f"line {n}", pair) for n, pair in enumerate([*pairs, pairs[2], pairs[0]])]
    report = clean_corpus(told, tmp_path, Plan(academic(), Near("picture"), shard=2))
    assert report.kept == 3
    gone = lines(tmp_path / "dropped.jsonl")
    assert [(line["where"], line["rule"]) for line in gone] == [
        ("line 3", "near copy"),
        ("line 4", "near copy"),
    ]
    assert str(gone[0]["why"]).startswith("near line 2")
