"""A stage: things cut out beforehand and laid on one ground again and again, for pictures of one set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from omma.sample import Size
from omma.synth.canvas import Canvas
from omma.synth.colours import NAMED, Ink, colour_of, distance, ink
from omma.synth.cutouts import CutOut, lay, of_wish
from omma.synth.grounds import Ground
from omma.synth.named import cut_out, finish
from omma.synth.places import room
from omma.synth.scenes import Wish, devise, size_word
from omma.synth.world import OBJECTS, SHAPES, Drawing, Edges, Split, Thing

KINDS = SHAPES + OBJECTS
APART = 150  # how far inks must be apart to be told from one another


@dataclass(frozen=True, eq=False)
class Item:
    """A thing with its corner's place in pixels. `wish` is how it was drawn, where it is one of scenes."""

    cut: CutOut
    x: int
    y: int
    wish: Wish | None = None

    @property
    def name(self) -> str:
        """Colour and kind for a thing of scenes, the kind alone for a named drawing."""
        return f"{self.cut.colour} {self.cut.kind}" if self.wish is not None else self.cut.kind

    @property
    def box(self) -> Edges:
        """Where it lies, in pixels; it may reach out of the picture."""
        width, height = self.cut.size
        return float(self.x), float(self.y), float(self.x + width), float(self.y + height)

    def at(self, x: float, y: float) -> Item:
        """The same elsewhere."""
        return replace(self, x=round(x), y=round(y))

    def sized(self, factor: float) -> Item:
        """The same about its middle, so many times as large."""
        width, height = (round(side * factor) for side in self.cut.size)
        x, y = self.x + (self.cut.size.width - width) // 2, self.y + (self.cut.size.height - height) // 2
        return replace(self, cut=self.cut.resized(width, height), x=x, y=y)

    def dyed(self, colour: str, rgb: Ink) -> Item:
        """A thing of scenes in another colour."""
        assert self.wish is not None, "only what was drawn in one ink has another"
        wish = replace(self.wish, colour=colour, ink=rgb)
        return replace(self, cut=of_wish(wish).resized(*self.cut.size), wish=wish)


def stage(base: Ground, items: Sequence[Item], world: str) -> Drawing:
    """The items on the ground, the last ones in front; what nobody can see is not among the things."""
    canvas = Canvas(base.picture.copy(), colour_of(base.colour))
    things: list[Thing] = []
    for item in items:
        seen = lay(canvas, item.cut, item.x, item.y, len(things))
        if seen is not None:
            side = max(item.cut.size) / min(canvas.size)
            colour = item.cut.colour
            things.append(Thing(item.cut.kind, colour, seen, size=size_word(side), state=item.cut.state))
    return finish(canvas, things, world, base.colour)


def shape_item(kind: str, colour: str, base: Ground, size: Size, level: int, dice: Random) -> Item:
    """A thing of scenes at no place yet."""
    wish = devise(kind, colour, base, size, level, dice.random() < 0.5, dice)
    return Item(of_wish(wish), 0, 0, wish)


def named_item(name: str, base: Ground, size: Size, level: int, split: Split, dice: Random) -> Item:
    """A named drawing at no place yet."""
    side = max(24, round(min(size) * dice.uniform(0.24, 0.42)))
    return Item(cut_out(name, side, base, size, level, split, dice), 0, 0)


def placed(item: Item, others: Sequence[Item], size: Size, dice: Random) -> Item | None:
    """The item where it touches no other; None when there is no room."""
    box = room([other.box for other in others], *item.cut.size, size, dice, 3.0)
    return None if box is None else item.at(box[0], box[1])


def other_colour(item: Item, base: Ground, dice: Random) -> tuple[str, Ink] | None:
    """Another named ink that shows on the ground and is not mistaken for the item's own; None if unlucky."""
    assert item.wish is not None, "only what was drawn in one ink has another"
    for _ in range(20):
        colour = dice.choice(NAMED)
        rgb = ink(colour, dice)
        other = colour not in (item.cut.colour, base.colour) and distance(rgb, item.wish.ink) > APART
        if other and base.shows(rgb):
            return colour, rgb
    return None


def cast(base: Ground, dice: Random, count: int) -> list[tuple[str, str]]:
    """Kinds and colours of `count` things, no two of one name."""
    colours = [name for name in NAMED if name != base.colour]
    found: dict[str, tuple[str, str]] = {}
    while len(found) < count:
        kind, colour = dice.choice(KINDS), dice.choice(colours)
        found.setdefault(f"{colour} {kind}", (kind, colour))
    return list(found.values())
