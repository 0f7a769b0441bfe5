"""Whatever is done to good data, reading it raises nothing: what cannot be used is set aside and said."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from omma.corpus.dialogue import sample_of
from omma.corpus.reading import Corpus
from omma.corpus.survey import Survey
from omma.errors import BadInput, OmmaError
from tests.corpus.goods import FORMS, captioned, llava, native, put_pictures, qwen, write, write_lines
from tests.corpus.models import processor

ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        0,
        1e308,
        float("nan"),
        10**400,
        "",
        " ",
        "\x00",
        "\ud800",
        "0.png\x00",
        "/",
        ".",
        "..",
    ),
    *("http://nowhere/a.png", "data:image/png;base64,AAAA", "<image>", "<video><bbox>", "x" * 5000),
    *([], [[]], {}, {"type": "image"}, {"bytes": "x"}, ["0.png"] * 3, {"type": "text", "text": None}),
    {"type": "boxes", "boxes": [{"box": [0, 0, 9, 9]}]},
    {"url": "0.png", "min_pixels": "many"},
    {"role": "assistant", "content": []},
)


def boxed(number: int) -> dict[str, Any]:
    record = native(number)
    box = {"box": [1, 2, 30, 40], "label": "square"}
    record["messages"][1]["content"] = [{"type": "boxes", "boxes": [box], "image": 0, "unit": "pixels"}]
    return record


def placed(number: int) -> dict[str, Any]:
    spoken = [
        {"role": "user", "content": "<image>Where?"},
        {"role": "assistant", "content": "<ref-object><bbox>"},
    ]
    objects = {"ref": ["it"], "bbox": [[1, 2, 30, 40]], "bbox_type": "real", "image_id": [0]}
    return {"messages": spoken, "images": [f"{number}.png"], "objects": objects}


def spots(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a record that holds a value: its container and its key."""
    found: list[tuple[Any, Any]] = []
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found += [(value, key), *spots(value[key])]
    return found


def mutated(record: Any, dice: random.Random) -> Any:
    """The record with one to three places changed, dropped, doubled or swapped."""
    record = copy.deepcopy(record)
    for _ in range(dice.randint(1, 3)):
        places = spots(record)
        if not places:
            return dice.choice(ODD)
        holder, key = dice.choice(places)
        match dice.randrange(5):
            case 0 | 1:
                holder[key] = copy.deepcopy(dice.choice(ODD))
            case 2:
                del holder[key]
            case 3 if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
            case 3:
                holder[dice.choice(("images", "content", "from", "weight", "x"))] = copy.deepcopy(holder[key])
            case _:
                other, place = dice.choice(places)
                try:
                    other[place] = copy.deepcopy(holder[key])
                except (IndexError, RecursionError):
                    continue
    return record


@pytest.mark.parametrize("good", [native, boxed, placed, llava, qwen, captioned])
def test_mutated_records_are_set_aside_and_never_raise(
    good: Callable[[int], dict[str, Any]], tmp_path: Path
) -> None:
    dice = random.Random(good.__name__)
    put_pictures(tmp_path, 3)
    records = [good(0), *(mutated(good(i % 3), dice) for i in range(400))]
    corpus = Corpus(write_lines(tmp_path / "data.jsonl", records), recognised(good))
    told = Survey(corpus, processor(context=400))
    for raw in corpus.scan():
        found = told.take(raw)
        try:
            sample_of(corpus.record(raw), processor(context=400))
            usable = True
        except BadInput:
            usable = False
        assert usable == (found is None), (raw.place, found)
    assert told.records == len(records)
    assert told.usable + sum(told.kinds.values()) == told.records
    assert 0 < told.usable < told.records
    json.dumps(told.form())


def recognised(good: Callable[[int], dict[str, Any]]) -> str:
    return {llava: "llava", qwen: "qwen", captioned: "captions"}.get(good, "native")


def broken(body: bytes, dice: random.Random) -> bytes:
    """Bytes with some changed, cut off, left out or doubled."""
    held = bytearray(body)
    at, length = dice.randrange(len(held)), dice.choice((1, 1, 3, 50, 600))
    match dice.randrange(5):
        case 0 | 1:
            held[at : at + length] = dice.randbytes(length)
        case 2:
            del held[at:]
        case 3:
            del held[at : at + length]
        case _:
            held[at:at] = held[at : at + length]
    return bytes(held)


@pytest.mark.parametrize("form", FORMS)
def test_broken_files_are_refused_or_read_as_far_as_they_go(form: str, tmp_path: Path) -> None:
    dice = random.Random(form)
    body = write(form, tmp_path, 9).read_bytes()
    read = 0
    for number in range(60):
        file = tmp_path / f"broken{number}"
        file.write_bytes(broken(body, dice))
        try:
            corpus = Corpus(file)
        except OmmaError:
            continue
        told = Survey(corpus, processor())
        found = [told.take(raw) for raw in corpus.scan()]
        assert told.usable == sum(aside is None for aside in found)
        assert len(corpus) == told.records == len([corpus.at(i).place for i in range(len(corpus))])
        read += told.usable
    assert read > 60


def test_a_broken_record_costs_no_other(tmp_path: Path) -> None:
    """In a list of records on lines of their own, any one record may be anything that closes its brackets."""
    put_pictures(tmp_path, 5)
    for odd in (
        "{}",
        '{"a": tru}',
        '{"a": "\\x"}',
        '"words, [ and {"',
        "[1, 2]",
        "null",
        "[{}, {]}",
        "{'a': 1}",
        "{}}",
    ):
        texts = [json.dumps(llava(i)) for i in range(4)]
        texts.insert(2, odd)
        (tmp_path / "data.json").write_text("[" + ",\n".join(texts) + "]")
        told = Survey(Corpus(tmp_path / "data.json"), processor())
        found = [told.take(raw) for raw in told.corpus.scan()]
        assert [aside is None for aside in found] == [True, True, False, True, True], odd


def test_a_list_that_breaks_off_says_so(tmp_path: Path) -> None:
    body = json.dumps([native(i) for i in range(5)])
    for cut, good in ((len(body) - 1, 5), (len(body) // 2, 2)):
        (tmp_path / "data.json").write_text(body[:cut])
        corpus = Corpus(tmp_path / "data.json")
        *whole, last = corpus.scan()
        assert len(whole) == good
        with pytest.raises(BadInput, match="breaks off"):
            last.read()


def test_a_shard_that_breaks_off_says_so(tmp_path: Path) -> None:
    file = write("llava shard", tmp_path, 6)
    body = file.read_bytes()
    file.write_bytes(body[: len(body) // 2 // 512 * 512] + b"garbage" * 200)
    corpus = Corpus(file)
    *_, last = corpus.scan()
    with pytest.raises(BadInput, match="breaks off"):
        last.read()


def test_a_time_beyond_all_calendars_sets_its_row_aside_alone(tmp_path: Path) -> None:
    put_pictures(tmp_path, 3)
    times = pyarrow.array([0, 2**62, 1], pyarrow.timestamp("us"))
    table = pyarrow.Table.from_pylist([captioned(n) for n in range(3)]).append_column("seen", times)
    pyarrow.parquet.write_table(table, tmp_path / "data.parquet")
    corpus = Corpus(tmp_path / "data.parquet")
    told = Survey(corpus, processor())
    found = [told.take(raw) for raw in corpus.scan()]
    assert [one and one.place.number for one in found] == [None, 2, None]
    assert "cannot be decoded" in found[1].reason  # type: ignore[union-attr]
    with pytest.raises(BadInput, match="cannot be decoded"):
        corpus.at(1).read()
