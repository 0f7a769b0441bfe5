"""Figures for charts: groups and series with names, scales with round ticks, values to be read off."""

from __future__ import annotations

from math import floor
from random import Random

from omma.synth.colours import NAMED, Ink, distance, ink
from omma.synth.documents.chart import BARS, Chart, Scale, Series
from omma.synth.documents.lexicon import pick, several
from omma.synth.vocabulary import MONTHS
from omma.synth.world import Split

KINDS = (
    *("bar chart", "bar chart", "horizontal bar chart", "line chart", "line chart", "pie chart"),
    *("stacked bar chart", "donut chart", "area chart", "scatter plot"),
)
EASY = ("bar chart", "bar chart", "horizontal bar chart", "line chart", "pie chart")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SECTIONS = {
    "city": "City", "country": "Country", "department": "Department", "fruit": "Fruit", "animal": "Animal",
    "sport": "Sport", "vehicle": "Vehicle", "browser": "Browser", "plan": "Plan", "grocery": "Product",
}  # fmt: skip
CATEGORIES = ((2, 4), (3, 5), (3, 7), (4, 12))  # by level
SERIES = ((1, 1), (1, 2), (1, 3), (1, 4))
GRAIN = (0.5, 0.5, 0.2, 0.1)  # values are whole multiples of so much of the step between ticks


def invent(level: int, dice: Random, split: Split, back: Ink) -> Chart:
    """A chart that is yet to be drawn on a ground of this ink."""
    kind = dice.choice(EASY if level == 0 else KINDS)
    if kind in ("pie chart", "donut chart"):
        return _pie(kind, level, dice, split, back)
    if kind == "scatter plot":
        return _scatter(level, dice, split, back)
    group, names = _categories(dice.randint(*CATEGORIES[level]), kind, dice, split)
    count = max(dice.randint(*SERIES[level]), 2 if kind == "stacked bar chart" else 1)
    count = 1 if kind == "area chart" else count  # an area would hide what lies behind it
    labelled = kind in BARS and dice.random() < 0.3
    scale = _scale(level, dice, started=kind == "line chart" and level > 0 and dice.random() < 0.3)
    rows = [_values(len(names), scale, level, dice, kind, labelled) for _ in range(count)]
    if kind == "stacked bar chart":
        tenth = scale.step / 10
        rows = [tuple(max(1, int(value / count / tenth)) * tenth for value in row) for row in rows]
    measure = pick("measure", split, dice)
    series = [
        Series(name, colour, rgb, tuple(round(value, 4) for value in row))
        for name, (colour, rgb), row in zip(
            _names(count, measure, dice, split), inks(count, back, dice), rows, strict=True
        )
    ]
    title, x_title, y_title = _titles(measure, group, level, dice, split)
    if scale.form != "{}":
        y_title = measure if y_title else ""  # the sign is its unit
    return Chart(kind, title, x_title, y_title, tuple(names), tuple(series), scale, labelled)


def inks(count: int, back: Ink, dice: Random) -> list[tuple[str, Ink]]:
    """So many colours with different names, each clearly seen on the ground."""
    names = [name for name in NAMED if name not in ("white", "black", "yellow", "cyan")]
    dice.shuffle(names)
    found: list[tuple[str, Ink]] = []
    for name in [*names, "cyan", "yellow", "black", "white"]:
        rgb = ink(name, dice)
        if distance(rgb, back) > 170 and all(distance(rgb, other) > 110 for _, other in found):
            found.append((name, rgb))
    return found[:count]


def _categories(count: int, kind: str, dice: Random, split: Split) -> tuple[str, list[str]]:
    """What the axis is called and what stands on it: times for lines mostly, other things for bars."""
    timed = dice.random() < (0.75 if kind in ("line chart", "area chart") else 0.3)
    if timed:
        match dice.randrange(4):
            case 0:
                first = dice.randint(1980, 2030 - count)
                return "Year", [str(first + number) for number in range(count)]
            case 1 if count <= 7:
                first = dice.randint(0, 7 - count)
                return "Day", list(DAYS[first : first + count])
            case 2 if count <= 4:
                return "Quarter", [f"Q{number}" for number in range(1, count + 1)]
            case _:
                first = dice.randint(0, 12 - count)
                return "Month", [month[:3] for month in MONTHS[first : first + count]]
    section = dice.choice(
        [name for name in SECTIONS if name not in ("browser", "plan", "vehicle") or count < 4]
    )
    short = [name for name in several(section, 3 * count, split, dice) if len(name) <= 11]
    return SECTIONS[section], short[:count]


def _names(count: int, measure: str, dice: Random, split: Split) -> list[str]:
    """What the series are called; the only one as what is measured."""
    if count == 1:
        return [measure]
    if count == 2 and dice.random() < 0.4:
        return pick("pair", split, dice).split(", ")
    if dice.random() < 0.2:
        first = dice.randint(1990, 2025)
        return [str(first + number) for number in range(count)]
    return several("series", count, split, dice)


