"""What stands in tables: columns of names, counts, amounts, shares and dates, with titles that fit them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from omma.synth.documents.lexicon import pick, several
from omma.synth.documents.prose import DATES, Money, clock, code, date, money, person, phrase
from omma.synth.vocabulary import MONTHS
from omma.synth.world import Split


@dataclass(frozen=True)
class Column:
    """One column of a table's body. `numbers` stand beside `texts` where these are figures, else is empty."""

    title: str
    texts: tuple[str, ...]
    numbers: tuple[float, ...] = ()
    right: bool = False
    unit: Money | None = None

    def total(self, rows: int) -> tuple[str, float] | None:
        """The sum of the first rows as it is printed, where sums have a meaning."""
        if not self.numbers or not (self.unit or all(value == int(value) for value in self.numbers)):
            return None
        if self.texts and self.texts[0].endswith("%"):
            return None
        summed = sum(self.numbers[:rows])
        if self.unit:
            return self.unit.write(round(summed * 100)), round(summed, 2)
        return (f"{int(summed):,}" if "," in "".join(self.texts) else str(int(summed))), summed


NAMES = {
    "city": "city title", "country": "Country", "article": "Product", "grocery": "Item", "dish": "Dish",
    "department": "Department", "animal": "Animal", "sport": "Sport", "fruit": "Fruit", "plan": "Plan",
    "vehicle": "Vehicle", "service": "Service", "browser": "Browser",
}  # fmt: skip


def key_column(rows: int, split: Split, dice: Random) -> Column:
    """Names that tell the rows apart: people, places, goods, months, years or codes."""
    luck = dice.random()
    if luck < 0.2:
        title, texts = pick("person title", split, dice), {person(split, dice): None for _ in range(3 * rows)}
        return Column(title, tuple(texts)[:rows])
    if luck < 0.3 and rows <= 12:
        first, short = dice.randrange(13 - rows), dice.random() < 0.5
        months = MONTHS[first : first + rows]
        return Column("Month", tuple(month[:3] if short else month for month in months))
    if luck < 0.38:
        first = dice.randint(1980, 2030 - rows)
        return Column("Year", tuple(str(first + number) for number in range(rows)))
    if luck < 0.46:
        texts = {code(dice): None for _ in range(3 * rows)}
        return Column(dice.choice(("Code", "No.", "ID")), tuple(texts)[:rows])
    if luck < 0.56:
        texts = {phrase(split, dice, 1): None for _ in range(4 * rows)}
        return Column(dice.choice(("Word", "Part", "Name")), tuple(texts)[:rows])
    section = dice.choice([name for name in NAMES if name not in ("browser", "plan", "vehicle") or rows < 5])
    title = NAMES[section]
    title = pick(title, split, dice) if section == "city" else title
    return Column(title, tuple(several(section, rows, split, dice)))


def _count(rows: int, split: Split, dice: Random) -> Column:
    most, parted = dice.choice((9, 60, 400, 9000, 90000)), dice.random() < 0.7
    numbers = tuple(dice.randint(0, most) for _ in range(rows))
    texts = tuple(f"{number:,}" if parted else str(number) for number in numbers)
    return Column(pick("count title", split, dice), texts, tuple(map(float, numbers)), right=True)


def _money(rows: int, split: Split, dice: Random) -> Column:
    unit, most = money(dice), dice.choice((2000, 20000, 900000))
    cents = [dice.randint(50, most) for _ in range(rows)]
    if dice.random() < 0.3:
        cents = [amount // 100 * 100 + dice.choice((0, 50, 99)) for amount in cents]
    texts = tuple(unit.write(amount) for amount in cents)
    title = pick("money title", split, dice)
    return Column(title, texts, tuple(amount / 100 for amount in cents), right=True, unit=unit)


def _share(rows: int, split: Split, dice: Random) -> Column:
    fine = dice.random() < 0.5
    numbers = tuple(dice.randint(0, 1000) / 10 if fine else float(dice.randint(0, 100)) for _ in range(rows))
    texts = tuple(f"{number:.1f}%" if fine else f"{number:.0f}%" for number in numbers)
    return Column(pick("share title", split, dice), texts, numbers, right=True)


def _decimal(rows: int, split: Split, dice: Random) -> Column:
    places, most = dice.choice((1, 1, 2)), dice.choice((10, 100, 500))
    numbers = tuple(round(dice.uniform(0, most), places) for _ in range(rows))
    title = pick("decimal title", split, dice)
    return Column(title, tuple(f"{number:.{places}f}" for number in numbers), numbers, right=True)


def _text(rows: int, split: Split, dice: Random) -> Column:
    luck = dice.random()
    if luck < 0.3:
        form = dice.choice(DATES)
        return Column(dice.choice(("Date", "Day", "Since")), tuple(date(dice, form) for _ in range(rows)))
    if luck < 0.42:
        return Column(dice.choice(("Time", "Start", "End")), tuple(clock(dice) for _ in range(rows)))
    if luck < 0.65:
        title = pick("text title", split, dice)
        return Column(title, tuple(pick("status", split, dice) for _ in range(rows)))
    if luck < 0.8:
        return Column(pick("city title", split, dice), tuple(pick("city", split, dice) for _ in range(rows)))
    if luck < 0.9:
        texts = tuple(phrase(split, dice, dice.randint(1, 3)) for _ in range(rows))
        return Column(dice.choice(("Note", "Remark")), texts)
    return Column(pick("person title", split, dice), tuple(person(split, dice) for _ in range(rows)))


def columns(count: int, rows: int, split: Split, dice: Random) -> list[Column]:
    """A key column and others, figures more often than words; no title comes twice."""
    found = [key_column(rows, split, dice)]
    rows = len(found[0].texts)
    makers: tuple[tuple[Callable[[int, Split, Random], Column], float], ...] = (
        (_count, 3), (_money, 2), (_share, 1.2), (_decimal, 1.5), (_text, 2.5),
    )  # fmt: skip
    while len(found) < count:
        make = dice.choices([maker for maker, _ in makers], [weight for _, weight in makers])[0]
        column = make(rows, split, dice)
        if all(column.title != other.title for other in found):
            found.append(column)
    return found
