"""Numbers in a model's text: JSON, whole, broken or cut short, tags, XML points, and bare brackets."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Found(NamedTuple):
    """Numbers as the model wrote them, four of a box or two of a point, and what stood beside them."""

    numbers: tuple[float, ...]
    label: str = ""
    score: float | None = None


Form = Callable[[str, int], Iterator[Found]]

# Keys that models use, by how many numbers stand behind them; labels and scores in the order of preference.
KEYS = {4: ("bbox_2d", "bbox", "box_2d", "box"), 2: ("point_2d", "point")}
LABELS = ("label", "text_content", "text", "name", "category", "sub_label")
SCORES = ("score", "confidence")

NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
PAIR = rf"\(\s*({NUMBER})\s*,\s*({NUMBER})\s*\)"
CORNERS = re.compile(rf"{PAIR}\s*(?:,\s*)?{PAIR}")
BRACKETS = {
    count: re.compile(r"[\[(]\s*" + r"\s*,\s*".join([f"({NUMBER})"] * count) + r"\s*[\])]")
    for count in (2, 4)
}

# An attribute with its value in one of three dresses; the signs by which JSON objects are told apart.
ATTRIBUTE = re.compile(r"""\b([a-z]+\d*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'/]+))""")
SIGN = re.compile(r'\\.|["{}\n]')


def found(text: str, count: int) -> list[Found]:
    """All groups of `count` numbers (4: boxes, 2: points), in the first form that holds any. Never raises."""
    return next((groups for form in FORMS if (groups := list(form(text, count)))), [])


def _json(text: str, count: int) -> Iterator[Found]:
    """JSON objects with a known key, wherever they stand. Text cut short gives its whole objects."""
    for entry in _objects(text):
        try:
            value = json.loads(entry)
        except (ValueError, RecursionError):
            yield from _loose(entry, count)
        else:
            yield from _walk(value, count)


def _objects(text: str) -> list[str]:
    """The outermost ``{…}`` that are closed, in one pass: braces inside quotes do not count."""
    opened: list[int] = []
    closed: list[tuple[int, int]] = []
    quoted = False
    for token in SIGN.finditer(text):
        match token[0]:
            case '"':
                quoted = bool(opened) and not quoted
            case "\n":  # no JSON text holds a bare line end, so a lost quote harms one line
                quoted = False
            case "{" if not quoted:
                opened.append(token.start())
            case "}" if opened and not quoted:
                start = opened.pop()
                while closed and closed[-1][0] > start:
                    closed.pop()
                closed.append((start, token.end()))
    return [text[start:stop] for start, stop in closed]


def _walk(value: Any, count: int) -> Iterator[Found]:
    """The geometry of a JSON value, an object before what it holds."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case list() as items:
                waiting += reversed(items)
            case dict() as entry:
                label = next((str(v) for key in LABELS if isinstance(v := entry.get(key), (str, int))), "")
                score = next((s for key in SCORES if (s := _number(entry.get(key))) is not None), None)
                raw = next((entry[key] for key in KEYS[count] if key in entry), None)
                yield from (Found(numbers, label.strip(), score) for numbers in _groups(raw, count))
                waiting += reversed([v for v in entry.values() if isinstance(v, (dict, list))])


def _groups(raw: Any, count: int) -> Iterator[tuple[float, ...]]:
    """``[x, y, …]``, a list of such, or the corners of one box, ``[[x1, y1], [x2, y2]]``."""
    if not isinstance(raw, list):
        return
    numbers = [_number(value) for value in raw]
    if len(raw) == count and all(isinstance(value, float) for value in numbers):
        yield tuple(value for value in numbers if value is not None)
    elif count == 4 and len(raw) == 2 and all(isinstance(v, list) and len(v) == 2 for v in raw):
        yield from _groups([*raw[0], *raw[1]], 4)
    else:
        for value in raw:
            if isinstance(value, list) and value and not isinstance(value[0], list):
                yield from _groups(value, count)


def _number(value: Any) -> float | None:
    """A finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _loose(text: str, count: int) -> Iterator[Found]:
    """Objects that are nearly JSON: single quotes, commas too many, notes between."""
    keys = "|".join(KEYS[count])
    numbers = re.compile(rf"[\"']?\b(?:{keys})[\"']?\s*[:=]\s*{BRACKETS[count].pattern}")
    label = re.compile(rf"[\"']?\b(?:{'|'.join(LABELS)})[\"']?\s*[:=]\s*([\"'])(.*?)\1", re.DOTALL)
    for entry in re.findall(r"\{[^{}]*\}", text):
        if match := numbers.search(entry):
            words = label.search(entry)
            yield from _of(match.groups(), words[2] if words else "")


def _tags(text: str, count: int) -> Iterator[Found]:
    """Qwen2-VL's marks and Qwen-VL's tags: a phrase, then its boxes one after another."""
    if count != 4:
        return
    tag = re.compile(
        r"(?:<\|object_ref_start\|>|<ref>)(?P<phrase>.{0,500}?)(?:<\|object_ref_end\|>|</ref>)"
        rf"|(?:<\|box_start\|>|<box>)\s*{CORNERS.pattern}\s*(?:<\|box_end\|>|</box>)",
        re.DOTALL,
    )
    phrase = ""
    for match in tag.finditer(text):
        if match["phrase"] is not None:
            phrase = match["phrase"].strip()
        else:
            yield from _of(match.groups()[1:], phrase)


def _xml(text: str, count: int) -> Iterator[Found]:
    """``<points x1="12" y1="34" x2=… alt="…">…</points>`` and ``<point x=… y=… alt=…>``."""
    if count != 2:
        return
    for tag, inside in re.findall(r"<points?\b([^<>]*)>([^<]*)", text):
        attributes = {match[1]: match[2] or match[3] or match[4] or "" for match in ATTRIBUTE.finditer(tag)}
        label = attributes.get("alt") or inside.strip()
        for name, x in attributes.items():
            if name.startswith("x"):
                yield from _of((x, attributes.get("y" + name[1:], "")), label)


def _bare(text: str, count: int) -> Iterator[Found]:
    """``(x1,y1),(x2,y2)`` and ``[x1,y1,x2,y2]`` for boxes; ``(x,y)`` and ``[x,y]`` for points."""
    if "_2d" in text:  # a text that names what its numbers are holds no others
        return
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
FORMS: tuple[Form, ...] = (_json, _loose, _tags, _xml, _bare)