def _titles(measure: str, group: str, level: int, dice: Random, split: Split) -> tuple[str, str, str]:
    """The chart's title and those of its axes, each of which may be missing."""
    form, year = pick("chart title", split, dice), dice.randint(1990, 2030)
    title = form.format(measure=measure, group=group.lower(), year=year)
    unit = f" ({pick('unit', split, dice)})" if dice.random() < 0.4 else ""
    often = (0.4, 0.7, 0.85, 0.9)[level]
    named = (dice.random() < often - 0.2, dice.random() < often - 0.2)
    return (
        title if dice.random() < often else "",
        group if named[0] else "",
        f"{measure}{unit}" if named[1] else "",
    )


def _scale(level: int, dice: Random, *, started: bool) -> Scale:
    """From zero to three or more ticks, in round steps; `started` elsewhere than at zero."""
    step: float = dice.choice((1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 5000)[: 8 if level < 2 else 12])
    if level > 1 and dice.random() < 0.15:
        step = dice.choice((0.1, 0.2, 0.5))
    ticks, low = dice.randint(3, 5 if level < 2 else 8), 0.0
    if started:
        low = step * dice.randint(2, 30)
    elif level > 1 and dice.random() < 0.06:
        low = -step * dice.randint(1, 2)
    form = dice.choices(("{}", "{}%", "${}"), (8, step <= 20 and not started, 1))[0]
    return Scale(low, round(low + ticks * step, 6), step, form, dice.random() < 0.7)


def _values(
    count: int, scale: Scale, level: int, dice: Random, kind: str, labelled: bool
) -> tuple[float, ...]:
    """Values on the scale, in whole grains; lines rise or fall all the way now and then."""
    grain = scale.step * (0.1 if labelled else GRAIN[level])
    grains = floor((scale.high - scale.low) / grain + 1e-6)
    least = max(1, grains // 12)
    drawn = [dice.randint(least, grains) for _ in range(count)]
    if kind in ("line chart", "area chart"):
        if dice.random() < 0.4 and grains - least >= count:
            drawn = sorted(dice.sample(range(least, grains + 1), count), reverse=dice.random() < 0.5)
        elif dice.random() < 0.5:
            at = dice.randint(least, grains)
            for number in range(count):
                at = min(grains, max(least, at + round(dice.gauss(0, grains / 5))))
                drawn[number] = at
    return tuple(round(scale.low + number * grain, 6) for number in drawn)


def _pie(kind: str, level: int, dice: Random, split: Split, back: Ink) -> Chart:
    """Shares of a whole in per cent, which are always printed."""
    group, names = _categories(dice.randint(*((2, 4), (3, 5), (3, 6), (4, 8))[level]), kind, dice, split)
    weights = [dice.uniform(0.5, 3) for _ in names]
    shares = [max(3, round(100 * weight / sum(weights))) for weight in weights]
    shares[shares.index(max(shares))] += 100 - sum(shares)
    colours = inks(len(names), back, dice)
    names, shares = names[: len(colours)], shares[: len(colours)]
    shares[0] += 100 - sum(shares)
    measure = pick("measure", split, dice)
    title, _, _ = _titles(measure, group, level, dice, split)
    series = Series(measure, "", (0, 0, 0), tuple(map(float, shares)))
    return Chart(
        kind, title, group, measure, tuple(names), (series,), Scale(0, 100, 10, "{}%"), True,
        slices=tuple(colours),
    )  # fmt: skip


def _scatter(level: int, dice: Random, split: Split, back: Ink) -> Chart:
    """Points on two scales, with a slope or without."""
    across, up = _scale(level, dice, started=False), _scale(level, dice, started=False)
    count = dice.randint(1, (1, 1, 2, 3)[level])
    most = (3, 5, 8, 14)[level]
    measures = several("measure", 2, split, dice)
    series, places = [], []
    slope = dice.choice((1, -1, 0))
    for name, (colour, rgb) in zip(
        _names(count, measures[1], dice, split), inks(count, back, dice), strict=True
    ):
        total = dice.randint(2, max(2, most // count))
        at = dice.sample(range(1, 20), total)
        xs = [round(across.low + (across.high - across.low) * number / 20, 6) for number in at]
        heights = [dice.uniform(0.05, 0.95) for _ in at]
        if slope:
            heights = [
                min(0.95, max(0.05, (n / 20 if slope > 0 else 1 - n / 20) + dice.gauss(0, 0.07))) for n in at
            ]
        grain = (up.high - up.low) / 20
        values = tuple(round(up.low + round(height * 20) * grain, 6) for height in heights)
        series.append(Series(name, colour, rgb, values))
        places.append(tuple(xs))
    title, _, _ = _titles(measures[1], measures[0], level, dice, split)
    return Chart(
        "scatter plot", title, measures[0], measures[1], (), tuple(series), up,
        places=tuple(places), across=across,
    )  # fmt: skip
