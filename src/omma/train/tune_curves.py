"""A picture of how a fitting went: the loss of every step, and what was held out, over the steps."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

SIZE = (860, 460)
FRAME = (70, 30, 830, 400)  # left, top, right, bottom of the axes
PAPER, INK, FAINT = "#ffffff", "#333333", "#dddddd"
LEARNED, HELD_OUT = "#56B4E9", "#D55E00"
FEW = 5  # lines across


class Axes(NamedTuple):
    """Steps to the right, loss upwards on a scale of powers."""

    steps: float
    low: float
    high: float

    def at(self, step: float, loss: float) -> tuple[float, float]:
        """The pixel of a point."""
        left, top, right, bottom = FRAME
        share = (math.log(max(loss, self.low)) - math.log(self.low)) / math.log(self.high / self.low)
        return left + step / self.steps * (right - left), bottom - share * (bottom - top)


def draw_curves(log: Path, best: int, file: Path) -> None:
    """Draw a run's log.jsonl as a PNG; `best` is the step whose weights were kept."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    learned = [(line["step"], line["loss"]) for line in lines if "loss" in line]
    held_out = [(line["step"], line["held_out"]["loss"]) for line in lines if "held_out" in line]
    every = [max(loss, 1e-6) for _, loss in learned + held_out]
    axes = Axes(
        max(step for step, _ in held_out) or 1, 10 ** math.floor(math.log10(min(every))), max(every) * 1.2
    )
    sheet = Image.new("RGB", SIZE, PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    _frame(pen, axes, font)
    if len(learned) > 1:
        pen.line([axes.at(*point) for point in learned], LEARNED, 1)
    pen.line([axes.at(*point) for point in held_out], HELD_OUT, 3, joint="curve")
    for point in held_out:
        x, y = axes.at(*point)
        size = 7 if point[0] == best else 3
        pen.ellipse([x - size, y - size, x + size, y + size], fill=HELD_OUT)
    pen.text((FRAME[0], 432), "loss of what is learned", LEARNED, font)
    pen.text((FRAME[0] + 220, 432), f"held out (large: the best, after step {best})", HELD_OUT, font)
    pen.text((FRAME[2], 432), "steps", INK, font, anchor="ra")
    sheet.save(file)


def _frame(pen: ImageDraw.ImageDraw, axes: Axes, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> None:
    """Lines across at round losses, and steps along the bottom."""
    left, top, right, bottom = FRAME
    for loss in _round_numbers(axes.low, axes.high):
        y = axes.at(0, loss)[1]
        pen.line([(left, y), (right, y)], FAINT, 1)
        pen.text((left - 8, y), f"{loss:g}", INK, font, anchor="rm")
    for part in range(FEW):
        step = round(axes.steps * part / (FEW - 1))
        pen.text((axes.at(step, axes.low)[0], bottom + 6), str(step), INK, font, anchor="ma")
    pen.rectangle([left, top, right, bottom], outline=INK)


def _round_numbers(low: float, high: float) -> Sequence[float]:
    """1, 2 and 5 of each power of ten between the two."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [
        front * 10.0**power for power in powers for front in (1, 2, 5) if low <= front * 10.0**power <= high
    ]
