"""What a filled-in paper means: its fields with their keys, values and places, as JSON and as a schema."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

Value: TypeAlias = str | float | int | bool | None
Path: TypeAlias = tuple[str | int, ...]  # keys and places in lists: ("items", 0, "amount")


@dataclass(frozen=True)
class Field:
    """One fact of a paper. `label` is what stands beside it, `thing` prints it; both may be missing."""

    path: Path
    value: Value
    label: str = ""
    thing: int | None = None

    @property
    def name(self) -> str:
        """What people call it: its label, else its key in words."""
        return self.label.rstrip(":.# ") or str(self.path[-1]).replace("_", " ")


@dataclass(frozen=True)
class Record:
    """A paper's fields in reading order. `kind` is "invoice", "receipt" or "form"."""

    kind: str
    fields: tuple[Field, ...]

    @property
    def json(self) -> dict[str, Any]:
        """All fields under their keys."""
        return nested([(field.path, field.value) for field in self.fields])

    @property
    def singles(self) -> list[Field]:
        """The fields that stand in no list."""
        return [field for field in self.fields if len(field.path) == 1]

    def entries(self, key: str) -> list[dict[str, Field]]:
        """The entries of a list, each with its fields by their keys."""
        found: dict[int, dict[str, Field]] = {}
        for field in self.fields:
            if len(field.path) == 3 and field.path[0] == key:
                found.setdefault(int(field.path[1]), {})[str(field.path[2])] = field
        return list(found.values())


def nested(pairs: list[tuple[Path, Any]]) -> dict[str, Any]:
    """Values under their paths as one object; lists are filled in their order."""
    made: dict[str, Any] = {}
    for path, value in pairs:
        if len(path) == 1:
            made[str(path[0])] = value
        else:
            entries = made.setdefault(str(path[0]), [])
            while len(entries) <= int(path[1]):
                entries.append({})
            entries[int(path[1])][str(path[2])] = value
    return made


def shape(value: Any, nullable: bool = False) -> Any:
    """A short schema: the same object with the names of types for values, one entry for a list."""
    if isinstance(value, dict):
        return {key: shape(inner, nullable) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0], nullable)]
    return f"{type_name(value)} or null" if nullable else type_name(value)


def schema(value: Any, nullable: bool = False) -> Any:
    """The same as a JSON schema; `nullable` lets every field be missing."""
    if isinstance(value, dict):
        inner = {key: schema(below, nullable) for key, below in value.items()}
        return {"type": "object", "properties": inner, "required": list(value)}
    if isinstance(value, list):
        return {"type": "array", "items": schema(value[0], nullable)}
    return {"type": [type_name(value), "null"] if nullable else type_name(value)}


def type_name(value: Value) -> str:
    """The name of a value's type in JSON; what is missing is a text that is not there."""
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, (int, float)) else "string"


@dataclass(frozen=True)
class Item:
    """Something bought: how many, for how many cents each, and together."""

    name: str
    count: int
    price: int

    @property
    def amount(self) -> int:
        """What it costs, in cents."""
        return self.count * self.price


@dataclass(frozen=True)
class Purchase:
    """Items and what they come to, in cents; a rate of tax in per cent, 0 where there is none."""

    items: tuple[Item, ...]
    discount: int
    shipping: int
    rate: int

    @property
    def subtotal(self) -> int:
        """What all items cost."""
        return sum(item.amount for item in self.items)

    @property
    def tax(self) -> int:
        """The tax on items and shipping less the discount, rounded to a cent."""
        return (self.rate * (self.subtotal - self.discount + self.shipping) + 50) // 100

    @property
    def total(self) -> int:
        """What is to be paid."""
        return self.subtotal - self.discount + self.shipping + self.tax


def purchase(names: list[str], most: int, dice: Random, *, taxed: bool, extras: bool) -> Purchase:
    """One to nine of each of these, at up to `most` cents each."""
    items = []
    for name in names:
        price = dice.randint(max(20, most // 100), most)
        price = price // 100 * 100 + dice.choice((0, 49, 50, 90, 95, 99)) if dice.random() < 0.6 else price
        items.append(
            Item(name, dice.choices((1, 2, 3, dice.randint(4, 12)), (6, 2, 1, 1))[0], max(20, price))
        )
    subtotal = sum(item.amount for item in items)
    discount = subtotal * dice.choice((5, 10, 15, 20)) // 100 if extras and dice.random() < 0.25 else 0
    shipping = dice.choice((350, 495, 500, 990, 1200)) if extras and dice.random() < 0.25 else 0
    rate = dice.choice((5, 7, 8, 10, 19, 20, 21, 25)) if taxed else 0
    return Purchase(tuple(items), discount, shipping, rate)


def amount(cents: int) -> float | int:
    """Cents as JSON has an amount."""
    return cents // 100 if cents % 100 == 0 else cents / 100
