"""The world of named drawings: emoji and icons of well over a thousand kinds, on every sort of ground."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageEnhance

from omma.sample import Size
from omma.synth.canvas import Canvas
from omma.synth.catalogue import Kind, Source, catalogue, dyed, opened
from omma.synth.colours import NAMED, Ink, colour_of, ink
from omma.synth.cutouts import CutOut, lay, of_picture, of_wish, own_colour, shadow
from omma.synth.grounds import Ground, ground
from omma.synth.places import reading_order, room
from omma.synth.scenes import devise, renumber, size_word, visible
from omma.synth.textures import textured
from omma.synth.tongues import tongue
from omma.synth.world import OBJECTS, SHAPES, Drawing, Edges, Split, Thing

FEWEST, MOST = (1, 1, 3, 4), (2, 4, 7, 10)  # things, by level
SIDES = ((0.4, 0.75), (0.24, 0.5), (0.16, 0.4), (0.12, 0.34))  # of the shorter side, by level
LEAST = 24  # pixels of the longer side: below that nobody tells what it is
TEXTURED = (0.0, 0.25, 0.4, 0.55)  # how often the ground has no name of its own, by level
HIDDEN = 0.22  # the part of a thing that another may cover, at level 3


def named(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None) -> Drawing:
    """A picture of 1 to 10 named drawings. Below level 3 nothing hides anything."""
    base = textured(size, dice) if dice.random() < TEXTURED[level] else ground(size, level, dice)
    canvas = Canvas(base.picture, colour_of(base.colour))
    taken: list[Edges] = []
    things: list[Thing] = []
    hidden = HIDDEN if level == 3 and dice.random() < 0.5 else 0.0
    lifted = level > 0 and dice.random() < 0.3
    for kind in _cast(level, split, dice):
        low, high = SIDES[level]
        side = max(LEAST, round(min(size) * dice.uniform(low, high)))
        cut = cut_out(kind, side, base, size, level, split, dice)
        box = room(taken, cut.size.width, cut.size.height, size, dice, 2.0, hidden)
        if box is None:
            continue
        x, y = int(box[0]), int(box[1])
        if lifted:
            shadow(canvas, cut, x, y, max(2, side // 16), 0.4)
        seen = lay(canvas, cut, x, y, len(things))
        if seen is not None:
            taken.append(box)
            words = size_word(max(cut.size) / min(size))
            things.append(Thing(cut.kind, cut.colour, seen, size=words, state=cut.state))
    return finish(canvas, things, "named", base.colour)


def finish(canvas: Canvas, things: Sequence[Thing], world: str, background: str) -> Drawing:
    """What has been laid on the canvas as a drawing: boxes of what can be seen, in reading order."""
    seen = [visible(canvas, number, thing) for number, thing in enumerate(things)]
    order = reading_order(seen, canvas.size)
    renumber(canvas, order)
    return Drawing(
        canvas.picture, tuple(seen[i] for i in order), world, background,
        canvas.kind_map, canvas.colour_map, canvas.thing_map,
    )  # fmt: skip


@cache
def pool(split: Split) -> tuple[str, ...]:
    """The names of what a split draws; where a machine has no named drawings, the things of scenes."""
    kinds = [kind for kind in catalogue() if not kind.kept_for_test and kind.of_split(split)]
    return tuple(kind.name for kind in kinds) or SHAPES + OBJECTS


@cache
def drawn_names(split: Split) -> tuple[str, ...]:
    """Names that no thing of scenes bears, for worlds that mix both; none where a machine has no drawings."""
    borne = {*SHAPES, *OBJECTS, *(f"{colour} {kind}" for colour in NAMED for kind in SHAPES + OBJECTS)}
    return tuple(name for name in pool(split) if name not in borne)


@cache
def unseen_names(split: Split) -> tuple[str, ...]:
    """Names of kinds that training never shows; none for training."""
    return tuple(kind.name for kind in catalogue() if split == "test" and kind.kept_for_test)


def called(name: str, language: str) -> str | None:
    """What a named drawing or a thing of scenes is called in a language; None where nobody has said."""
    kind = _kinds().get(name)
    if kind is not None:
        return kind.called(language)
    return name if language == "en" else tongue(language).thing(name)["bare"]


@cache
def _kinds() -> dict[str, Kind]:
    return {kind.name: kind for kind in catalogue()}


def _cast(level: int, split: Split, dice: Random) -> list[str]:
    """The kinds that are to appear: all different, or several of one."""
    names = pool(split)
    count = dice.randint(FEWEST[level], MOST[level])
    cast = [dice.choice(names) for _ in range(count)]
    if level and dice.random() < 0.55:
        same = dice.randint(count // 2 + 1, count)
        cast = [cast[0]] * same + cast[same:]
    dice.shuffle(cast)
    return cast


def cut_out(name: str, side: int, base: Ground, size: Size, level: int, split: Split, dice: Random) -> CutOut:
    """A drawing of this name, its longer side `side` pixels, lit and turned as the level has it."""
    kind = _kinds().get(name)
    if kind is None:
        return _of_scenes(name, side, base, size, level, dice)
    source = dice.choice(kind.of_split(split))
    if source.form == "outline":
        colour, rgb = _shown(base, dice)
        cut = of_picture(dyed(opened(source), rgb), name, colour)
    else:
        cut = _cut(name, source)
    if level and dice.random() < 0.5 and source.form != "outline":
        cut = _lit(cut, level, dice)
    if level and dice.random() < 0.4:
        cut = cut.turned(dice.uniform(-14, 14))
    scale = side / max(cut.size)
    squeeze = dice.uniform(0.92, 1.08) if level else 1.0
    return cut.resized(round(cut.size.width * scale * squeeze), round(cut.size.height * scale))


def _of_scenes(name: str, side: int, base: Ground, size: Size, level: int, dice: Random) -> CutOut:
    colours = [colour for colour in NAMED if colour != base.colour]
    cut = of_wish(devise(name, dice.choice(colours), base, size, min(level, 2), False, dice))
    scale = side / max(cut.size)
    return cut.resized(round(cut.size.width * scale), round(cut.size.height * scale))


@cache
def _cut(name: str, source: Source) -> CutOut:
    picture = opened(source)
    return of_picture(picture, name, own_colour(picture))


def _shown(base: Ground, dice: Random) -> tuple[str, Ink]:
    """A named ink that can be seen on this ground."""
    for _ in range(12):
        name = dice.choice(NAMED)
        rgb = ink(name, dice)
        if name != base.colour and base.shows(rgb, 170):
            return name, rgb
    dark: Ink = (10, 10, 10)
    return ("black", dark) if base.shows(dark) else ("white", (255, 255, 255))


def _lit(cut: CutOut, level: int, dice: Random) -> CutOut:
    """In another light: brighter or dimmer, from one side, or without its colours."""
    picture, cover = cut.picture.convert("RGB"), cut.picture.getchannel("A")
    luck = dice.random()
    if level == 3 and luck < 0.12:
        gray = picture.convert("L").convert("RGB")
        gray.putalpha(cover)
        return cut.dyed(gray, None)
    if luck < 0.6:
        picture = ImageEnhance.Brightness(picture).enhance(dice.uniform(0.88, 1.1))
        picture = ImageEnhance.Color(picture).enhance(dice.uniform(0.8, 1.2))
    else:
        ramp = Image.linear_gradient("L").rotate(dice.choice((0, 90, 180, 270))).resize(picture.size)
        light = np.asarray(ramp).astype(np.float32)[:, :, None] / 255 * 0.3 + 0.78
        lit = np.clip(np.asarray(picture) * light, 0, 255).astype(np.uint8)
        picture = Image.fromarray(lit)
    picture.putalpha(cover)
    return CutOut(picture, cut.kinds, cut.colours, cut.there, cut.kind, cut.colour, cut.state)
