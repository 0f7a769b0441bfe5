"""Named drawings found on a machine: emoji in colour and in outline, icon themes; named in six languages.

A machine that has none of them draws the things of scenes instead, and says so once.
Debian's packages: fonts-noto-color-emoji, fonts-symbola, ruby-gemojione; unicode-cldr-core for the names;
tango-, gnome-, mate-, oxygen-, lxde-, elementary-xfce- and adwaita-icon-theme.
"""

from __future__ import annotations

import logging
import os
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree
from zlib import crc32

from PIL import Image, ImageDraw, ImageFont

from omma.synth.colours import NAMED, Ink
from omma.synth.coverage import drawn_by
from omma.synth.world import Split

ROOTS = (Path("/usr/share"), Path("/usr/local/share"), Path("~/.local/share"))
TONGUES = ("en", "zh", "es", "de", "fr", "ja")
COLOURED, OUTLINED = "NotoColorEmoji.ttf", "Symbola*.ttf"
SIDE = 109  # the one size, in pixels, in which the colour font holds its pictures
# Icon themes; those of the test are never seen in training.
THEMES = ("oxygen", "gnome", "mate", "menta", "elementary-xfce", "nuoveXT2", "Adwaita")
TEST_THEMES = ("Tango",)
SMALLEST, LARGEST = 32, 128  # sides of icons that are taken, in pixels
# Names that are no drawing's own: skins, hair, and what is told from its neighbour by its words alone.
_UNFIT = re.compile(r"skin tone|\bhair\b|Japanese|keycap|[:\"“”«»]")
_TINTED = re.compile(rf"\b(?:{'|'.join(NAMED)}|colou?red|rainbow)\b", re.IGNORECASE)
_log = logging.getLogger(__name__)

Form = Literal["glyph", "outline", "file"]


@dataclass(frozen=True)
class Source:
    """One way in which a kind is drawn. `style` is the font, the set or the theme it comes from."""

    style: str
    form: Form
    path: str
    text: str = ""  # the characters of a glyph


@dataclass(frozen=True)
class Kind:
    """Something that has a name. `said` are its names by language, English always among them."""

    name: str
    said: tuple[tuple[str, str], ...]
    sources: tuple[Source, ...]

    def called(self, tongue: str) -> str | None:
        """Its name in a language, where one is known."""
        return dict(self.said).get(tongue)

    @property
    def kept_for_test(self) -> bool:
        """Whether training never shows the kind at all: one in 24."""
        return crc32(self.name.encode()) % 24 == 0

    def of_split(self, split: Split) -> tuple[Source, ...]:
        """The ways in which a split draws it; none where the kind is not for it.

        One kind in four that has other ways keeps its colour glyph for the test; so does every kind its
        Tango icon. The test draws by what is kept for it where there is any, and by free sets only.
        """
        kept = [source for source in self.sources if self._kept(source)]
        if split == "test":
            free = [s for s in self.sources if s.form == "glyph" or s.style in TEST_THEMES]
            return tuple(kept or free or self.sources)
        return () if self.kept_for_test else tuple(s for s in self.sources if s not in kept)

    def _kept(self, source: Source) -> bool:
        if source.style in TEST_THEMES:
            return True
        others = any(other.form in ("outline", "file") for other in self.sources)
        return source.form == "glyph" and others and crc32(self.name.encode()) % 4 == 1


@cache
def catalogue(roots: tuple[Path, ...] = ROOTS) -> tuple[Kind, ...]:
    """All kinds under these folders, by name; none where there is nothing."""
    said: dict[str, dict[str, str]] = {}
    sources: dict[str, list[Source]] = defaultdict(list)
    for names, found in (*_emoji(roots), *_icons(roots)):
        said.setdefault(names["en"], names)
        sources[names["en"]] += found
    if not sources:
        _log.warning(
            "no emoji font and no icon theme is on this machine; named drawings are drawn from scenes' things"
        )
    return tuple(
        Kind(name, tuple(sorted(said[name].items())), tuple(sources[name])) for name in sorted(sources)
    )


# Emoji


