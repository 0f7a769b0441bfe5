"""Numbers in a model's text: JSON, tags and marks, XML points, and bare brackets, whole or cut short."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from omma.prep.dialects import ANY_MARK, MARKS
from omma.prep.loose import CutList, Entry, entries, text_start


class Found(NamedTuple):
    """Numbers as the model wrote them, four of a box or two of a point, and what stood beside them."""

    numbers: tuple[float, ...]
    label: str = ""
    score: float | None = None


Form = Callable[[str, int], Iterator[Found]]

# Keys that models use, by how many numbers stand behind them; labels and scores in the order of preference.
KEYS = {4: ("bbox_2d", "bbox", "box_2d", "box"), 2: ("point_2d", "point"), 9: ("bbox_3d", "box_3d")}
RINGS = ("quad_2d", "quad", "polygon_2d", "polygon", "data-polygon")
LABELS = ("label", "text_content", "text", "name", "category", "sub_label", "description", "event", "caption")
SCORES = ("score", "confidence")

NUMBER = r"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?"
PAIR = rf"\(\s*+({NUMBER})\s*+,\s*+({NUMBER})\s*+\)"
CORNERS = re.compile(rf"{PAIR}\s*+(?:,\s*+)?{PAIR}")
BRACKETS = {
    count: re.compile(r"[\[(]\s*+" + r"\s*+,\s*+".join([f"({NUMBER})"] * count) + r"\s*+[\])]")
    for count in (2, 4)
}
PAIRS = re.compile(PAIR)
# Places between their marks: any number of corners, of which the text may hold only the first.
_RING = rf"\s*+{PAIR}(?:\s*+,?\s*+{PAIR})*+".replace(f"({NUMBER})", NUMBER)
TAG = re.compile(
    "|".join(
        f"(?P<{shape}_{dress}>{re.escape(first)})(?P<{shape}_{dress}_corners>{_RING})"
        f"(?P<{shape}_{dress}_end>\\s*+{re.escape(last)})?"
        if shape != "phrase"
        else f"(?P<{shape}_{dress}>{re.escape(first)})|(?P<{shape}_{dress}_end>{re.escape(last)})"
        for dress, marks in MARKS.items()
        for shape, (first, last) in marks.items()
    )
)
NO_FIGURES = str.maketrans("", "", "0123456789.,+-eE[]()")
ATTRIBUTE = re.compile(r"""\b([a-z]+\d*)\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'/]+))""")


def found(text: str, count: int) -> list[Found]:
    """All groups of `count` numbers (4: boxes, 2: points), in the first form that holds any. Never raises."""
    text = text[text_start(text) :]
    return next((groups for form in FORMS if (groups := list(form(text, count)))), [])


def found_rings(text: str) -> list[Found]:
    """All rings of three corners or more, x and y in turns, in JSON or else between marks. Never raises."""
    text = text[text_start(text) :]
    named = [ring for entry in entries(text) for ring in _rings(entry)]
    return named or list(_tags(text, "quad"))


def label_of(entry: Entry) -> str:
    """What an object is called."""
    said = (entry.get(key) for key in LABELS)
    return next(
        (str(word).strip() for word in said if isinstance(word, str) or type(word) in (int, float)), ""
    )


def score_of(entry: Entry) -> float | None:
    """How sure the model says it is."""
    return next((score for key in SCORES if (score := finite(entry.get(key))) is not None), None)


