"""The world of receipts: slips from a shop's till, with items, tax and totals that add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as Folder
from random import Random

import numpy as np

from omma.sample import Size
from omma.synth.colours import Ink
from omma.synth.documents.clerks import Clerk, fitting
from omma.synth.documents.lexicon import pick, several
from omma.synth.documents.looks import Look, family, look
from omma.synth.documents.prose import Money, clock, code, company, date, money, phone, street, town
from omma.synth.documents.records import Item, Path, Purchase, Value, amount, purchase
from omma.synth.documents.sheet import Sheet, tilted
from omma.synth.documents.type import Type
from omma.synth.grounds import ground
from omma.synth.world import Drawing, Split

TYPE = ((12, 17), (11, 14), (10, 13), (11, 19))  # pixels of type, by level
ITEMS = ((1, 2), (1, 4), (2, 7), (3, 16))
SLIPS: tuple[Ink, ...] = ((255, 255, 255), (250, 250, 247), (246, 246, 244), (252, 250, 244))
TABLES: tuple[Ink, ...] = ((92, 64, 51), (139, 115, 85), (60, 60, 65), (120, 125, 130), (44, 62, 80))


@dataclass
class _Row:
    """One line of a slip. `left`, `right` and `middle` are texts; `facts` are paths and values by part.

    Rows that can be left out are dropped from the least `weight` on where the slip is too short.
    """

    left: str = ""
    right: str = ""
    middle: str = ""
    manner: str = "plain"  # "plain" | "bold" | "large" | "rule" | "code"
    facts: dict[str, tuple[Path, Value]] = field(default_factory=dict)
    weight: int = 9


def receipt(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Folder] | None) -> Drawing:
    """A shop, an item or two and a total at level 0; tax, payment and all that tills print up to level 3."""
    dress = _dress(look(split, dice, fonts, dark=0.0), split, dice, fonts)
    lying = level > 1 and dice.random() < 0.35 and size.width > 200
    back = ground(size, level, dice) if lying and dice.random() < 0.4 else None
    sheet = Sheet(size, dress, back.picture.copy() if back else None)
    margin = 0.0
    if lying:
        margin = round(size.width * dice.uniform(0.04, 0.12))
        if back is None:
            sheet.fill((0, 0, size.width, size.height), dice.choice(TABLES))
        sheet.fill((margin, margin / 2, size.width - margin, size.height - margin / 2), dress.paper)
    till = _Till(Clerk(sheet, level, dice, split), margin)
    till.print()
    tilt = 0.0 if lying else tilted(level, dice, size, till.pad)
    return sheet.document("receipts", till.clerk.record("receipt"), tilt=tilt)


def _dress(usual: Look, split: Split, dice: Random, fonts: Sequence[Folder] | None) -> Look:
    """Typewriter's or plain type in gray or black on a white slip."""
    body = family(fonts, split, dice, mono=dice.random() < 0.7)
    shade = dice.choice((0, 20, 45, 70))
    ink: Ink = (shade, shade, shade + dice.choice((0, 0, 12)))
    return replace(
        usual, paper=dice.choice(SLIPS), text=ink, muted=ink, rule=ink, accent=ink, body=body, head=body
    )


