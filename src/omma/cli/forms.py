"""Results as the JSON objects that --json writes. Places are in pixels of the original picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omma.chat import Answer, Seen

if TYPE_CHECKING:
    from omma.prep.boxes import Box, Point
    from omma.prep.polygons import Polygon
    from omma.prep.spans import Span
    from omma.skills.read import Line


def answer_form(answer: Answer) -> dict[str, Any]:
    """An answer, with the places and times that its text holds where one picture or video was shown.

    Of several, each has its own beside what was `seen` of it: where the places lie if they lie in that one.
    """
    told: dict[str, Any] = {
        "text": answer.text,
        "finish_reason": answer.finish_reason,
        "usage": {
            "prompt_tokens": answer.usage.prompt_tokens,
            "completion_tokens": answer.usage.completion_tokens,
            "visual_tokens": answer.usage.visual_tokens,
        },
    }
    if len(answer.seen) == 1:
        (seen,) = answer.seen
        return told | {"seen": [seen_form(seen)]} | _geometry(answer.text, seen)
    return told | {"seen": [seen_form(seen) | _geometry(answer.text, seen) for seen in answer.seen]}


def _geometry(text: str, seen: Seen) -> dict[str, Any]:
    """What the text says of places and times, in pixels and seconds of what was seen."""
    from omma.prep.boxes import parse_boxes, parse_points
    from omma.prep.polygons import parse_polygons
    from omma.prep.spans import parse_spans

    told: dict[str, Any] = {
        "boxes": [box_form(box) for box in parse_boxes(text, seen)],
        "points": [point_form(point) for point in parse_points(text, seen)],
        "polygons": [polygon_form(polygon) for polygon in parse_polygons(text, seen)],
    }
    if seen.kind == "video":
        told["spans"] = [span_form(span) for span in parse_spans(text, seen)]
    return told


def seen_form(seen: Seen) -> dict[str, Any]:
    """What the model saw of one picture or video: [width, height], its tokens, the seconds of its frames."""
    told: dict[str, Any] = {
        "kind": seen.kind,
        "name": seen.name,
        "original": list(seen.original),
        "resized": list(seen.resized),
        "tokens": seen.tokens,
    }
    return told | ({"times": [round(time, 3) for time in seen.times]} if seen.times else {})


def box_form(box: Box) -> dict[str, Any]:
    """A box: [left, top, right, bottom]."""
    return {"label": box.label, "box": _corners(box), "score": box.score}


def point_form(point: Point) -> dict[str, Any]:
    """A point: [x, y]."""
    return {"label": point.label, "point": [round(point.x, 1), round(point.y, 1)]}


def polygon_form(polygon: Polygon) -> dict[str, Any]:
    """A quad or polygon: [[x, y], …]."""
    corners = [[round(x, 1), round(y, 1)] for x, y in polygon.corners]
    return {"label": polygon.label, "polygon": corners, "score": polygon.score}


def span_form(span: Span) -> dict[str, Any]:
    """A span: [start, end] in seconds."""
    return {"label": span.label, "span": [round(span.start, 2), round(span.end, 2)], "score": span.score}


def line_form(line: Line) -> dict[str, Any]:
    """A line of text and its box, null where the model gave none."""
    return {"text": line.text, "box": _corners(line.box) if line.box else None, "score": line.score}


def _corners(box: Box) -> list[float]:
    return [round(side, 1) for side in (box.x1, box.y1, box.x2, box.y2)]
