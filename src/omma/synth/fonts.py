"""Fonts found on a machine: which print plain English, which families are kept for the test, exact widths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from random import Random

from PIL import ImageFont, features

from omma.errors import MissingFile
from omma.synth.world import Split

FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("~/.fonts"),
    Path("~/.local/share/fonts"),
)
PRINTABLE = "".join(chr(code) for code in range(32, 127))
# Families that are never seen in training.
HELD_OUT = (
    *("Carlito", "Gentium", "Lato", "Cantarell", "Noto Serif", "Hack", "Cabin", "Quicksand", "EB Garamond"),
    *("Ubuntu", "Verdana", "Georgia", "Source Sans", "Inter", "Merriweather", "Caladea"),
)
# Families that browsers fall back to: they are drawn more often.
EVERYDAY = ("DejaVu", "Liberation", "Free", "Noto Sans", "Roboto", "Open Sans", "Arial", "Times", "Helvetica")
_NOT_LATIN_ONLY = (
    "NotoSans-",
    "NotoSerif-",
    "NotoMono-",
    "NotoSansMono-",
    "NotoSansDisplay-",
    "NotoSerifDisplay-",
)
TALLEST = 1.5  # times its size that a face may reach from top to bottom; lines are set for no more
ONE_BY_ONE = ("-liga", "-clig", "-calt", "-dlig")  # no ligatures: every character keeps a cell of its own
_UNFIT = (
    "thin",
    "hairline",
    "initials",
    "keyboard",
    "math",
    "symbol",
    "emoji",
    "icons",
    "extralight",
    "dingbat",
)


@dataclass(frozen=True)
class Face:
    """One font of one family. `path` None is Pillow's own default font; `index` counts in a collection."""

    family: str
    style: str
    path: str | None
    index: int = 0

    @property
    def bold(self) -> bool:
        """Whether the face is heavy."""
        return any(word in self.style.lower() for word in ("bold", "black", "heavy"))

    @property
    def italic(self) -> bool:
        """Whether the face is slanted."""
        return any(word in self.style.lower() for word in ("italic", "oblique"))

    @property
    def everyday(self) -> bool:
        """Whether browsers use the family when a page names no other."""
        return self.family.startswith(EVERYDAY)


class Font:
    """A face at a size in pixels, with the exact places of its characters.

    `soft` prints at twice the size and halves it, so that letters are not fitted to whole pixels, and kerns
    by the font's own tables where Pillow can: as browsers do. Otherwise Pillow's plain layout is used.
    """

    def __init__(self, face: Face, size: int, soft: bool) -> None:
        self.face, self.size, self.soft = face, size, soft
        self.fine = 2 if soft else 1
        shaped = soft and face.path is not None and bool(features.check("raqm"))
        self.features = list(ONE_BY_ONE) if shaped else None
        self.ink = _load(face.path, size * self.fine, shaped, face.index)
        box = self.ink.getbbox("Ahlpgy", anchor="ls")
        # Tops of tall letters and bottoms of hanging ones, relative to the baseline, y downwards.
        self.top, self.bottom = box[1] / self.fine, box[3] / self.fine
        self._widths: dict[str, float] = {}

    @property
    def height(self) -> float:
        """From the top of tall letters to the bottom of hanging ones, in pixels."""
        return self.bottom - self.top

    def _width(self, text: str) -> float:
        width = self._widths.get(text)
        if width is None:
            width = self._widths[text] = self.ink.getlength(text, features=self.features) / self.fine
        return width

    def edges(self, text: str) -> list[float]:
        """Where each character begins, and where the last one ends; kerning moves the following character."""
        at, places, before = 0.0, [0.0], ""
        for letter in text:
            if before:
                kerning = self._width(before + letter) - self._width(before) - self._width(letter)
                at += kerning
                places[-1] = at
            at += self._width(letter)
            places.append(at)
            before = letter
        return places

    def length(self, text: str) -> float:
        """How wide the text runs, in pixels."""
        return self.edges(text)[-1]


def _load(path: str | None, size: int, shaped: bool = False, index: int = 0) -> ImageFont.FreeTypeFont:
    if path is None:
        font = ImageFont.load_default(size)
        assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
        return font
    engine = ImageFont.Layout.RAQM if shaped else ImageFont.Layout.BASIC
    return ImageFont.truetype(path, size, index, layout_engine=engine)


@lru_cache(maxsize=2048)
def font(face: Face, size: int, soft: bool = False) -> Font:
    """The face at this size, opened once."""
    return Font(face, size, soft)


@cache
def faces(folders: tuple[Path, ...] | None = None) -> tuple[Face, ...]:
    """All faces in these folders (default: the system's) that print plain English, by family and style.

    Pillow's own font is always among them. A folder that was named must exist, or MissingFile is raised.
    """
    if folders is not None:
        for folder in folders:
            if not folder.is_dir():
                raise MissingFile(f"{folder} is not a folder; name folders that hold .ttf or .otf fonts")
    found = [Face("Default", "Regular", None)]
    for folder in folders or FOLDERS:
        for path in sorted(folder.expanduser().rglob("*.[to]tf")):
            face = _face(path)
            if face is not None:
                found.append(face)
    return tuple(sorted(set(found), key=lambda face: (face.family, face.style, face.path or "")))


def _face(path: Path) -> Face | None:
    """The face in this file, or None when it cannot print plain English."""
    if any(word in path.stem.lower() for word in _UNFIT):
        return None
    if path.stem.startswith("Noto") and not path.stem.startswith(_NOT_LATIN_ONLY):
        return None
    try:
        ink = ImageFont.truetype(str(path), 20, layout_engine=ImageFont.Layout.BASIC)
    except OSError:
        return None
    family, style = ink.getname()
    if not family or any(word in f"{family} {style}".lower() for word in _UNFIT):
        return None
    _, top, _, bottom = ink.getbbox("Ahlpgy", anchor="ls")
    if bottom - top > TALLEST * ink.size:
        return None
    missing = bytes(ink.getmask("\U0010fffd"))
    shapes = [bytes(ink.getmask(letter)) for letter in PRINTABLE[1:]]
    if not all(any(shape) and shape != missing for shape in shapes) or len(set(shapes)) < 85:
        return None
    return Face(family, style or "Regular", str(path))


def held_out(face: Face) -> bool:
    """Whether a face is kept for the test split, by its family's name."""
    return face.family.startswith(HELD_OUT)


@cache
def of_split(folders: tuple[Path, ...] | None, split: Split) -> dict[str, tuple[Face, ...]]:
    """The faces of a split by family. A machine that has no held-out family tests with what it has."""
    every = faces(folders)
    chosen = [face for face in every if held_out(face) == (split == "test")] or list(every)
    families: dict[str, list[Face]] = {}
    for face in chosen:
        families.setdefault(face.family, []).append(face)
    return {family: tuple(members) for family, members in families.items()}


def choose(folders: Sequence[Path] | None, split: Split, dice: Random, plain: float = 0.5) -> Face:
    """A face at random: everyday families four times; only upright regular ones as often as `plain` says."""
    families = of_split(None if folders is None else tuple(folders), split)
    names = list(families)
    weights = [4 if families[name][0].everyday else 1 for name in names]
    members = families[dice.choices(names, weights)[0]]
    upright = [face for face in members if not face.bold and not face.italic]
    return dice.choice(upright if upright and dice.random() < plain else members)
