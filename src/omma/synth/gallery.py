"""The worlds of named drawings, languages, Chinese, sums, applications, comparisons and clips, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import TypeAlias

from omma.sample import Size
from omma.synth.apps import APP_SIZES, app
from omma.synth.ask_apps import app_turns
from omma.synth.ask_hanzi import hanzi_turns
from omma.synth.ask_sums import sum_turns
from omma.synth.ask_tongues import language_turns, named_turns
from omma.synth.clips import clips
from omma.synth.compared import compared
from omma.synth.hanzi import hanzi
from omma.synth.named import named
from omma.synth.scenes import scene
from omma.synth.sums import sums
from omma.synth.world import Drawing, Exercise, Split, Turn

Painter: TypeAlias = Callable[[Size, int, Random, Split, Sequence[Path] | None], Drawing]
Asker: TypeAlias = Callable[[Drawing, Split, Random], tuple[Turn, ...]]
# Worlds that draw several pictures choose their own size where none is asked for.
Maker: TypeAlias = Callable[[Size | None, int, Random, Split, Sequence[Path] | None], Exercise]

GALLERY: dict[str, tuple[Painter, Asker]] = {
    "named": (named, named_turns),
    "languages": (lambda size, level, dice, split, fonts: scene(size, level, dice), language_turns),
    "chinese": (hanzi, hanzi_turns),
    "sums": (sums, sum_turns),
    "apps": (app, app_turns),
}
GALLERY_SIZES: dict[str, tuple[tuple[Size, ...], ...]] = {"apps": APP_SIZES}  # by level; others as scenes
SETS: dict[str, Maker] = {"compared": compared, "clips": clips}
