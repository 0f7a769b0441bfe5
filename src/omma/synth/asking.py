"""Asking about a drawing: a wording, its answer and its truth; and the written forms of boxes and points."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

from omma.sample import Size
from omma.synth.wordings import article, hint, phrase, plural, typed, wordings
from omma.synth.world import Drawing, Edges, Split, Turn

GRID = 1000


def on_grid(value: float, side: int) -> int:
    """A coordinate in pixels on the grid of thousandths of a side, 0 to 999."""
    return min(GRID - 1, max(0, int(value / side * GRID)))


def _box_on_grid(box: Edges, size: Size) -> list[int]:
    return [on_grid(edge, size[number % 2]) for number, edge in enumerate(box)]


def boxes_text(boxes: Iterable[tuple[Edges, str]], size: Size, key: str = "label") -> str:
    """Boxes with labels as compact JSON on the grid; `[]` for none."""
    rows = [{"bbox_2d": _box_on_grid(box, size), key: text} for box, text in boxes]
    return json.dumps(rows, separators=(",", ":"), ensure_ascii=False)


def point_text(x: float, y: float, label: str, size: Size) -> str:
    """One point as compact JSON on the grid."""
    point = {"point_2d": [on_grid(x, size.width), on_grid(y, size.height)], "label": label}
    return json.dumps(point, separators=(",", ":"), ensure_ascii=False)


class Interviewer:
    """Puts questions about one drawing into words of one split."""

    def __init__(self, drawing: Drawing, split: Split, dice: Random) -> None:
        self.drawing, self.split, self.dice = drawing, split, dice
        self.size = Size(*drawing.picture.size)

    def _ask(self, task: str, form: str, fill: dict[str, str], *, last: bool = True) -> str:
        """The question in words. `last` is False where the caller says something more after it."""
        template = phrase(task, self.split, self.dice)
        own = template in wordings()[task].shared
        if "what" in fill:
            what = fill["what"]
            fill = {"plural": plural(what), "one": article(what), **fill}
            if task == "find" and own:
                # People put into omma's own prompt whatever they would say.
                fill["what"] = self.dice.choices((what, plural(what), f"the {what}"), (8, 2, 1))[0]
        large = self.dice.random() < 0.8
        more = hint(form, self.split, self.dice) if form else ""
        if self.split == "train" and not own:
            large = large and template.startswith("{")
            template = typed(template, self.dice, last=last and not more)
        question = template.format(**fill)
        return (question[:1].upper() + question[1:] if large else question) + more

    def word(self, wording: str, answer: str, task: str | None = None, **fill: str) -> Turn:
        """A question whose answer is a word or two."""
        form = "one word" if " " not in answer else ""
        return Turn(self._ask(wording, form, fill), answer, task or wording, {"word": answer})

    def yes(self, wording: str, truth: bool, task: str | None = None, **fill: str) -> Turn:
        """A question answered by yes or no."""
        answer = "yes" if truth else "no"
        return Turn(self._ask(wording, "yes or no", fill), answer, task or wording, {"word": answer})

    def number(self, wording: str, count: int, task: str | None = None, **fill: str) -> Turn:
        """A question answered by a number."""
        return Turn(self._ask(wording, "number", fill), str(count), task or wording, {"number": count})

    def text(self, wording: str, lines: Sequence[str], task: str | None = None, **fill: str) -> Turn:
        """A question whose answer is what is printed, line by line."""
        return Turn(self._ask(wording, "", fill), "\n".join(lines), task or wording, {"lines": list(lines)})

    def boxes(
        self,
        wording: str,
        boxes: Sequence[tuple[Edges, str]],
        key: str = "label",
        task: str | None = None,
        **fill: str,
    ) -> Turn:
        """A question answered by boxes. Truth: boxes in pixels of the picture, with their labels."""
        truth = {"boxes": [{"box": _rounded(box), key: label} for box, label in boxes]}
        return Turn(self._ask(wording, "", fill), boxes_text(boxes, self.size, key), task or wording, truth)

    def point(self, wording: str, box: Edges, label: str, /, **fill: str) -> Turn:
        """A question answered by the middle of a box. Truth: the box that must be hit, in pixels."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        truth: dict[str, Any] = {"point": [round(x, 1), round(y, 1)], "box": _rounded(box), "label": label}
        return Turn(self._ask(wording, "", fill), point_text(x, y, label, self.size), "point", truth)

    def told(self, wording: str, answer: str, truth: dict[str, Any], **fill: str) -> Turn:
        """A question answered in whole sentences, or in a form of its own."""
        return Turn(self._ask(wording, "", fill, last=False), answer, wording, truth)


def _rounded(box: Edges) -> list[float]:
    return [round(edge, 1) for edge in box]


ONCE = (
    "exists",
    "relation",
    "has_word",
    "widget_state",
    "does",
)  # a second one would be a likelier yes than no
Question = Callable[[], Turn | None]


def some(questions: Sequence[tuple[float, Question]], count: int, dice: Random) -> list[Turn]:
    """About `count` different turns, drawn by weight; a question that cannot be asked here is passed over."""
    turns: list[Turn] = []
    asked: set[str] = set()
    for question in dice.choices([q for _, q in questions], [w for w, _ in questions], k=3 * count):
        turn = question()
        if turn is None or len(turns) == count:
            continue
        name = turn.task if turn.task in ONCE else turn.question
        if name not in asked:
            asked.add(name)
            turns.append(turn)
    return turns
