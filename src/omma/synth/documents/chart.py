"""What a chart means: its series with their figures, the scale they are read on, and what stands where."""

from __future__ import annotations

from dataclasses import dataclass, field

from omma.synth.colours import Ink

BARS = ("bar chart", "horizontal bar chart", "stacked bar chart")


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high` with a tick every `step`. `form` is how a figure is printed, "{}%" say."""

    low: float
    high: float
    step: float
    form: str = "{}"
    parted: bool = True

    @property
    def ticks(self) -> list[float]:
        """The values that have a tick."""
        count = round((self.high - self.low) / self.step)
        return [round(self.low + number * self.step, 6) for number in range(count + 1)]

    def text(self, value: float) -> str:
        """A value as it is printed."""
        digits = plain(value)
        if self.parted and abs(value) >= 1000 and digits.lstrip("-").isdigit():
            digits = f"{int(value):,}"
        return self.form.format(digits)

    def share(self, value: float) -> float:
        """Where a value lies, from 0 at the low end to 1 at the high one."""
        return (value - self.low) / (self.high - self.low)


def plain(value: float) -> str:
    """A figure without needless digits: 12, 12.5, 0.05."""
    return f"{round(value, 4):.10g}"


def whole(value: float) -> float | int:
    """The figure as JSON is to write it: 12 and not 12.0."""
    return int(value) if value == int(value) else value


@dataclass(frozen=True)
class Series:
    """One row of figures, drawn in one colour, of this name and ink."""

    name: str
    colour: str
    ink: Ink
    values: tuple[float, ...]


@dataclass(frozen=True)
class Chart:
    """A chart. `kind` is one of BARS, "line chart", "area chart", "pie chart", "donut chart", "scatter plot".

    `marks` are the things that stand for figures, by (series, category); `parts` name the title, the axes'
    titles and the legend's entries by their things. `places` are the x of a scatter plot's points, one row a
    series, on the scale `across`. `slices` are a pie's colours. `labelled`: whether the figures are printed.
    """

    kind: str
    title: str
    x_title: str
    y_title: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    scale: Scale
    labelled: bool = False
    slices: tuple[tuple[str, Ink], ...] = ()
    places: tuple[tuple[float, ...], ...] = ()
    across: Scale | None = None
    marks: dict[tuple[int, int], int] = field(default_factory=dict)
    parts: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def record(self) -> object:
        """All figures as JSON has them: by category, by series and category, or as points."""
        if self.places:
            points = [
                [{"x": whole(x), "y": whole(y)} for x, y in sorted(zip(xs, one.values, strict=True))]
                for xs, one in zip(self.places, self.series, strict=True)
            ]
            return points[0] if len(points) == 1 else dict(zip(self.names, points, strict=True))
        rows = [dict(zip(self.categories, map(whole, one.values), strict=True)) for one in self.series]
        return rows[0] if len(rows) == 1 else dict(zip(self.names, rows, strict=True))

    @property
    def names(self) -> list[str]:
        """The names of the series."""
        return [one.name for one in self.series]

    @property
    def rows(self) -> list[list[str]]:
        """All figures as a table: a row for each category, or for each point of a scatter plot."""
        if self.places:
            points = [
                [one.name, plain(x), plain(y)]
                for xs, one in zip(self.places, self.series, strict=True)
                for x, y in sorted(zip(xs, one.values, strict=True))
            ]
            return [row[len(self.series) == 1 :] for row in (["series", "x", "y"], *points)]
        head = ["category", *(self.names if len(self.series) > 1 else ["value"])]
        columns = zip(*([plain(value) for value in one.values] for one in self.series), strict=True)
        return [head, *([name, *row] for name, row in zip(self.categories, columns, strict=True))]
