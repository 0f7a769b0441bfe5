"""Point at a thing in a picture: words in, one place out."""

from __future__ import annotations

from dataclasses import replace

from omma.chat import Image, MediaSource, Options, Responder, Seen
from omma.prep.boxes import Point, parse_boxes, parse_points
from omma.shape import Places
from omma.skills.asking import OWN, PLAIN, ask, seen, worded

PROMPT = "Point at {what}. Answer with a point in JSON."
_QWEN = "Point at {what}, report its point_2d and label in JSON format."
PROMPTS = {
    "grid": PROMPT,
    "tags": "<ref>{what}</ref><box>",  # the middle of its box is the point
    "marks": "Detect {what} and give the bounding box.",
    "pixels": _QWEN,
    "relative": _QWEN,
}


def point(
    responder: Responder,
    picture: MediaSource | Image,
    what: str,
    options: Options = PLAIN,
    *,
    inside: bool = False,
) -> Point | None:
    """The place of `what` ('the "Save" button') in pixels of the original picture, None if none was given.

    With `inside` the answer is held to one place in the picture: a point, or a box where the dialect's
    models are asked for one.
    """
    if inside:
        boxes = getattr(responder, "dialect", OWN) in ("tags", "marks")
        options = replace(options, shape=Places(most=1, points=not boxes))
    answer = ask(responder, picture, worded(responder, PROMPTS, what=what), options)
    return first_point(answer.text, seen(answer))


def first_point(text: str, seen: Seen) -> Point | None:
    """The first point of an answer; where it gives only boxes, the middle of the first."""
    for point in parse_points(text, seen):
        return point
    for box in parse_boxes(text, seen):
        return box.middle
    return None
