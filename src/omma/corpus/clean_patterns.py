"""Rules for texts that say nothing of a picture: addresses, file names, dates, stock phrases, echoes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, NamedTuple

from omma.corpus.clean import Reading, TextRule
from omma.corpus.clean_scripts import han
from omma.corpus.clean_wordings import CUT, WHOLE

_EDGES = " \t,;:|/\\-–—·•_~"
_EMPTY = re.compile(r"\(\s*+\)|\uff08\s*+\uff09|\[\s*+\]|\{\s*+\}|<\s*+>|\"\s*+\"")
_SPACES = re.compile(r"\s+")
_LOOSE = re.compile(r"(?<=\w) (?=[,.;:!?](?:\s|\Z))|(?<=[.!?]) \.(?=\s|\Z)")
_MARKS = "\"'.,;:!?()[]\u3001\u3002\uff01\uff0c\uff1a\uff1f"
_ENDINGS = " .!?…\"'“”‘’\u3002\uff01\uff1f"


class Pattern(NamedTuple):
    """A form of text that says nothing, as a regular expression that takes no notice of case.

    A `whole` one fells a text that is nothing else, marks at its ends aside. Any other is cut out of the text
    wherever it stands. `example` is a text that it finds.
    """

    name: str
    form: str
    whole: bool
    example: str


PATTERNS: tuple[Pattern, ...] = (
    *(Pattern(name, form, True, example) for name, form, example in WHOLE),
    *(Pattern(name, form, False, example) for name, form, example in CUT),
)


@cache
def _compiled(form: str) -> re.Pattern[str]:
    return re.compile(form, re.IGNORECASE)


@dataclass(frozen=True)
class Irregular(TextRule):
    """Cuts irregular pieces out of a text, and drops a text that is nothing but one.

    The rule: facts §8.1, which names no pattern; these are omma's own, each with an example beside it.
    Every form takes time in proportion to the text, whatever it holds.
    """

    patterns: tuple[Pattern, ...] = PATTERNS
    name: ClassVar[str] = "irregular"

    def read(self, text: str) -> Reading:
        bare = text.strip(_ENDINGS)
        cuts: list[str] = []
        left = text
        for pattern in self.patterns:
            form = _compiled(pattern.form)
            if pattern.whole:
                if form.fullmatch(bare):
                    return Reading(None, f"nothing but {pattern.name}")
            elif form.search(left):
                left = form.sub(" ", left)
                cuts.append(pattern.name)
        if not cuts:
            return Reading(text)
        left = _LOOSE.sub("", _SPACES.sub(" ", _EMPTY.sub(" ", left))).strip(_EDGES)
        if not any(map(str.isalnum, left)):
            return Reading(None, f"nothing but {' and '.join(cuts)}")
        return Reading(left, f"cut out: {', '.join(cuts)}")


@dataclass(frozen=True)
class Repetition(TextRule):
    """Drops a text that repeats itself.

    That is: one character more than `longest_run` times in a row; a phrase of up to five words more than
    `most_echoes` times in a row; or, from `enough_words` words on, fewer different ones than
    `least_distinct` of all. A Han character counts as a word. The rule is one of the irregular patterns of
    facts §8.1; the numbers are omma's own.
    """

    longest_run: int = 8
    most_echoes: int = 3
    least_distinct: float = 0.4
    enough_words: int = 10
    name: ClassVar[str] = "repetition"

    def read(self, text: str) -> Reading:
        run = _compiled(rf"(\S)\1{{{self.longest_run},}}+").search(text)
        if run:
            return Reading(None, f"{run[1]!r} stands {len(run[0]):,} times in a row")
        words = _words(text)
        for length in range(1, 6):
            if found := _echo(words, length, self.most_echoes):
                return Reading(None, f"{' '.join(found.phrase)!r} is said {found.times:,} times in a row")
        if len(words) >= self.enough_words:
            share = len(set(words)) / len(words)
            if share < self.least_distinct:
                wanted = f"wanted {self.least_distinct:.0%}"
                return Reading(None, f"{share:.0%} of its {len(words):,} words are different; {wanted}")
        return Reading(text)


def _words(text: str) -> list[str]:
    """Words in lower case without marks at their ends; each Han character is one."""
    spaced = text if text.isascii() else han().sub(lambda found: f" {found.group()} ", text)
    return [bare for word in spaced.casefold().split() if (bare := word.strip(_MARKS))]


class Echo(NamedTuple):
    """A phrase and how often it follows itself."""

    phrase: Sequence[str]
    times: int


def _echo(words: Sequence[str], length: int, most: int) -> Echo | None:
    """The first phrase of so many words that is said more than `most` times in a row."""
    same = 0
    for i in range(length, len(words)):
        same = same + 1 if words[i] == words[i - length] else 0
        if same >= length * most:
            start = i - same - length + 1
            stop = i
            while stop + 1 < len(words) and words[stop + 1] == words[stop + 1 - length]:
                stop += 1
            return Echo(words[start : start + length], (stop - start + 1) // length)
    return None
