"""Find things in a picture: words in, boxes out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from omma.chat import Image, MediaSource, Options, Responder
from omma.prep.boxes import Box, parse_boxes
from omma.shape import Places
from omma.skills.asking import PLAIN, ask, seen, worded

PROMPT = "Locate every {what}. Answer with boxes in JSON."
# What each generation was taught to answer with boxes (facts §7.1).
PROMPTS = {
    "grid": PROMPT,
    "tags": "<ref>{what}</ref><box>",
    "marks": "Detect every {what} and give the bounding boxes.",
    "pixels": "Locate every {what}, report the bbox coordinates and the label in JSON format.",
    "relative": "Locate every instance that belongs to the following categories: {what}. "
    "Report bbox coordinates in JSON format.",
}


class Found(list[Box]):
    """Boxes. `complete` is False when the answer was cut at max_tokens: there may be more of them."""

    def __init__(self, boxes: Iterable[Box], *, complete: bool = True) -> None:
        super().__init__(boxes)
        self.complete = complete


def find(
    responder: Responder,
    picture: MediaSource | Image,
    what: str,
    options: Options = PLAIN,
    *,
    inside: bool = False,
) -> Found:
    """Boxes of every `what`, in pixels of the original picture, in the model's order; none found is [].

    A box that the model left without a label gets `what`. The model gives no score. With `inside` the answer
    is held to boxes in the picture, each with a width and a height: `shape.Places`.
    """
    if inside:
        options = replace(options, shape=Places())
    answer = ask(responder, picture, worded(responder, PROMPTS, what=what), options)
    boxes = parse_boxes(answer.text, seen(answer))
    named = (box if box.label else replace(box, label=what) for box in boxes)
    return Found(named, complete=answer.finish_reason != "length")
