"""Questions about tables: all of it in HTML or CSV, single cells, rows, comparisons and sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

from omma.synth.asking import some
from omma.synth.documents.ask_pages import union
from omma.synth.documents.grid import Table
from omma.synth.documents.interview import DocumentInterviewer
from omma.synth.documents.sheet import Document
from omma.synth.world import Drawing, Split, Turn

MANY = 40  # cells from which on only the head's boxes are asked for


def table_turns(drawing: Drawing, split: Split, dice: Random) -> tuple[Turn, ...]:
    """The table in HTML, the boxes of its cells, and three to six questions."""
    assert isinstance(drawing, Document)
    assert isinstance(drawing.content, Table)
    asks = _Questions(drawing, drawing.content, split, dice)
    dense = [asks.html(), asks.read_boxes()]
    if drawing.content.plain and dice.random() < 0.3:
        dense.append(asks.csv())
    chosen = some(
        [
            (3.0, asks.cell), (1.0, asks.row), (1.2, asks.most), (1.0, asks.compare), (0.8, asks.sum),
            (0.6, asks.difference), (0.6, asks.rows), (0.5, asks.columns), (1.0, asks.find_cell),
            (1.0, asks.lookup), (0.6, asks.titles), (0.4, asks.find_table),
        ],
        dice.randint(3, 6),
        dice,
    )  # fmt: skip
    return (*dense, *chosen)


class _Questions:
    def __init__(self, drawing: Drawing, table: Table, split: Split, dice: Random) -> None:
        self.things, self.table, self.dice = drawing.things, table, dice
        self.say = DocumentInterviewer(drawing, split, dice)
        self.figures = sorted({column for _, column in table.numbers}) if table.titles else []

    def html(self) -> Turn:
        """All of it in HTML."""
        return self.say.html("table_html", self.table.html)

    def csv(self) -> Turn:
        """All of it as values parted by commas."""
        return self.say.csv("table_csv", self.table.texts)

    def read_boxes(self) -> Turn:
        """The text of every cell with its box; of a large table, that of its first row."""
        cells = [cell for cell in self.table.cells if cell.thing is not None]
        if len(cells) > MANY:
            cells = [cell for cell in cells if cell.head] or cells[: self.table.columns]
            boxes = [(self.things[cell.thing or 0].box, cell.text) for cell in cells]
            return self.say.boxes("table_head", boxes, "text_content")
        boxes = [(thing.box, thing.text) for thing in self.things]
        return self.say.boxes("read_boxes", boxes, "text_content")

    def _some_cell(self) -> tuple[int, int] | None:
        """A place in the body that has a name: its row is called by a key, its column by a title."""
        if not self.table.titles:
            return None
        places = [
            (row, column)
            for row in self.table.keys
            for column in range(self.table.columns)
            if column != self.table.key and self.table.at(row, column).text
        ]
        return self.dice.choice(places) if places else None

    def cell(self) -> Turn | None:
        """What a cell says."""
        if (place := self._some_cell()) is None:
            return None
        row, column = place
        text = self.table.at(row, column).text
        fill = {"column": self.table.titles[column], "name": self.table.keys[row]}
        if place in self.table.numbers:
            return self.say.value("table_cell", self.table.numbers[place], text, 0.0, None, **fill)
        return self.say.word("table_cell", text, None, **fill)

    def find_cell(self) -> Turn | None:
        """Where a cell is."""
        if (place := self._some_cell()) is None:
            return None
        cell = self.table.at(*place)
        boxes = [(self.things[cell.thing or 0].box, cell.text)]
        fill = {"column": self.table.titles[place[1]], "name": self.table.keys[place[0]]}
        return self.say.boxes("table_find", boxes, task="find", **fill)

    def row(self) -> Turn | None:
        """A whole row."""
        row = self.dice.choice(list(self.table.keys))
        texts = [self.table.at(row, column).text for column in range(self.table.columns)]
        if len(texts) < 2:
            return None
        return self.say.text("table_row", [" | ".join(texts)], name=self.table.keys[row])

    def _column(self) -> tuple[int, dict[int, float]] | None:
        """A column of figures and, by row, the figures of rows that have a name."""
        if not self.figures:
            return None
        column = self.dice.choice(self.figures)
        return column, {
            row: self.table.numbers[row, column]
            for row in self.table.keys
            if (row, column) in self.table.numbers
        }

    def most(self) -> Turn | None:
        """The row with the highest or lowest figure, where it stands alone."""
        if (found := self._column()) is None or len(found[1]) < 2:
            return None
        column, figures = found
        most = self.dice.choice(("highest", "lowest", "largest", "smallest"))
        value = (max if most in ("highest", "largest") else min)(figures.values())
        rows = [row for row, figure in figures.items() if figure == value]
        if len(rows) > 1:
            return None
        fill = {
            "what": self.table.titles[self.table.key].lower(),
            "column": self.table.titles[column],
            "most": most,
        }
        return self.say.word("table_most", self.table.keys[rows[0]], **fill)

    def _pair(self) -> tuple[str, Sequence[tuple[str, float]]] | None:
        """Two rows with different figures in a column."""
        if (found := self._column()) is None or len(set(found[1].values())) < 2:
            return None
        column, figures = found
        first, second = self.dice.sample(list(figures), 2)
        if figures[first] == figures[second]:
            return None
        pair = [(self.table.keys[row], figures[row]) for row in (first, second)]
        return self.table.titles[column], pair

    def compare(self) -> Turn | None:
        """Whether one figure is higher than another, yes as often as no."""
        if (found := self._pair()) is None:
            return None
        title, ((a, one), (b, other)) = found
        return self.say.yes("table_compare", one > other, column=title, a=a, b=b)

    def sum(self) -> Turn | None:
        """Two figures of a column together."""
        return self._worked_out("table_sum", lambda one, other: one + other)

    def difference(self) -> Turn | None:
        """By how much two figures of a column differ."""
        return self._worked_out("table_difference", lambda one, other: abs(one - other))

    def _worked_out(self, wording: str, work: Callable[[float, float], float]) -> Turn | None:
        if (found := self._pair()) is None:
            return None
        title, ((a, one), (b, other)) = found
        value = round(work(one, other), 2)
        return self.say.value(wording, value, f"{value:.10g}", 0.0, None, column=title, a=a, b=b)

    def rows(self) -> Turn | None:
        """How many rows the body has, where nobody can count otherwise."""
        if not self.table.heads or self.table.rows - self.table.heads != len(self.table.keys):
            return None
        return self.say.number("table_rows", len(self.table.keys), "count")

    def columns(self) -> Turn:
        """How many columns there are."""
        return self.say.number("count", self.table.columns, plural="columns")

    def lookup(self) -> Turn | None:
        """Which row holds a value that stands in its column once."""
        if (place := self._some_cell()) is None:
            return None
        row, column = place
        texts = Counter(self.table.at(other, column).text for other in self.table.keys)
        text = self.table.at(row, column).text
        if texts[text] > 1:
            return None
        fill = {
            "what": self.table.titles[self.table.key].lower(),
            "column": self.table.titles[column],
            "value": text,
        }
        return self.say.word("table_lookup", self.table.keys[row], **fill)

    def titles(self) -> Turn | None:
        """The titles of all columns."""
        if self.table.heads != 1:
            return None
        return self.say.text("table_titles", list(self.table.titles))

    def find_table(self) -> Turn:
        """Where the table is."""
        boxes = [self.things[cell.thing].box for cell in self.table.cells if cell.thing is not None]
        return self.say.boxes("find", [(union(boxes), "table")], what="table")
