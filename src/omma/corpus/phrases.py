"""The tags of 2023 around phrases and boxes in a text: words stay, boxes become geometry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omma.chat import Text
from omma.corpus.record import Boxes
from omma.errors import BadData
from omma.prep.boxes import Box

PAIR = r"\(\s*\d{1,4}\s*,\s*\d{1,4}\s*\)"
CORNERS = rf"{PAIR}\s*,?\s*{PAIR}"
SHAPE = rf"<box>\s*{CORNERS}\s*</box>|<quad>\s*{CORNERS}\s*,?\s*{CORNERS}\s*</quad>"
# A phrase with the shapes that follow it, shapes by themselves, or a phrase without any.
GROUP = re.compile(rf"(?:<ref>([^<]*)</ref>\s*)?(?:{SHAPE})(?:\s*(?:{SHAPE}))*|<ref>([^<]*)</ref>")
TAG = re.compile(r"</?(?:ref|box|quad)>")
BETWEEN = " \t\r\n,;"


def grounded(text: str, picture: int | None, *, learned: bool) -> Iterator[Text | Boxes]:
    """The text with the geometry in it taken out, of the conversation's picture `picture` (from 0).

    A text of nothing else is one list of boxes; among words each phrase has its own. A quad is the box around
    it. Raises BadData for corners the wrong way round and, in a text to be learned, for tags without them.
    """
    groups = list(GROUP.finditer(text))
    rest = GROUP.sub("", text)
    if learned and (tag := TAG.search(rest)):
        raise BadData(
            f"{tag[0]} stands in an answer without what belongs to it; wanted <ref>words</ref> and "
            "<box>(x1,y1),(x2,y2)</box>",
            "boxes",
        )
    if groups and not rest.strip(BETWEEN) and all(_shapes(group) for group in groups):
        shapes = tuple(shape for group in groups for shape in _shapes(group))
        yield Boxes(shapes, picture, "grid", "list", said=text)
        return
    at = 0
    for group in groups:
        yield Text(text[at : group.start()])
        at = group.end()
        if picture is None and group[2] is not None:
            yield Text(group[2])
        else:
            yield Boxes(_shapes(group), picture, "grid", "phrase", said=group[0])
    yield Text(text[at:])


def _shapes(group: re.Match[str]) -> tuple[Box, ...]:
    """The boxes of a group, in thousandths, each with the phrase."""
    phrase, shapes = (group[1] or "").strip(), list[Box]()
    for shape in re.finditer(SHAPE, group[0]):
        numbers = [float(number) for number in re.findall(r"\d+", shape[0])]
        xs, ys = numbers[0::2], numbers[1::2]
        if len(xs) == 2 and (xs[0] > xs[1] or ys[0] > ys[1]):
            raise BadData(f"{shape[0]}: wanted the top left corner first, then the bottom right", "boxes")
        if min(xs) == max(xs) and min(ys) == max(ys):  # thin things may well be a line on the grid
            raise BadData(f"{shape[0]} has nothing in it; wanted two corners that lie apart", "boxes")
        shapes.append(Box(min(xs), min(ys), max(xs), max(ys), phrase))
    return tuple(shapes)