def finite(value: Any) -> float | None:
    """A finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def groups_of(entry: Entry, count: int) -> Iterator[tuple[float, ...]]:
    """The groups of `count` numbers of an object: one, or a list of them.

    Of an object that was cut one group is not told, since it lacks what follows, but those of a list are.
    """
    raw = next((entry[key] for key in KEYS[count] if key in entry), None)
    if entry.cut:
        lists = raw if isinstance(raw, list) else []
        raw = [group for group in lists if isinstance(group, list) and len(group) == count]
        raw = [group for group in raw if not isinstance(group, CutList)]
    yield from _groups(listed(raw), count)


def listed(raw: Any) -> Any:
    """The numbers of a text that holds nothing else but marks, "1, 2" or "(1,2)"; else what was given."""
    if isinstance(raw, str) and (plain := ANY_MARK.sub("", raw)).translate(NO_FIGURES).strip() == "":
        return [float(number) for number in re.findall(NUMBER, plain)]
    return raw


def _json(text: str, count: int) -> Iterator[Found]:
    """Objects with a known key, wherever they stand."""
    for entry in entries(text):
        for numbers in groups_of(entry, count):
            yield Found(numbers, label_of(entry), score_of(entry))


def _groups(raw: Any, count: int) -> Iterator[tuple[float, ...]]:
    """``[x, y, …]``, a list of such, or the corners of one box, ``[[x1, y1], [x2, y2]]``."""
    if not isinstance(raw, list):
        return
    if (numbers := _numbers(raw)) is not None:
        if len(raw) == count:
            yield numbers
    elif count == 4 and len(raw) == 2 and all(isinstance(pair, list) and len(pair) == 2 for pair in raw):
        yield from _groups([*raw[0], *raw[1]], 4)
    else:
        for value in raw:
            if isinstance(value, list) and value and not isinstance(value[0], list):
                yield from _groups(value, count)


def _numbers(raw: list[Any]) -> tuple[float, ...] | None:
    """A list of numbers and nothing else."""
    numbers = [finite(value) for value in raw]
    return None if None in numbers else tuple(number for number in numbers if number is not None)


def _rings(entry: Entry) -> Iterator[Found]:
    """``[x1, y1, x2, y2, …]`` or ``[[x1, y1], …]``; none of an object that was cut."""
    raw = next((entry[key] for key in RINGS if key in entry), None)
    if isinstance(raw, list) and not entry.cut:
        if raw and all(isinstance(pair, list) and len(pair) == 2 for pair in raw):
            raw = [number for pair in raw for number in pair]
        numbers = _numbers(raw)
        if numbers is not None and len(numbers) >= 6 and len(numbers) % 2 == 0:
            yield Found(numbers, label_of(entry), score_of(entry))


def _marked(text: str, count: int) -> Iterator[Found]:
    """Boxes, or single points, between the marks of boxes."""
    for group in _tags(text, "box"):
        if len(group.numbers) == count:
            yield group


def _tags(text: str, wanted: str) -> Iterator[Found]:
    """Qwen2-VL's marks and Qwen-VL's tags: a phrase, then its shapes one after another.

    A shape whose end mark is missing counts if nothing says that more of it was to come. The first may lack
    the mark before it, which then stood in the prompt.
    """
    phrase, begun = "", None
    for match in TAG.finditer(text := _begun(text)):
        name = match.lastgroup or ""
        shape = name.partition("_")[0]
        if shape == "phrase":
            if not name.endswith("_end"):
                begun = match.end()
            elif begun is not None:
                phrase, begun = text[begun : match.start()].strip(), None
            continue
        dress = "tags" if "_tags" in name else "marks"
        rest = text[match.end() : match.end() + 9].lstrip()
        ended = match[f"{shape}_{dress}_end"] is not None or not (rest == "" or rest[0] in ",(")
        numbers = [number for pair in PAIRS.findall(match[f"{shape}_{dress}_corners"]) for number in pair]
        if shape == wanted and (ended or (shape == "box" and len(numbers) == 4)):
            yield from _of(tuple(numbers), phrase)


def _begun(text: str) -> str:
    """The text with the mark before its first shape where only the one behind it is there."""
    for marks in MARKS.values():
        for first, last in (marks["box"], marks["quad"]):
            begins, ends = text.find(first), text.find(last)
            if ends >= 0 and not 0 <= begins < ends and re.fullmatch(rf"{_RING}\s*+", text[:ends]):
                return first + text
    return text


def _xml(text: str, count: int) -> Iterator[Found]:
    """``<points x1="12" y1="34" x2=… alt="…">…</points>`` and ``<point x=… y=… alt=…>``."""
    if count != 2:
        return
    for tag, inside in re.findall(r"<points?\b([^<>]*+)>([^<]*+)", text):
        attributes = {match[1]: match[2] or match[3] or match[4] or "" for match in ATTRIBUTE.finditer(tag)}
        label = attributes.get("alt") or inside.strip()
        for name, x in attributes.items():
            if name.startswith("x"):
                yield from _of((x, attributes.get("y" + name[1:], "")), label)


def _bare(text: str, count: int) -> Iterator[Found]:
    """``(x1,y1),(x2,y2)`` and ``[x1,y1,x2,y2]`` for boxes; ``(x,y)`` and ``[x,y]`` for points."""
    if "_2d" in text or "<quad>" in text or "<|quad_start|>" in text:
        return  # a text that names what its numbers are holds no others
    boxes = re.compile(rf"{CORNERS.pattern}|{BRACKETS[4].pattern}")
    if count == 4:
        for match in boxes.finditer(text):
            yield from _of(tuple(value for value in match.groups() if value is not None))
        return
    for match in BRACKETS[2].finditer(boxes.sub(" ", text)):
        yield from _of(match.groups())


def _of(texts: tuple[str, ...], label: str = "") -> Iterator[Found]:
    """The group, when all of it are finite numbers."""
    try:
        numbers = tuple(float(text) for text in texts)
    except ValueError:
        return
    if all(map(math.isfinite, numbers)):
        yield Found(numbers, label.strip())


# Tried in this order. A further generation's way of writing is one more function here.
FORMS: tuple[Form, ...] = (_json, _marked, _xml, _bare)
