"""How documents are dressed: paper, inks, rules and families of type, as of print, offices and the web."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from omma.synth.colours import Ink, ink, luminance, shade
from omma.synth.documents.type import Type, type_of
from omma.synth.fonts import Face, Font, of_split
from omma.synth.world import Split

_FAINT_STYLES = ("light", "condensed", "expanded", "black", "heavy", "medium", "retina", "extra", "display")


@dataclass(frozen=True)
class Family:
    """The faces of one family that a document uses; `mono`: all letters are equally wide."""

    regular: Face
    bold: Face
    italic: Face
    mono: bool = False


@dataclass(frozen=True)
class Look:
    """One manner of dress. `muted` is for what matters less, `fill` lies behind heads, `stripe` in rows.

    `name` is one of "print", "office", "web", "dark" and "plain".
    """

    name: str
    paper: Ink
    text: Ink
    muted: Ink
    rule: Ink
    accent: Ink
    fill: Ink
    stripe: Ink
    body: Family
    head: Family
    typewriter: Family
    soft: bool

    def type(
        self,
        size: float,
        *,
        bold: bool = False,
        italic: bool = False,
        head: bool = False,
        mono: bool = False,
    ) -> Type:
        """Type of this many pixels from the body's family, that of headings, or a typewriter's."""
        family = self.head if head else self.typewriter if mono else self.body
        face = family.bold if bold else family.italic if italic else family.regular
        return type_of(face, max(7, round(size)), self.soft)

    def on(self, rgb: Ink) -> Ink:
        """The ink that is read best on this one."""
        light, dark = (self.paper, self.text) if luminance(self.paper) > 128 else (self.text, self.paper)
        return light if luminance(rgb) < 140 else dark


@cache
def families(folders: tuple[Path, ...] | None, split: Split) -> tuple[Family, ...]:
    """The families of a split, everyday ones four times."""
    found = []
    for members in of_split(folders, split).values():
        plain = [face for face in members if not face.bold and not face.italic]
        regular = _steadiest(plain or list(members))
        bold = _steadiest([face for face in members if face.bold and not face.italic] or [regular])
        slanted = _steadiest([face for face in members if face.italic and not face.bold] or [regular])
        family = Family(regular, bold, slanted, _mono(regular))
        found += [family] * (4 if regular.everyday else 1)
    return tuple(found)


def _steadiest(faces: list[Face]) -> Face:
    """The face whose style is the family's usual one: neither light nor narrow."""
    return min(faces, key=lambda face: sum(word in face.style.lower() for word in _FAINT_STYLES))


def _mono(face: Face) -> bool:
    font = Font(face, 20, False)
    return abs(font.length("iiii") - font.length("MMMM")) < 1


def family(folders: Sequence[Path] | None, split: Split, dice: Random, *, mono: bool = False) -> Family:
    """A family by chance; of typewriters, where `mono` asks for it and the machine has one."""
    every = families(None if folders is None else tuple(folders), split)
    fitting = [member for member in every if member.mono == mono]
    return dice.choice(fitting or every)


NAVY: tuple[Ink, ...] = ((31, 56, 100), (0, 70, 127), (47, 84, 150), (68, 114, 196), (37, 99, 235))
ACCENTS = ("blue", "blue", "green", "red", "purple", "orange", "brown", "cyan", "pink")
CREAM: tuple[Ink, ...] = ((250, 245, 230), (245, 238, 220), (252, 248, 240), (240, 234, 214))
NIGHT: tuple[Ink, ...] = ((18, 18, 18), (24, 26, 31), (15, 23, 42), (33, 37, 41), (13, 17, 23))
WHITE: Ink = (255, 255, 255)


def look(
    split: Split, dice: Random, fonts: Sequence[Path] | None, *, dark: float = 0.1, mono: float = 0.04
) -> Look:
    """A dress by chance: print, office or web, seldom dark (share `dark`) or typewritten (share `mono`)."""
    body = family(fonts, split, dice, mono=dice.random() < mono)
    head = body if dice.random() < 0.65 else family(fonts, split, dice)
    typewriter = family(fonts, split, dice, mono=True)
    soft = dice.random() < 0.6
    if dice.random() < dark:
        return _dark((body, head, typewriter), dice)
    kind = dice.choices(("print", "office", "web", "plain"), (3, 3, 3, 1))[0]
    accent = dice.choice(NAVY) if kind == "office" else ink(dice.choice(ACCENTS), dice)
    while luminance(accent) > 150:
        accent = shade(accent, 0.8)
    match kind:
        case "print":
            paper = dice.choice(CREAM) if dice.random() < 0.3 else WHITE
            text = dice.choice(((0, 0, 0), (17, 17, 17), (33, 33, 33)))
            accent = accent if dice.random() < 0.3 else text
            fill, stripe, rule = shade(paper, 0.88), shade(paper, 0.95), text
        case "office":
            paper, text, rule = WHITE, (0, 0, 0), dice.choice(((191, 191, 191), (127, 127, 127), accent))
            fill, stripe = dice.choice((accent, shade(accent, 1.75), (217, 217, 217))), shade(accent, 1.88)
        case "web":
            paper = dice.choice((WHITE, WHITE, (250, 250, 250), (248, 250, 252)))
            text, rule = dice.choice(((33, 37, 41), (17, 24, 39), (51, 51, 51))), (214, 218, 224)
            fill, stripe = dice.choice((accent, (243, 244, 246), (233, 236, 239))), (246, 248, 250)
        case _:
            paper, text, rule, accent = WHITE, (0, 0, 0), (0, 0, 0), (0, 0, 0)
            fill, stripe = (221, 221, 221), (242, 242, 242)
    muted: Ink = (95, 95, 100) if kind != "plain" else text
    return Look(kind, paper, text, muted, rule, accent, fill, stripe, body, head, typewriter, soft)


def _dark(type_: tuple[Family, Family, Family], dice: Random) -> Look:
    paper = dice.choice(NIGHT)
    accent = ink(dice.choice(("blue", "cyan", "green", "orange", "pink", "yellow")), dice)
    while luminance(accent) < 120:
        accent = shade(accent, 1.25)
    fill, stripe, rule = shade(paper, 1.14), shade(paper, 1.06), shade(paper, 1.3)
    return Look(
        "dark", paper, (232, 232, 235), (165, 168, 175), rule, accent, fill, stripe, *type_, True
    )  # fmt: skip
