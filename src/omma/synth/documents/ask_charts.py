"""Questions about charts: all figures as JSON or CSV, single ones, extremes, differences, trends, parts."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import numpy as np

from omma.synth.asking import some
from omma.synth.documents.chart import Chart, plain
from omma.synth.documents.interview import DocumentInterviewer
from omma.synth.documents.sheet import Document
from omma.synth.world import Drawing, Edges, Split, Turn

TOLERANCE = 0.05  # how far off a figure read from a chart may be
CLEAR = 0.04  # of the scale: values that are nearer to each other are not told apart by eye
MARKS = 30  # marks from which on only the other parts' boxes are asked for


def chart_turns(drawing: Drawing, split: Split, dice: Random) -> tuple[Turn, ...]:
    """All figures, the boxes of the parts, and three to six questions."""
    assert isinstance(drawing, Document)
    assert isinstance(drawing.content, Chart)
    asks = _Questions(drawing, drawing.content, split, dice)
    dense = [asks.json() if dice.random() < 0.7 else asks.csv(), asks.boxes()]
    chosen = some(
        [
            (3.0, asks.value), (1.5, asks.most), (1.2, asks.compare), (1.0, asks.difference),
            (1.0, asks.trend), (0.6, asks.kind), (0.8, asks.title), (0.6, asks.axis),
            (1.0, asks.colour), (0.6, asks.legend), (0.7, asks.count), (1.0, asks.find), (0.6, asks.over),
            (0.5, asks.names),
        ],
        dice.randint(3, 6),
        dice,
    )  # fmt: skip
    return (*dense, *chosen)


class _Questions:
    def __init__(self, drawing: Drawing, chart: Chart, split: Split, dice: Random) -> None:
        self.things, self.chart, self.dice = drawing.things, chart, dice
        self.say = DocumentInterviewer(drawing, split, dice)
        self.scattered, self.round = bool(chart.places), bool(chart.slices)
        self.mark = (
            "point"
            if self.scattered
            else "slice"
            if self.round
            else "bar"
            if "bar" in chart.kind
            else "point"
        )

    def json(self) -> Turn:
        """All figures as JSON."""
        return self.say.record("chart_json", self.chart.record, TOLERANCE)

    def csv(self) -> Turn:
        """All figures as a table."""
        return self.say.csv("chart_csv", self.chart.rows)

    def _name(self, row: int, at: int) -> str:
        """What a figure is called: by its category, and by its series where there are several."""
        if self.scattered:
            return self.chart.series[row].name
        category = self.chart.categories[at]
        return f"{self.chart.series[row].name} in {category}" if len(self.chart.series) > 1 else category

    def boxes(self) -> Turn:
        """The title, the legend's entries, the axes' titles, and the marks unless there are too many."""
        parts: list[tuple[Edges, str]] = []
        for name, numbers in self.chart.parts.items():
            for number in numbers:
                thing = self.things[number]
                parts.append((thing.box, f"legend {thing.text}" if name == "legend" else name))
        if len(self.chart.marks) <= MARKS:
            for (row, at), number in self.chart.marks.items():
                parts.append((self.things[number].box, f"{self.mark} {self._name(row, at)}"))
        return self.say.boxes("chart_parts", parts)

    def _figure(self) -> tuple[int, int]:
        row = self.dice.randrange(len(self.chart.series))
        return row, self.dice.randrange(len(self.chart.series[row].values))

    def value(self) -> Turn | None:
        """A single figure."""
        if self.scattered:
            return None
        row, at = self._figure()
        value = self.chart.series[row].values[at]
        if not self.chart.labelled and abs(value) < 0.03 * (self.chart.scale.high - self.chart.scale.low):
            return None  # five per cent of next to nothing cannot be read off
        tolerance = 0.0 if self.round or self.chart.labelled else TOLERANCE
        return self.say.value("chart_value", value, plain(value), tolerance, what=self._name(row, at))

    def _apart(self, one: float, other: float) -> bool:
        """Whether an eye tells two figures apart."""
        printed = (self.round or self.chart.labelled) and one != other
        return printed or abs(one - other) >= CLEAR * (self.chart.scale.high - self.chart.scale.low)

    def _group(self) -> str:
        """What one of the categories is called."""
        return self.chart.x_title.lower() if self.chart.x_title and not self.round else "category"

    def most(self) -> Turn | None:
        """Which category has the highest or the lowest value, where that is clear."""
        if self.scattered or len(self.chart.categories) < 2:
            return None
        series = self.dice.choice(self.chart.series)
        most = self.dice.choice(("highest", "lowest", "largest", "smallest"))
        ranked = sorted(range(len(series.values)), key=lambda at: series.values[at])
        first, second = (ranked[-1], ranked[-2]) if most in ("highest", "largest") else (ranked[0], ranked[1])
        if not self._apart(series.values[first], series.values[second]):
            return None
        wording, fill = "chart_most", {"one": self._group(), "most": most}
        if len(self.chart.series) > 1:
            wording, fill["series"] = "chart_most_of", series.name
        return self.say.word(wording, self.chart.categories[first], "chart_most", **fill)

    def _pair(self) -> tuple[str, float, str, float] | None:
        """Two figures that an eye tells apart, with their names."""
        if self.scattered:
            return None
        (row, at), (other, its) = self._figure(), self._figure()
        if self.dice.random() < 0.6:
            other = row
        elif self.dice.random() < 0.5:
            its = at
        one, two = self.chart.series[row].values[at], self.chart.series[other].values[its]
        return (self._name(row, at), one, self._name(other, its), two) if self._apart(one, two) else None

    def compare(self) -> Turn | None:
        """Whether one figure is higher than another."""
        if (pair := self._pair()) is None:
            return None
        a, one, b, other = pair
        return self.say.yes("chart_compare", one > other, a=a, b=b)

    def difference(self) -> Turn | None:
        """How far two figures are apart, where that is a good part of the scale."""
        if (pair := self._pair()) is None:
            return None
        a, one, b, other = pair
        apart = round(abs(one - other), 4)
        if apart < 0.15 * (self.chart.scale.high - self.chart.scale.low):
            return None
        exact = self.round or self.chart.labelled
        return self.say.value(
            "chart_difference", apart, plain(apart), 0.0 if exact else 2 * TOLERANCE, a=a, b=b
        )

    def trend(self) -> Turn | None:
        """Whether a line rises, falls or does both; which way points go."""
        if self.scattered:
            return self._slope()
        if self.chart.kind not in ("line chart", "area chart") or len(self.chart.categories) < 3:
            return None
        series = self.dice.choice(self.chart.series)
        steps = [b - a for a, b in pairwise(series.values)]
        least = 0.02 * (self.chart.scale.high - self.chart.scale.low)
        if any(0 < abs(step) < least for step in steps):
            return None
        said = "rising" if min(steps) > 0 else "falling" if max(steps) < 0 else "up and down"
        if said == "up and down" and (min(steps) >= 0 or max(steps) <= 0):
            return None
        what = (
            series.name
            if len(self.chart.series) > 1
            else self.dice.choice((series.name, "the line", "the chart"))
        )
        return self.say.word("chart_trend", said, what=what)

    def _slope(self) -> Turn | None:
        """Which way all points go together, by how well a line fits them."""
        across = self.chart.across or self.chart.scale
        x = np.array([across.share(value) for row in self.chart.places for value in row])
        y = np.array([self.chart.scale.share(value) for one in self.chart.series for value in one.values])
        if len(x) < 4 or x.std() == 0 or y.std() == 0:
            return None
        fit = float(np.corrcoef(x, y)[0, 1])
        if 0.35 < abs(fit) < 0.8:
            return None
        said = "none" if abs(fit) <= 0.35 else "rising" if fit > 0 else "falling"
        return self.say.word("chart_slope", said, "chart_trend")

    def kind(self) -> Turn:
        """What sort of chart it is."""
        return self.say.word("chart_kind", self.chart.kind)

    def title(self) -> Turn | None:
        """What the title says."""
        if "title" not in self.chart.parts:
            return None
        what = self.dice.choice(("title", "chart title", "title of the chart"))
        return self.say.text("read_heading", [self.chart.title], what=what)

    def axis(self) -> Turn | None:
        """What an axis is called."""
        named = [name for name in ("x axis", "y axis") if name in self.chart.parts]
        if not named:
            return None
        name = self.dice.choice(named)
        said = {"x axis": ("x", "horizontal"), "y axis": ("y", "vertical")}[name]
        text = self.things[self.chart.parts[name][0]].text
        return self.say.text("chart_axis", [text], axis=self.dice.choice(said))

    def colour(self) -> Turn | None:
        """The colour of a series or a slice."""
        if self.round:
            at = self.dice.randrange(len(self.chart.slices))
            what = f"slice of {self.chart.categories[at]}"
            return self.say.word("colour", self.chart.slices[at][0], what=what)
        series = self.dice.choice(self.chart.series)
        sort = "line" if self.chart.kind == "line chart" else f"{self.mark}s"
        if len(self.chart.series) == 1:
            return self.say.word("colour", series.colour, what="line") if sort == "line" else None
        return self.say.word("colour", series.colour, what=f"series {series.name}")

    def legend(self) -> Turn | None:
        """What the legend lists."""
        entries = [self.things[number].text for number in self.chart.parts.get("legend", ())]
        return self.say.text("chart_legend", entries) if entries else None

    def names(self) -> Turn | None:
        """The categories in their order."""
        if self.scattered:
            return None
        many = "slices" if self.round else "categories"
        return self.say.text("chart_names", list(self.chart.categories), many=many)

    def count(self) -> Turn | None:
        """How many marks, series or categories there are."""
        counted = {f"{self.mark}s": len(self.chart.marks)}
        if len(self.chart.series) > 1 and self.chart.kind == "line chart":
            counted["lines"] = len(self.chart.series)
        if not self.scattered and self.mark == "point":
            counted.pop("points")
            counted["categories"] = len(self.chart.categories)
        many = self.dice.choice(sorted(counted))
        return self.say.number("count", counted[many], plural=many)

    def find(self) -> Turn | None:
        """Where the mark of a figure is."""
        if self.scattered:
            return None
        row, at = self._figure()
        box, name = self.things[self.chart.marks[row, at]].box, self._name(row, at)
        return self.say.boxes("chart_find", [(box, name)], task="find", what=name, mark=self.mark)

    def over(self) -> Turn | None:
        """How many categories have a value above a tick, where all are clearly above or below it."""
        if self.scattered or len(self.chart.series) > 1:
            return None
        ticks = [5.0 * number for number in range(2, 10)] if self.round else self.chart.scale.ticks[1:-1]
        values = self.chart.series[0].values
        ticks = [
            tick for tick in ticks if all(self._apart(tick, value) and tick != value for value in values)
        ]
        if not ticks:
            return None
        tick = self.dice.choice(ticks)
        many = "slices" if self.round else "categories"
        count = sum(value > tick for value in values)
        return self.say.number("chart_over", count, "count", many=many, value=plain(tick))
