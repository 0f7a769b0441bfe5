"""Rules for the text of PDF and HTML pages: enough letters, not too many, none of a font's own making."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, NamedTuple

from omma.corpus.clean import Reading, TextRule
from omma.corpus.clean_scripts import code_of
from omma.corpus.clean_texts import letters_of


class Block(NamedTuple):
    """A block of Unicode, both ends inside."""

    name: str
    first: int
    last: int


BLOCKS = (
    Block("Latin Extended-A", 0x0100, 0x017F),
    Block("Latin Extended-B", 0x0180, 0x024F),
    Block("Latin Extended Additional", 0x1E00, 0x1EFF),
    Block("Latin Extended-C", 0x2C60, 0x2C7F),
    Block("Latin Extended-D", 0xA720, 0xA7FF),
    Block("Latin Extended-E", 0xAB30, 0xAB6F),
    Block("Latin Extended-F", 0x10780, 0x107BF),
    Block("Latin Extended-G", 0x1DF00, 0x1DFFF),
    Block("Private Use Area", 0xE000, 0xF8FF),
    Block("Supplementary Private Use Area-A", 0xF0000, 0xFFFFF),
    Block("Supplementary Private Use Area-B", 0x100000, 0x10FFFF),
)


@cache
def _inside(blocks: tuple[Block, ...]) -> re.Pattern[str]:
    return re.compile(f"[{''.join(f'{chr(b.first)}-{chr(b.last)}' for b in blocks)}]")


@dataclass(frozen=True)
class PageBlocks(TextRule):
    """Drops a page with a character of one of these blocks: a sign that its font has letters of its own.

    The rule: facts §8.1, Latin-Extended and Private Use.
    """

    blocks: tuple[Block, ...] = BLOCKS
    name: ClassVar[str] = "page's blocks"

    def read(self, text: str) -> Reading:
        found = None if text.isascii() or not self.blocks else _inside(self.blocks).search(text)
        if found is None:
            return Reading(text)
        code = ord(found.group())
        block = next(block.name for block in self.blocks if block.first <= code <= block.last)
        return Reading(None, f"holds {code_of(found.group())} of {block}")


@dataclass(frozen=True)
class PageLetters(TextRule):
    """Drops a page with too few or too many letters, blanks left out; a Han character counts as two.

    The rule: facts §8.1, which gives no number. 30 is a line of print. 6,000 at 3.5 letters a token are the
    second stage's 2,048 tokens less those of the picture.
    """

    least: int = 30
    most: int = 6000
    name: ClassVar[str] = "page's letters"

    def read(self, text: str) -> Reading:
        count = letters_of("".join(text.split()))
        if self.least <= count <= self.most:
            return Reading(text)
        return Reading(None, f"{count:,} letters; wanted {self.least:,} to {self.most:,}")
