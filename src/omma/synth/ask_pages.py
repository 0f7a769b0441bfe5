"""Questions about printed words: reading all of them, some of them, and finding them."""

from __future__ import annotations

import string
from collections import Counter
from random import Random

from omma.synth.asking import Interviewer, some
from omma.synth.vocabulary import kept_for_test, word
from omma.synth.world import Drawing, Split, Turn

NTH = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def page_turns(drawing: Drawing, split: Split, dice: Random) -> tuple[Turn, ...]:
    """The whole text, the text with boxes, and two to five questions."""
    asks = PageQuestions(drawing, split, dice)
    dense = [asks.read(), asks.read_boxes()]
    chosen = some(
        [
            (1.5, asks.line), (1.2, asks.has_word), (1.5, asks.find_word),
            (0.8, asks.coloured), (0.8, asks.heading), (0.5, asks.text_colour),
            (0.6, asks.line_count), (0.3, asks.background),
        ],
        dice.randint(2, 5),
        dice,
    )  # fmt: skip
    return (*dense, *chosen)


class PageQuestions:
    """What can be asked about lines of text."""

    def __init__(self, drawing: Drawing, split: Split, dice: Random) -> None:
        self.drawing, self.split, self.dice = drawing, split, dice
        self.lines = drawing.things
        self.say = Interviewer(drawing, split, dice)
        self.words = [found for line in self.lines for found in line.words]

    def read(self) -> Turn:
        """All the text, line by line."""
        return self.say.text("read", [line.text for line in self.lines])

    def read_boxes(self) -> Turn:
        """Every line with its box."""
        return self.say.boxes("read_boxes", [(line.box, line.text) for line in self.lines], "text_content")

    def line(self) -> Turn | None:
        """One line by its number, or the last one."""
        if len(self.lines) < 2:
            return None
        number = self.dice.randrange(len(self.lines))
        text = self.lines[number].text
        last = number == len(self.lines) - 1 and self.dice.random() < 0.5
        return self.say.text("read_line", [text], nth="last" if last else NTH[number], number=str(number + 1))

    def has_word(self) -> Turn:
        """Whether a word is printed, yes as often as no; the absent one may differ in one letter only."""
        plain = [_bare(found.text) for found in self.words]
        if self.dice.random() < 0.5:
            return self.say.yes("has_word", True, word=self.dice.choice(plain))
        everything = " ".join(line.text for line in self.lines).lower()
        other = ""
        while not other or other.lower() in everything:
            near = self.dice.random() < 0.4
            other = _misprint(self.dice.choice(plain), self.dice) if near else word(self.split, self.dice)
            if self.split == "train" and kept_for_test(other):
                other = ""
        return self.say.yes("has_word", False, word=other)

    def find_word(self) -> Turn:
        """The boxes of a word."""
        wanted = self.dice.choice(self.words).text
        found = [(at.box, wanted) for at in self.words if at.text == wanted]
        return self.say.boxes("find_word", found, task="find", word=wanted)

    def coloured(self) -> Turn | None:
        """What is printed in the one colour that no other line has."""
        colours = Counter(line.colour for line in self.lines)
        alone = [line for line in self.lines if line.colour and colours[line.colour] == 1]
        if not alone or len(self.lines) < 2:
            return None
        line = self.dice.choice(alone)
        return self.say.text("read_colour", [line.text], colour=str(line.colour))

    def heading(self) -> Turn | None:
        """What the heading says."""
        heads = [line for line in self.lines if line.kind == "heading"]
        if len(heads) != 1:
            return None
        return self.say.text(
            "read_heading", [heads[0].text], what=self.dice.choice(("heading", "title", "headline"))
        )

    def text_colour(self) -> Turn | None:
        """The colour of the text, where it has one only."""
        colours = {line.colour for line in self.lines}
        if len(colours) != 1 or not (colour := self.lines[0].colour):
            return None
        return self.say.word("text_colour", colour, "colour")

    def line_count(self) -> Turn | None:
        """How many lines there are; seldom of one."""
        if len(self.lines) == 1 and self.dice.random() < 0.8:
            return None
        return self.say.number("line_count", len(self.lines), "count")

    def background(self) -> Turn:
        """The colour of the ground."""
        return self.say.word("background", self.drawing.background)


def _bare(run: str) -> str:
    """A run without the punctuation at its end."""
    return run.rstrip(",.!?:") or run


def _misprint(text: str, dice: Random) -> str:
    """The word with one letter changed."""
    at = dice.randrange(len(text))
    return text[:at] + dice.choice(string.ascii_lowercase) + text[at + 1 :]
