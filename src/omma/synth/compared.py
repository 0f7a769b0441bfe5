"""The world of comparisons: two to four pictures of one dialogue that share much and differ in something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from omma.sample import Size
from omma.synth.ask_compared import Change, compared_turns
from omma.synth.grounds import Ground, ground
from omma.synth.named import drawn_names, unseen_names
from omma.synth.staging import (
    Item,
    cast,
    named_item,
    other_colour,
    placed,
    shape_item,
    stage,
)
from omma.synth.wear import wear
from omma.synth.world import Drawing, Exercise, Split

SIZES = (Size(112, 112), Size(140, 112), Size(112, 140), Size(140, 140), Size(168, 112), Size(168, 168))
MOST = (2, 3, 4, 5)  # things in a picture, by level
FACTOR = 1.55  # how much larger or smaller a thing becomes


def compared(
    size: Size | None, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None
) -> Exercise:
    """Pictures before and after a change, pictures of which one is odd, or pictures of their own."""
    scene = _Scene(size or dice.choice(SIZES[: 3 + level]), level, split, dice)
    make = dice.choices((scene.changed, scene.odd, scene.several), (5, 3, 4))[0]
    pictures, changes = make()
    drawings = [stage(base, items, "compared") for base, items in pictures]
    drawings = [_worn(drawing, level, dice) for drawing in drawings]
    unseen = {thing.kind for drawing in drawings for thing in drawing.things} & {*unseen_names(split)}
    turns = compared_turns(drawings, changes, split, dice, unseen=bool(unseen))
    return Exercise(drawings[0], turns, tuple(drawings[1:]))


Shown = tuple[list[tuple[Ground, list[Item]]], tuple[Change, ...] | None]


def _worn(drawing: Drawing, level: int, dice: Random) -> Drawing:
    return replace(drawing, picture=wear(drawing.picture, level, dice))


@dataclass(frozen=True)
class _Scene:
    """What the pictures of one exercise have in common."""

    size: Size
    level: int
    split: Split
    dice: Random

    def _ground(self) -> Ground:
        return ground(self.size, self.level, self.dice)

    def _items(self, base: Ground, count: int) -> list[Item]:
        """So many things with names of their own, as far as there is room for them."""
        found: list[Item] = []
        names = drawn_names(self.split)
        drawn = self.dice.random() < 0.3 and bool(names)
        for kind, colour in cast(base, self.dice, count):
            if drawn and (name := self.dice.choice(names)) not in [item.cut.kind for item in found]:
                item = named_item(name, base, self.size, min(self.level, 1), self.split, self.dice)
            else:
                item = shape_item(kind, colour, base, self.size, max(1, self.level), self.dice)
            if (put := placed(item, found, self.size, self.dice)) is not None:
                found.append(put)
        return found or self._items(base, count)

    def changed(self) -> Shown:
        """A picture and the same after no change, one, or two of them."""
        base = self._ground()
        items = self._items(base, self.dice.randint(1 + (self.level > 1), MOST[self.level]))
        after, changes = list(items), list[Change]()
        wanted = self.dice.choices((0, 1, 2), (2, 6, 2 if self.level > 1 else 0))[0]
        touched: set[int] = set()
        for _ in range(12):
            if len(changes) == wanted:
                break
            edit = self.dice.choice(
                (self._recoloured, self._moved, self._gone, self._new, self._resized, self._exchanged)
            )
            if (change := edit(base, after, touched)) is not None:
                changes.append(change)
        return [(base, items), (base, after)], tuple(changes)

    def _choose(self, after: list[Item], touched: set[int]) -> int | None:
        """An item that no change has touched. Items that are gone stand as they were, with no place."""
        free = [number for number in range(len(after)) if number not in touched]
        return self.dice.choice(free) if free else None

    def _recoloured(self, base: Ground, after: list[Item], touched: set[int]) -> Change | None:
        number = self._choose(after, touched)
        if number is None or after[number].wish is None:
            return None
        paint = other_colour(after[number], base, self.dice)
        old = after[number]
        if paint is None or any(item.name == f"{paint[0]} {old.cut.kind}" for item in after):
            return None
        after[number] = old.dyed(*paint)
        touched.add(number)
        return Change("color", old.name, paint[0])

    def _moved(self, base: Ground, after: list[Item], touched: set[int]) -> Change | None:
        number = self._choose(after, touched)
        if number is None:
            return None
        old = after[number]
        put = placed(old, after, self.size, self.dice)
        far = 0.3 * min(self.size)
        if put is None or max(abs(put.x - old.x), abs(put.y - old.y)) < far:
            return None
        after[number] = put
        touched.add(number)
        return Change("place", old.name, "")

    def _gone(self, base: Ground, after: list[Item], touched: set[int]) -> Change | None:
        if touched or len(after) < 2:
            return None
        old = after.pop(self.dice.randrange(len(after)))
        touched.update(range(len(after)))
        return Change("gone", old.name, "")

    def _new(self, base: Ground, after: list[Item], touched: set[int]) -> Change | None:
        names = [item.name for item in after]
        kind, colour = cast(base, self.dice, 1)[0]
        item = shape_item(kind, colour, base, self.size, max(1, self.level), self.dice)
        put = placed(item, after, self.size, self.dice)
        if put is None or item.name in names:
            return None
        touched.add(len(after))
        after.append(put)
        return Change("new", item.name, "")

    def _resized(self, base: Ground, after: list[Item], touched: set[int]) -> Change | None:
        number = self._choose(after, touched)
        if number is None:
            return None
        old = after[number]
        larger = self.dice.random() < 0.5
        new = old.sized(FACTOR if larger else 1 / FACTOR)
        x1, y1, x2, y2 = new.box
        others = [item for item in after if item is not old]
        clear = all(x2 < o.box[0] or o.box[2] < x1 or y2 < o.box[1] or o.box[3] < y1 for o in others)
        if not clear or x1 < 0 or y1 < 0 or x2 > self.size.width or y2 > self.size.height:
            return None
        if max(new.cut.size) < 16:
            return None
        after[number] = new
        touched.add(number)
        return Change("size", old.name, "larger" if larger else "smaller")

    def _exchanged(self, base: Ground, after: list[Item], touched: set[int]) -> Change | None:
        number = self._choose(after, touched)
        if number is None:
            return None
        old = after[number]
        kind, colour = cast(base, self.dice, 1)[0]
        new = shape_item(kind, colour, base, self.size, max(1, self.level), self.dice)
        if new.name in [item.name for item in after] or kind == old.cut.kind:
            return None
        scale = max(old.cut.size) / max(new.cut.size)
        new = new.at(old.x, old.y).sized(scale)
        new = new.at(
            old.x + (old.cut.size.width - new.cut.size.width) / 2,
            old.y + (old.cut.size.height - new.cut.size.height) / 2,
        )
        after[number] = new
        touched.add(number)
        return Change("kind", old.name, new.name)

    def odd(self) -> Shown:
        """Three or four pictures of one thing each, alike in kind but for one of them."""
        base = self._ground()
        count = self.dice.choice((3, 3, 4))
        (kind, colour), (other, tint) = cast(base, self.dice, 2)
        odd = self.dice.randrange(count)
        unseen = self.dice.random() < 0.4
        names = (unseen_names(self.split) if unseen else ()) or drawn_names(self.split)
        drawn = self.dice.random() < 0.4 and len(names) > 1
        usual, strange = (self.dice.sample(names, 2)) if drawn else (kind, other)
        by_colour = not drawn and tint != colour and (self.dice.random() < 0.5 or kind == other)
        pictures = []
        for number in range(count):
            if drawn:
                name = strange if number == odd else usual
                item = named_item(name, base, self.size, min(self.level, 1), self.split, self.dice)
            else:
                paint = tint if by_colour and number == odd else colour
                form = strange if number == odd and not by_colour else usual
                item = shape_item(form, paint, base, self.size, max(1, self.level), self.dice)
            pictures.append((base, [placed(item, [], self.size, self.dice) or item]))
        return pictures, None

    def several(self) -> Shown:
        """Two to four pictures, each of its own, that share kinds and colours."""
        count = self.dice.choice((2, 2, 3, 4) if self.level else (2, 2, 3))
        pictures = []
        base = self._ground()
        shared = cast(base, self.dice, 3)
        for _ in range(count):
            base = self._ground() if self.dice.random() < 0.7 else base
            items: list[Item] = []
            for kind, colour in cast(base, self.dice, self.dice.randint(1, MOST[self.level])):
                if self.dice.random() < 0.5:
                    kind = self.dice.choice(shared)[0]
                item = shape_item(kind, colour, base, self.size, max(1, self.level), self.dice)
                if (put := placed(item, items, self.size, self.dice)) is not None:
                    items.append(put)
            pictures.append((base, items or self._items(base, 1)))
        return pictures, None
