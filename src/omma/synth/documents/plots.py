"""What is drawn into a chart's panel: bars, lines, areas, slices and points, each of them a thing."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import numpy as np

from omma.synth.colours import Ink, luminance, shade
from omma.synth.documents.axes import Frame, colour_number, ink_on
from omma.synth.documents.chart import Chart, Series
from omma.synth.documents.sheet import Sheet
from omma.synth.shapes import SHAPE_LAYERS
from omma.synth.world import Edges, Thing, class_of

MARKERS = ("circle", "square", "triangle", "diamond")
Marks = dict[tuple[int, int], int]


def bands(start: float, stop: float, count: int) -> list[float]:
    """The middles of so many equal bands."""
    return [start + (stop - start) * (number + 0.5) / count for number in range(count)]


def bars(frame: Frame, chart: Chart, dice: Random) -> Marks:
    """Upright or lying bars, side by side or on top of each other."""
    lying, stacked = chart.kind == "horizontal bar chart", chart.kind == "stacked bar chart"
    panel, scale = frame.panel, chart.scale
    count, rows = len(chart.categories), len(chart.series)
    ends = (panel.top, panel.bottom) if lying else (panel.left, panel.right)
    band = (ends[1] - ends[0]) / count
    thick = band * dice.uniform(0.45, 0.85) / (1 if stacked else rows)
    inset = dice.choice((0.0, 0.0, 0.08)) * thick
    marks: Marks = {}
    for at, middle in enumerate(bands(*ends, count)):
        base = max(scale.low, 0.0)
        for row, series in enumerate(chart.series):
            value = series.values[at]
            side = middle - thick / 2 if stacked else middle + (row - rows / 2) * thick
            low, high = (
                (base, base + value) if stacked else (max(scale.low, min(0.0, value)), max(0.0, value))
            )
            if stacked:
                base += value
            a, b = scale.share(low), scale.share(high)
            box: Edges = (
                (panel.x(a), side + inset, panel.x(b), side + thick - inset)
                if lying
                else (side + inset, panel.y(b), side + thick - inset, panel.y(a))
            )
            marks[row, at] = _bar(frame.sheet, box, series)
    if chart.labelled:
        for (row, at), number in marks.items():
            _bar_label(frame, chart, chart.series[row], at, number, lying=lying, stacked=stacked)
    return marks


def _bar(sheet: Sheet, box: Edges, series: Series) -> int:
    """One bar, never thinner than a pixel."""
    x1, y1, x2, y2 = (float(round(edge)) for edge in box)
    box = (x1, y1, max(x2, x1 + 1), max(y2, y1 + 1))
    sheet.fill(box, series.ink, "rectangle", len(sheet.things))
    return sheet.add(Thing("bar", series.colour, sheet.canvas.inside(box)))


def _bar_label(
    frame: Frame, chart: Chart, series: Series, at: int, number: int, *, lying: bool, stacked: bool
) -> None:
    """A bar's figure at its end, or in it where bars stand on each other."""
    x1, y1, x2, y2 = frame.sheet.things[number].box
    text, type_ = chart.scale.text(series.values[at]), frame.labels
    paint, put = frame.sheet.look.text, frame.sheet.put
    if stacked:
        put(text, type_, (x1 + x2) / 2, (y1 + y2 - type_.height) / 2, paint=ink_on(series.ink), align=0.5)
    elif lying:
        put(text, type_, x2 + 3, (y1 + y2 - type_.height) / 2, paint=paint)
    else:
        below = series.values[at] < 0
        top = y2 + 2 if below else y1 - type_.height - 2
        put(text, type_, (x1 + x2) / 2, top, paint=paint, align=0.5)


def room_for_labels(frame: Frame, chart: Chart) -> bool:
    """Whether every bar's figure can be printed without touching another."""
    panel, type_ = frame.panel, frame.labels
    rows = 1 if chart.kind == "stacked bar chart" else len(chart.series)
    texts = [chart.scale.text(value) for series in chart.series for value in series.values]
    wide, count = max(map(type_.length, texts)), len(chart.categories)
    if chart.kind == "horizontal bar chart":
        return panel.height / count * 0.45 / rows > type_.height + 1 and wide + 6 < 0.3 * panel.width
    if panel.width / count * 0.45 / rows < wide + 2:
        return False
    least = min(value for series in chart.series for value in series.values)
    tall = panel.height * least / (chart.scale.high - chart.scale.low)
    return chart.kind != "stacked bar chart" or tall > type_.height + 2


