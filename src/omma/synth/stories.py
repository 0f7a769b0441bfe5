"""What happens in a clip: actors in lanes of their own, what each does, and where each is at every frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from omma.sample import Size
from omma.synth.grounds import Ground
from omma.synth.named import drawn_names
from omma.synth.staging import Item, cast, named_item, other_colour, shape_item
from omma.synth.world import Split

TOWARDS = (("left", "right"), ("up", "down"))  # along each axis: nearer to 0, farther from it
SIDES = (("left", "right"), ("top", "bottom"))


class Deed(NamedTuple):
    """What an actor does from frame `start` to frame `stop`; the same frame for what takes no time.

    `what`: moves, appears, disappears, turns, enters, leaves, bounces, grows, shrinks. `to` is a direction,
    a colour, a side, a number of bounces, or "".
    """

    actor: int
    what: str
    start: int
    stop: int
    to: str = ""

    def told(self, name: str) -> str:
        """The deed in words: "the red circle moves right"."""
        match self.what:
            case "moves" | "turns":
                return f"the {name} {self.what} {self.to}"
            case "enters":
                return f"the {name} comes in from the {self.to}"
            case "leaves":
                return f"the {name} leaves at the {self.to}"
            case "bounces":
                return f"the {name} bounces {self.to} times" if self.to != "1" else f"the {name} bounces once"
            case _:
                return f"the {name} {self.what}"


@dataclass(frozen=True, eq=False)
class Actor:
    """One thing of a clip. `places` holds it as it is at every frame, None where it is not to be seen."""

    name: str
    places: tuple[Item | None, ...]
    deed: Deed | None
    speed: float = 0.0  # pixels a second while it moves

    def seen(self) -> list[int]:
        """The frames at which it is there."""
        return [number for number, item in enumerate(self.places) if item is not None]


@dataclass(frozen=True, eq=False)
class Stage:
    """The frame of a story: its ground, its frames a second, and along which axis things move."""

    base: Ground
    size: Size
    frames: int
    fps: float
    axis: int  # 0: from side to side, 1: up and down
    level: int
    split: Split
    dice: Random
    starts: list[int] = field(default_factory=list)  # frames at which something begins

    def begin(self, latest: int, earliest: int = 1) -> int | None:
        """A frame at which nothing else begins, nor just before or after."""
        free = [f for f in range(earliest, latest + 1) if all(abs(f - taken) > 1 for taken in self.starts)]
        if not free:
            return None
        self.starts.append(self.dice.choice(free))
        return self.starts[-1]


def story(stage: Stage, count: int) -> list[Actor]:
    """Up to `count` actors, the first of which does something."""
    actors: list[Actor] = []
    lane = stage.size[1 - stage.axis] / count
    kinds: set[str] = set()
    for number in range(count):
        item = _actor_item(stage, kinds, lane)
        kinds.add(item.cut.kind)
        middle = lane * (number + 0.5) - item.cut.size[1 - stage.axis] / 2
        free = stage.size[stage.axis] - item.cut.size[stage.axis]
        item = _along(item, stage.axis, stage.dice.uniform(0.05, 0.95) * free, middle)
        makers = [_moves] * 4 + [_turns] * 3 + [_appears, _disappears, _enters, _leaves, _bounces, _resizes]
        stage.dice.shuffle(makers)
        if actors and stage.dice.random() < 0.2:
            makers = []
        acted = next(filter(None, (make(stage, item, number) for make in makers)), None)
        actors.append(acted or Actor(_name(item, stage.dice), (item,) * stage.frames, None))
    return actors


def _actor_item(stage: Stage, kinds: set[str], lane: float) -> Item:
    """A thing of a kind that no other actor has, small enough for its lane and for going about."""
    dice = stage.dice
    while True:
        names = drawn_names(stage.split)
        if dice.random() < 0.3 and names:
            item = named_item(dice.choice(names), stage.base, stage.size, 0, stage.split, dice)
        else:
            kind, colour = cast(stage.base, dice, 1)[0]
            item = shape_item(kind, colour, stage.base, stage.size, 1, dice)
        if item.cut.kind not in kinds:
            break
    most = min(0.86 * lane, 0.4 * min(stage.size))
    least = min(most, 22.0)
    side = max(item.cut.size)
    return item.sized(min(max(side, least), most) / side)


def _name(item: Item, dice: Random, changes: bool = False) -> str:
    """How it is spoken of: by its kind, or with its colour where that stays."""
    return item.cut.kind if changes or dice.random() < 0.3 else item.name


def _along(item: Item, axis: int, at: float, across: float | None = None) -> Item:
    """The item with its corner at `at` along the axis."""
    other = (item.y if axis == 0 else item.x) if across is None else across
    return item.at(at, other) if axis == 0 else item.at(other, at)


def _at(item: Item, axis: int) -> int:
    return item.x if axis == 0 else item.y


def _path(stage: Stage, item: Item, start: int, stop: int, first: float, last: float) -> list[Item]:
    """At rest at `first` until `start`, evenly to `last` by `stop`, at rest there."""
    shares = [min(1.0, max(0.0, (f - start) / (stop - start))) for f in range(stage.frames)]
    return [_along(item, stage.axis, first + share * (last - first)) for share in shares]


def _while(stage: Stage) -> tuple[int, int] | None:
    """When something that takes time begins and ends: two frames at least."""
    start = stage.begin(stage.frames - 3, 0)
    if start is None:
        return None
    return start, stage.dice.randint(start + 2, min(stage.frames - 1, start + max(3, stage.frames * 2 // 3)))


def _moves(stage: Stage, item: Item, number: int) -> Actor | None:
    """From one rest to another, a third of the picture away or more."""
    free = stage.size[stage.axis] - item.cut.size[stage.axis]
    least = 0.33 * stage.size[stage.axis]
    if free < least or (span := _while(stage)) is None:
        return None
    way = stage.dice.uniform(least, free)
    first = stage.dice.uniform(0, free - way)
    last = first + way
    if stage.dice.random() < 0.5:
        first, last = last, first
    deed = Deed(number, "moves", *span, TOWARDS[stage.axis][last > first])
    speed = abs(last - first) / (span[1] - span[0]) * stage.fps
    places = _path(stage, item, *span, first, last)
    return Actor(_name(item, stage.dice), tuple(places), deed, speed)


def _appears(stage: Stage, item: Item, number: int) -> Actor | None:
    if (at := stage.begin(stage.frames - 2)) is None:
        return None
    places = [None] * at + [item] * (stage.frames - at)
    return Actor(_name(item, stage.dice), tuple(places), Deed(number, "appears", at, at))


def _disappears(stage: Stage, item: Item, number: int) -> Actor | None:
    if (at := stage.begin(stage.frames - 1, 2)) is None:
        return None
    places = [item] * at + [None] * (stage.frames - at)
    return Actor(_name(item, stage.dice), tuple(places), Deed(number, "disappears", at, at))


def _turns(stage: Stage, item: Item, number: int) -> Actor | None:
    """Into another colour from one frame to the next."""
    paint = None if item.wish is None else other_colour(item, stage.base, stage.dice)
    if paint is None or (at := stage.begin(stage.frames - 2)) is None:
        return None
    places = [item] * at + [item.dyed(*paint)] * (stage.frames - at)
    deed = Deed(number, "turns", at, at, paint[0])
    return Actor(_name(item, stage.dice, changes=True), tuple(places), deed)


def _enters(stage: Stage, item: Item, number: int) -> Actor | None:
    """From outside the picture to a rest inside; it begins when it is first seen."""
    if (span := _while(stage)) is None:
        return None
    far = stage.dice.random() < 0.5
    outside = stage.size[stage.axis] if far else -item.cut.size[stage.axis]
    places = _inside(stage, _path(stage, item, *span, outside, _inner(stage, item)))
    first = next(frame for frame, item in enumerate(places) if item is not None)
    deed = Deed(number, "enters", min(first, span[1]), span[1], SIDES[stage.axis][far])
    return Actor(_name(item, stage.dice), places, deed)


def _leaves(stage: Stage, item: Item, number: int) -> Actor | None:
    """From a rest inside to outside the picture; it ends when it is last seen."""
    if (span := _while(stage)) is None:
        return None
    far = stage.dice.random() < 0.5
    outside = stage.size[stage.axis] if far else -item.cut.size[stage.axis]
    places = _inside(stage, _path(stage, item, *span, _inner(stage, item), outside))
    last = max(frame for frame, item in enumerate(places) if item is not None)
    deed = Deed(number, "leaves", span[0], max(last, span[0]), SIDES[stage.axis][far])
    return Actor(_name(item, stage.dice), places, deed)


def _inner(stage: Stage, item: Item) -> float:
    free = stage.size[stage.axis] - item.cut.size[stage.axis]
    return stage.dice.uniform(0.25, 0.75) * free


def _inside(stage: Stage, places: Sequence[Item]) -> tuple[Item | None, ...]:
    """None where less than a fifth of the thing would be in the picture."""
    kept: list[Item | None] = []
    for item in places:
        at, side = _at(item, stage.axis), item.cut.size[stage.axis]
        shown = min(at + side, stage.size[stage.axis]) - max(at, 0)
        kept.append(item if shown >= 0.2 * side else None)
    return tuple(kept)


def _bounces(stage: Stage, item: Item, number: int) -> Actor | None:
    """To and fro between the borders all the time; it turns one to four times."""
    free = stage.size[stage.axis] - item.cut.size[stage.axis]
    turns = stage.dice.randint(1, min(4, (stage.frames - 1) // 3))
    if free < 0.4 * stage.size[stage.axis] or stage.frames < 6:
        return None
    legs = turns + stage.dice.uniform(0.35, 0.75)
    start, forth = stage.dice.uniform(0.0, 0.3), stage.dice.random() < 0.5
    places = []
    for f in range(stage.frames):
        run = start + (legs - start) * f / (stage.frames - 1)
        share = run % 2 if run % 2 <= 1 else 2 - run % 2
        places.append(_along(item, stage.axis, free * (share if forth else 1 - share)))
    deed = Deed(number, "bounces", 0, stage.frames - 1, str(turns))
    speed = free * (legs - start) / (stage.frames - 1) * stage.fps
    return Actor(_name(item, stage.dice), tuple(places), deed, speed)


def _resizes(stage: Stage, item: Item, number: int) -> Actor | None:
    """Evenly to nearly twice or half its size."""
    if (span := _while(stage)) is None:
        return None
    small = item.sized(0.55)
    if max(small.cut.size) < 14:
        return None
    grows = stage.dice.random() < 0.5
    low, high = (0.55, 1.0) if grows else (1.0, 0.55)
    shares = [min(1.0, max(0.0, (f - span[0]) / (span[1] - span[0]))) for f in range(stage.frames)]
    sizes: dict[float, Item] = {share: item.sized(low + share * (high - low)) for share in shares}
    deed = Deed(number, "grows" if grows else "shrinks", *span)
    return Actor(_name(item, stage.dice), tuple(sizes[share] for share in shares), deed)
