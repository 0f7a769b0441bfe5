"""Questions about several pictures: which one, what changed, how many over all, and "and the other one?"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from omma.synth.asking import Interviewer
from omma.synth.places import place, place_said
from omma.synth.tongues import first_large
from omma.synth.wordings import article, plural
from omma.synth.world import OBJECTS, SHAPES, Drawing, Split, Thing, Turn

KINDS = SHAPES + OBJECTS
NTH = ("first", "second", "third", "fourth")
HOW = ("color", "place", "size", "kind", "gone", "new")


class Change(NamedTuple):
    """What became of one thing: `how` is one of HOW, `name` what it was called, `to` what it became."""

    how: str
    name: str
    to: str

    def told(self) -> str:
        """The change in a sentence."""
        match self.how:
            case "color" | "size":
                return f"The {self.name} became {self.to}."
            case "kind":
                return f"The {self.name} became {_one(self.to)}."
            case "place":
                return f"The {self.name} moved."
            case "gone":
                return f"The {self.name} is gone."
            case _:
                return f"{first_large(_one(self.name))} was added."


def compared_turns(
    drawings: Sequence[Drawing],
    changes: tuple[Change, ...] | None,
    split: Split,
    dice: Random,
    *,
    unseen: bool = False,
) -> tuple[Turn, ...]:
    """All pictures told, the boxes of one, and three to six questions.

    `changes` None: nothing was changed on purpose; empty: the pictures are the same. Of `unseen` drawings,
    whose names training never told, nobody asks but which is the odd one.
    """
    asks = _Comparisons(drawings, changes, split, dice)
    if unseen:
        return (asks.describe(), asks.find_all(), *asks.odd())
    questions: list[tuple[float, Callable[[], list[Turn]]]] = [
        (1.2, asks.which_has), (1.0, asks.which_most), (1.0, asks.count_over), (0.8, asks.pictures_with),
        (1.0, asks.find), (1.3, asks.colours), (1.2, asks.counts),
    ]  # fmt: skip
    if changes is not None:
        questions += [(3.0, asks.same), (3.0, asks.change), (2.0, asks.change_thing), (2.0, asks.change_kind)]
    elif asks.has_odd():
        questions += [(5.0, asks.odd)]
    turns, asked = [asks.describe(), asks.find_all()], set[str]()
    wanted = len(turns) + dice.randint(3, 6)
    for question in dice.choices([q for _, q in questions], [w for w, _ in questions], k=48):
        found = question()
        if found and found[0].task not in asked and len(turns) < wanted:
            asked.add(found[0].task)
            turns += found
    return tuple(turns)


class _Comparisons:
    def __init__(
        self, drawings: Sequence[Drawing], changes: tuple[Change, ...] | None, split: Split, dice: Random
    ) -> None:
        self.drawings, self.changes, self.dice = drawings, changes, dice
        self.say = Interviewer(drawings[0], split, dice)
        self.size = self.say.size
        self.names = [Counter(name_of(thing) for thing in d.things) for d in drawings]
        self.kinds = [Counter(thing.kind for thing in d.things) for d in drawings]

    def _fill(self, number: int) -> dict[str, str]:
        return {"number": str(number + 1), "nth": NTH[number]}

    def _some(self) -> str:
        """A name or a kind that is somewhere to be seen."""
        thing = self.dice.choice(self.dice.choice(self.drawings).things)
        return self.dice.choice((name_of(thing), thing.kind))

    def _counts(self, what: str) -> list[int]:
        """How often a name or a kind is in each picture."""
        return [max(names[what], kinds[what]) for names, kinds in zip(self.names, self.kinds, strict=True)]

    def describe(self) -> Turn:
        """Every picture's things with their places."""
        said, truth = [], []
        for number, drawing in enumerate(self.drawings):
            things = [f"{_one(name_of(t))} {place_said(place(t.box, self.size))}" for t in drawing.things]
            said.append(f"Picture {number + 1}: {', '.join(things) or 'nothing'}.")
            truth.append([{"kind": t.kind, "colour": t.colour} for t in drawing.things])
        return self.say.told("describe_each", "\n".join(said), {"pictures": truth})

    def find_all(self) -> Turn:
        """All boxes of one picture."""
        number = self.dice.randrange(len(self.drawings))
        boxes = [(thing.box, name_of(thing)) for thing in self.drawings[number].things]
        return self._in(self.say.boxes("find_all_in", boxes, **self._fill(number)), number)

    def find(self) -> list[Turn]:
        """The boxes of a thing in one picture, which may not have it."""
        what, number = self._some(), self.dice.randrange(len(self.drawings))
        found = [(t.box, what) for t in self.drawings[number].things if what in (name_of(t), t.kind)]
        return [self._in(self.say.boxes("find_in", found, what=what, **self._fill(number)), number)]

    def _in(self, turn: Turn, number: int) -> Turn:
        """The turn with the picture that its boxes lie in, counted from 1."""
        return replace(turn, truth=turn.truth | {"picture": number + 1})

    def which_has(self) -> list[Turn]:
        """The only picture that shows a thing."""
        what = self._some()
        holding = [number for number, count in enumerate(self._counts(what)) if count]
        if len(holding) != 1:
            return []
        return [self.say.number("which_has", holding[0] + 1, one=_one(what))]

    def which_most(self) -> list[Turn]:
        """The picture with the most things of a kind, where it alone has so many."""
        what = self._plain() if self.dice.random() < 0.5 else None
        counts = self._counts(what) if what else [len(drawing.things) for drawing in self.drawings]
        most = max(counts)
        if counts.count(most) != 1:
            return []
        return [self.say.number("which_most", counts.index(most) + 1, plural=plural(what or "thing"))]

    def _plain(self, *said: str) -> str | None:
        """A kind of scenes, or one in its colour, that has not been said: such as can be counted in words."""
        things = [t for d in self.drawings for t in d.things if t.kind in KINDS]
        plain = [what for t in things for what in (t.kind, name_of(t)) if what not in said]
        return self.dice.choice(plain) if plain else None

    def count_over(self) -> list[Turn]:
        """How many of a kind all pictures show together."""
        what = self._plain() if self.dice.random() < 0.7 else None
        total = sum(self._counts(what)) if what else sum(len(drawing.things) for drawing in self.drawings)
        return [self.say.number("count_over", total, plural=plural(what or "thing"))]

    def pictures_with(self) -> list[Turn]:
        """In how many pictures a thing is."""
        what = self._some()
        held = sum(count > 0 for count in self._counts(what))
        return [self.say.number("pictures_with", held, one=_one(what))]

    def colours(self) -> list[Turn]:
        """The color of a thing in one picture, then in another one, or that of another thing there."""
        alone = [
            [t for t in d.things if t.kind in KINDS and kinds[t.kind] == 1]
            for d, kinds in zip(self.drawings, self.kinds, strict=True)
        ]
        numbers = [number for number, things in enumerate(alone) if things]
        if not numbers:
            return []
        number = self.dice.choice(numbers)
        thing = self.dice.choice(alone[number])
        fill = self._fill(number)
        turns = [self.say.word("colour_in", str(thing.colour), what=thing.kind, **fill)]
        elsewhere = [
            (other, t)
            for other, things in enumerate(alone)
            for t in things
            if other != number and t.kind == thing.kind
        ]
        beside = [t for t in alone[number] if t is not thing]
        if elsewhere and self.dice.random() < 0.6:
            other, found = self.dice.choice(elsewhere)
            turns.append(self._after("and_picture", str(found.colour), **self._fill(other)))
        elif beside:
            found = self.dice.choice(beside)
            turns.append(self._after("and_thing", str(found.colour), what=found.kind))
        return turns

    def _after(self, task: str, answer: str, **fill: str) -> Turn:
        return replace(self.say.word(task, answer, **fill), follows=True)

    def counts(self) -> list[Turn]:
        """How many of a kind one picture has, then another picture, or another kind there."""
        what, number = self._plain(), self.dice.randrange(len(self.drawings))
        if what is None:
            return []
        count = self._counts(what)[number]
        turns = [self.say.number("count_in", count, plural=plural(what), **self._fill(number))]
        then = self._plain(what)
        if then is None or self.dice.random() < 0.6:
            other = self.dice.choice([n for n in range(len(self.drawings)) if n != number])
            said = self.say.number("and_picture", self._counts(what)[other], **self._fill(other))
        else:
            said = self.say.number("and_count", self._counts(then)[number], plural=plural(then))
        return [*turns, replace(said, follows=True)]

    def same(self) -> list[Turn]:
        """Whether nothing changed; asked of all that are the same, and of about as many others."""
        if self.changes and self.dice.random() < 0.7:
            return []
        return [self.say.yes("same", not self.changes)]

    def change(self) -> list[Turn]:
        """What changed, in sentences."""
        changes = self.changes or ()
        said = " ".join(change.told() for change in changes) or "Nothing changed."
        truth = [{"how": change.how, "what": change.name, "to": change.to} for change in changes]
        return [self.say.told("change", said, {"changes": truth})]

    def change_thing(self) -> list[Turn]:
        """The one thing that changed."""
        if self.changes is None or len(self.changes) != 1:
            return []
        return [self.say.word("change_thing", self.changes[0].name)]

    def change_kind(self) -> list[Turn]:
        """How the one thing changed, in a word."""
        if self.changes is None or len(self.changes) != 1:
            return []
        return [self.say.word("change_kind", self.changes[0].how)]

    def has_odd(self) -> bool:
        """Whether each picture shows one thing, and all but one of them the same."""
        return len(self.drawings) > 2 and self._odd() is not None

    def _odd(self) -> int | None:
        if any(len(drawing.things) != 1 for drawing in self.drawings):
            return None
        for labels in (
            [d.things[0].kind for d in self.drawings],
            [str(d.things[0].colour) for d in self.drawings if d.things[0].kind in KINDS],
        ):
            counts = Counter(labels)
            alone = [label for label, count in counts.items() if count == 1]
            if len(counts) == 2 and len(alone) == 1 and len(labels) == len(self.drawings):
                return labels.index(alone[0])
            if len(counts) != 1:
                return None
        return None

    def odd(self) -> list[Turn]:
        """The picture that is not like the others."""
        odd = self._odd()
        return [] if odd is None else [self.say.number("odd", odd + 1)]


def _one(what: str) -> str:
    """With its article; named drawings, whose number nobody knows, in quotation marks."""
    return article(what) if what.rpartition(" ")[2] in KINDS else f'"{what}"'


def name_of(thing: Thing) -> str:
    """Colour and kind for things of scenes, the kind alone for named drawings."""
    return thing.name if thing.kind in KINDS else thing.kind
