"""Questions in six languages about things that stand somewhere: scenes' things, and named drawings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

from omma.sample import Size
from omma.synth.asking import boxes_text, point_text, some
from omma.synth.colours import NAMED
from omma.synth.grammar import Forms
from omma.synth.named import called, pool
from omma.synth.places import clearly_placed, place
from omma.synth.tongues import TONGUES, Tongue, first_large, tongue
from omma.synth.world import OBJECTS, SHAPES, Drawing, Edges, Split, Thing, Turn

KINDS = SHAPES + OBJECTS
SIDES = {"left": (0, -1), "right": (0, 1), "above": (1, -1), "below": (1, 1)}  # along which axis, which way
APART = 1.6  # how many times larger the largest must be than the next


def language_turns(drawing: Drawing, split: Split, dice: Random) -> tuple[Turn, ...]:
    """A scene asked about in one language other than English."""
    return _turns(drawing, tongue(dice.choice(TONGUES[1:])), split, dice)


def spoken_turns(drawing: Drawing, language: str, split: Split, dice: Random) -> tuple[Turn, ...]:
    """A scene asked about in the language of this name, one of TONGUES."""
    return _turns(drawing, tongue(language), split, dice)


def named_turns(drawing: Drawing, split: Split, dice: Random) -> tuple[Turn, ...]:
    """Named drawings asked about in any language that has a name for each of them."""
    known = [name for name in TONGUES if all(called(thing.kind, name) for thing in drawing.things)]
    weights = [3 if name == "en" else 1 for name in known]
    return _turns(drawing, tongue(dice.choices(known, weights)[0]), split, dice)


def _turns(drawing: Drawing, language: Tongue, split: Split, dice: Random) -> tuple[Turn, ...]:
    """A description, all boxes, and three to six questions."""
    asks = _Questions(drawing, language, split, dice)
    chosen = some(
        [
            (1.6, asks.colour), (1.4, asks.what), (1.4, asks.count), (1.4, asks.find), (1.2, asks.relation),
            (0.5, asks.extreme), (1.0, asks.place), (1.0, asks.exists), (0.8, asks.point),
            (0.5, asks.total), (0.6, asks.coloured), (0.3, asks.background),
        ],
        dice.randint(3, 6),
        dice,
    )  # fmt: skip
    return (asks.describe(), asks.find_all(), *chosen)


class What(NamedTuple):
    """Something to be spoken of: its forms, what it is called in an answer, and what it means."""

    forms: Forms
    label: str
    means: Callable[[Thing], bool]


class Speaker:
    """Puts questions about one drawing into words of one language and one split."""

    def __init__(self, size: Size, language: Tongue, split: Split, dice: Random) -> None:
        self.size, self.language, self.split, self.dice = size, language, split, dice

    def _ask(self, task: str, form: str, fill: dict[str, Any]) -> str:
        question = first_large(self.language.phrase(task, self.split, self.dice).format(**fill))
        if form and (form == "sentence" or self.dice.random() < 0.3):
            gap = "" if self.language.name in ("zh", "ja") else " "
            question += gap + self.language.phrase(f"hint: {form}", self.split, self.dice)
        return question

    def word(self, task: str, answer: str, hint: str = "one word", **fill: Any) -> Turn:
        """A question whose answer is a name."""
        return Turn(self._ask(task, hint, fill), answer, task, {"word": answer})

    def yes(self, task: str, truth: bool, **fill: Any) -> Turn:
        """A question answered by yes or no, as the language says it."""
        return self.word(task, self.language.word("yes" if truth else "no"), "yes or no", **fill)

    def number(self, task: str, count: int, **fill: Any) -> Turn:
        """A question answered by a number in digits."""
        return Turn(self._ask(task, "number", fill), str(count), task, {"number": count})

    def boxes(self, task: str, boxes: Sequence[tuple[Edges, str]], **fill: Any) -> Turn:
        """A question answered by boxes. Truth: boxes in pixels of the picture, with their labels."""
        rows = [{"box": [round(edge, 1) for edge in box], "label": label} for box, label in boxes]
        return Turn(self._ask(task, "", fill), boxes_text(boxes, self.size), task, {"boxes": rows})

    def point(self, task: str, box: Edges, label: str, **fill: Any) -> Turn:
        """A question answered by the middle of a box. Truth: the box that must be hit, in pixels."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        truth = {"point": [round(x, 1), round(y, 1)], "box": [round(e, 1) for e in box], "label": label}
        return Turn(self._ask(task, "", fill), point_text(x, y, label, self.size), task, truth)

    def told(self, task: str, answer: str, truth: dict[str, Any], form: str = "", **fill: Any) -> Turn:
        """A question answered in whole sentences."""
        return Turn(self._ask(task, form, fill), answer, task, truth)


