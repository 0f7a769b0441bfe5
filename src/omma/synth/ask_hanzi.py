"""Questions about Chinese lines, in Chinese and in English."""

from __future__ import annotations

from random import Random

from omma.sample import Size
from omma.synth.ask_pages import page_turns
from omma.synth.ask_tongues import Speaker
from omma.synth.asking import boxes_text, some
from omma.synth.han_fonts import level_one
from omma.synth.tongues import tongue
from omma.synth.world import Drawing, Split, Turn


def hanzi_turns(drawing: Drawing, split: Split, dice: Random) -> tuple[Turn, ...]:
    """The whole text, the text with boxes, and two to five questions; three times in ten in English."""
    if dice.random() < 0.3:
        return page_turns(drawing, split, dice)
    asks = _HanziQuestions(drawing, split, dice)
    chosen = some(
        [(1.5, asks.line), (1.2, asks.has_word), (1.5, asks.find_word), (0.6, asks.line_count)],
        dice.randint(2, 5),
        dice,
    )
    return (asks.read(), asks.read_boxes(), *chosen)


class _HanziQuestions:
    def __init__(self, drawing: Drawing, split: Split, dice: Random) -> None:
        self.lines, self.dice = drawing.things, dice
        self.say = Speaker(Size(*drawing.picture.size), tongue("zh"), split, dice)
        self.words = [found for line in self.lines for found in line.words]

    def _printed(self, task: str, lines: list[str], **fill: str) -> Turn:
        return self.say.told(task, "\n".join(lines), {"lines": lines}, **fill)

    def read(self) -> Turn:
        """All the text, line by line."""
        return self._printed("read", [line.text for line in self.lines])

    def read_boxes(self) -> Turn:
        """Every line with its box."""
        boxes = [(line.box, line.text) for line in self.lines]
        rows = [{"box": [round(edge, 1) for edge in box], "text_content": text} for box, text in boxes]
        answer = boxes_text(boxes, self.say.size, "text_content")
        return self.say.told("read_boxes", answer, {"boxes": rows})

    def line(self) -> Turn | None:
        """One line by its number."""
        if len(self.lines) < 2:
            return None
        number = self.dice.randrange(len(self.lines))
        said = str(number + 1) if self.dice.random() < 0.5 else "一二三四五六七八九十"[number]
        return self._printed("read_line", [self.lines[number].text], number=said)

    def has_word(self) -> Turn:
        """Whether a run is printed, yes as often as no; the absent one differs in one character."""
        word = self.dice.choice(self.words).text
        if self.dice.random() < 0.5:
            return self.say.yes("has_word", True, word=word)
        everything, other = " ".join(line.text for line in self.lines), word
        while other in everything:
            at = self.dice.randrange(len(word))
            other = word[:at] + self.dice.choice(level_one()) + word[at + 1 :]
        return self.say.yes("has_word", False, word=other)

    def find_word(self) -> Turn:
        """The boxes of a run."""
        wanted = self.dice.choice(self.words).text
        found = [(at.box, wanted) for at in self.words if at.text == wanted]
        return self.say.boxes("find_word", found, word=wanted)

    def line_count(self) -> Turn | None:
        """How many lines there are; seldom of one."""
        if len(self.lines) == 1 and self.dice.random() < 0.8:
            return None
        return self.say.number("line_count", len(self.lines))