def _emoji(roots: tuple[Path, ...]) -> list[tuple[dict[str, str], list[Source]]]:
    """Single characters that the colour font draws, with their other drawings."""
    path = _first(roots, COLOURED)
    names = emoji_names(roots)
    if path is None or not names:
        return []
    other = _first(roots, OUTLINED)
    coloured = drawn_by(str(path))
    outlined = drawn_by(str(other)) if other else frozenset()
    flat = {file.stem.upper(): file for file in _pictures(roots)}
    found = []
    for text, said in sorted(names.items()):
        if len(text) > 1 or ord(text) < 0x2000 or _UNFIT.search(said["en"]) or ord(text) not in coloured:
            continue
        ways = [Source("noto", "glyph", str(path), text)]
        if file := flat.get(f"{ord(text):04X}"):
            ways.append(Source("flat", "file", str(file)))
        if ord(text) in outlined and not _TINTED.search(said["en"]):  # outlines are dyed in any ink
            ways.append(Source("outline", "outline", str(other), text))
        found.append((said, ways))
    return found


@cache
def emoji_names(roots: tuple[Path, ...] = ROOTS) -> dict[str, dict[str, str]]:
    """Characters with their names by language, as the Unicode consortium's lists have them."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for tongue in TONGUES:
        path = _first(roots, f"{tongue}.xml", "unicode/cldr/common/annotations")
        if path is None:
            continue
        for entry in ElementTree.parse(path).iter("annotation"):
            text, name = entry.get("cp", "").replace("\ufe0f", ""), (entry.text or "").strip()
            if entry.get("type") == "tts" and name and "↑" not in name and not _UNFIT.search(name):
                found[text][tongue] = name
    return {text: names for text, names in found.items() if "en" in names}


def _pictures(roots: tuple[Path, ...]) -> list[Path]:
    """A set of flat emoji as files that are named by their character's number."""
    return [
        file
        for root in roots
        for file in sorted(root.expanduser().glob("rubygems-integration/*/gems/gemojione-*/assets/png/*.png"))
    ]


def _first(roots: tuple[Path, ...], name: str, below: str = "fonts") -> Path | None:
    for root in roots:
        if found := sorted((root.expanduser() / below).rglob(name)):
            return found[0]
    return None


# Icons


def _icons(roots: tuple[Path, ...]) -> list[tuple[dict[str, str], list[Source]]]:
    """Icons of the list beside this file, in every theme that has them."""
    themes = {theme: _theme(roots, theme) for theme in (*THEMES, *TEST_THEMES)}
    found = []
    for row in (files("omma.synth") / "icons.txt").read_text("utf-8").splitlines():
        if row.startswith("#") or not row.strip():
            continue
        aliases, *names = (cell.strip() for cell in row.split("|"))
        ways = []
        for theme, paths in themes.items():
            path = next((paths[alias] for alias in aliases.split() if alias in paths), None)
            if path is not None:
                ways.append(Source(theme, "file", str(path)))
        if ways:
            found.append((dict(zip(TONGUES, names, strict=True)), ways))
    return found


def _theme(roots: tuple[Path, ...], theme: str) -> dict[str, Path]:
    """The best picture of each icon of a theme: the largest that is not too large."""
    best: dict[str, tuple[int, str]] = {}
    for root in roots:
        for folder, folders, names in os.walk(root.expanduser() / "icons" / theme):
            folders.sort()
            sides = re.findall(r"/(\d+)(?:x\d+)?(?=/|$)", folder)
            side = int(sides[-1]) if sides else 0
            if SMALLEST <= side <= LARGEST and "/notifications/" not in f"{folder}/":  # those are white
                for name in names:
                    stem = name.removesuffix(".png")
                    if stem != name and side > best.get(stem, (0, ""))[0]:
                        best[stem] = (side, f"{folder}/{name}")
    return {name: Path(path) for name, (_, path) in best.items()}


# Opening


@lru_cache(maxsize=8)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=1024)
def opened(source: Source) -> Image.Image:
    """The drawing as an RGBA picture. One of a single ink is white, and wants to be dyed."""
    if source.form == "file":
        with Image.open(source.path) as picture:
            return picture.convert("RGBA")
    font = _font(source.path, SIDE)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(source.text))
    size = (right - left + 4, bottom - top + 4)
    if source.form == "glyph":
        drawn = Image.new("RGBA", size)
        ImageDraw.Draw(drawn).text((2 - left, 2 - top), source.text, font=font, embedded_color=True)
        return drawn
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).text((2 - left, 2 - top), source.text, font=font, fill=255)
    drawn = Image.new("RGBA", size, (255, 255, 255, 0))
    drawn.putalpha(mask)
    return drawn


def dyed(picture: Image.Image, rgb: Ink) -> Image.Image:
    """The picture in one ink, covered as it was."""
    plain = Image.new("RGBA", picture.size, (*rgb, 255))
    plain.putalpha(picture.getchannel("A"))
    return plain
