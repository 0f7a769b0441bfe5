"""Questions about scenes: what is there, where, how many, in which colour, and how things stand."""

from __future__ import annotations

from collections import Counter
from random import Random

from omma.synth.asking import Interviewer, some
from omma.synth.colours import NAMED
from omma.synth.places import clearly_placed, place, place_said
from omma.synth.wordings import article, plural
from omma.synth.world import OBJECTS, SHAPES, Drawing, Split, Thing, Turn

KINDS = SHAPES + OBJECTS
SIDES = {"left of": (-1, 0), "right of": (1, 0), "above": (0, -1), "below": (0, 1)}
SAID = {
    "left of": ("left of", "to the left of"),
    "right of": ("right of", "to the right of"),
    "above": ("above",),
    "below": ("below", "under"),
}
ONES = ("thing", "shape", "object", "one")


def scene_turns(drawing: Drawing, split: Split, dice: Random) -> tuple[Turn, ...]:
    """A description, all boxes, and three to six questions."""
    asks = _SceneQuestions(drawing, split, dice)
    dense = [asks.describe(), asks.find_all()]
    chosen = some(
        [
            (1.6, asks.colour), (1.6, asks.shape), (1.6, asks.count), (1.6, asks.find), (1.2, asks.relation),
            (0.6, asks.beside), (0.6, asks.compare), (0.5, asks.extreme), (0.8, asks.place),
            (0.8, asks.exists), (0.8, asks.point), (0.4, asks.background), (0.5, asks.direction),
        ],
        dice.randint(3, 6),
        dice,
    )  # fmt: skip
    return (*dense, *chosen)


