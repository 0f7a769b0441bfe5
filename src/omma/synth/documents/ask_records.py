"""Questions about forms, receipts and invoices: JSON, by a schema, with evidence; and single fields."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from omma.synth.asking import GRID, on_grid, some
from omma.synth.documents.ask_pages import union
from omma.synth.documents.interview import DocumentInterviewer, compact
from omma.synth.documents.records import Field, Record, nested, schema, shape
from omma.synth.documents.sheet import Document
from omma.synth.world import Drawing, Edges, Split, Turn

MANY = 40  # things from which on the fields' boxes are asked for, and no longer those of all that is printed
USUAL = {
    "invoice": ("due_date", "order_number", "discount", "shipping", "tax", "subtotal", "customer", "seller"),
    "receipt": ("time", "cashier", "phone", "discount", "tax", "change", "receipt_number", "payment"),
    "form": ("profession", "fax", "website", "tax_id", "insurance_no", "blood_group", "middle_name"),
}


def record_turns(drawing: Drawing, split: Split, dice: Random) -> tuple[Turn, ...]:
    """The whole record, the boxes of what is printed or of its fields, a schema, and some questions."""
    assert isinstance(drawing, Document)
    assert isinstance(drawing.content, Record)
    asks = _Questions(drawing, drawing.content, split, dice)
    dense = [asks.json(), asks.boxes(), asks.by_schema()]
    chosen = some(
        [
            (3.0, asks.field), (1.0, asks.find), (0.8, asks.evidence), (1.5, asks.item), (0.7, asks.how_many),
            (0.8, asks.most), (0.6, asks.items), (0.5, asks.count), (1.5, asks.checked), (0.5, asks.empty),
            (0.7, asks.read),
        ],
        dice.randint(2, 5),
        dice,
    )  # fmt: skip
    return (*dense, *chosen)


class _Questions:
    def __init__(self, drawing: Drawing, record: Record, split: Split, dice: Random) -> None:
        self.things, self.record, self.dice = drawing.things, record, dice
        self.say = DocumentInterviewer(drawing, split, dice)
        self.kind = record.kind
        self.entries = record.entries("items")
        self.name = "name" if self.kind == "receipt" else "description"

    def json(self) -> Turn:
        """Every field."""
        return self.say.record("record_json", self.record.json, kind=self.kind)

    def _box(self, field: Field) -> Edges:
        assert field.thing is not None
        return self.things[field.thing].box

    def _told(self, field: Field) -> str:
        """What a field is called: by its key, or on a form by its label."""
        return field.name if self.kind == "form" else str(field.path[-1]).replace("_", " ")

    def boxes(self) -> Turn:
        """All that is printed with its boxes; of much print, the boxes of the fields."""
        printed = [
            (union([found.box for found in thing.words]) if thing.state else thing.box, thing.text)
            for thing in self.things
            if thing.words
        ]
        if len(printed) < MANY and self.dice.random() < 0.6:
            return self.say.boxes("read_boxes", printed, "text_content")
        fields = [field for field in self.record.fields if field.thing is not None]
        shown = [(self._box(field), ".".join(map(str, field.path))) for field in fields]
        return self.say.boxes("record_boxes", shown, kind=self.kind)

    def read(self) -> Turn:
        """All that is printed, line by line."""
        return self.say.text("read", [thing.text for thing in self.things if thing.words])

    def by_schema(self) -> Turn:
        """Some of the fields, by a schema that the question brings; null for one that is not there."""
        singles = self.record.singles
        chosen = self.dice.sample(singles, min(len(singles), self.dice.randint(1, 5)))
        pairs: list[tuple[Any, Any]] = [(field.path, field.value) for field in chosen]
        if self.entries and self.dice.random() < 0.5:
            keys = [key for key in self.entries[0] if all(key in entry for entry in self.entries)]
            keys = sorted(self.dice.sample(keys, self.dice.randint(1, len(keys))), key=keys.index)
            pairs += [(entry[key].path, entry[key].value) for entry in self.entries for key in keys]
        present = self.record.json
        missing = [key for key in USUAL[self.kind] if key not in present]
        if missing and self.dice.random() < 0.2:
            pairs.append(((self.dice.choice(missing),), None))
        record = nested(pairs)
        nullable = any(value is None for _, value in pairs) or self.dice.random() < 0.2
        form = (shape if self.dice.random() < 0.6 else schema)(record, nullable)
        return self.say.record("record_schema", record, kind=self.kind, schema=compact(form))

    def evidence(self) -> Turn | None:
        """Some fields, each with its value and its box on the grid."""
        fields = [field for field in self.record.singles if field.thing is not None]
        chosen = self.dice.sample(fields, min(len(fields), self.dice.randint(1, 3)))
        if not chosen:
            return None
        width, height = self.say.size
        told = {
            str(field.path[0]): {
                "value": field.value,
                "bbox_2d": [
                    on_grid(edge, (width, height)[at % 2]) for at, edge in enumerate(self._box(field))
                ],
            }
            for field in chosen
        }
        names = [str(field.path[0]) for field in chosen]
        said = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return self.say.record("record_evidence", told, 10 / GRID, kind=self.kind, fields=said)

    def _alone(self) -> list[Field]:
        """Fields with a value that no other field is called like."""
        names = Counter(self._told(field).lower() for field in self.record.singles)
        return [
            field
            for field in self.record.singles
            if field.thing is not None and not isinstance(field.value, bool)
            and field.value is not None and names[self._told(field).lower()] == 1
        ]  # fmt: skip

    def field(self) -> Turn | None:
        """What one field says."""
        if not (fields := self._alone()):
            return None
        field = self.dice.choice(fields)
        fill = {"what": self._told(field), "kind": self.kind}
        if isinstance(field.value, str):
            return self.say.word("record_field", field.value, **fill)
        assert field.value is not None
        printed = str(field.value) if isinstance(field.value, int) else f"{field.value:.2f}"
        return self.say.value("record_field", field.value, printed, 0.0, None, **fill)

    def find(self) -> Turn | None:
        """Where a field stands."""
        if not (fields := self._alone()):
            return None
        field = self.dice.choice(fields)
        what = self._told(field)
        return self.say.boxes(
            "record_find", [(self._box(field), what)], task="find", what=what, kind=self.kind
        )

    def _entry(self, key: str) -> tuple[str, Field] | None:
        """The name of an item that is there once, and its field of this key."""
        names = Counter(entry[self.name].value for entry in self.entries if self.name in entry)
        fitting = [
            (str(entry[self.name].value), entry[key])
            for entry in self.entries
            if self.name in entry and key in entry and names[entry[self.name].value] == 1
        ]
        return self.dice.choice(fitting) if fitting else None

    def item(self) -> Turn | None:
        """What an item costs."""
        if (found := self._entry("amount")) is None:
            return None
        name, field = found
        assert isinstance(field.value, (int, float))
        return self.say.value(
            "record_item", field.value, f"{field.value:.2f}", 0.0, item=name, kind=self.kind
        )

    def how_many(self) -> Turn | None:
        """How many there are of an item."""
        if (found := self._entry("quantity")) is None:
            return None
        name, field = found
        assert isinstance(field.value, int)
        return self.say.number("record_count", field.value, "count", item=name, kind=self.kind)

    def most(self) -> Turn | None:
        """The dearest item, where it is the only one."""
        priced = [entry for entry in self.entries if "amount" in entry and self.name in entry]
        ranked = sorted(priced, key=_amount, reverse=True)
        if len(ranked) < 2 or _amount(ranked[0]) == _amount(ranked[1]):
            return None
        return self.say.word("record_most", str(ranked[0][self.name].value), kind=self.kind)

    def items(self) -> Turn | None:
        """All items' names."""
        names = [str(entry[self.name].value) for entry in self.entries if self.name in entry]
        return self.say.text("record_items", names, kind=self.kind) if names else None

    def count(self) -> Turn | None:
        """How many items there are."""
        return self.say.number("count", len(self.entries), plural="items") if len(self.entries) > 1 else None

    def checked(self) -> Turn | None:
        """Whether a box is ticked."""
        boxes = [field for field in self.record.fields if isinstance(field.value, bool)]
        if not boxes:
            return None
        field = self.dice.choice(boxes)
        return self.say.yes("record_checked", bool(field.value), label=field.label)

    def empty(self) -> Turn | None:
        """Which fields were left blank."""
        blank = [field.label for field in self.record.fields if field.value is None]
        return self.say.text("record_empty", blank) if blank else None


def _amount(entry: dict[str, Field]) -> float:
    value = entry["amount"].value
    assert isinstance(value, (int, float))
    return float(value)
