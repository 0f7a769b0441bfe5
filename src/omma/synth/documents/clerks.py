"""Fills in a paper: prints texts and keeps, for each fact among them, its key, its value and its place."""

from __future__ import annotations

from random import Random

from omma.synth.colours import Ink
from omma.synth.documents.prose import Money
from omma.synth.documents.records import Field, Path, Record, Value, amount
from omma.synth.documents.sheet import Sheet
from omma.synth.documents.type import Type
from omma.synth.world import Split


class Clerk:
    """One paper under construction: a sheet and the facts that were written on it."""

    def __init__(self, sheet: Sheet, level: int, dice: Random, split: Split) -> None:
        self.sheet, self.level, self.dice, self.split = sheet, level, dice, split
        self.look = sheet.look
        self.fields: list[Field] = []

    def note(self, path: Path, value: Value, label: str = "", thing: int | None = None) -> None:
        """Keep a fact."""
        self.fields.append(Field(path, value, label, thing))

    def write(
        self,
        text: str,
        type_: Type,
        x: float,
        top: float,
        *,
        path: Path = (),
        value: Value = "",
        label: str = "",
        paint: Ink | None = None,
        align: float = 0.0,
        kind: str = "text",
    ) -> int:
        """Print a text; where it has a path it is a fact, of this value or, by default, of its own words."""
        number = self.sheet.put(text, type_, x, top, paint=paint, kind=kind, align=align)
        if path:
            self.note(path, text if value == "" else value, label, number)
        return number

    def pay(
        self,
        cents: int,
        money: Money,
        type_: Type,
        right: float,
        top: float,
        path: Path,
        label: str = "",
        paint: Ink | None = None,
    ) -> int:
        """Print an amount with its right end at `right`."""
        text = money.write(cents)
        return self.write(
            text, type_, right, top, path=path, value=amount(cents), label=label, paint=paint, align=1.0
        )

    def record(self, kind: str) -> Record:
        """What the paper means."""
        return Record(kind, tuple(self.fields))


def fitting(texts: list[str], type_: Type, width: float) -> list[str]:
    """Those of the texts that run no further than `width`."""
    return [text for text in texts if type_.length(text) <= width]
