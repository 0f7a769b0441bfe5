"""The room a chart is drawn in: its axes with ticks and titles, its grid, its legend and its title."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from omma.synth.colours import Ink, called, colour_of, luminance, named, shade
from omma.synth.documents.bending import lay_line, turned
from omma.synth.documents.chart import Chart, Scale
from omma.synth.documents.sheet import Sheet
from omma.synth.world import Edges, Thing

TYPE = ((12, 16), (11, 15), (10, 13), (10, 14))  # pixels of the labels, by level


@dataclass
class Panel:
    """Where values are drawn: left, top, right and bottom in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top

    def x(self, share: float) -> float:
        """A place across, by its share."""
        return self.left + share * self.width

    def y(self, share: float) -> float:
        """A place upwards, by its share."""
        return self.bottom - share * self.height

    @property
    def box(self) -> Edges:
        """All of it."""
        return self.left, self.top, self.right, self.bottom


class Frame:
    """A sheet on which one chart's surroundings are put; `parts` collects the things that they become."""

    def __init__(self, sheet: Sheet, chart: Chart, level: int, dice: Random) -> None:
        self.sheet, self.chart, self.level, self.dice = sheet, chart, level, dice
        look = sheet.look
        side = min(sheet.width, sheet.height)
        self.size = min(dice.randint(*TYPE[level]), max(7, side // 11))
        self.labels = look.type(self.size)
        self.titles = look.type(self.size * dice.uniform(1.1, 1.5), bold=dice.random() < 0.7, head=True)
        self.paint = look.text if dice.random() < 0.6 else look.muted
        self.parts: dict[str, tuple[int, ...]] = {}
        self.gap = max(2.0, 0.35 * self.size)
        margin = max(4.0, side * dice.uniform(0.015, 0.04))
        self.panel = Panel(margin, margin, sheet.width - margin, sheet.height - margin)
        self.grid = dice.choice(("none", "lines", "lines", "dots"))
        self.ground: Ink | None = dice.choice((None, None, look.stripe))

    def _note(self, part: str, number: int) -> None:
        self.parts[part] = (*self.parts.get(part, ()), number)

    def title(self) -> None:
        """The chart's title at the top, in one or two lines, where there is room for it."""
        panel, text = self.panel, self.chart.title
        lines = self.titles.wrap(text, panel.width) if text else []
        if not lines or len(lines) > 2 or " ".join(lines) != text or panel.height < 6 * self.titles.size:
            return
        align = self.dice.choice((0.0, 0.5, 0.5))
        for line in lines:
            x = panel.left + align * panel.width
            self._note("title", self.sheet.put(line, self.titles, x, panel.top, kind="title", align=align))
            panel.top += 1.25 * self.titles.size
        panel.top += self.gap

    def legend(self, entries: list[tuple[str, Ink]], marker: str) -> None:
        """Names with their inks, at the top, at the bottom or to the right; `marker` "block" or "line"."""
        swatch = round(self.size * (0.8 if marker == "block" else 1.6))
        widths = [swatch + self.gap + self.labels.length(name) + 2.5 * self.gap for name, _ in entries]
        panel, pitch = self.panel, 1.45 * self.size
        beside = max(widths) < 0.4 * panel.width and len(entries) * pitch < panel.height
        if beside and self.dice.random() < 0.35:
            panel.right -= max(widths)
            y = panel.top + self.dice.choice((0.0, 0.5)) * (panel.height - len(entries) * pitch)
            for row, (name, rgb) in enumerate(entries):
                self._entry(name, rgb, panel.right + 2 * self.gap, y + row * pitch, swatch, marker)
            return
        rows: list[list[int]] = [[]]
        for number, width in enumerate(widths):
            if rows[-1] and sum(widths[n] for n in rows[-1]) + width > panel.width:
                rows.append([])
            rows[-1].append(number)
        below = self.dice.random() < 0.5
        y = panel.bottom - len(rows) * pitch + 0.3 * self.size if below else panel.top
        if below:
            panel.bottom -= len(rows) * pitch + self.gap
        else:
            panel.top += len(rows) * pitch + self.gap
        for numbers in rows:
            x = panel.left + (panel.width - sum(widths[number] for number in numbers)) / 2 + self.gap
            for number in numbers:
                self._entry(*entries[number], x, y, swatch, marker)
                x += widths[number]
            y += pitch

    def _entry(self, name: str, rgb: Ink, x: float, y: float, swatch: int, marker: str) -> None:
        number = self.sheet.put(name, self.labels, x + swatch + self.gap, y, paint=self.sheet.look.text)
        self._note("legend", number)
        middle = y + self.labels.height / 2 - 0.1 * self.size
        high = swatch / 2 if marker == "block" else max(1.0, self.size / 9)
        self.sheet.fill((x, middle - high, x + swatch, middle + high), rgb)

    # Axes

    def upward(self, scale: Scale, title: str) -> None:
        """A scale at the left with its title turned; takes the room that its labels need."""
        panel = self.panel
        if title and self.labels.length(title) < panel.height * 0.95 and panel.width > 10 * self.size:
            self.turned_title(title)
        wide = max(self.labels.length(scale.text(value)) for value in scale.ticks)
        panel.left += wide + 2 * self.gap

    def turned_title(self, title: str) -> None:
        """The title of the axis at the left, read from bottom to top."""
        panel, type_, sheet = self.panel, self.labels, self.sheet
        middle = panel.left + type_.height / 2, (panel.top + panel.bottom) / 2
        surface = turned(-90, middle, (type_.length(title) / 2, type_.height / 2))
        name = colour_of(named(self.paint))
        box, words, _ = lay_line(
            sheet.canvas, surface, title, type_, (0.0, -type_.top), self.paint, name, len(sheet.things)
        )
        self._note("y axis", sheet.add(Thing("text", named(self.paint), box, title, words=words)))
        panel.left += type_.height + 2 * self.gap

    def across_title(self, title: str) -> None:
        """The title of the axis at the foot."""
        panel = self.panel
        if not title or self.labels.length(title) > panel.width or panel.height < 6 * self.size:
            return
        x = (panel.left + panel.right) / 2
        top = panel.bottom - self.labels.height
        self._note("x axis", self.sheet.put(title, self.labels, x, top, paint=self.paint, align=0.5))
        panel.bottom = top - self.gap

    def area(self) -> None:
        """What lies behind the values."""
        if self.ground is not None:
            self.sheet.fill(self.panel.box, self.ground)

    @property
    def faint(self) -> Ink:
        """The ink of the grid."""
        paper = self.ground or self.sheet.look.paper
        return shade(paper, 0.88) if luminance(paper) > 128 else shade(paper, 1.15)

    def ticks_up(self, scale: Scale) -> None:
        """The labels at the left and the grid's lines."""
        panel, type_ = self.panel, self.labels
        shown = scale.ticks
        step = 1 + int(1.2 * type_.height * (len(shown) - 1) / max(1.0, panel.height))
        for value in shown[::step]:
            y = panel.y(scale.share(value))
            self._line(panel.left, y, panel.right, y)
            top = y - type_.height / 2
            self.sheet.put(
                scale.text(value), type_, panel.left - 1.5 * self.gap, top, paint=self.paint, align=1.0
            )

    def ticks_across(self, scale: Scale) -> None:
        """The labels at the foot and the grid's upright lines."""
        panel, type_ = self.panel, self.labels
        shown, wide = scale.ticks, max(type_.length(scale.text(value)) for value in scale.ticks)
        step = 1 + int(1.15 * (wide + self.gap) * len(shown) / panel.width)
        for value in shown[::step]:
            x = panel.x(scale.share(value))
            self._line(x, panel.top, x, panel.bottom)
            self.sheet.put(scale.text(value), type_, x, panel.bottom + self.gap, paint=self.paint, align=0.5)

    def _line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        if self.grid == "lines":
            self.sheet.rule(round(x1), round(y1), round(x2), round(y2), self.faint)
        elif self.grid == "dots" and y1 == y2:
            for x in range(round(x1), round(x2), 4):
                self.sheet.rule(x, round(y1), x + 2, round(y1), self.faint)

    def names_across(self, names: tuple[str, ...], centres: list[float], *, turned_: bool) -> None:
        """Names below the panel, one under the middle of each band, upright or turned by a quarter."""
        panel, type_, sheet = self.panel, self.labels, self.sheet
        for name, x in zip(names, centres, strict=True):
            if not turned_:
                sheet.put(name, type_, x, panel.bottom + self.gap, paint=self.paint, align=0.5)
                continue
            wide = type_.length(name)
            surface = turned(-90, (x, panel.bottom + self.gap + wide / 2), (wide / 2, type_.height / 2))
            colour = colour_of(named(self.paint))
            box, words, _ = lay_line(
                sheet.canvas, surface, name, type_, (0.0, -type_.top), self.paint, colour, len(sheet.things)
            )
            sheet.add(Thing("text", named(self.paint), box, name, words=words))

    def lines(self, scale: Scale | None = None, *, lying: bool = False) -> None:
        """The axes themselves: at the foot and the left, or all around, and at zero where that is between."""
        panel, sheet, look = self.panel, self.sheet, self.sheet.look
        ink = look.rule if abs(luminance(look.rule) - luminance(look.paper)) > 60 else self.paint
        x, y = round(panel.left), round(panel.bottom)
        manner = self.dice.choice(("corner", "corner", "foot", "box"))
        if manner == "box":
            sheet.frame((x, round(panel.top), round(panel.right) + 1, y + 1), ink)
        else:
            if manner == "corner" or not lying:
                sheet.rule(x, y, round(panel.right), y, ink)
            if manner == "corner" or lying:
                sheet.rule(x, round(panel.top), x, y, ink)
        if scale is not None and scale.low < 0 < scale.high:
            zero = round(panel.y(scale.share(0)))
            sheet.rule(x, zero, round(panel.right), zero, ink)


def ink_on(rgb: Ink) -> Ink:
    """White on dark inks, black on light ones."""
    return (255, 255, 255) if luminance(rgb) < 150 else (0, 0, 0)


def colour_number(rgb: Ink) -> int:
    """What the map of colours says of an ink."""
    return colour_of(called(rgb))
