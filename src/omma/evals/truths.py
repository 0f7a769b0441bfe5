"""Which truths an answer can be held against: one form each, whole, and inside of the picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from omma.evals.calls import sound_calls
from omma.evals.places import inside, sound_box
from omma.evals.records import leaves
from omma.evals.tables import table_tree
from omma.evals.texts import normal
from omma.evals.times import sound_in_time
from omma.sample import Size

# The forms, and what else may stand in a truth of each.
BESIDE: dict[str, frozenset[str]] = {
    "word": frozenset(),
    "number": frozenset(),
    "boxes": frozenset({"picture"}),
    "point": frozenset({"box", "label"}),
    "lines": frozenset(),
    "value": frozenset({"tolerance"}),
    "html": frozenset(),
    "record": frozenset({"tolerance"}),
    "calls": frozenset(),
    "spans": frozenset(),
    "second": frozenset({"within"}),
    "order": frozenset(),
    "result": frozenset({"steps"}),
}
FORMS = tuple(BESIDE)
_BOX = "[x1, y1, x2, y2], x1 under x2 and y1 under y2"


def check_truth(truth: Any) -> None:
    """Raise ValueError saying what is wrong with a truth that no answer could be held against."""
    kind = next((name for name in FORMS if name in truth), None) if isinstance(truth, Mapping) else None
    if kind is None:
        raise ValueError(f"its truth is {truth!r:.200}; wanted an object with one of {', '.join(FORMS)}")
    if two := [name for name in FORMS if name in truth and name != kind]:
        raise ValueError(f"its truth has {kind} and {two[0]}; wanted one form of truth")
    if strange := sorted(set(truth) - BESIDE[kind] - {kind}):
        known = f"; known: {', '.join(sorted(BESIDE[kind]))}" if BESIDE[kind] else ""
        raise ValueError(f"nobody reads {strange[0]!r:.60} beside {kind} in its truth{known}")
    for name in ("tolerance", "within"):
        if name in truth and not (_is_figure(truth[name]) and truth[name] >= 0):
            raise ValueError(f"the {name} of its truth is {truth[name]!r:.60}; wanted 0 or more")
    if not _are_texts(truth.get("steps", [])):
        raise ValueError(f"the steps of its truth are {truth['steps']!r:.60}; wanted a list of texts")
    sound, wanted = _sound(kind, truth)
    if not sound:
        raise ValueError(f"its truth is {truth[kind]!r:.200}; wanted {wanted}")


def _sound(kind: str, truth: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether what stands under the form's name can be met, and what is wanted there."""
    value = truth[kind]
    match kind:
        case "word":
            return isinstance(value, str) and bool(normal(value)), "a text with a letter or more"
        case "number":
            return type(value) is int and value >= 0, "a whole number, 0 or more"
        case "boxes":
            sound = isinstance(value, list) and all(map(_is_labelled, value))
            return sound, f"a list of objects with a box {_BOX}, and a label at most"
        case "point":
            return sound_box(truth.get("box")), f"a box {_BOX.replace(']', '] beside it', 1)}"
        case "lines":
            return _are_texts(value) and any(map(str.strip, value)), "a list of texts with a letter or more"
        case "value":
            return _is_figure(value), "a figure"
        case "html":
            return isinstance(value, str) and table_tree(value) is not None, "a table in HTML"
        case "record":
            return isinstance(value, (dict, list)) and leaves(value) > 0, "an object with a field"
        case "calls":
            return sound_calls(truth)
        case _:
            return sound_in_time(truth)


def check_places(truth: Mapping[str, Any], sizes: Mapping[int, Size]) -> None:
    """Raise ValueError where a box of a truth is not inside of its picture.

    `sizes` are those of the pictures, by their numbers from 1, as far as they are known.
    """
    number = truth.get("picture", 1)
    if type(number) is not int or number not in sizes:
        raise ValueError(f"its truth is about picture {number!r:.60}; wanted one from 1 to {len(sizes)}")
    boxes = [told["box"] for told in (*truth.get("boxes", ()), *truth.get("calls", ())) if "box" in told]
    for box in [*boxes, *([truth["box"]] if "box" in truth else [])]:
        if not inside(box, sizes[number]):
            width, height = sizes[number]
            raise ValueError(f"its box {box} is not inside of the picture, which is {width}×{height}")


def _is_labelled(told: Any) -> bool:
    return (
        isinstance(told, Mapping)
        and sound_box(told.get("box"))
        and set(told) <= {"box", "label"}
        and isinstance(told.get("label", ""), str)
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _is_figure(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
