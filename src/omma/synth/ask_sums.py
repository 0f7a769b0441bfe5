"""Sums over what is seen: each with its steps, one a line, and the result alone on the last line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from omma.synth.asking import Interviewer, some
from omma.synth.places import place, place_said
from omma.synth.staging import KINDS
from omma.synth.tongues import first_large
from omma.synth.wordings import phrase, plural
from omma.synth.world import Drawing, Split, Thing, Turn

NOTES = (500, 1000, 2000, 5000, 10000)  # what one pays with, in cents
STEPS = 0.8  # how often the steps are wanted


def sum_turns(drawing: Drawing, split: Split, dice: Random) -> tuple[Turn, ...]:
    """What lies there with its numbers, all boxes, and three to five questions."""
    asks = _Sums(drawing, split, dice)
    if all(thing.text == "" for thing in drawing.things):
        questions = [(1.0, asks.together), (1.2, asks.more), (0.6, asks.count)]
    elif drawing.things[0].text.startswith("$"):
        questions = [
            (1.0, asks.value), (1.4, asks.total), (1.4, asks.two), (1.0, asks.difference), (1.2, asks.change),
            (1.2, asks.times), (0.7, asks.most), (0.7, asks.least),
        ]  # fmt: skip
    else:
        questions = [(1.0, asks.value), (1.4, asks.total), (1.2, asks.two), (1.2, asks.difference)]
        questions += [(0.8, asks.most if asks.sort == "dots" else asks.product)]
    chosen = some(questions, dice.randint(3, 5), dice)
    return (asks.describe(), asks.find_all(), *chosen)


class _Sums:
    def __init__(self, drawing: Drawing, split: Split, dice: Random) -> None:
        self.things, self.split, self.dice = drawing.things, split, dice
        self.say = Interviewer(drawing, split, dice)
        kind = self.things[0].kind if self.things else ""
        self.sort = {"die": "dots", "card": "cards"}.get(kind, "price")
        self.counts = Counter(thing.kind for thing in self.things)

    # Amounts: dots and numbers as they are, prices in cents

    def _amount(self, thing: Thing) -> int:
        if not thing.text.startswith("$"):
            return int(thing.text)
        whole, _, part = thing.text[1:].partition(".")
        return 100 * int(whole) + int(part or 0)

    def _said(self, amount: int) -> str:
        """A number, or a price: whole dollars without cents."""
        if self.sort != "price":
            return str(amount)
        return f"${amount // 100}" if amount % 100 == 0 else f"${amount // 100}.{amount % 100:02}"

    def _name(self, thing: Thing) -> str:
        plain = thing.kind not in (*KINDS, "die", "card")
        return thing.kind if plain or not thing.colour else thing.name

    def _reckoned(self, task: str, steps: Sequence[str], result: str, **fill: str) -> Turn:
        """A question with its steps, or now and then the result alone."""
        shown = self.dice.random() < STEPS
        question = self.say.told(task, "", {}, **fill).question
        question += " " + phrase("hint: steps" if shown else "hint: result", self.split, self.dice)
        answer = "\n".join([*steps, result]) if shown else result
        return Turn(question, answer, task, {"result": result, "steps": list(steps)})

    def _lines(self, things: Sequence[Thing]) -> list[str]:
        return [f"{self._name(thing)}: {self._said(self._amount(thing))}" for thing in things]

    def _added(self, amounts: Sequence[int]) -> tuple[list[str], int]:
        """The running sum, one step a line."""
        total, steps = amounts[0], list[str]()
        for amount in amounts[1:]:
            steps.append(f"{self._said(total)} + {self._said(amount)} = {self._said(total + amount)}")
            total += amount
        return steps, total

    # What is there

    def describe(self) -> Turn:
        """Everything with its number and its place."""
        said, truth = [], []
        for thing in self.things:
            where = place_said(place(thing.box, self.say.size))
            number = f", {thing.text}" if thing.text else ""
            said.append(f"{first_large(self._name(thing))}{number}, {where}.")
            truth.append({"kind": thing.kind, "colour": thing.colour, "text": thing.text})
        return self.say.told("describe", " ".join(said), {"things": truth})

    def find_all(self) -> Turn:
        """All boxes, with what stands on the things."""
        boxes = [(t.box, f"{self._name(t)} {t.text}".strip()) for t in self.things]
        return self.say.boxes("find_all", boxes)

    def value(self) -> Turn:
        """The number of one thing."""
        thing = self.dice.choice(self.things)
        task = "price_of" if self.sort == "price" else f"{self.sort}_value"
        return self.say.word(task, thing.text, what=self._name(thing))

    # Reckoning

    def total(self) -> Turn | None:
        """The sum of all."""
        if len(self.things) < 2:
            return None
        steps, total = self._added([self._amount(thing) for thing in self.things])
        return self._reckoned(f"{self.sort}_total", [*self._lines(self.things), *steps], self._said(total))

    def _pair(self) -> tuple[Thing, Thing] | None:
        """Two things, the greater one first."""
        if len(self.things) < 2:
            return None
        a, b = self.dice.sample(self.things, 2)
        return (a, b) if self._amount(a) >= self._amount(b) else (b, a)

    def two(self) -> Turn | None:
        """The sum of two."""
        if (pair := self._pair()) is None:
            return None
        steps, total = self._added([self._amount(thing) for thing in pair])
        lines = [*self._lines(pair), *steps]
        a, b = map(self._name, pair)
        return self._reckoned(f"{self.sort}_two", lines, self._said(total), a=a, b=b)

    def difference(self) -> Turn | None:
        """The greater less the smaller."""
        if (pair := self._pair()) is None or self._amount(pair[0]) == self._amount(pair[1]):
            return None
        high, low = map(self._amount, pair)
        step = f"{self._said(high)} - {self._said(low)} = {self._said(high - low)}"
        a, b = map(self._name, pair)
        lines = [*self._lines(pair), step]
        return self._reckoned(f"{self.sort}_difference", lines, self._said(high - low), a=a, b=b)

    def product(self) -> Turn | None:
        """One card times another, where both are small."""
        if (pair := self._pair()) is None or self._amount(pair[0]) > 20:
            return None
        high, low = map(self._amount, pair)
        a, b = map(self._name, pair)
        lines = [*self._lines(pair), f"{high} × {low} = {high * low}"]
        return self._reckoned("cards_product", lines, str(high * low), a=a, b=b)

    def change(self) -> Turn | None:
        """What comes back from a note."""
        thing = self.dice.choice(self.things)
        cost = self._amount(thing)
        notes = [note for note in NOTES if note > cost]
        if not notes:
            return None
        note = notes[0] if self.dice.random() < 0.6 else self.dice.choice(notes)
        step = f"{self._said(note)} - {self._said(cost)} = {self._said(note - cost)}"
        fill = {"what": self._name(thing), "note": self._said(note)}
        return self._reckoned("price_change", [*self._lines([thing]), step], self._said(note - cost), **fill)

    def times(self) -> Turn:
        """Several of one thing."""
        thing, number = self.dice.choice(self.things), self.dice.randint(2, 6)
        cost = self._amount(thing)
        step = f"{number} × {self._said(cost)} = {self._said(number * cost)}"
        fill = {"what": self._name(thing), "number": str(number)}
        return self._reckoned("price_times", [*self._lines([thing]), step], self._said(number * cost), **fill)

    def most(self) -> Turn | None:
        """The thing with the greatest number, where one alone has it."""
        return self._end("dots_most" if self.sort == "dots" else "price_most", -1)

    def least(self) -> Turn | None:
        """The cheapest thing."""
        return self._end("price_least", 0)

    def _end(self, task: str, which: int) -> Turn | None:
        ranked = sorted(self.things, key=self._amount)
        amounts = [self._amount(thing) for thing in ranked]
        if len(ranked) < 2 or amounts.count(amounts[which]) > 1:
            return None
        return self.say.word(task, self._name(ranked[which]))

    # Heaps

    def _kinds(self) -> tuple[str, str] | None:
        """Two kinds, the more frequent one first."""
        if len(self.counts) < 2:
            return None
        a, b = self.dice.sample(sorted(self.counts), 2)
        return (a, b) if self.counts[a] >= self.counts[b] else (b, a)

    def together(self) -> Turn | None:
        """Two kinds counted together."""
        if (pair := self._kinds()) is None:
            return None
        return self._heaps("heaps_together", pair, "+", self.counts[pair[0]] + self.counts[pair[1]])

    def more(self) -> Turn | None:
        """How many more there are of one kind than of another."""
        if (pair := self._kinds()) is None:
            return None
        return self._heaps("heaps_more", pair, "-", self.counts[pair[0]] - self.counts[pair[1]])

    def _heaps(self, task: str, pair: tuple[str, str], sign: str, result: int) -> Turn:
        many, few = (self.counts[kind] for kind in pair)
        a, b = map(plural, pair)
        lines = [f"{a}: {many}", f"{b}: {few}", f"{many} {sign} {few} = {result}"]
        return self._reckoned(task, lines, str(result), a=a, b=b)

    def count(self) -> Turn:
        """How many of one kind there are."""
        kind = self.dice.choice(sorted(self.counts))
        return self.say.number("count", self.counts[kind], plural=plural(kind))
