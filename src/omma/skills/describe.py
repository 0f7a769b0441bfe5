"""Say in words what a picture shows."""

from __future__ import annotations

from omma.chat import Image, MediaSource, Options, Responder
from omma.skills.asking import PLAIN, ask, worded

PROMPT = "Describe the picture."
PROMPTS = {"grid": PROMPT, "tags": "Describe the image in English:"}


def describe(responder: Responder, picture: MediaSource | Image, options: Options = PLAIN) -> str:
    """A description in the model's own words."""
    return ask(responder, picture, worded(responder, PROMPTS), options).text.strip()
