"""Cut-outs: things drawn once with the truth of every pixel, to be laid on any picture at any place."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from omma.sample import Size
from omma.synth.canvas import Canvas
from omma.synth.colours import ANCHORS, NAMED, NEAR, colour_of
from omma.synth.scenes import Wish, put
from omma.synth.world import IGNORE, Edges

PAD = 4  # around a thing while it is drawn, so that no edge of it is lost
HALF = 128  # of 255: what covers half a pixel and more is there
OWN = 0.6  # the share of a thing's pixels that must bear one name for it to be of that colour
OTHER = 0.12  # and the most that may bear another
_ANCHORS = np.array([rgb for name in NAMED for rgb in ANCHORS[name]], np.float32)
_NAME_OF = np.array([number for number, name in enumerate(NAMED) for _ in ANCHORS[name]])


@dataclass(frozen=True, eq=False)
class CutOut:
    """A thing without a ground. `picture` is RGBA; the arrays are (height, width), one number a pixel.

    `kinds` and `colours` index the worlds' tables (255: nothing to learn), `there` says which pixels are
    the thing's own. Nothing is empty around it.
    """

    picture: Image.Image
    kinds: NDArray[np.uint8]
    colours: NDArray[np.uint8]
    there: NDArray[np.bool_]
    kind: str
    colour: str | None = None
    state: str = ""

    @property
    def size(self) -> Size:
        """Its sides in pixels."""
        return Size(*self.picture.size)

    def resized(self, width: int, height: int) -> CutOut:
        """The same at another size, in pixels."""
        size = (max(1, width), max(1, height))
        if size == self.picture.size:
            return self
        return replace(
            self,
            picture=self.picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0),
            kinds=_nearest(self.kinds, size),
            colours=_nearest(self.colours, size),
            there=_nearest(self.there.astype(np.uint8), size).astype(bool),
        )

    def turned(self, degrees: float) -> CutOut:
        """The same turned counterclockwise; its maps are those of a thing of one kind and one colour."""
        soft = self.picture.convert("RGBa").rotate(degrees, Image.Resampling.BICUBIC, expand=True)
        return of_picture(soft.convert("RGBA"), self.kind, self.colour, self.state)

    def dyed(self, picture: Image.Image, colour: str | None) -> CutOut:
        """The same with other inks; `colour` is what it is called now."""
        colours = np.full_like(self.colours, colour_of(colour))
        return replace(self, picture=picture, colours=colours, colour=colour)


def of_wish(wish: Wish) -> CutOut:
    """A thing of scenes. It is drawn on black and on white: where these agree it covers all."""
    size = Size(round(wish.width) + 2 * PAD + 2, round(wish.height) + 2 * PAD + 2)
    grow = max(3.0, max(wish.width, wish.height) * 0.09)
    pad = PAD + (grow / 2 if wish.style in ("edged", "hollow") else 0.0)
    size = Size(round(size.width + grow), round(size.height + grow))
    box = (pad, pad, pad + wish.width, pad + wish.height)
    dark, light = (Canvas(Image.new("RGB", size, ground), IGNORE) for ground in ("black", "white"))
    put(dark, wish, box, 0)
    put(light, wish, box, 0)
    # On white a pixel is ink + (1 - cover) · 255, on black ink alone.
    cover = ImageChops.invert(ImageChops.difference(light.picture, dark.picture).convert("L"))
    alpha = np.asarray(cover).astype(np.float32)[:, :, None]
    inks = np.asarray(dark.picture).astype(np.float32) * 255 / np.maximum(alpha, 1)
    pixels = np.concatenate([np.clip(inks, 0, 255), alpha], 2).astype(np.uint8)
    there = light.thing_map == 0
    kinds = np.where(there, light.kind_map, IGNORE).astype(np.uint8)
    window = _tight(there | (alpha[:, :, 0] >= HALF))
    return CutOut(
        Image.fromarray(pixels[window]), kinds[window], light.colour_map[window], there[window],
        wish.kind, wish.colour, wish.state,
    )  # fmt: skip


def of_picture(picture: Image.Image, kind: str, colour: str | None, state: str = "") -> CutOut:
    """An RGBA picture of a named thing, whose kind has no class: its pixels teach no kind."""
    alpha = np.asarray(picture.getchannel("A"))
    if not (alpha >= HALF).any():
        raise ValueError(f"{kind} has nothing in it that covers half a pixel")
    rows, columns = window = _tight(alpha >= HALF)
    there = alpha[window] >= HALF
    cut = picture.crop((columns.start, rows.start, columns.stop, rows.stop))
    kinds = np.full(there.shape, IGNORE, np.uint8)
    return CutOut(cut, kinds, np.full(there.shape, colour_of(colour), np.uint8), there, kind, colour, state)


def own_colour(picture: Image.Image) -> str | None:
    """The one colour of an RGBA picture, where people would agree on one."""
    small = np.asarray(picture.resize((24, 24), Image.Resampling.BOX)).reshape(-1, 4).astype(np.float32)
    inks_N3 = small[small[:, 3] > 200, :3]
    if len(inks_N3) < 12:
        return None
    apart_N3A = inks_N3[:, :, None] - _ANCHORS.T
    mean_NA = (inks_N3[:, :1] + _ANCHORS.T[0]) / 2 / 256
    red, green, blue = (apart_N3A[:, channel] ** 2 for channel in range(3))
    far_NA = (2 + mean_NA) * red + 4 * green + (2 + 255 / 256 - mean_NA) * blue
    near_N = far_NA.argmin(1)[far_NA.min(1) <= NEAR**2]
    shares = np.bincount(_NAME_OF[near_N], minlength=len(NAMED)) / len(inks_N3)
    first, second = (int(number) for number in np.argsort(-shares, kind="stable")[:2])
    return NAMED[first] if shares[first] >= OWN and shares[second] <= OTHER else None


def lay(canvas: Canvas, cut: CutOut, x: int, y: int, number: int) -> Edges | None:
    """Lay it with its corner at (x, y) as thing `number`; gives the box of what can be seen, if any can."""
    width, height = cut.size
    left, top = max(0, -x), max(0, -y)
    right, bottom = min(width, canvas.size.width - x), min(height, canvas.size.height - y)
    if right <= left or bottom <= top:
        return None
    canvas.picture.paste(cut.picture.convert("RGB"), (x, y), cut.picture.getchannel("A"))
    there = cut.there[top:bottom, left:right]
    if not there.any():
        return None
    window = np.s_[y + top : y + bottom, x + left : x + right]
    canvas.kind_map[window][there] = cut.kinds[top:bottom, left:right][there]
    canvas.colour_map[window][there] = cut.colours[top:bottom, left:right][there]
    canvas.thing_map[window][there] = number
    rows, columns = _tight(there)
    return (
        float(x + left + columns.start), float(y + top + rows.start),
        float(x + left + columns.stop), float(y + top + rows.stop),
    )  # fmt: skip


def shadow(canvas: Canvas, cut: CutOut, x: int, y: int, depth: int, strength: float) -> None:
    """A soft shadow `depth` pixels below and beside where the thing is going to lie. No map knows it."""
    grown = Image.new("L", (cut.size.width + 4 * depth, cut.size.height + 4 * depth))
    grown.paste(cut.picture.getchannel("A"), (2 * depth, 2 * depth))
    soft = grown.filter(ImageFilter.BoxBlur(depth)).point(lambda value: round(value * strength))
    canvas.picture.paste((0, 0, 0), (x - depth, y - depth), soft)


def _tight(there: NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _nearest(plane: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.NEAREST)).copy()
