"""Find things in a picture: words in, boxes out."""

from __future__ import annotations

from dataclasses import replace

from omma.chat import Image, MediaSource, Options, Responder
from omma.prep.boxes import Box, parse_boxes
from omma.skills.asking import PLAIN, ask, seen

PROMPT = "Locate every {what}. Answer with boxes in JSON."


def find(
    responder: Responder, picture: MediaSource | Image, what: str, options: Options = PLAIN
) -> list[Box]:
    """Boxes of every `what`, in pixels of the original picture, in the model's order; none found is [].

    A box that the model left without a label gets `what`. The model gives no score. An answer cut at
    max_tokens gives the boxes that were complete.
    """
    answer = ask(responder, picture, PROMPT.format(what=what), options)
    return [box if box.label else replace(box, label=what) for box in parse_boxes(answer.text, seen(answer))]
