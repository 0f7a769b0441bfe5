"""Draws labelled pictures of plant-diagram symbols, which omma-nano has never seen, to fine-tune it on.

python examples/symbols.py runs/symbols            # 200 to learn from, and 200 others to test on
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw

QUESTION = "Which symbol is this?"
SHARP = 4  # drawn so many times larger, then shrunk

Draw = ImageDraw.ImageDraw
Ink = tuple[int, int, int]


def valve(draw: Draw, s: float, ink: Ink, width: int) -> None:
    """Two triangles tip to tip, and a stem with its wheel."""
    draw.polygon([(0, 0.3 * s), (0, s), (s, 0.3 * s), (s, s)], outline=ink, width=width)
    draw.line([(s / 2, 0.65 * s), (s / 2, 0)], ink, width)
    draw.line([(0.25 * s, 0), (0.75 * s, 0)], ink, width)


def pump(draw: Draw, s: float, ink: Ink, width: int) -> None:
    """A circle with a triangle that points out to the right."""
    draw.ellipse([0, 0, s, s], outline=ink, width=width)
    draw.line([(0.5 * s, 0), (s, 0.5 * s), (0.5 * s, s)], ink, width)


def motor(draw: Draw, s: float, ink: Ink, width: int) -> None:
    """A circle with an M, on a foot."""
    draw.ellipse([0, 0, s, 0.9 * s], outline=ink, width=width)
    zigzag = [(0.28, 0.68), (0.28, 0.25), (0.5, 0.5), (0.72, 0.25), (0.72, 0.68)]
    draw.line([(x * s, y * s) for x, y in zigzag], ink, width)
    draw.line([(0.1 * s, s), (0.9 * s, s)], ink, width)


def tank(draw: Draw, s: float, ink: Ink, width: int) -> None:
    """A standing vessel with domed ends, half full."""
    draw.rounded_rectangle([0.15 * s, 0, 0.85 * s, s], 0.3 * s, outline=ink, width=width)
    for level in (0.55, 0.68, 0.81):
        draw.line([(0.15 * s, level * s), (0.85 * s, level * s)], ink, width // 2)


def fan(draw: Draw, s: float, ink: Ink, width: int) -> None:
    """Two blades across a square frame."""
    draw.rectangle([0, 0, s, s], outline=ink, width=width)
    draw.ellipse([0.1 * s, 0.36 * s, 0.5 * s, 0.64 * s], fill=ink)
    draw.ellipse([0.5 * s, 0.36 * s, 0.9 * s, 0.64 * s], fill=ink)


def heater(draw: Draw, s: float, ink: Ink, width: int) -> None:
    """A frame with a coil through it."""
    draw.rectangle([0, 0.15 * s, s, 0.85 * s], outline=ink, width=width)
    coil = [(0, 0.5), (0.2, 0.5), (0.3, 0.25), (0.45, 0.75), (0.6, 0.25), (0.75, 0.75), (0.85, 0.5), (1, 0.5)]
    draw.line([(x * s, y * s) for x, y in coil], ink, width)


SYMBOLS: dict[str, Callable[[Draw, float, Ink, int], None]] = {
    draw.__name__: draw for draw in (valve, pump, motor, tank, fan, heater)
}


def picture(name: str, dice: random.Random) -> Image.Image:
    """One symbol somewhere on a sheet: other inks, papers, sizes, places, a little askew."""
    side = dice.choice([112, 126, 140, 154]) * SHARP
    paper = tuple(dice.randint(200, 255) for _ in range(3))
    ink = (dice.randint(0, 110), dice.randint(0, 110), dice.randint(0, 110))
    size = side * dice.uniform(0.4, 0.65)
    layer = Image.new("L", (side, side), 0)
    spot = Image.new("L", (int(size * 1.2),) * 2, 0)
    drawn = Image.new("L", (int(size) + 1,) * 2, 0)
    SYMBOLS[name](ImageDraw.Draw(drawn), size - 1, 255, round(side * dice.uniform(0.015, 0.03)))  # type: ignore[arg-type]
    spot.paste(drawn, (int(size * 0.1),) * 2)
    spot = spot.rotate(dice.uniform(-12, 12), Image.Resampling.BICUBIC)
    layer.paste(spot, tuple(dice.randint(0, side - spot.width) for _ in range(2)))  # type: ignore[arg-type]
    sheet = Image.new("RGB", (side, side), paper)  # type: ignore[arg-type]
    sheet.paste(Image.new("RGB", (side, side), ink), mask=layer)
    return sheet.resize((side // SHARP,) * 2, Image.Resampling.LANCZOS)


def write(folder: Path, name: str, count: int, seed: int) -> Path:
    """`count` pictures in FOLDER/NAME/ and a dialogue a line in FOLDER/NAME.jsonl."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    lines = []
    for i in range(count):
        dice = random.Random(f"{seed} {i}")
        symbol = dice.choice(list(SYMBOLS))
        picture(symbol, dice).save(folder / name / f"{i:04d}.png")
        shown = {"type": "image_url", "image_url": {"url": f"{name}/{i:04d}.png"}}
        asked = {"role": "user", "content": [shown, {"type": "text", "text": QUESTION}]}
        lines.append(json.dumps({"messages": [asked, {"role": "assistant", "content": symbol}]}))
    file = folder / f"{name}.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return file


if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/symbols")
    print(write(out, "mine", 200, seed=0))
    print(write(out, "test", 200, seed=1))