def lines(frame: Frame, chart: Chart, dice: Random) -> Marks:
    """A line for each series, with or without markers, the area below it filled or not."""
    panel, scale, sheet = frame.panel, chart.scale, frame.sheet
    xs = bands(panel.left, panel.right, len(chart.categories))
    width = dice.choice((1.5, 2.0, 2.5, 3.0)) * (1 if min(sheet.width, sheet.height) < 400 else 1.4)
    marked = dice.random() < 0.65
    radius = max(2.0, width * dice.uniform(1.1, 1.7))
    alike = dice.choice((None, "circle"))
    marks: Marks = {}
    for row, series in enumerate(chart.series):
        points = np.array([(x, panel.y(scale.share(v))) for x, v in zip(xs, series.values, strict=True)])
        if chart.kind == "area chart":
            foot = [(xs[-1], panel.bottom), (xs[0], panel.bottom)]
            pale = shade(series.ink, 1.5 if luminance(sheet.look.paper) > 128 else 0.5)
            sheet.canvas.fill([np.concatenate([points, foot])], pale, (0, 255, -1))
        for start, end in pairwise(points):
            sheet.canvas.stroke(
                [np.array([start, end, end])], width, series.ink, (0, colour_number(series.ink), -1)
            )
        kind = alike or MARKERS[row % len(MARKERS)]
        for at, (x, y) in enumerate(points.tolist()):
            marks[row, at] = marker(sheet, kind, x, y, radius if marked else width / 2, series, seen=marked)
    return marks


def marker(sheet: Sheet, kind: str, x: float, y: float, radius: float, series: Series, *, seen: bool) -> int:
    """A point of a line or of a scatter plot. One that is not `seen` is a bend of the line."""
    number = len(sheet.things)
    if seen:
        mark = (class_of(kind), colour_number(series.ink), number)
        sheet.canvas.fill([SHAPE_LAYERS[kind][0].rings[0] * radius + (x, y)], series.ink, mark)
    reach = max(2.0, radius)
    box = sheet.canvas.inside((x - reach, y - reach, x + reach, y + reach))
    return sheet.add(Thing("point", series.colour, box))


def points(frame: Frame, chart: Chart, dice: Random) -> Marks:
    """A scatter plot's points."""
    panel, sheet = frame.panel, frame.sheet
    radius = max(2.5, min(panel.width, panel.height) * dice.uniform(0.012, 0.03))
    alike = dice.choice((None, "circle"))
    across = chart.across or chart.scale
    marks: Marks = {}
    for row, (series, xs) in enumerate(zip(chart.series, chart.places, strict=True)):
        kind = alike or MARKERS[row % len(MARKERS)]
        for at, (x, y) in enumerate(zip(xs, series.values, strict=True)):
            place = panel.x(across.share(x)), panel.y(chart.scale.share(y))
            marks[row, at] = marker(sheet, kind, *place, radius, series, seen=True)
    return marks


def slices(frame: Frame, chart: Chart, dice: Random, *, named_: bool, printed: bool) -> Marks:
    """A pie or a ring, clockwise; shares are `printed` in slices, or beside them with their names."""
    panel, sheet, type_ = frame.panel, frame.sheet, frame.labels
    radius = slice_radius(frame, chart, named_)
    middle = np.array([(panel.left + panel.right) / 2, (panel.top + panel.bottom) / 2])
    hole = radius * dice.uniform(0.45, 0.62) if chart.kind == "donut chart" else 0.0
    start, marks = dice.choice((0.0, 0.0, dice.uniform(0, 6.0))), {}
    texts: list[tuple[str, float, Ink]] = []
    for at, (share, (colour, rgb)) in enumerate(zip(chart.series[0].values, chart.slices, strict=True)):
        end = start + 2 * np.pi * share / 100
        angles = np.linspace(start, end, max(3, int(share)))
        rim = np.column_stack([np.sin(angles), -np.cos(angles)])
        inner = rim[::-1] * hole if hole else np.zeros((1, 2))
        ring = np.concatenate([rim * radius, inner]) + middle
        sheet.canvas.fill([ring], rgb, (class_of("circle"), colour_number(rgb), len(sheet.things)))
        low, high = ring.min(0), ring.max(0)
        box = sheet.canvas.inside((*low.tolist(), *high.tolist()))
        marks[0, at] = sheet.add(Thing("slice", colour, box))
        texts.append((chart.scale.text(share), float(start + end) / 2, rgb))
        start = end
    for (text, angle, rgb), name in zip(texts, chart.categories, strict=True):
        out = np.array([np.sin(angle), -np.cos(angle)])
        if named_:
            x, y = (middle + out * (radius + 0.7 * type_.size)).tolist()
            align = 0.5 - 0.5 * float(np.clip(out[0] * 1.8, -1, 1))
            sheet.put(
                f"{name} {text}", type_, x, y - type_.height / 2 + 0.3 * out[1] * type_.size, align=align
            )
        elif printed:
            x, y = (middle + out * (radius * 0.68 if not hole else (radius + hole) / 2)).tolist()
            sheet.put(text, type_, x, y - type_.height / 2, paint=ink_on(rgb), align=0.5)
    return marks


def slice_radius(frame: Frame, chart: Chart, named_: bool) -> float:
    """As large as the panel has room for, and for names around it."""
    panel, type_ = frame.panel, frame.labels
    texts = [
        f"{name} {chart.scale.text(v)}"
        for name, v in zip(chart.categories, chart.series[0].values, strict=True)
    ]
    wide = max(map(type_.length, texts)) + type_.size if named_ else 0.0
    return min(panel.width / 2 - wide, panel.height / 2 - (1.8 * type_.size if named_ else 0)) * 0.96
