"""Fonts that print Chinese, found on a machine, and the characters to be known: GB 2312, level 1."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from random import Random

from PIL import ImageFont

from omma.synth.coverage import drawn_by
from omma.synth.fonts import FOLDERS, ONE_BY_ONE, Face, Font, choose
from omma.synth.world import Split

# Families that are never seen in training.
HELD_OUT = ("Noto Serif CJK", "WenQuanYi Micro Hei")
OTHER_LANDS = (" JP", " KR", " TC", " TW", " HK", " MBE", " Mono")  # other forms of the same characters
MOST_FACES = 16  # in a collection
LEAST_BYTES = 1_000_000  # no font that draws so many characters is smaller
_log = logging.getLogger(__name__)


@cache
def level_one() -> str:
    """The 3,755 characters of GB 2312's first level, rows 16 to 55 of its table, in their order there."""
    codes = (bytes((0xA0 + row, 0xA0 + cell)) for row in range(16, 56) for cell in range(1, 95))
    found = []
    for code in codes:
        try:
            found.append(code.decode("gb2312"))
        except UnicodeDecodeError:  # the last row has five empty cells
            continue
    return "".join(found)


class HanFont(Font):
    """A face at a size in pixels whose cells are as tall as Chinese characters are; nothing is kerned."""

    def __init__(self, face: Face, size: int, soft: bool) -> None:
        super().__init__(face, size, soft)
        if self.features is not None:
            self.features = [*ONE_BY_ONE, "-kern"]
        box = self.ink.getbbox("国警龙gAj", anchor="ls")
        self.top, self.bottom = box[1] / self.fine, box[3] / self.fine

    def edges(self, text: str) -> list[float]:
        """Where each character begins, and where the last one ends."""
        places = [0.0]
        for letter in text:
            places.append(places[-1] + self._width(letter))
        return places


@lru_cache(maxsize=512)
def han_font(face: Face, size: int, soft: bool) -> HanFont:
    """The face at this size, opened once."""
    return HanFont(face, size, soft)


@cache
def han_faces(folders: tuple[Path, ...] | None = None) -> tuple[Face, ...]:
    """All faces in these folders (default: the system's) that print every character of level one.

    Of a collection for several lands only mainland China's faces are taken, if it has such.
    """
    found: set[Face] = set()
    for folder in folders or FOLDERS:
        for path in sorted(folder.expanduser().rglob("*.[to]t[fc]")):
            if path.stat().st_size >= LEAST_BYTES:
                found.update(_faces(path))
    if not found:
        _log.warning("no font on this machine prints Chinese; Chinese lines are printed in English instead")
    return tuple(sorted(found, key=lambda face: (face.family, face.style, face.path or "", face.index)))


def _faces(path: Path) -> list[Face]:
    """The faces of one file that print Chinese."""
    made = []
    wanted = frozenset(map(ord, level_one()))
    for index in range(MOST_FACES if path.suffix == ".ttc" else 1):
        try:
            ink = ImageFont.truetype(str(path), 20, index, layout_engine=ImageFont.Layout.BASIC)
        except OSError:
            break
        family, style = ink.getname()
        ours = bool(family) and not str(family).endswith(OTHER_LANDS) and " Mono" not in str(family)
        if ours and wanted <= drawn_by(str(path), index):
            made.append(Face(str(family), style or "Regular", str(path), index))
    return made


def choose_han(folders: Sequence[Path] | None, split: Split, dice: Random) -> Face:
    """A face of this split; a machine that has none for a split lends it the other's.

    Where no font prints Chinese it is one that prints English.
    """
    every = han_faces(None if folders is None else tuple(folders))
    if not every:
        return choose(folders, split, dice)
    fitting = [face for face in every if face.family.startswith(HELD_OUT) == (split == "test")] or every
    families = sorted({face.family for face in fitting})
    family = dice.choice(families)
    return dice.choice([face for face in fitting if face.family == family])
