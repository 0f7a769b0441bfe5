"""Questions about signs: what they say, where, in which colour, and how the page lies."""

from __future__ import annotations

from random import Random

import numpy as np

from omma.synth.ask_pages import NTH, PageQuestions
from omma.synth.asking import some
from omma.synth.documents.interview import DocumentInterviewer
from omma.synth.documents.sheet import Document
from omma.synth.documents.signs import Signs
from omma.synth.world import Drawing, Split, Turn


def sign_turns(drawing: Drawing, split: Split, dice: Random) -> tuple[Turn, ...]:
    """The whole text, the text with boxes or corners, and two to five questions."""
    assert isinstance(drawing, Document)
    assert isinstance(drawing.content, Signs)
    asks = _Questions(drawing, drawing.content, split, dice)
    straight = all(len(ring) == 4 for ring in drawing.content.outlines)
    dense = [asks.read(), asks.read_boxes()]
    if straight and dice.random() < 0.7:
        dense.append(asks.read_quads())
    chosen = some(
        [
            (1.2, asks.has_word), (1.5, asks.find_word), (0.8, asks.coloured), (0.5, asks.text_colour),
            (0.6, asks.line_count), (0.3, asks.background), (2.0, asks.turn), (0.6, asks.line),
        ],
        dice.randint(2, 5),
        dice,
    )  # fmt: skip
    return (*dense, *chosen)


class _Questions(PageQuestions):
    def __init__(self, drawing: Drawing, content: Signs, split: Split, dice: Random) -> None:
        super().__init__(drawing, split, dice)
        self.say: DocumentInterviewer = DocumentInterviewer(drawing, split, dice)
        self.content = content

    def read_quads(self) -> Turn:
        """Every line with its four corners."""
        width, height = self.say.size
        quads = [
            (tuple((float(x), float(y)) for x, y in np.clip(ring, 0, (width, height))), line.text)
            for ring, line in zip(self.content.outlines, self.lines, strict=True)
        ]
        return self.say.quads("read_quads", quads)

    def line(self) -> Turn | None:
        """One line by its number, where all lie alike."""
        if self.content.turn is None or len(self.lines) > len(NTH):
            return None
        return super().line()

    def turn(self) -> Turn | None:
        """By how many degrees the page lies clockwise."""
        if self.content.turn is None:
            return None
        return self.say.number("turn", self.content.turn)
