"""Forms, receipts and invoices: records hold what is printed, sums add up, and answers can be proven."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from random import Random

import pytest

from omma.synth import Turn, draw
from omma.synth.documents.records import Field, Item, Purchase, Record, nested, purchase, schema, shape
from omma.synth.documents.sheet import Document

PAPERS = ("forms", "receipts", "invoices")


@lru_cache
def papers(world: str) -> list[tuple[Document, Record, tuple[Turn, ...]]]:
    found = []
    for level in range(4):
        for seed in range(12):
            exercise = draw(world, (51, seed), level=level, maps=False)
            assert isinstance(exercise.drawing, Document)
            assert isinstance(exercise.drawing.content, Record)
            found.append((exercise.drawing, exercise.drawing.content, exercise.turns))
    return found


def asked(task: str, *worlds: str) -> Iterator[tuple[Record, Turn]]:
    for world in worlds or PAPERS:
        for _, record, turns in papers(world):
            yield from ((record, turn) for turn in turns if turn.task == task)


def figure(text: str) -> float:
    return float("".join(sign for sign in text if sign.isdigit() or sign == "."))


@pytest.mark.parametrize("world", PAPERS)
def test_a_fields_value_is_what_its_thing_says(world: str) -> None:
    for drawing, record, _ in papers(world):
        for field in record.fields:
            if field.thing is None:
                assert field.value is None or field.path[-1] == "quantity"
                continue
            thing = drawing.things[field.thing]
            if isinstance(field.value, bool):
                assert (thing.state == "checked") == field.value
            elif isinstance(field.value, str):
                assert field.value in thing.text
            else:
                assert figure(thing.text) == pytest.approx(field.value)


@pytest.mark.parametrize("world", PAPERS)
def test_no_key_comes_twice(world: str) -> None:
    for _, record, _ in papers(world):
        paths = [field.path for field in record.fields]
        assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("world", ["receipts", "invoices"])
def test_sums_add_up(world: str) -> None:
    whole = 0
    for _, record, _ in papers(world):
        told = record.json
        items = told.get("items", [])
        cents = [round(100 * item["amount"]) for item in items]
        for item in items:
            if "unit_price" in item:
                assert round(100 * item["unit_price"]) * item["quantity"] == round(100 * item["amount"])
        if "subtotal" in told:
            assert sum(cents) == round(100 * told["subtotal"])
        if items and "total" in told:
            whole += 1
            extra = told.get("tax", 0) + told.get("shipping", 0) - told.get("discount", 0)
            assert sum(cents) + round(100 * extra) == round(100 * told["total"])
        if "change" in told:
            assert round(100 * (told["paid"] - told["total"])) == round(100 * told["change"])
    assert whole > 30


@pytest.mark.parametrize("seed", range(20))
def test_a_purchase_comes_to_its_parts(seed: int) -> None:
    bought = purchase(["Tea", "Rice", "Salt"], 2000, Random(seed), taxed=True, extras=True)
    assert bought.subtotal == sum(item.count * item.price for item in bought.items)
    assert bought.total == bought.subtotal - bought.discount + bought.shipping + bought.tax
    assert abs(bought.tax - bought.rate * (bought.total - bought.tax) / 100) <= 0.5


def test_tax_is_rounded_to_a_cent() -> None:
    assert Purchase((Item("Tea", 3, 355),), discount=65, shipping=0, rate=7).tax == 70


def test_records_are_written_as_they_are() -> None:
    record = Record(
        "receipt",
        (
            Field(("store",), "Delta"),
            Field(("items", 0, "name"), "Tea"),
            Field(("items", 0, "amount"), 2.5),
            Field(("items", 1, "name"), "Rice"),
            Field(("paid",), True),
        ),
    )
    wanted = {"store": "Delta", "items": [{"name": "Tea", "amount": 2.5}, {"name": "Rice"}], "paid": True}
    assert record.json == wanted
    assert shape(wanted) == {
        "store": "string",
        "items": [{"name": "string", "amount": "number"}],
        "paid": "boolean",
    }
    assert schema({"a": [1]}, nullable=True)["properties"]["a"]["items"] == {"type": ["number", "null"]}
    assert nested([(("b", 1, "c"), 2)]) == {"b": [{}, {"c": 2}]}


@pytest.mark.parametrize("world", PAPERS)
def test_the_first_answer_is_the_whole_record(world: str) -> None:
    for _, record, turns in papers(world):
        assert turns[0].task == "record_json"
        assert json.loads(turns[0].answer) == record.json
        assert "bbox_2d" in turns[1].answer or turns[1].answer == "[]"


def test_answers_follow_the_schema_of_the_question() -> None:
    missing = 0
    for record, turn in asked("record_schema"):
        told, whole = json.loads(turn.answer), record.json
        for key, value in told.items():
            assert f'"{key}"' in turn.question
            if value is None and key not in whole:
                missing += 1
                assert "null" in turn.question
            elif key != "items":
                assert value == whole[key]
            else:
                assert all(part.items() <= item.items() for part, item in zip(value, whole[key], strict=True))
    assert missing > 3


def test_evidence_is_a_box_on_the_grid_with_its_value() -> None:
    found = 0
    for record, turn in asked("record_evidence"):
        for key, proof in json.loads(turn.answer).items():
            found += 1
            assert proof["value"] == record.json[key]
            x1, y1, x2, y2 = proof["bbox_2d"]
            assert 0 <= x1 < x2 <= 999
            assert 0 <= y1 < y2 <= 999
    assert found > 10


def test_ticks_are_asked_for_as_often_set_as_not() -> None:
    said = [
        turn.answer
        for seed in range(160)
        for turn in draw("forms", (9, seed), level=1 + seed % 2, maps=False).turns
        if turn.task == "record_checked"
    ]
    assert len(said) > 25
    assert abs(said.count("yes") / len(said) - 0.5) < 3 * 0.5 / len(said) ** 0.5


@pytest.mark.parametrize("world", PAPERS)
def test_nothing_is_printed_over_anything_else(world: str) -> None:
    for drawing, _, _ in papers(world):
        boxes = [word.box for thing in drawing.things for word in thing.words]
        for number, one in enumerate(boxes):
            for other in boxes[number + 1 :]:
                wide = min(one[2], other[2]) - max(one[0], other[0])
                high = min(one[3], other[3]) - max(one[1], other[1])
                assert wide <= 1.5 or high <= 0.45 * (one[3] - one[1])


def test_a_bills_title_is_never_cut_at_the_papers_edge() -> None:
    for level, split in ((0, "test"), (1, "train")):
        for seed in range(40):
            drawing = draw("invoices", (91, seed), split=split, level=level, maps=False).drawing
            width = drawing.picture.width
            assert all(thing.box[2] < width for thing in drawing.things if thing.kind == "title")
