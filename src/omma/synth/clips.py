"""The world of clips: short videos in which things move, come, go and change, with every moment known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from omma.sample import Size
from omma.synth.ask_clips import clip_turns
from omma.synth.grounds import ground
from omma.synth.staging import stage
from omma.synth.stories import Stage, story
from omma.synth.world import Drawing, Exercise, Split

SIZES = (
    (Size(112, 112), Size(140, 112)),
    (Size(112, 112), Size(140, 112), Size(112, 140)),
    (Size(140, 112), Size(140, 140), Size(168, 112), Size(112, 140)),
    (Size(140, 140), Size(168, 112), Size(168, 140), Size(140, 168)),
)
LENGTH = ((3, 5), (4, 6), (4, 8), (5, 10))  # seconds, by level
MOST = (1, 2, 3, 4)  # actors, by level
GRAIN = 96  # pixels of a frame that flicker by one step of 255, so that no two frames are the same


def clips(
    size: Size | None, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None
) -> Exercise:
    """A clip of three to ten seconds at two or four frames a second, with one to four actors."""
    size = size or dice.choice(SIZES[level])
    fps = 4.0 if dice.random() < (0.0, 0.15, 0.25, 0.25)[level] else 2.0
    seconds = dice.randint(*LENGTH[level])
    frames = int(seconds * fps) if fps == 2.0 else int(max(3, seconds * 0.7) * fps)
    frames += frames % 2
    base = ground(size, min(level, 2), dice)
    axis = 0 if dice.random() < 0.7 else 1
    shown = Stage(base, size, frames, fps, axis, level, split, dice)
    actors = story(shown, dice.randint(1 + (level > 1), MOST[level]))
    grain = np.random.default_rng(dice.getrandbits(32))
    drawings = tuple(
        _grainy(stage(base, [item for item in items if item is not None], "clips"), grain)
        for items in zip(*(actor.places for actor in actors), strict=True)
    )
    turns = clip_turns(drawings, actors, fps, split, dice)
    return Exercise(drawings[0], turns, drawings[1:], fps)


def _grainy(drawing: Drawing, grain: np.random.Generator) -> Drawing:
    """The frame with the faint flicker that every camera has."""
    pixels = np.asarray(drawing.picture).copy()
    rows = grain.integers(0, pixels.shape[0], GRAIN)
    columns = grain.integers(0, pixels.shape[1], GRAIN)
    pixels[rows, columns] ^= 1
    return replace(drawing, picture=Image.fromarray(pixels))
