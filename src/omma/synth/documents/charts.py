"""The world of charts: bars, lines, areas, pies, rings and points, whose figures can be read off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from omma.sample import Size
from omma.synth.documents.axes import Frame
from omma.synth.documents.chart import BARS, Chart
from omma.synth.documents.invent import invent
from omma.synth.documents.looks import look
from omma.synth.documents.plots import (
    Marks,
    bands,
    bars,
    lines,
    points,
    room_for_labels,
    slice_radius,
    slices,
)
from omma.synth.documents.sheet import Sheet
from omma.synth.world import Drawing, Split


def chart(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None) -> Drawing:
    """A few bars, points or slices at level 0; more of them, groups and fine values up to level 3."""
    sheet = Sheet(size, look(split, dice, fonts, dark=0.12, mono=0.02))
    content = invent(level, dice, split, sheet.look.paper)
    frame = Frame(sheet, content, level, dice)
    frame.title()
    if content.slices:
        content, marks = _round(frame, content, dice)
    elif content.places:
        content, marks = _scattered(frame, content, dice)
    else:
        content, marks = _banded(frame, content, dice)
    return sheet.document("charts", replace(content, marks=marks, parts=frame.parts))


def _legend(frame: Frame, content: Chart, marker: str) -> None:
    """A legend, where there is more than one series."""
    if len(content.series) > 1:
        frame.legend([(series.name, series.ink) for series in content.series], marker)


def _banded(frame: Frame, content: Chart, dice: Random) -> tuple[Chart, Marks]:
    """Charts with a band for each category."""
    lying = content.kind == "horizontal bar chart"
    _legend(frame, content, "block" if content.kind in BARS or content.kind == "area chart" else "line")
    panel, type_ = frame.panel, frame.labels
    frame.across_title(content.y_title if lying else content.x_title)
    if lying:
        title = content.x_title
        wide = max(map(type_.length, content.categories))
        if title and type_.length(title) < 0.9 * panel.height and wide < 0.3 * panel.width:
            frame.turned_title(title)
        content = _fewer(content, int((panel.height - 2 * type_.size) / (1.35 * type_.height)))
        panel.left += min(wide, 0.5 * panel.width) + 2 * frame.gap
        panel.bottom -= type_.height + frame.gap
        last = type_.length(content.scale.text(content.scale.high))
        panel.right -= last + 8 if content.labelled else 0.6 * last
    else:
        frame.upward(content.scale, content.y_title)
        panel.top += (1.3 if content.labelled else 0.6) * type_.height
        content = _foot(frame, content)
    frame.area()
    content = replace(content, labelled=content.labelled and room_for_labels(frame, content))
    centres = bands(
        *((panel.top, panel.bottom) if lying else (panel.left, panel.right)), len(content.categories)
    )
    if lying:
        if not content.labelled or dice.random() < 0.5:
            frame.ticks_across(content.scale)
        for name, y in zip(content.categories, centres, strict=True):
            x, top = panel.left - 1.5 * frame.gap, y - type_.height / 2
            frame.sheet.put(name, type_, x, top, paint=frame.paint, align=1.0)
    else:
        if not content.labelled or dice.random() < 0.5:
            frame.ticks_up(content.scale)
        upright = max(map(type_.length, content.categories)) <= panel.width / len(content.categories) * 0.96
        frame.names_across(content.categories, centres, turned_=not upright)
    draw = bars if content.kind in BARS else lines
    marks = draw(frame, content, dice)
    frame.lines(content.scale if not lying else None, lying=lying)
    return content, marks


def _foot(frame: Frame, content: Chart) -> Chart:
    """Take the room that names below the panel need; gives the chart with as many as can stand there."""
    panel, type_ = frame.panel, frame.labels
    wide = max(map(type_.length, content.categories))
    if wide <= panel.width / len(content.categories) * 0.96:
        panel.bottom -= type_.height + 1.5 * frame.gap
        return content
    few = panel.width * 0.96 / wide < 2
    if wide < (0.5 if few else 0.35 * bool(frame.level)) * panel.height:
        content = _fewer(content, int(panel.width / (1.2 * type_.height)))
        panel.bottom -= wide + 1.5 * frame.gap
        return content
    panel.bottom -= type_.height + 1.5 * frame.gap
    return _fewer(content, max(1, int(panel.width * 0.96 / wide)))


def _fewer(content: Chart, count: int) -> Chart:
    """The chart with at most so many categories, one at least."""
    count = max(1, count)
    series = tuple(replace(one, values=one.values[:count]) for one in content.series)
    return replace(content, categories=content.categories[:count], series=series)


def _scattered(frame: Frame, content: Chart, dice: Random) -> tuple[Chart, Marks]:
    """Points on two scales."""
    _legend(frame, content, "block")
    assert content.across is not None
    frame.across_title(content.x_title)
    frame.upward(content.scale, content.y_title)
    panel = frame.panel
    panel.top += 0.6 * frame.size
    panel.bottom -= frame.labels.height + 1.5 * frame.gap
    panel.right -= 0.6 * frame.labels.length(content.across.text(content.across.high))
    frame.area()
    frame.ticks_up(content.scale)
    frame.ticks_across(content.across)
    marks = points(frame, content, dice)
    frame.lines()
    return content, marks


def _round(frame: Frame, content: Chart, dice: Random) -> tuple[Chart, Marks]:
    """Slices with their names beside them, or in a legend."""
    entries = [(name, rgb) for name, (_, rgb) in zip(content.categories, content.slices, strict=True)]
    named = dice.random() < 0.4 and slice_radius(frame, content, True) > 3 * frame.size
    shares = content.series[0].values
    printed = True
    if not named:
        inside = slice_radius(frame, content, False) * 0.7 * 2 * 3.14 * min(shares) / 100
        if inside < 2.2 * frame.labels.length("30%"):  # no room for figures in the slices
            printed = False
            entries = [
                (f"{name} {content.scale.text(v)}", rgb)
                for (name, rgb), v in zip(entries, shares, strict=True)
            ]
        frame.legend(entries, "block")
    marks = slices(frame, content, dice, named_=named, printed=printed)
    return content, marks
