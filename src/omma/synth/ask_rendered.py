"""Questions about shown pages: reading them, finding words, and knowing what can be clicked and where."""

from __future__ import annotations

from collections import Counter
from random import Random

from omma.synth.ask_pages import PageQuestions
from omma.synth.asking import some
from omma.synth.world import Drawing, Split, Thing, Turn

MANY = 60  # lines from which on no list of all boxes is asked for

UNREAD = "unread"  # the state of what bears a name that is not written on the screen

FEW = 4  # times that a word which is looked for may stand there


def rendered_turns(drawing: Drawing, split: Split, dice: Random, *, every: bool = True) -> tuple[Turn, ...]:
    """The whole text, all lines or all that can be clicked with boxes, and three to six questions.

    `every` says that the drawing knows all that can be clicked; else nothing is asked of all of it.
    """
    asks = _Questions(drawing, split, dice)
    dense = [asks.read()]
    if len(asks.lines) <= MANY:
        dense.append(asks.read_boxes())
    if every and 0 < len(asks.marks) <= MANY and dice.random() < 0.6:
        dense.append(asks.clickable())
    chosen = some(
        [
            (2.5, asks.click), (0.8, asks.kind), (1.0 * bool(asks.words), asks.has_word),
            (1.5 * bool(asks.words), asks.find_word), (0.8, asks.heading), (0.6 * every, asks.links),
        ],
        dice.randint(3, 6),
        dice,
    )  # fmt: skip
    return (*dense, *chosen)


class _Questions(PageQuestions):
    def __init__(self, drawing: Drawing, split: Split, dice: Random) -> None:
        super().__init__(drawing, split, dice)
        self.lines = tuple(thing for thing in drawing.things if thing.words)
        # What stands in a field is told whole: its words have no boxes of their own.
        printed = Counter(found.text for found in self.words)
        self.words = [found for found in self.words if " " not in found.text and printed[found.text] <= FEW]
        self.marks = [thing for thing in drawing.things if not thing.words]
        self.labels = Counter(mark.text for mark in self.marks)

    def clickable(self) -> Turn:
        """All that can be clicked, with boxes."""
        named = [mark.text if mark.state != UNREAD else "" for mark in self.marks]
        told = [f"{mark.kind} {name}".strip() for mark, name in zip(self.marks, named, strict=True)]
        return self.say.boxes("clickable", list(zip((mark.box for mark in self.marks), told, strict=True)))

    def click(self) -> Turn | None:
        """The middle of what carries a label that comes once."""
        if not (alone := self._alone()):
            return None
        mark = self.dice.choice(alone)
        return self.say.point("click", mark.box, mark.text, label=mark.text, kind=mark.kind)

    def _alone(self) -> list[Thing]:
        """What can be told from everything else by its label."""
        named = [mark for mark in self.marks if 0 < len(mark.text) < 60 and mark.state != UNREAD]
        return [mark for mark in named if self.labels[mark.text] == 1]

    def kind(self) -> Turn | None:
        """What sort of widget carries a label."""
        if not (alone := self._alone()):
            return None
        mark = self.dice.choice(alone)
        return self.say.word("widget_kind", mark.kind, label=mark.text)

    def heading(self) -> Turn | None:
        """What the only heading says; one that runs over lines is told line by line."""
        heads = [line for line in self.lines if line.kind == "heading"]
        if len(heads) != 1:
            return None
        return self.say.text("read_heading", [heads[0].text], what=self.dice.choice(("heading", "title")))

    def links(self) -> Turn | None:
        """How many links can be seen; seldom asked of none."""
        count = sum(mark.kind == "link" for mark in self.marks)
        if not 0 < count <= 20:
            return None
        return self.say.number("count", count, plural="links")