class _Till:
    """Prints one slip."""

    def __init__(self, clerk: Clerk, margin: float) -> None:
        self.clerk, self.dice, self.split, self.level = clerk, clerk.dice, clerk.split, clerk.level
        sheet, dice = clerk.sheet, clerk.dice
        size = min(
            dice.randint(*TYPE[self.level]), max(7, int((sheet.width - 2 * margin) / 14), sheet.height // 8)
        )
        self.pad = max(4.0, 0.7 * size)
        self.left, self.right = margin + self.pad, sheet.width - margin - self.pad
        self.top, self.bottom = margin / 2 + self.pad, sheet.height - margin / 2 - 0.6 * self.pad
        self.plain, self.bold = clerk.look.type(size), clerk.look.type(size, bold=True)
        self.large = clerk.look.type(size * dice.uniform(1.2, 1.6), bold=True)
        self.pitch = size * dice.uniform(1.2, 1.4)
        own = money(dice)
        self.money = Money("{}", own.parted)
        self.signed = own if dice.random() < 0.5 else self.money

    def print(self) -> None:
        """Plan all rows, leave out what finds no room, and print."""
        rows = self._rows()
        while self._tall(rows) > self.bottom - self.top and any(row.weight < 9 for row in rows):
            least = min(row.weight for row in rows)
            rows.remove(next(row for row in reversed(rows) if row.weight == least))
        free = max(0.0, self.bottom - self.top - self._tall(rows))
        y = self.top + free * self.dice.choice((0.0, 0.0, 0.3, 0.5))
        for row in rows:
            if y + self.plain.height > self.clerk.sheet.height:
                return
            self._print(row, y)
            y += self._high(row)

    def _type(self, row: _Row) -> Type:
        return {"large": self.large, "bold": self.bold}.get(row.manner, self.plain)

    def _high(self, row: _Row) -> float:
        if row.manner == "rule":
            return 0.6 * self.pitch
        return (
            2.4 * self.pitch if row.manner == "code" else self.pitch * self._type(row).size / self.plain.size
        )

    def _tall(self, rows: list[_Row]) -> float:
        return sum(self._high(row) for row in rows)

    # What stands on it

    def _rows(self) -> list[_Row]:
        """Everything that such a slip says, from the top to the bottom."""
        dice, level = self.dice, self.level
        room = (self.bottom - self.top) / self.pitch - 3
        count = max(1, min(dice.randint(*ITEMS[level]), int(room)))
        goods, most = dice.choice((("grocery", 1300), ("grocery", 1300), ("dish", 2400), ("article", 9000)))
        width = self.right - self.left - self.plain.length("0,000.00 ")
        names = fitting(several(goods, 4 * count + 8, self.split, dice), self.plain, width)[:count]
        bought = purchase(
            names or ["Item"], most, dice, taxed=level > 1 and dice.random() < 0.7, extras=level == 3
        )
        bought = replace(bought, shipping=0)
        if level == 0:
            bought = replace(bought, items=tuple(replace(item, count=1) for item in bought.items))
        return [*self._head(), *self._items(bought), *self._sums(bought), *self._end(bought)]

    def _head(self) -> list[_Row]:
        dice, split = self.dice, self.split
        shops = [f"{pick('company', split, dice)} {pick('shop', split, dice)}" for _ in range(6)]
        shops += [company(split, dice) for _ in range(4)]
        name = dice.choice(fitting(shops, self.large, self.right - self.left) or [pick("shop", split, dice)])
        name = name.upper() if dice.random() < 0.3 else name
        names = fitting([name, name.title(), "Shop"], self.large, self.right - self.left)[:1]
        rows = [_Row(middle=name, manner="large", facts={"middle": (("store",), name)}) for name in names]
        if self.level and dice.random() < 0.8:
            for text, key, weight in ((street(split, dice), "street", 3), (town(split, dice), "city", 2)):
                rows.append(_Row(middle=text, facts={"middle": ((key,), text)}, weight=weight))
        if self.level > 1 and dice.random() < 0.6:
            number = phone(dice)
            rows.append(_Row(middle=f"Tel. {number}", facts={"middle": (("phone",), number)}, weight=1))
        rows.append(_Row(manner="rule", weight=0))
        if self.level and dice.random() < 0.9:
            day, time = date(dice), clock(dice)
            facts: dict[str, tuple[Path, Value]] = {"left": (("date",), day)}
            room = self.right - self.left - self.plain.length(f"{day}  {time}")
            if dice.random() < 0.8 and room > 0:
                facts["right"] = (("time",), time)
            rows.append(_Row(left=day, right=time if "right" in facts else "", facts=facts, weight=8))
        if self.level > 1 and dice.random() < 0.7:
            label, number = pick("receipt number", split, dice), code(dice)
            rows.append(_Row(label, number, facts={"right": (("receipt_number",), number)}, weight=6))
        if self.level > 1 and dice.random() < 0.4:
            label, name = pick("cashier", split, dice), pick("first name", split, dice)
            rows.append(_Row(f"{label}: {name}", facts={"left": (("cashier",), name)}, weight=4))
        return [*rows, _Row(manner="rule", weight=0)] if len(rows) > 2 else rows

    def _items(self, bought: Purchase) -> list[_Row]:
        """A row for each item; how many and at what price stands before the name, or in a row of its own."""
        rows, below = [], self.dice.random() < 0.4
        for number, item in enumerate(bought.items):
            facts: dict[str, tuple[Path, Value]] = {
                "left": (("items", number, "name"), item.name),
                "right": (("items", number, "amount"), amount(item.amount)),
                "count": (("items", number, "quantity"), item.count),
            }
            name = item.name if item.count == 1 or below else f"{item.count} {item.name}"
            rows.append(_Row(self._narrow(name, item), self.money.write(item.amount), facts=facts))
            if item.count > 1 and below:
                each = f"  {item.count} x {self.money.write(item.price)}"
                rows.append(_Row(each))
        return rows

    def _narrow(self, name: str, item: Item) -> str:
        """The name, without its count where it would touch the amount."""
        width = self.right - self.left - self.plain.length(self.money.write(item.amount) + " ")
        return name if self.plain.length(name) <= width else item.name

    def _sums(self, bought: Purchase) -> list[_Row]:
        dice, split = self.dice, self.split
        rows = [_Row(manner="rule", weight=0)]

        def row(
            label: str, cents: int, key: str, weight: int = 9, manner: str = "plain", sign: str = ""
        ) -> None:
            form = self.signed if key == "total" else self.money
            facts: dict[str, tuple[Path, Value]] = {"right": ((key,), amount(cents))}
            rows.append(_Row(label, sign + form.write(cents), manner=manner, facts=facts, weight=weight))

        if bought.rate or bought.discount:
            row(pick("subtotal", split, dice), bought.subtotal, "subtotal", 7)
        if bought.discount:
            row(pick("discount", split, dice), bought.discount, "discount", sign="-")
        if bought.rate:
            row(f"{pick('tax', split, dice)} {bought.rate}%", bought.tax, "tax")
        label = pick("total", split, dice)
        manner = "large" if dice.random() < 0.6 else "bold"
        type_ = self.large if manner == "large" else self.bold
        if type_.length(f"{label} {self.signed.write(bought.total)}  ") > self.right - self.left:
            label, manner = "Total", "bold"
        row(label, bought.total, "total", manner=manner)
        return rows

    def _end(self, bought: Purchase) -> list[_Row]:
        dice, split, rows = self.dice, self.split, list[_Row]()
        if self.level and dice.random() < 0.6:
            if dice.random() < 0.5:
                given = -(-bought.total // 500) * 500
                for label, cents, key in (
                    (pick("cash", split, dice), given, "paid"),
                    (pick("change", split, dice), given - bought.total, "change"),
                ):
                    facts: dict[str, tuple[Path, Value]] = {"right": ((key,), amount(cents))}
                    rows.append(_Row(label, self.money.write(cents), facts=facts, weight=5))
            else:
                kind = pick("paid by", split, dice)
                rows.append(
                    _Row(kind, self.money.write(bought.total), facts={"left": (("payment",), kind)}, weight=5)
                )
        if dice.random() < 0.5:
            texts = fitting(
                [pick("thanks", split, dice) for _ in range(4)], self.plain, self.right - self.left
            )
            rows += [_Row(manner="rule", weight=0)] if dice.random() < 0.5 else []
            rows += [_Row(middle=texts[0], weight=1)] if texts else []
        if self.level > 1 and dice.random() < 0.4:
            rows.append(_Row(manner="code", weight=0))
        return rows

    # How it is printed

    def _print(self, row: _Row, y: float) -> None:
        clerk, type_ = self.clerk, self._type(row)
        if row.manner == "rule":
            clerk.sheet.dots(self.left, y + 0.25 * self.pitch, self.right)
        elif row.manner == "code":
            self._bars(y + 0.3 * self.pitch, 1.8 * self.pitch)
        centre = (self.left + self.right) / 2
        for part, text, x, align in (
            ("left", row.left, self.left, 0.0),
            ("middle", row.middle, centre, 0.5),
            ("right", row.right, self.right, 1.0),
        ):
            if text:
                number = clerk.sheet.put(text, type_, x, y, align=align)
                if part in row.facts:
                    path, value = row.facts[part]
                    label = row.left if part == "right" and "left" not in row.facts else ""
                    clerk.note(path, value, label, number)
            if part == "left" and "count" in row.facts:
                clerk.note(*row.facts["count"])

    def _bars(self, top: float, high: float) -> None:
        """A bar code that says nothing."""
        wide = (self.right - self.left) * self.dice.uniform(0.5, 0.8)
        x = (self.left + self.right - wide) / 2
        widths = np.random.default_rng(self.dice.getrandbits(32)).choice([1, 1, 2, 3], size=int(wide / 1.75))
        for number, width in enumerate(widths.tolist()):
            if x + width > self.right:
                return
            if number % 2 == 0:
                self.clerk.sheet.fill((x, top, x + width, top + high), self.clerk.look.text)
            x += width
