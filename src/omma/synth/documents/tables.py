"""The world of tables: ruled, striped or bare, with heads, spans, groups and totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from omma.sample import Size
from omma.synth.colours import Ink
from omma.synth.documents.grid import Cell, Table
from omma.synth.documents.ledgers import Column, columns
from omma.synth.documents.lexicon import pick, several
from omma.synth.documents.looks import look
from omma.synth.documents.sheet import Sheet, tilted
from omma.synth.documents.type import Type
from omma.synth.world import Drawing, Edges, Split

TYPE = ((14, 22), (12, 18), (10, 15), (10, 15))  # pixels of type, by level
ROWS = ((1, 3), (2, 5), (3, 9), (5, 24))  # of the body
COLUMNS = ((2, 2), (2, 3), (2, 5), (3, 8))


def table(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None) -> Drawing:
    """Two columns at level 0, a few at 1; groups, spans and totals from level 2 on."""
    sheet = Sheet(size, look(split, dice, fonts, mono=0.06))
    maker = _Maker(sheet, level, dice, split)
    content = maker.draw()
    return sheet.document("tables", content, tilt=tilted(level, dice, size, maker.margin))


@dataclass
class _Plan:
    """A table before it is drawn; `right` are the columns whose figures stand at the right."""

    cells: list[Cell]
    rows: int
    heads: int
    titles: list[str]
    right: list[bool]
    key: int
    keys: dict[int, str]
    numbers: dict[tuple[int, int], float]
    totals: tuple[int, ...] = ()


class _Maker:
    """Plans one table so that it fits on its sheet, and draws it."""

    def __init__(self, sheet: Sheet, level: int, dice: Random, split: Split) -> None:
        self.sheet, self.level, self.dice, self.split = sheet, level, dice, split
        low, high = TYPE[level]
        side = min(sheet.width, sheet.height)
        self.size = min(dice.randint(low, high), max(8, side // 8))
        self.margin = max(4.0, dice.uniform(0.02, 0.07) * side)
        self.pads = dice.uniform(0.4, 0.9), dice.uniform(0.2, 0.6)  # around a cell's text, in sizes of type
        self.room = sheet.width - 2 * self.margin, sheet.height - 2 * self.margin
        self._choose_type(self.size)

    def _choose_type(self, size: int) -> None:
        self.size, look = size, self.sheet.look
        self.body, self.bold = look.type(size), look.type(size, bold=True)
        self.pad_x, self.pad_y = max(3, round(size * self.pads[0])), max(2, round(size * self.pads[1]))
        self.pitch = round(self.body.height + 2 * self.pad_y)

    # What is in it

    def draw(self) -> Table:
        """Plan, place and draw; gives what the table means."""
        dice = self.dice
        rows = dice.randint(*ROWS[self.level])
        found = columns(dice.randint(*COLUMNS[self.level]), rows, self.split, dice)
        while self._wide(found) > self.room[0] and (len(found) > 1 or self.size > 7):
            if (self.size > 8 and (len(found) <= 2 or dice.random() < 0.3)) or len(found) == 1:
                self._choose_type(self.size - 1)
            else:
                found.pop()
        title = self._title()
        tall = self.room[1] - (1.4 * self.pitch if title else 0)
        ranks = max(1, int(tall / self.pitch))
        rows = min(rows, len(found[0].texts), max(1, ranks - 1))
        headed = ranks > rows and dice.random() < (0.95 if self.level else 0.8)
        plan = self._plan(found, rows, headed, ranks - rows - headed)
        widths = self._widths(plan)
        if sum(widths) > self.room[0] + 1:  # a name over several columns was too long: leave out such names
            plan = self._plan(found, rows, headed, 0)
            widths = self._widths(plan)
        return self._set(plan, widths, title)

    def _title(self) -> str:
        dice = self.dice
        if self.level == 0 or self.sheet.height < 120 or dice.random() < 0.6:
            return ""
        form = pick("table title", self.split, dice)
        text = form.format(
            number=dice.randint(1, 12), year=dice.randint(1995, 2030),
            measure=pick("measure", self.split, dice), group=pick("person title", self.split, dice).lower(),
        )  # fmt: skip
        return text if self.bold.length(text) < self.room[0] else ""

    def _wide(self, found: list[Column]) -> float:
        """How wide the columns are together."""
        return sum(
            max(self.bold.length(c.title), *(self.body.length(t) for t in c.texts)) + 2 * self.pad_x
            for c in found
        )

    def _plan(self, found: list[Column], rows: int, headed: bool, spare: int) -> _Plan:
        """Cells for these columns, and, where `spare` rows are left, groups, rows between and totals."""
        dice, fancy = self.dice, self.level >= 2
        grouped = fancy and headed and spare > 0 and len(found) > 2 and dice.random() < 0.3
        plan = _Plan([], 0, 0, [], [column.right for column in found], 0, {}, {})
        if headed:
            self._head(plan, found, grouped)
        spare -= grouped
        nested = fancy and rows >= 4 and len(found) > 1 and dice.random() < 0.2
        between = fancy and not nested and spare > 1 and rows > 3 and dice.random() < 0.12
        middle = dice.randint(1, rows - 2) if between else 0
        for number in range(rows):
            if between and number in (0, middle):
                plan.cells.append(Cell(pick("department", self.split, dice), plan.rows, 0, 1, len(found)))
                plan.rows += 1
                spare -= 1
            self._row(plan, found, number)
        if self.level and spare > 0 and dice.random() < 0.3:
            self._totals(plan, found, rows)
        if nested:
            self._nest(plan, rows)
        plan.cells.sort(key=lambda cell: (cell.row, cell.column))
        return plan

    def _head(self, plan: _Plan, found: list[Column], grouped: bool) -> None:
        """Titles, under names that span two of them where there are groups."""
        plan.titles = [column.title for column in found]
        if grouped:
            names = pick("pair", self.split, self.dice).split(", ")
            if self.dice.random() < 0.4:
                year = self.dice.randint(1995, 2028)
                names = [str(year), str(year + 1)]
            spans = [(1, 2)] if len(found) < 5 else [(1, 2), (3, 2)]
            covered = {column for first, count in spans for column in range(first, first + count)}
            for name, (first, count) in zip(names, spans, strict=False):
                plan.cells.append(Cell(name, 0, first, 1, count, head=True))
                for column in range(first, first + count):
                    plan.cells.append(Cell(plan.titles[column], 1, column, head=True))
                    plan.titles[column] = f"{name} {plan.titles[column]}"
            for column in set(range(len(found))) - covered:
                plan.cells.append(Cell(plan.titles[column], 0, column, 2, 1, head=True))
        else:
            plan.cells += [Cell(title, 0, column, head=True) for column, title in enumerate(plan.titles)]
        plan.rows = plan.heads = 2 if grouped else 1

    def _row(self, plan: _Plan, found: list[Column], number: int) -> None:
        """One row of the body; at the hardest level a figure is missing now and then."""
        for at, column in enumerate(found):
            missing = self.level == 3 and at > 0 and self.dice.random() < 0.03
            plan.cells.append(Cell("" if missing else column.texts[number], plan.rows, at))
            if column.numbers and not missing:
                plan.numbers[plan.rows, at] = column.numbers[number]
        plan.keys[plan.rows] = found[0].texts[number]
        plan.rows += 1

    def _totals(self, plan: _Plan, found: list[Column], rows: int) -> None:
        """A last row with the sums of the columns that have one and miss nothing."""
        sums = [column.total(rows) for column in found]
        whole = [sum(1 for row in plan.keys if (row, at) in plan.numbers) == rows for at in range(len(found))]
        if not any(told and full for told, full in zip(sums[1:], whole[1:], strict=True)):
            return
        plan.cells.append(Cell(pick("sum", self.split, self.dice), plan.rows, 0))
        for at, told in enumerate(sums[1:], 1):
            plan.cells.append(Cell(told[0] if told and whole[at] else "", plan.rows, at))
        plan.totals = (plan.rows,)
        plan.rows += 1

    def _nest(self, plan: _Plan, rows: int) -> None:
        """A further column before the others, whose cells hold two or more rows of the body together."""
        plan.cells = [replace(cell, column=cell.column + 1) for cell in plan.cells]
        plan.numbers = {(row, at + 1): value for (row, at), value in plan.numbers.items()}
        plan.right, plan.key = [False, *plan.right], 1
        if plan.heads:
            title = pick("unit of rows", self.split, self.dice)
            title = title if title not in plan.titles else "Part of all"
            plan.titles = [title, *plan.titles]
            plan.cells.append(Cell(title, 0, 0, plan.heads, 1, head=True))
        starts = sorted({0, *(self.dice.randrange(1, rows) for _ in range(max(1, rows // 4)))})
        names = several(
            self.dice.choice(("department", "country", "city")), len(starts), self.split, self.dice
        )
        if self.dice.random() < 0.3:
            names = [chr(ord("A") + number) for number in range(len(starts))]
        for name, start, stop in zip(names, starts, [*starts[1:], rows], strict=True):
            plan.cells.append(Cell(name, plan.heads + start, 0, stop - start, 1))
        for row in plan.totals:
            plan.cells.append(Cell("", row, 0))

    # Where it goes

    def _type(self, cell: Cell, plan: _Plan) -> Type:
        between = cell.columns > 1 and cell.columns == len(plan.right) - plan.key
        return self.bold if cell.head or between or cell.row in plan.totals else self.body

    def _widths(self, plan: _Plan) -> list[float]:
        """How wide each column is, so that every cell's text finds room."""
        widths = [0.0] * len(plan.right)
        for cell in sorted(plan.cells, key=lambda cell: cell.columns):
            inside = range(cell.column, cell.column + cell.columns)
            wide = self._type(cell, plan).length(cell.text) + 2 * self.pad_x
            lacking = wide - sum(widths[at] for at in inside)
            if lacking > 0:
                for at in inside:
                    widths[at] += lacking / cell.columns
        return widths

    def _set(self, plan: _Plan, widths: list[float], title: str) -> Table:
        dice, sheet = self.dice, self.sheet
        free = self.room[0] - sum(widths)
        if free > 0 and dice.random() < 0.4:
            more = dice.uniform(0.3, 1.0) * min(free, sum(widths)) / len(widths)
            widths = [width + more for width in widths]
            free = self.room[0] - sum(widths)
        x = self.margin + max(0.0, free) * dice.choice((0.0, 0.0, 0.5))
        tall = self.pitch * plan.rows + (1.4 * self.pitch if title else 0)
        y = self.margin + max(0.0, self.room[1] - tall) * dice.choice((0.0, 0.0, 0.5, dice.random()))
        if title:
            left = min(x, self.sheet.width - self.margin - self.bold.length(title))
            sheet.put(title, self.bold, left, y, kind="caption")
            y += 1.4 * self.pitch
        lefts = [round(x + sum(widths[:at])) for at in range(len(widths) + 1)]
        tops = [round(y) + self.pitch * row for row in range(plan.rows + 1)]
        dress = Dress(sheet, plan.heads, dice, nested=plan.key > 0)
        dress.areas(lefts, tops, plan.totals)
        dress.rules(plan.cells, lefts, tops, plan.totals)
        centred = dice.random() < 0.3
        cells = []
        for cell in plan.cells:
            right = plan.right[cell.column] and cell.columns == 1
            align = 0.5 if cell.columns > 1 or (centred and cell.head) else 1.0 if right else 0.0
            box = (
                lefts[cell.column],
                tops[cell.row],
                lefts[cell.column + cell.columns],
                tops[cell.row + cell.rows],
            )
            cells.append(self._print(cell, self._type(cell, plan), box, align, dress.ink(cell)))
        return Table(
            tuple(cells), plan.rows, len(widths), plan.heads, tuple(plan.titles),
            plan.key, plan.keys, plan.numbers,
        )  # fmt: skip

    def _print(self, cell: Cell, type_: Type, box: Edges, align: float, paint: Ink) -> Cell:
        """Print a cell in its box; gives it with the thing that it became."""
        if not cell.text:
            return cell
        x = (box[0] + self.pad_x, (box[0] + box[2]) / 2, box[2] - self.pad_x)[round(2 * align)]
        top = (box[1] + box[3] - type_.height) / 2
        kind = "heading" if cell.head else "text"
        number = self.sheet.put(cell.text, type_, x, top, paint=paint, kind=kind, align=align)
        return replace(cell, thing=number)