class _SceneQuestions:
    def __init__(self, drawing: Drawing, split: Split, dice: Random) -> None:
        self.things, self.dice = drawing.things, dice
        self.say = Interviewer(drawing, split, dice)
        self.size = self.say.size
        self.ground = drawing.background
        self.kinds = Counter(thing.kind for thing in self.things)
        self.colours = Counter(str(thing.colour) for thing in self.things)
        self.names = Counter(thing.name for thing in self.things)
        # In a landscape the sun may be a disc, so nobody is asked whether there is a circle.
        self.other = [kind for kind in KINDS if kind != "circle" or not self.kinds["sun"]]

    def _unique(self) -> list[tuple[Thing, str]]:
        """Things that a phrase of kind, or of colour and kind, means alone."""
        found = []
        for thing in self.things:
            if self.kinds[thing.kind] == 1 and self.dice.random() < 0.4:
                found.append((thing, thing.kind))
            elif self.names[thing.name] == 1:
                found.append((thing, thing.name))
        return found

    def _alone(self) -> list[tuple[Thing, str]]:
        """Things that stand alone in their part of the picture, clearly."""
        found = []
        for thing in self.things:
            where = place(thing.box, self.size)
            near = [other for other in self.things if place(other.box, self.size) == where]
            if len(near) == 1 and all(clearly_placed(other.box, self.size) for other in self.things):
                found.append((thing, place_said(where)))
        return found

    def describe(self) -> Turn:
        """Everything, in reading order, and the ground."""
        said, truth = [], []
        for thing in self.things:
            where = place(thing.box, self.size)
            size = thing.size if thing.size != "medium" else ""
            name = f"{size} {thing.name}".strip()
            said.append(f"{article(name).capitalize()} {place_said(where)}.")
            truth.append({"kind": thing.kind, "colour": thing.colour, "size": thing.size, "place": where})
        said.append(f"{self.ground.capitalize()} background.")
        return self.say.told("describe", " ".join(said), {"things": truth, "background": self.ground})

    def find_all(self) -> Turn:
        """Every box with its name."""
        return self.say.boxes("find_all", [(thing.box, thing.name) for thing in self.things])

    def find(self) -> Turn:
        """Boxes of one kind, one colour or both; sometimes of what is not there."""
        thing = self.dice.choice(self.things) if self.things else None
        luck = self.dice.random()
        if thing is None or luck < 0.15:
            what = self._absent()
        elif luck < 0.5:
            what = thing.name
        elif luck < 0.85:
            what = thing.kind
        else:
            what = f"{thing.colour} thing"
        return self.say.boxes("find", [(t.box, what) for t in self.things if _is(t, what)], what=what)

    def _absent(self) -> str:
        """Something that is not there, though its kind or its colour may be."""
        for _ in range(20):
            kind, colour = self.dice.choice(self.other), self.dice.choice(NAMED)
            luck = self.dice.random()
            if self.things and luck < 0.35:
                kind = self.dice.choice(self.things).kind
            elif self.things and luck < 0.7:
                colour = str(self.dice.choice(self.things).colour)
            elif luck < 0.85 and not self.kinds[kind]:
                return kind
            if not self.names[f"{colour} {kind}"]:
                return f"{colour} {kind}"
        return next(kind for kind in self.other if not self.kinds[kind])

    def colour(self) -> Turn | None:
        """The colour of the only thing of its kind, or in its place."""
        pairs = [(t, t.kind) for t in self.things if self.kinds[t.kind] == 1]
        pairs += [(t, f"{self.dice.choice(ONES)} {where}") for t, where in self._alone()]
        if not pairs:
            return None
        thing, what = self.dice.choice(pairs)
        return self.say.word("colour", str(thing.colour), what=what)

    def shape(self) -> Turn | None:
        """The kind of the only thing in its colour, or in its place."""
        pairs = [
            (t, f"{t.colour} {self.dice.choice(ONES)}")
            for t in self.things
            if self.colours[str(t.colour)] == 1
        ]
        pairs += [(t, f"{self.dice.choice(ONES)} {where}") for t, where in self._alone()]
        if not pairs:
            return None
        thing, what = self.dice.choice(pairs)
        return self.say.word("shape", thing.kind, what=what)

    def count(self) -> Turn:
        """How many: the number is drawn first among those that can be asked for, then what has it."""
        by_number: dict[int, list[str]] = {}
        for counted in (self.kinds, self.names):
            for what, number in counted.items():
                by_number.setdefault(number, []).append(plural(what))
        for colour, number in self.colours.items():
            by_number.setdefault(number, []).append(f"{colour} {self.dice.choice(('things', 'objects'))}")
        by_number.setdefault(len(self.things), []).extend(["things", "objects", "things"])
        by_number.setdefault(0, []).append(plural(self._absent()))
        numbers = sorted(by_number)
        weights = [{0: 0.4, 1: 0.5}.get(number, 1.0 + 0.4 * number) for number in numbers]
        number = self.dice.choices(numbers, weights)[0]
        return self.say.number("count", number, plural=self.dice.choice(by_number[number]))

    def exists(self) -> Turn:
        """Whether something is there, yes as often as no."""
        if self.dice.random() < 0.5 and self.things:
            thing = self.dice.choice(self.things)
            what = self.dice.choice((thing.kind, thing.name, f"{thing.colour} thing"))
            return self.say.yes("exists", True, what=what)
        return self.say.yes("exists", False, what=self._absent())

    def relation(self) -> Turn | None:
        """Whether one thing is left of, right of, above or below another, yes as often as no."""
        pairs = self._unique()
        if len(pairs) < 2:
            return None
        (first, a), (second, b) = self.dice.sample(pairs, 2)
        side = self.dice.choice(
            [side for side in SIDES if self._stands(first, second, side) is not None] or [""]
        )
        if not side:
            return None
        truth = bool(self._stands(first, second, side))
        return self.say.yes("relation", truth, a=a, b=b, side=self.dice.choice(SAID[side]))

    def _stands(self, a: Thing, b: Thing, side: str) -> bool | None:
        """Whether a is on this side of b; None when they are too near to say, or mostly beside that line."""
        along, across = (0, 1) if side in ("left of", "right of") else (1, 0)
        apart = a.centre[along] - b.centre[along]
        if abs(apart) < max(0.12 * self.size[along], 0.5 * abs(a.centre[across] - b.centre[across])):
            return None
        return apart * SIDES[side][along] > 0

    def beside(self) -> Turn | None:
        """The one thing on a side of another, where no other thing could be meant."""
        for _ in range(4):
            if not (pairs := self._unique()) or len(self.things) < 2:
                return None
            (thing, what), side = self.dice.choice(pairs), self.dice.choice(tuple(SIDES))
            answers = [
                (other, self._stands(other, thing, side)) for other in self.things if other is not thing
            ]
            yes = [other for other, stands in answers if stands]
            if len(yes) == 1 and all(stands is not None for _, stands in answers):
                return self.say.word(
                    "beside", yes[0].name, "relation", what=what, side=self.dice.choice(SAID[side])
                )
        return None

    def compare(self) -> Turn | None:
        """The larger of two, where its box has at least 1.6 times the area."""
        pairs = self._unique()
        if len(pairs) < 2:
            return None
        (first, a), (second, b) = self.dice.sample(pairs, 2)
        larger, smaller = max(first.area, second.area), min(first.area, second.area)
        if larger < 1.6 * smaller:
            return None
        return self.say.word("compare", a if first.area > second.area else b, a=a, b=b)

    def extreme(self) -> Turn | None:
        """The largest or the smallest thing, where it is so clearly."""
        if len(self.things) < 2:
            return None
        ranked = sorted(self.things, key=lambda thing: thing.area)
        most = self.dice.choice(("largest", "biggest", "smallest"))
        first, second = (ranked[0], ranked[1]) if most == "smallest" else (ranked[-1], ranked[-2])
        if max(first.area, second.area) < 1.6 * min(first.area, second.area):
            return None
        return self.say.word("extreme", first.name, "compare", most=most)

    def place(self) -> Turn | None:
        """The part of the picture a thing stands in."""
        pairs = [(t, what) for t, what in self._unique() if clearly_placed(t.box, self.size)]
        if not pairs:
            return None
        thing, what = self.dice.choice(pairs)
        return self.say.word("place", place(thing.box, self.size), what=what)

    def point(self) -> Turn | None:
        """The middle of a thing."""
        if not (pairs := self._unique()):
            return None
        thing, what = self.dice.choice(pairs)
        return self.say.point("point", thing.box, what, what=what)

    def background(self) -> Turn:
        """The colour of the ground."""
        return self.say.word("background", self.ground)

    def direction(self) -> Turn | None:
        """Where the only arrow of its name points."""
        arrows = [(t, what) for t, what in self._unique() if t.kind == "arrow"]
        if not arrows:
            return None
        thing, what = self.dice.choice(arrows)
        return self.say.word("direction", thing.state, what=what)


def _is(thing: Thing, what: str) -> bool:
    return what in (thing.name, thing.kind, f"{thing.colour} thing")
