"""Rules for what is said of a picture: readable, in the right scripts, neither too short nor too long."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from omma.corpus.clean import KEEP, Change, Pair, Reading, Rule, Sight, TextRule, Verdict
from omma.corpus.clean_scripts import code_of, emoji, foreign, han, script_of

# Control characters, lone surrogates, characters that are none, and the mark of bytes that were no text.
_UNREADABLE = re.compile(
    "[\x00-\x08\x0b\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffd-\uffff"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "]"
)
# UTF-8 that was read as Latin-1 or Windows-1252: é comes out as Ã©, a curly quote as â€™.
_MISREAD = re.compile("[ÂÃ][\u0080-\u00bf]|â€[\u0080-\u00bf\u0152-\u0178\u2013-\u2122]")
# Marks nobody sees: soft hyphens, zero widths, marks and overrides of direction, byte order marks, tags.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
_SPACE = re.compile(r"\s+")
_SPACE_IN_LINE = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")


@dataclass(frozen=True)
class Garbled(TextRule):
    """Drops a text that is no text: binary, of the wrong encoding, or with halves of characters in it.

    Not in the paper's list; it keeps what cannot even be written down from the rules behind it.
    """

    name: ClassVar[str] = "garbled"

    def read(self, text: str) -> Reading:
        if found := _UNREADABLE.search(text):
            return Reading(None, f"holds {code_of(found.group())}, which is not a letter of any text")
        if found := _MISREAD.search(text):
            return Reading(None, f"holds {found.group()!r}: UTF-8 that was read as another encoding")
        return Reading(text)


@dataclass(frozen=True)
class Tidy(TextRule):
    """Takes out characters nobody sees, makes white space one blank, and drops what is then empty.

    `lines` keeps line ends, as a page wants them. Not in the paper's list; COYO-700M does the same.
    """

    lines: bool = False
    name: ClassVar[str] = "tidy"

    def read(self, text: str) -> Reading:
        seen = _INVISIBLE.sub("", text)
        if self.lines:
            tidied = _LINES.sub("\n", _SPACE_IN_LINE.sub(" ", seen)).strip()
        else:
            tidied = _SPACE.sub(" ", seen).strip()
        if not tidied:
            return Reading(None, "nothing is said")
        if tidied == text:
            return Reading(text)
        return Reading(tidied, "white space made even" if seen == text else "invisible characters taken out")


@dataclass(frozen=True)
class SpecialTags(TextRule):
    """Drops a text with a placeholder where words were, such as <PERSON>.

    The rule: facts §8.1 (CC12M, SBU). `forms` are regular expressions, upper case told from lower: any
    upper-case word in angle brackets, the unknown word of tokenizers, and the control marks of chat models.
    It stands behind Html, which takes <B> and <P> for what they are.
    """

    forms: tuple[str, ...] = (r"<[A-Z][A-Z_]{1,30}(?:_?[0-9]{1,3})?>", r"<unk>", r"<\|[a-z_]{1,30}\|>")
    name: ClassVar[str] = "special tags"

    def read(self, text: str) -> Reading:
        found = re.search("|".join(self.forms), text)
        return Reading(None, f"holds the placeholder {found.group()}") if found else Reading(text)


@dataclass(frozen=True)
class Emoji(TextRule):
    """Drops a text with an emoji. `spared` are signs that may stand: the two of biology.

    The rule: facts §8.1. A sign such as © is one only when a variation selector asks for colour.
    """

    spared: str = "♀♂"
    name: ClassVar[str] = "emoji"

    def read(self, text: str) -> Reading:
        if text.isascii():
            return Reading(text)
        found = next((one.group() for one in emoji().finditer(text) if one.group() not in self.spared), None)
        return Reading(text) if found is None else Reading(None, f"holds the emoji {code_of(found[0])}")


@dataclass(frozen=True)
class Scripts(TextRule):
    """Drops a text with a letter of another script than these, by Unicode's property Script.

    The rule: facts §8.1, English and Chinese only. Latin is English and its neighbours: the paper tells
    scripts apart, not tongues. Digits, punctuation and signs are of every script.
    """

    scripts: tuple[str, ...] = ("Latin", "Han")
    name: ClassVar[str] = "script"

    def read(self, text: str) -> Reading:
        found = None if text.isascii() else foreign(self.scripts).search(text)
        if found is None:
            return Reading(text)
        letter = found.group()
        return Reading(
            None, f"holds {code_of(letter)} of {script_of(letter)}; wanted {' or '.join(self.scripts)}"
        )


@dataclass(frozen=True)
class Length(TextRule):
    """Drops a text with too few or too many words or letters.

    A Han character counts as one word and as two letters. The rule: facts §8.1, which gives no number; these
    are of COYO-700M: at least 3 words and 6 letters, at most 256 words and 1,000 letters. The longest fit
    beside 256 visual tokens into the first stage's 512.
    """

    least_words: int = 3
    least_letters: int = 6
    most_words: int = 256
    most_letters: int = 1000
    name: ClassVar[str] = "length"

    def read(self, text: str) -> Reading:
        count, letters = words(text), letters_of(text)
        if count < self.least_words or letters < self.least_letters:
            least = f"wanted at least {self.least_words} and {self.least_letters}"
            return Reading(None, f"too short: {count} words, {letters} letters; {least}")
        if count > self.most_words or letters > self.most_letters:
            most = f"wanted at most {self.most_words:,} and {self.most_letters:,}"
            return Reading(None, f"too long: {count:,} words, {letters:,} letters; {most}")
        return Reading(text)


def letters_of(text: str) -> int:
    """Characters of a text, a Han character counted twice."""
    return len(text) if text.isascii() else len(text) + len(han().findall(text))


def words(text: str) -> int:
    """Words of a text: stretches between blanks with a letter or digit in them, and each Han character."""
    if text.isascii():
        return sum(1 for word in text.split() if any(map(str.isalnum, word)))
    characters = han().findall(text)
    rest = han().sub(" ", text).split()
    return len(characters) + sum(1 for word in rest if any(map(str.isalnum, word)))


@dataclass(frozen=True)
class Longest(Rule):
    """Of several texts for one picture keeps the longest, the first of equals.

    The rule: facts §8.1, for the academic caption sets. It stands behind the rules that judge texts.
    """

    name: ClassVar[str] = "longest text"

    def judge(self, pair: Pair, sight: Sight) -> Verdict:
        if len(pair.texts) < 2:
            return KEEP
        longest = max(range(len(pair.texts)), key=lambda i: (letters_of(pair.texts[i]), -i))
        kept = pair.said([text if i == longest else None for i, text in enumerate(pair.texts)])
        return Change(kept, f"the longest of {len(pair.texts)} texts was kept")