class _Questions:
    def __init__(self, drawing: Drawing, language: Tongue, split: Split, dice: Random) -> None:
        self.things, self.split, self.dice, self.language = drawing.things, split, dice, language
        self.say = Speaker(Size(*drawing.picture.size), language, split, dice)
        self.size, self.ground = self.say.size, drawing.background
        # Scenes' nouns are inflected; of other names nobody knows the gender.
        self.inflected = all(thing.kind in KINDS for thing in self.things) and (
            drawing.world != "named" or pool(split) == KINDS
        )
        self.names = Counter(self._name(thing.kind) for thing in self.things)
        self.colours = Counter(thing.colour for thing in self.things)

    def _name(self, kind: str) -> str:
        return called(kind, self.language.name) or kind

    def _what(self, kind: str, colour: str | None = None) -> What:
        """A kind, or one in a colour; names that are not inflected stand alone."""
        if not self.inflected:
            name = self._name(kind)
            return What(self.language.quoted(name), name, lambda t: self._name(t.kind) == name)
        forms = self.language.thing(kind, colour)
        return What(forms, forms["bare"], lambda t: t.kind == kind and colour in (None, t.colour))

    def _full(self, thing: Thing) -> What:
        return self._what(thing.kind, thing.colour if self.inflected else None)

    def _unique(self) -> list[tuple[Thing, What]]:
        """Things that can be meant alone, each by one way of saying so."""
        found = []
        for thing in self.things:
            ways = [self._full(thing), self._what(thing.kind)]
            alone = [what for what in ways if sum(map(what.means, self.things)) == 1]
            if alone:
                found.append((thing, self.dice.choice(alone)))
        return found

    def _alone(self) -> list[tuple[Thing, str]]:
        """Things that stand alone in their part of the picture, clearly."""
        if not all(clearly_placed(thing.box, self.size) for thing in self.things):
            return []
        places = Counter(place(thing.box, self.size) for thing in self.things)
        return [
            (t, self.language.place(place(t.box, self.size), said=True))
            for t in self.things
            if places[place(t.box, self.size)] == 1
        ]

    def describe(self) -> Turn:
        """Everything, in reading order, and the ground where it has a name."""
        pattern = self.language.word("there" if self.inflected else "named")
        said, truth = [], []
        for thing in self.things:
            where = self.language.place(place(thing.box, self.size), said=True)
            forms = self._full(thing).forms if self.inflected else {"bare": self._name(thing.kind)}
            said.append(first_large(pattern.format(place=where, x=forms)))
            truth.append({"kind": thing.kind, "colour": thing.colour, "place": place(thing.box, self.size)})
        if self.ground != "mixed":
            colour = self.language.colour(self.ground)
            said.append(first_large(self.language.word("ground").format(colour=colour)))
        joined = ("" if self.language.name in ("zh", "ja") else " ").join(said)
        return self.say.told("describe", joined, {"things": truth, "background": self.ground})

    def find_all(self) -> Turn:
        """Every box with its name."""
        return self.say.boxes("find_all", [(t.box, self._full(t).label) for t in self.things])

    def find(self) -> Turn:
        """Boxes of one kind, with its colour or without; sometimes of what is not there."""
        what = self._absent()
        if self.things and self.dice.random() < 0.85:
            thing = self.dice.choice(self.things)
            what = self._full(thing) if self.dice.random() < 0.5 else self._what(thing.kind)
        found = [(t.box, what.label) for t in self.things if what.means(t)]
        return self.say.boxes("find", found, x=what.forms)

    def _absent(self) -> What:
        """Something that is not there, though its kind or its colour may be."""
        kinds = pool(self.split) if not self.inflected else KINDS
        for _ in range(30):
            kind, colour = self.dice.choice(kinds), self.dice.choice(NAMED)
            if self.inflected and self.things and self.dice.random() < 0.5:
                kind = self.dice.choice(self.things).kind
            plain = not self.inflected or self.dice.random() < 0.3
            what = self._what(kind, None if plain else colour)
            if called(kind, self.language.name) and not any(map(what.means, self.things)):
                return what
        return self._what(next(kind for kind in kinds if not self.names[self._name(kind)]))

    def what(self) -> Turn | None:
        """The name of what stands alone in its place."""
        if not (pairs := self._alone()):
            return None
        thing, where = self.dice.choice(pairs)
        return self.say.word("what", self._name(thing.kind), place=where)

    def colour(self) -> Turn | None:
        """The colour of the only thing of its name."""
        alone = [t for t in self.things if t.colour and self.names[self._name(t.kind)] == 1]
        if not alone:
            return None
        thing = self.dice.choice(alone)
        answer = self.language.colour(str(thing.colour))
        return self.say.word("colour", answer, x=self._what(thing.kind).forms)

    def coloured(self) -> Turn | None:
        """What is drawn in a colour that one thing alone has; asked where every colour is known."""
        alone = [t for t in self.things if t.colour and self.colours[t.colour] == 1]
        if not alone or None in self.colours:
            return None
        thing = self.dice.choice(alone)
        colour = self.language.colour(str(thing.colour))
        return self.say.word("coloured", self._name(thing.kind), colour=colour)

    def count(self) -> Turn:
        """How many of a kind, in digits or in a sentence; the rare numbers are asked for more often."""
        whats = [self._what(t.kind) for t in self.things] + [self._full(t) for t in self.things]
        numbered = [(sum(map(what.means, self.things)), what) for what in whats]
        numbered.append((0, self._absent()))
        number, what = self.dice.choices(numbered, [0.4 if n == 0 else n**1.4 for n, _ in numbered])[0]
        if not self.inflected:
            return self.say.number("times", number, x=what.forms)
        if number <= 12 and self.dice.random() < 0.25:
            kind, colour = self._meant(what)
            said = self.language.counted(number, kind, colour)
            return self.say.told("count", said, {"counted": number, "said": said}, "sentence", x=what.forms)
        return self.say.number("count", number, x=what.forms)

    def _meant(self, what: What) -> tuple[str, str | None]:
        """The kind and the colour that were put into words."""
        colours: tuple[str | None, ...] = (None, *NAMED)
        return next(
            (kind, colour)
            for kind in KINDS
            for colour in colours
            if self.language.thing(kind, colour)["bare"] == what.label
        )

    def total(self) -> Turn:
        """How many things there are in all."""
        return self.say.number("total", len(self.things))

    def exists(self) -> Turn:
        """Whether something is there, yes as often as no."""
        if self.dice.random() < 0.5 and self.things:
            thing = self.dice.choice(self.things)
            what = self._full(thing) if self.dice.random() < 0.5 else self._what(thing.kind)
            return self.say.yes("exists", True, x=what.forms)
        return self.say.yes("exists", False, x=self._absent().forms)

    def relation(self) -> Turn | None:
        """Whether one thing is left of, right of, above or below another, yes as often as no."""
        if len(pairs := self._unique()) < 2:
            return None
        (first, a), (second, b) = self.dice.sample(pairs, 2)
        sides = [side for side in SIDES if stands(first, second, side, self.size) is not None]
        if not sides:
            return None
        side = self.dice.choice(sides)
        truth = bool(stands(first, second, side, self.size))
        return self.say.yes("relation", truth, a=a.forms, b=b.forms, side=self.language.word(side))

    def place(self) -> Turn | None:
        """The part of the picture a thing stands in."""
        pairs = [(t, what) for t, what in self._unique() if clearly_placed(t.box, self.size)]
        if not pairs:
            return None
        thing, what = self.dice.choice(pairs)
        answer = self.language.place(place(thing.box, self.size))
        return self.say.word("place", answer, "", x=what.forms)

    def point(self) -> Turn | None:
        """The middle of a thing."""
        if not (pairs := self._unique()):
            return None
        thing, what = self.dice.choice(pairs)
        return self.say.point("point", thing.box, what.label, x=what.forms)

    def extreme(self) -> Turn | None:
        """The largest or the smallest thing, where it is so clearly."""
        ranked = sorted(self.things, key=lambda thing: thing.area)
        most = self.dice.choice(("largest", "smallest"))
        pair = ranked[-1:-3:-1] if most == "largest" else ranked[:2]
        if len(pair) < 2 or max(t.area for t in pair) < APART * min(t.area for t in pair):
            return None
        return self.say.word("extreme", self._name(pair[0].kind), most=self.language.word(most))

    def background(self) -> Turn | None:
        """The colour of the ground, where it has a name."""
        if self.ground == "mixed":
            return None
        return self.say.word("background", self.language.colour(self.ground), "")


def stands(a: Thing, b: Thing, side: str, size: Size) -> bool | None:
    """Whether a is on this side of b; None when they are too near to say, or mostly beside that line."""
    along, way = SIDES[side]
    apart, across = a.centre[along] - b.centre[along], a.centre[1 - along] - b.centre[1 - along]
    if abs(apart) < max(0.12 * size[along], 0.5 * abs(across)):
        return None
    return apart * way > 0
