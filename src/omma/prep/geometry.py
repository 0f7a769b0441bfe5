"""All places and times in a text, as objects fit for JSON: what the server tells beside an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from omma.chat import THOUGHTS_END, Seen
from omma.prep.boxes import Box, parse_boxes, parse_points
from omma.prep.polygons import parse_polygons
from omma.prep.spans import parse_sightings, parse_spans


def geometry(text: str, seen: Sequence[Seen]) -> dict[str, Any]:
    """What the text places in each picture and video that was shown: ``{"shown": [{…}, …]}``, in their order.

    An entry has `index` and `kind`, and lists of what was found: `boxes` ``{"label", "box": [x1, y1, x2, y2],
    "score"}``, `points` ``{"label", "point": [x, y]}`` and `polygons` in pixels of the original, `spans`
    ``{"label", "span": [start, end], "score"}`` and `sightings` ``{"time", "label", "box", "score"}`` in
    seconds of the original video; a list with nothing in it is left out. A text does not say which picture
    it places a thing in, so with several pictures it is told as it lies in each. Thoughts are not read.
    Never raises for any text.
    """
    said = text.rpartition(THOUGHTS_END)[2]
    return {"shown": [_entry(said, one, index) for index, one in enumerate(seen)]}


def _entry(said: str, seen: Seen, index: int) -> dict[str, Any]:
    spans = parse_spans(said, seen) if seen.kind == "video" else []
    sightings = parse_sightings(said, seen) if seen.kind == "video" else []
    found: dict[str, list[dict[str, Any]]] = {
        "boxes": [_box(box) for box in parse_boxes(said, seen)],
        "points": [
            {"label": point.label, "point": [_pixel(point.x), _pixel(point.y)]}
            for point in parse_points(said, seen)
        ],
        "polygons": [
            {
                "label": polygon.label,
                "polygon": [[_pixel(x), _pixel(y)] for x, y in polygon.corners],
                "score": polygon.score,
            }
            for polygon in parse_polygons(said, seen)
        ],
        "spans": [
            {"label": span.label, "span": [_second(span.start), _second(span.end)], "score": span.score}
            for span in spans
        ],
        "sightings": [{"time": _second(one.time), **_box(one.box)} for one in sightings],
    }
    return {"index": index, "kind": seen.kind} | {name: each for name, each in found.items() if each}


def _box(box: Box) -> dict[str, Any]:
    sides = [_pixel(side) for side in (box.x1, box.y1, box.x2, box.y2)]
    return {"label": box.label, "box": sides, "score": box.score}


def _pixel(number: float) -> float:
    return round(number, 1)


def _second(number: float) -> float:
    return round(number, 2)
