"""The world of Chinese lines: all 3,755 common characters, words, numbers and dates, with English between."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from random import Random
from zlib import crc32

from omma.sample import Size
from omma.synth.canvas import Canvas
from omma.synth.colours import colour_of
from omma.synth.grounds import ground
from omma.synth.han_fonts import HanFont, choose_han, han_faces, han_font, level_one
from omma.synth.printing import print_line, readable
from omma.synth.vocabulary import cased, kept_for_test, word
from omma.synth.world import Drawing, Split, Thing

SIZES = ((30, 72), (22, 52), (16, 34), (12, 26))  # of the type in pixels, by level
LINES = (1, 3, 5, 8)  # at most, by level
RUNS = ((1, 2), (1, 3), (2, 4), (2, 7))  # runs without a blank on a line, by level
MARKS = "，。！？：；、"


def hanzi(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None) -> Drawing:
    """One large run at level 0, some lines above it, in one font or in several."""
    base = ground(size, 0 if dice.random() < 0.5 else level, dice)
    canvas = Canvas(base.picture, colour_of(base.colour))
    press = _Press(level, split, dice, bool(han_faces(None if fonts is None else tuple(fonts))))
    things: list[Thing] = []
    low, high = SIZES[level]
    alike, most = dice.random() < 0.6, dice.randint(1 + (level > 1), LINES[level])
    type_ = _type(fonts, split, dice, dice.randint(low, high))
    paint, left = readable(base.inks, dice), dice.uniform(3, 14)
    top = dice.uniform(3, max(3.0, 0.3 * size.height))
    while len(things) < most:
        if not alike:
            type_ = _type(fonts, split, dice, dice.randint(low, high))
            paint, left = readable(base.inks, dice), dice.uniform(3, max(3.0, size.width * 0.3))
        if top + type_.height > size.height - 2:
            if things:
                break
            type_ = _smaller(type_, size.height - 6)
            top = 3.0
        text = press.line(type_.length, size.width - left - 4)
        while not text:
            type_ = _smaller(type_, type_.height * 0.8)
            text = press.line(type_.length, size.width - left - 4)
        colour, rgb = paint
        number = len(things)
        box, words = print_line(canvas, text, type_, left, top - type_.top, rgb, colour_of(colour), number)
        things.append(Thing("text", colour, box, text, words=words))
        top += type_.height + dice.uniform(0.15, 0.7) * type_.size
    return Drawing(
        canvas.picture, tuple(things), "chinese", base.colour,
        canvas.kind_map, canvas.colour_map, canvas.thing_map,
    )  # fmt: skip


def _type(fonts: Sequence[Path] | None, split: Split, dice: Random, size: int) -> HanFont:
    return han_font(choose_han(fonts, split, dice), size, dice.random() < 0.5)


def _smaller(type_: HanFont, height: float) -> HanFont:
    size = min(type_.size - 1, int(type_.size * height / type_.height))
    return han_font(type_.face, max(6, size), type_.soft)


@dataclass(frozen=True)
class _Press:
    """What is printed, line by line. Where no font prints `chinese`, it is English words and numbers."""

    level: int
    split: Split
    dice: Random
    chinese: bool

    def line(self, length: Callable[[str], float], width: float) -> str:
        """As many runs as fit in the width; nothing when not even a short one does."""
        runs: list[str] = []
        for _ in range(self.dice.randint(*RUNS[self.level])):
            run = self._run()
            while run and length(" ".join([*runs, run])) > width:
                run = run[:-1]
            if run and (self.split == "test" or not _kept(run)):
                runs.append(run)
        return " ".join(runs)

    def _run(self) -> str:
        """Chinese without a blank, mostly; now and then an English word or a number."""
        dice, luck = self.dice, self.dice.random()
        if not self.chinese:
            whole = str(dice.randint(0, 9999))
            return whole if luck < 0.2 else cased(word(self.split, dice), "any", dice)
        if luck < 0.4:
            return "".join(dice.choices(level_one(), k=dice.randint(1, 4 + 2 * self.level)))
        if luck < 0.7:
            run = "".join(dice.choice(_words(self.split)) for _ in range(dice.choice((1, 1, 2))))
            return run + dice.choice(MARKS) if dice.random() < 0.2 else run
        if luck < 0.82:
            return _figure(dice)
        if luck < 0.92:
            return cased(word(self.split, dice), "any", dice)
        return f"{dice.choice(_words(self.split))}{cased(word(self.split, dice), 'any', dice)}"


def _kept(run: str) -> bool:
    """Whether a part of the run is kept for the test; cutting may have laid one bare."""
    return any(kept_for_test(part) for part in re.findall("[A-Za-z]+", run))


def _figure(dice: Random) -> str:
    """A number as it stands in Chinese print: a date, a price, a time, a count, a floor."""
    whole = dice.randint(1, dice.choice((9, 99, 999)))
    match dice.randrange(7):
        case 0:
            return f"{dice.randint(1990, 2030)}年{dice.randint(1, 12)}月{dice.randint(1, 28)}日"
        case 1:
            return f"{whole}.{dice.randint(0, 99):02}元"
        case 2:
            return f"{dice.randint(1, 12)}点{dice.randint(1, 59)}分"
        case 3:
            return f"第{whole}{dice.choice(('页', '章', '号', '名', '层'))}"
        case 4:
            return f"{whole}{dice.choice(('个', '本', '次', '人', '米', '公里', '公斤', '岁'))}"
        case 5:
            return f"电话：{dice.randint(10**7, 10**8 - 1)}"
        case _:
            return f"{dice.choice('一二三四五六七八九十')}{dice.choice(('月', '楼', '号线', '班', '等奖'))}"


@cache
def _words(split: Split) -> tuple[str, ...]:
    """The words of the list beside this file; one in twelve is kept for the test."""
    text = (files("omma.synth") / "hanzi_words.txt").read_text("utf-8")
    every = [run for row in text.splitlines() if not row.startswith("#") for run in row.split()]
    return tuple(run for run in every if split == "test" or crc32(run.encode()) % 12)
