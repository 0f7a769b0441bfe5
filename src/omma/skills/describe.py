"""Say in words what a picture shows."""

from __future__ import annotations

from omma.chat import Image, MediaSource, Options, Responder
from omma.skills.asking import PLAIN, ask

PROMPT = "Describe the picture."


def describe(responder: Responder, picture: MediaSource | Image, options: Options = PLAIN) -> str:
    """A description in the model's own words."""
    return ask(responder, picture, PROMPT, options).text.strip()
