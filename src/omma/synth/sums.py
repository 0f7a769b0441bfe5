"""The world of sums: dots on dice, numbers on cards, prices on tags, things in heaps, to be reckoned with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

from omma.sample import Size
from omma.synth.canvas import Canvas
from omma.synth.colours import NAMED, Ink, called, colour_of, ink, luminance
from omma.synth.cutouts import lay
from omma.synth.fonts import Font, choose, font
from omma.synth.grounds import Ground, ground
from omma.synth.named import drawn_names, finish
from omma.synth.outlines import disc
from omma.synth.printing import print_line
from omma.synth.staging import Item, cast, named_item, shape_item
from omma.synth.world import IGNORE, Drawing, Edges, Split, Thing, Word

FEWEST, MOST = (2, 2, 3, 3), (2, 3, 4, 6)  # things to reckon with, by level
DOTS = {1: "4", 2: "26", 3: "246", 4: "0268", 5: "02468", 6: "023568"}  # fields of three by three with a dot


def sums(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None) -> Drawing:
    """Two to six dice, cards or goods with their prices, or two or three heaps of things."""
    base = ground(size, min(level, 2), dice)
    table = _Table(Canvas(base.picture, colour_of(base.colour)), base, level, split, fonts, dice)
    dice.choices((table.dice_thrown, table.cards, table.goods, table.heaps), (3, 2, 4, 2))[0]()
    return finish(table.canvas, table.things, "sums", base.colour)


class _Table:
    """What the things lie on, cell by cell."""

    def __init__(
        self,
        canvas: Canvas,
        base: Ground,
        level: int,
        split: Split,
        fonts: Sequence[Path] | None,
        dice: Random,
    ) -> None:
        self.canvas, self.base, self.level = canvas, base, level
        self.split, self.fonts, self.dice = split, fonts, dice
        self.things: list[Thing] = []

    def _count(self) -> int:
        return self.dice.randint(FEWEST[self.level], MOST[self.level])

    def _cells(self, count: int) -> list[Edges]:
        """So many equal cells, in an order of chance; they are as near to squares as can be."""
        width, height = self.canvas.size
        columns = min(
            range(1, count + 1),
            key=lambda n: abs(width / n - height / -(-count // n)) + 20 * (n * -(-count // n) - count),
        )
        rows = -(-count // columns)
        wide, high = width / columns, height / rows
        cells = [
            (c * wide, r * high, (c + 1) * wide, (r + 1) * high) for r in range(rows) for c in range(columns)
        ]
        return self.dice.sample(cells, count)

    def _square(self, cell: Edges, low: float, high: float, stretch: float = 1.0) -> Edges:
        """A box somewhere in a cell, its height a share of the cell's shorter side."""
        wide, tall = cell[2] - cell[0], cell[3] - cell[1]
        side = min(wide / stretch, tall) * self.dice.uniform(low, high)
        x = cell[0] + self.dice.uniform(0.1, 0.9) * (wide - side * stretch)
        y = cell[1] + self.dice.uniform(0.1, 0.9) * (tall - side)
        return float(round(x)), float(round(y)), float(round(x + side * stretch)), float(round(y + side))

    def _paints(self, count: int) -> list[tuple[str, Ink]]:
        """Different colours that show on the ground."""
        found: dict[str, Ink] = {}
        for _ in range(200):
            name = self.dice.choice(NAMED)
            rgb = ink(name, self.dice)
            if name != self.base.colour and self.base.shows(rgb, 110):
                found.setdefault(name, rgb)
            if len(found) == count:
                break
        return list(found.items())

    def dice_thrown(self) -> None:
        """Dice of different colours with one to six dots."""
        paints = self._paints(self._count())
        for cell, (colour, rgb) in zip(self._cells(len(paints)), paints, strict=True):
            box, number = self._square(cell, 0.42, 0.78), len(self.things)
            side = box[2] - box[0]
            self.canvas.block(box, side * 0.18, rgb, (IGNORE, colour_of(colour), number))
            dots = self.dice.randint(1, 6)
            spot: Ink = (255, 255, 255) if luminance(rgb) < 150 else (15, 15, 15)
            upright = self.dice.random() < 0.5
            for field in DOTS[dots]:
                row, column = divmod(int(field), 3)
                row, column = (row, column) if upright else (column, row)
                x, y = (box[0] + side * (0.24 + 0.26 * column), box[1] + side * (0.24 + 0.26 * row))
                mark = (IGNORE, colour_of(called(spot)), number)
                self.canvas.fill([disc(x, y, max(1.4, side * 0.095))], spot, mark)
            self.things.append(Thing("die", colour, box, str(dots)))

    def cards(self) -> None:
        """Cards of different colours with a number each."""
        paints = self._paints(self._count())
        face = choose(self.fonts, self.split, self.dice)
        most = (9, 20, 50, 99)[self.level]
        for cell, (colour, rgb) in zip(self._cells(len(paints)), paints, strict=True):
            box, number = self._square(cell, 0.5, 0.85, 0.72), len(self.things)
            self.canvas.block(box, 5, rgb, (IGNORE, colour_of(colour), number))
            text = str(self.dice.randint(1, most))
            type_ = font(face, max(10, int((box[3] - box[1]) * 0.42)), True)
            if (wide := type_.length(text)) > 0.86 * (box[2] - box[0]):
                type_ = font(face, max(9, int(type_.size * 0.86 * (box[2] - box[0]) / wide)), True)
            spot: Ink = (255, 255, 255) if luminance(rgb) < 150 else (15, 15, 15)
            words = self._centred(text, type_, box, spot, number)
            self.things.append(Thing("card", colour, box, text, words=words))

    def _centred(self, text: str, type_: Font, box: Edges, spot: Ink, number: int) -> tuple[Word, ...]:
        x = (box[0] + box[2] - type_.length(text)) / 2
        base = (box[1] + box[3] - type_.top - type_.bottom) / 2
        return print_line(self.canvas, text, type_, x, base, spot, colour_of(called(spot)), number)[1]

    def goods(self) -> None:
        """Things, each with its price on a tag below it."""
        count = self._count()
        face = choose(self.fonts, self.split, self.dice)
        small = max(10, min(22, int(min(self.canvas.size) * self.dice.uniform(0.07, 0.1))))
        type_ = font(face, small, self.dice.random() < 0.5)
        names: set[str] = set()
        for cell, (kind, colour) in zip(self._cells(count), cast(self.base, self.dice, count), strict=True):
            item = self._good(kind, colour)
            text = self._price()
            wide, tag = type_.length(text) + 8, type_.height + 8
            free = min(cell[2] - cell[0] - 4, cell[3] - cell[1] - tag - 6)
            if item.name in names or free < 16 or wide > cell[2] - cell[0]:
                continue
            names.add(item.name)
            item = item.sized(min(1.6, self.dice.uniform(0.6, 0.95) * free / max(item.cut.size)))
            self._sell(item, text, type_, cell, wide, tag)
        if len(self.things) < 2:
            self.things.clear()
            self.canvas = Canvas(self.base.picture, colour_of(self.base.colour))
            self.dice_thrown()

    def _good(self, kind: str, colour: str) -> Item:
        names = drawn_names(self.split)
        if self.dice.random() < 0.7 and names:
            return named_item(
                self.dice.choice(names),
                self.base,
                self.canvas.size,
                min(self.level, 1),
                self.split,
                self.dice,
            )
        return shape_item(kind, colour, self.base, self.canvas.size, 1, self.dice)

    def _sell(self, item: Item, text: str, type_: Font, cell: Edges, wide: float, tag: float) -> None:
        """Lay the thing somewhere in its cell, and the tag with its price below it."""
        number, dice = len(self.things), self.dice
        across, down = cell[2] - cell[0], cell[3] - cell[1]
        left = cell[0] + dice.uniform(0.2, 0.8) * (across - max(wide, item.cut.size.width))
        top = cell[1] + dice.uniform(0.1, 0.9) * max(0.0, down - item.cut.size.height - tag - 3)
        middle = left + max(wide, item.cut.size.width) / 2
        item = item.at(middle - item.cut.size.width / 2, top)
        lay(self.canvas, item.cut, item.x, item.y, number)
        below = item.y + item.cut.size.height + 2
        box = self.canvas.inside((middle - wide / 2, below, middle + wide / 2, below + tag))
        paper: Ink = dice.choice(((255, 255, 255), (255, 240, 170), (20, 20, 20)))
        spot: Ink = (20, 20, 20) if luminance(paper) > 120 else (255, 255, 255)
        self.canvas.block(box, dice.choice((0, 3)), paper, (IGNORE, colour_of(called(paper)), number))
        words = self._centred(text, type_, box, spot, number)
        whole = self.canvas.seen(number, self.canvas.inside(cell)) or box
        colour = item.cut.colour if item.wish is not None else None
        self.things.append(Thing(item.cut.kind, colour, whole, text, words=words))

    def _price(self) -> str:
        """In dollars: whole ones at first, then with round cents, then any."""
        luck = self.dice.random()
        if self.level == 0 or luck < 0.3:
            return f"${self.dice.randint(1, 9 if self.level == 0 else 30)}"
        cents = (
            self.dice.choice((0, 10, 20, 25, 50, 75, 90, 95, 99)) if luck < 0.75 else self.dice.randint(0, 99)
        )
        return f"${self.dice.randint(0, 12 if self.level < 3 else 60)}.{cents or 50:02}"

    def heaps(self) -> None:
        """Two or three kinds of things, several of each, mixed."""
        kinds = cast(self.base, self.dice, self.dice.choice((2, 2, 3)))
        many = [self.dice.randint(1, (3, 4, 5, 6)[self.level]) for _ in kinds]
        cells = self._cells(max(2, sum(many)))
        alike = [pair for pair, count in zip(kinds, many, strict=True) for _ in range(count)]
        for cell, (kind, colour) in zip(cells, alike, strict=False):
            item = shape_item(kind, colour, self.base, self.canvas.size, 1, self.dice)
            box = self._square(cell, 0.5, 0.85)
            item = item.sized((box[2] - box[0]) / max(item.cut.size)).at(box[0], box[1])
            seen = lay(self.canvas, item.cut, item.x, item.y, len(self.things))
            if seen is not None:
                self.things.append(Thing(kind, colour, seen))