class Dress:
    """How a table's rules and areas are drawn."""

    def __init__(self, sheet: Sheet, heads: int, dice: Random, *, nested: bool) -> None:
        self.sheet, self.look, self.heads = sheet, sheet.look, heads
        bare = () if nested else ("book", "head", "none")  # without rules nobody sees how far a group goes
        self.ruling = dice.choice(("grid", "grid", "rows", *bare))
        likely = {"grid": 0.1, "book": 0.1, "rows": 0.3, "head": 0.5, "none": 0.7}[self.ruling]
        self.striped = not nested and dice.random() < likely
        self.filled = bool(heads) and self.ruling != "book" and dice.random() < 0.6
        self.fill = self.look.fill
        self.width = 2 if dice.random() < 0.15 else 1

    def ink(self, cell: Cell) -> Ink:
        """The ink of a cell's text."""
        return self.look.on(self.fill) if cell.head and self.filled else self.look.text

    def areas(self, lefts: list[int], tops: list[int], totals: tuple[int, ...]) -> None:
        """What lies behind heads, stripes and totals."""
        left, right = lefts[0], lefts[-1]
        if self.filled:
            self.sheet.fill((left, tops[0], right, tops[self.heads]), self.fill)
        if self.striped:
            for row in range(self.heads + 1, len(tops) - 1, 2):
                self.sheet.fill((left, tops[row], right, tops[row + 1]), self.look.stripe)

    def rules(self, cells: list[Cell], lefts: list[int], tops: list[int], totals: tuple[int, ...]) -> None:
        """Lines around cells, between rows, or above and below head and body."""
        rule, ends = self.sheet.rule, (lefts[0], lefts[-1])
        if self.ruling in ("grid", "rows"):
            for cell in cells:
                x1, x2 = lefts[cell.column], lefts[cell.column + cell.columns]
                y1, y2 = tops[cell.row], tops[cell.row + cell.rows]
                rule(x1, y2, x2, y2)
                if self.ruling == "grid":
                    rule(x2, y1, x2, y2)
            if self.ruling == "grid":
                rule(lefts[0], tops[0], lefts[0], tops[-1])
            rule(*ends[:1], tops[0], ends[1], tops[0])
        if self.ruling in ("book", "head"):
            dark = self.look.text if self.ruling == "book" else self.look.rule
            rows = (0, self.heads, len(tops) - 1, *totals) if self.ruling == "book" else (self.heads, *totals)
            for row in rows:
                heavy = 2 if self.ruling == "book" and row in (0, len(tops) - 1) else self.width
                rule(ends[0], tops[row], ends[1], tops[row], dark, heavy)
            for cell in cells:
                if cell.head and cell.columns > 1:  # a name over several columns is underlined
                    x1, x2, y = lefts[cell.column], lefts[cell.column + cell.columns], tops[cell.row + 1]
                    rule(x1 + 4, y, x2 - 4, y, dark)
