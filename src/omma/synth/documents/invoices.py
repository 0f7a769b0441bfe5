"""The world of invoices: who bills whom for what, with dates, items, tax and totals that add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path as Folder
from random import Random

from omma.sample import Size
from omma.synth.documents.clerks import Clerk, fitting
from omma.synth.documents.figures import emblem
from omma.synth.documents.lexicon import pick, several
from omma.synth.documents.looks import look
from omma.synth.documents.prose import (
    DATES,
    code,
    company,
    day,
    mail,
    money,
    person,
    phone,
    street,
    town,
    written,
)
from omma.synth.documents.records import Path, Purchase, amount, purchase
from omma.synth.documents.sheet import Sheet, tilted
from omma.synth.documents.type import Type
from omma.synth.world import SHAPES, Drawing, Split

TYPE = ((13, 19), (11, 15), (10, 13), (10, 14))  # pixels of type, by level
ITEMS = ((1, 1), (1, 3), (1, 5), (2, 12))


def invoice(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Folder] | None) -> Drawing:
    """A number and a total at level 0, a short bill at 1, a page with a table of items at 2 and 3."""
    sheet = Sheet(size, look(split, dice, fonts, dark=0.0, mono=0.08))
    office = _Office(Clerk(sheet, level, dice, split))
    if level < 2 or size.width < 220 or size.height < 200:
        office.note()
    else:
        office.page()
    tilt = tilted(level, dice, size, office.margin)
    return sheet.document("invoices", office.clerk.record("invoice"), tilt=tilt)


class _Office:
    """Writes one invoice from the top to the bottom."""

    def __init__(self, clerk: Clerk) -> None:
        self.clerk, self.dice, self.split, self.level = clerk, clerk.dice, clerk.split, clerk.level
        sheet, dice, look_ = clerk.sheet, clerk.dice, clerk.look
        side = min(sheet.width, 1.4 * sheet.height)
        size = min(dice.randint(*TYPE[self.level]), max(8, int(side / (12 if self.level < 2 else 26))))
        self.margin = max(4.0, dice.uniform(0.03, 0.08) * sheet.width)
        self.left, self.right = self.margin, sheet.width - self.margin
        self.y, self.bottom = self.margin, sheet.height - self.margin
        self.plain, self.bold = look_.type(size), look_.type(size, bold=True)
        self.small = look_.type(size * 0.88)
        self.large = look_.type(size * dice.uniform(1.5, 2.3), bold=True, head=True)
        self.pitch = size * dice.uniform(1.25, 1.5)
        self.money, self.end = money(dice), self.right  # where amounts end
        form, issued = dice.choice(DATES), day(dice)
        self.date = written(issued, form)
        self.due = written(issued + timedelta(days=dice.choice((7, 10, 14, 28, 30, 30, 45, 60, 90))), form)

    @property
    def width(self) -> float:
        """From margin to margin."""
        return self.right - self.left

    def _fit(self, texts: list[str], type_: Type, width: float) -> str:
        """One of these that runs no further than `width`; the shortest where none does."""
        found = fitting(texts, type_, width)
        return self.dice.choice(found) if found else min(texts, key=type_.length)

    def _large(self, title: str) -> Type:
        """Large type, or as large as lets the title run no further than the page."""
        found = self.large
        while found.length(title) > self.width and found.size > self.plain.size:
            found = self.clerk.look.type(found.size - 1, bold=True, head=True)
        return found

    def _goods(self, count: int, width: float, *, extras: bool) -> Purchase:
        """What was bought, by names that fit."""
        section, most = self.dice.choice((("article", 30000), ("service", 60000), ("grocery", 3000)))
        names = fitting(several(section, 4 * count + 8, self.split, self.dice), self.plain, width)[:count]
        taxed = self.level > 0 and self.dice.random() < 0.75
        return purchase(names or ["Item"], most, self.dice, taxed=taxed, extras=extras)

    # A short bill: one fact a line

    def note(self) -> None:
        """A title, a few facts and a total, each on a line of its own."""
        clerk, dice, split = self.clerk, self.dice, self.split
        title = self._fit([pick("invoice title", split, dice) for _ in range(4)], self.large, self.width)
        if clerk.sheet.height > 7 * self.pitch:
            type_ = self._large(title)
            clerk.write(title, type_, self.left, self.y, paint=clerk.look.accent, kind="title")
            self.y += 1.5 * self.large.size
        facts: list[tuple[str, str, str]] = [
            (pick("invoice number", split, dice), code(dice), "invoice_number")
        ]
        if self.level or dice.random() < 0.5:
            facts.append((pick("invoice date", split, dice), self.date, "invoice_date"))
        if self.level or dice.random() < 0.3:
            name = self._fit(
                [person(split, dice), company(split, dice), company(split, dice)],
                self.plain,
                0.6 * self.width,
            )
            facts.append((pick("customer", split, dice), name, "customer"))
        dice.shuffle(facts)
        below = self.y + len(facts) * self.pitch
        rows = max(0, int((self.bottom - below) / self.pitch - 2))
        count = min(dice.randint(*ITEMS[self.level]), rows) if self.level or dice.random() < 0.4 else 0
        bought = self._goods(
            max(1, count), self.width - self.plain.length(f" {self.money.write(999999)}"), extras=False
        )
        bought = replace(bought, shipping=0, discount=0, rate=bought.rate if rows - count > 2 else 0)
        aligned = dice.random() < 0.5
        for label, text, key in facts[: max(1, int((self.bottom - self.y) / self.pitch - 1))]:
            self._fact(label, text, key, aligned=aligned)
        self.y += 0.4 * self.pitch
        for number, item in enumerate(bought.items[:count]):
            clerk.write(item.name, self.plain, self.left, self.y, path=("items", number, "description"))
            clerk.pay(item.amount, self.money, self.plain, self.right, self.y, ("items", number, "amount"))
            self.y += self.pitch
        if bought.rate and count:
            self._sum(f"{pick('tax', split, dice)} {bought.rate}%", bought.tax, "tax", self.left)
        self._sum(pick("total", split, dice), bought.total if count else bought.subtotal, "total", self.left)

    def _fact(self, label: str, text: str, key: str, *, aligned: bool) -> None:
        """A label and what it says, beside it or at the right end."""
        clerk = self.clerk
        label = f"{label}:" if label[-1] not in ".#" and self.dice.random() < 0.6 else label
        if self.plain.length(f"{label} {text}") > self.width:
            label = label.partition(" ")[0].rstrip(":")
        if self.plain.length(f"{label} {text}") > self.width:
            return
        clerk.write(label, self.plain, self.left, self.y, paint=clerk.look.muted)
        x = self.right if aligned else self.left + self.plain.length(f"{label} ")
        clerk.write(text, self.plain, x, self.y, path=(key,), label=label, align=float(aligned))
        self.y += self.pitch

    def _sum(self, label: str, cents: int, key: str, left: float, sign: str = "") -> None:
        """A line of the totals between `left` and the right margin; the last one is bold."""
        clerk = self.clerk
        type_ = self.bold if key == "total" else self.plain
        text = sign + self.money.write(cents)
        while type_.length(f"{label}  {text}") > self.end - left and " " in label:
            label = label.rpartition(" ")[0]
        if key == "total" and self.dice.random() < 0.5:
            clerk.sheet.rule(left, self.y - 0.25 * self.pitch, self.right, self.y - 0.25 * self.pitch)
        if left + type_.length(f"{label} {text}") <= self.end:
            clerk.write(label, type_, left, self.y)
        clerk.write(text, type_, self.end, self.y, path=(key,), value=amount(cents), label=label, align=1.0)
        self.y += self.pitch

    # A whole page

    def page(self) -> None:
        """A head, who bills whom, the items in a table, the totals, and what is to be done."""
        self._head()
        self.y += 0.6 * self.pitch
        self._parties()
        self.y += 0.8 * self.pitch
        bought = self._table()
        self.y += 0.6 * self.pitch
        self._totals(bought)
        self._terms()

    def _head(self) -> None:
        """The seller with a mark, and the title, on one level."""
        clerk, dice, split = self.clerk, self.dice, self.split
        titled_left = dice.random() < 0.4
        title = self._fit(
            [pick("invoice title", split, dice) for _ in range(4)], self.large, 0.5 * self.width
        )
        room = self.width - self.large.length(title) - 3 * self.plain.size
        seller = self._fit([company(split, dice) for _ in range(5)], self.bold, room)
        top = self.y
        x, align = (self.left, 0.0) if titled_left else (self.right, 1.0)
        clerk.write(title, self.large, x, top, paint=clerk.look.accent, align=align, kind="title")
        mark = 1.4 * self.large.size
        if not titled_left and dice.random() < 0.5 and room > self.bold.length(seller) + 1.5 * mark:
            middle = self.left + mark / 2, top + mark / 2
            emblem(clerk.sheet, dice.choice(SHAPES), middle, 0.9 * mark, clerk.look.paper, dice)
            x = self.left + 1.3 * mark
        else:
            x = self.right if titled_left else self.left
        align = 1.0 - align if not titled_left else 1.0
        clerk.write(
            seller, self.bold, x, top, path=("seller",), align=1.0 if titled_left else 0.0, kind="heading"
        )
        rows = [street(split, dice), town(split, dice), phone(dice), mail(split, dice)]
        y = top + self.pitch
        for text in fitting(rows[: dice.choice((0, 2, 2, 3, 4))], self.small, room):
            path: Path = ("seller_address",) if text == rows[0] else ()
            clerk.write(
                text, self.small, x, y, path=path, align=1.0 if titled_left else 0.0, paint=clerk.look.muted
            )
            y += 0.9 * self.pitch
        self.y = max(y, top + 1.3 * self.large.size)
        if dice.random() < 0.4:
            clerk.sheet.rule(self.left, self.y, self.right, self.y, clerk.look.accent, dice.choice((1, 2)))
            self.y += 0.4 * self.pitch

    def _parties(self) -> None:
        """The customer at the left, number and dates at the right."""
        clerk, dice, split, top = self.clerk, self.dice, self.split, self.y
        half = 0.46 * self.width
        clerk.write(pick("customer", split, dice), self.bold, self.left, self.y)
        name = self._fit([person(split, dice), *(company(split, dice) for _ in range(4))], self.plain, half)
        rows = [
            (name, "customer"),
            (street(split, dice), "customer_address"),
            (town(split, dice), "customer_city"),
        ]
        for text, key in rows[: dice.choice((1, 3, 3))]:
            self.y += self.pitch
            if self.plain.length(text) <= half:
                clerk.write(text, self.plain, self.left, self.y, path=(key,))
        end, self.y = self.y + self.pitch, top
        facts = [
            (pick("invoice number", split, dice), code(dice), "invoice_number"),
            (pick("invoice date", split, dice), self.date, "invoice_date"),
            (pick("due date", split, dice), self.due, "due_date"),
            (pick("order number", split, dice), code(dice), "order_number"),
        ]
        left = self.left + 0.52 * self.width
        for label, text, key in facts[: dice.choice((2, 3, 4))]:
            if self.plain.length(f"{label}: {text}  ") <= self.right - left:
                clerk.write(label, self.plain, left, self.y, paint=clerk.look.muted)
                clerk.write(text, self.plain, self.right, self.y, path=(key,), label=label, align=1.0)
                self.y += self.pitch
        self.y = max(end, self.y)

    def _table(self) -> Purchase:
        """Items with how many, the price of one and of all."""
        clerk, dice, split = self.clerk, self.dice, self.split
        rows = int((self.bottom - self.y) / (1.25 * self.pitch) - 5)
        wide = self.plain.length(self.money.write(999999)) + self.plain.size
        count = max(1, min(dice.randint(*ITEMS[self.level]), rows))
        priced = self.width > 2 * wide + 14 * self.plain.size
        few = wide * (2 if priced else 1) + 3.5 * self.plain.size
        bought = self._goods(count, self.width - few - self.plain.size, extras=True)
        pad = 0.5 * self.plain.size
        self.end = self.right - pad
        ends = [self.right - pad - (wide if priced else 0) - wide, self.right - pad - wide, self.right - pad]
        titles = [pick(name, split, dice) for name in ("item", "quantity", "unit price", "amount")]
        filled = dice.random() < 0.6
        height = round(1.5 * self.pitch)
        if filled:
            clerk.sheet.fill((self.left, self.y, self.right, self.y + height), clerk.look.fill)
        paint = clerk.look.on(clerk.look.fill) if filled else clerk.look.text
        top = self.y + (height - self.bold.height) / 2
        self._titles(titles, ends, top, wide, priced=priced, paint=paint, pad=pad)
        self.y += height
        self._rows(bought, ends, pad, priced=priced)
        return bought

    def _rows(self, bought: Purchase, ends: list[float], pad: float, *, priced: bool) -> None:
        """A line for each item, often ruled or striped."""
        clerk, dice = self.clerk, self.dice
        ruled, striped = dice.random() < 0.6, dice.random() < 0.3
        for number, item in enumerate(bought.items):
            tall = round(1.25 * self.pitch)
            if striped and number % 2:
                clerk.sheet.fill((self.left, self.y, self.right, self.y + tall), clerk.look.stripe)
            top, path = self.y + (tall - self.plain.height) / 2, ("items", number)
            clerk.write(item.name, self.plain, self.left + pad, top, path=(*path, "description"))
            clerk.write(
                str(item.count),
                self.plain,
                ends[0],
                top,
                path=(*path, "quantity"),
                value=item.count,
                align=1.0,
            )
            if priced:
                clerk.pay(item.price, self.money, self.plain, ends[1], top, (*path, "unit_price"))
            clerk.pay(item.amount, self.money, self.plain, ends[2], top, (*path, "amount"))
            self.y += tall
            if ruled:
                clerk.sheet.rule(self.left, self.y, self.right, self.y)

    def _titles(
        self,
        titles: list[str],
        ends: list[float],
        top: float,
        wide: float,
        *,
        priced: bool,
        paint: tuple[int, int, int],
        pad: float,
    ) -> None:
        """The heads of the columns; one that is too long for its column gives way to a shorter one."""
        clerk, (item, count, price, total) = self.clerk, titles
        clerk.write(item, self.bold, self.left + pad, top, paint=paint, kind="heading")
        count = (
            count
            if self.bold.length(count) < ends[0] - self.left - pad - self.bold.length(item) - pad
            else "Qty"
        )
        clerk.write(count, self.bold, ends[0], top, paint=paint, align=1.0, kind="heading")
        named = [(price, "Price", ends[1])] if priced else []
        for text, short, end in (*named, (total, "Total", ends[2])):
            text = text if self.bold.length(text) <= wide - 0.6 * self.bold.size else short
            clerk.write(text, self.bold, end, top, paint=paint, align=1.0, kind="heading")

    def _totals(self, bought: Purchase) -> None:
        """Subtotal, discount, shipping, tax and total, at the right."""
        dice, split = self.dice, self.split
        left = self.right - min(self.width, max(0.42 * self.width, 15 * self.plain.size))
        if bought.rate or bought.discount or bought.shipping:
            self._sum(pick("subtotal", split, dice), bought.subtotal, "subtotal", left)
        if bought.discount:
            self._sum(pick("discount", split, dice), bought.discount, "discount", left, "-")
        if bought.shipping:
            self._sum(pick("shipping", split, dice), bought.shipping, "shipping", left)
        if bought.rate:
            self._sum(f"{pick('tax', split, dice)} {bought.rate}%", bought.tax, "tax", left)
        self.y += 0.2 * self.pitch
        self._sum(pick("total", split, dice), bought.total, "total", left)

    def _terms(self) -> None:
        """A word about payment at the foot, where there is room for it."""
        if self.y + 2 * self.pitch > self.bottom or self.dice.random() < 0.4:
            return
        text = pick("terms", self.split, self.dice).format(currency=self.dice.choice(("EUR", "USD", "CHF")))
        lines = self.small.wrap(text, self.width)
        if " ".join(lines) == text:
            top = self.bottom - len(lines) * self.pitch
            for line in lines:
                if top > self.y + 0.5 * self.pitch:
                    self.clerk.write(line, self.small, self.left, top, paint=self.clerk.look.muted)
                top += self.pitch
