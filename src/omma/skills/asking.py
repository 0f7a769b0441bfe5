"""One question about one picture or video, as every skill asks it, in the words that its model knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from omma.chat import Answer, Image, MediaSource, Options, Responder, Seen, Video, message, whole
from omma.errors import BadMessage

PLAIN = Options()
OWN = "grid"  # omma's own dialect, which is spoken to whoever does not say what it speaks


def ask(responder: Responder, shown: MediaSource | Image | Video, prompt: str, options: Options) -> Answer:
    """Show the picture or video, say the prompt, wait for the whole answer, without the thoughts before it.

    A responder whose model thinks says so as `thinks`.
    """
    part = shown if isinstance(shown, (Image, Video)) else Image(shown)
    answer = whole(responder.stream((message("user", part, prompt),), options))
    return replace(answer, text=answer.said) if getattr(responder, "thinks", False) else answer


def worded(responder: Responder, wordings: Mapping[str, str], **fill: str) -> str:
    """The prompt for this responder: a wording for each dialect, or omma's own, with its places filled.

    A responder that knows what its model speaks says so as `dialect`, one of prep.dialects. Raises BadMessage
    where there is nothing to fill a place with.
    """
    for name, words in fill.items():
        if not isinstance(words, str) or not words.strip():
            raise BadMessage(f"{name} is {words!r}; say in words what is meant")
    dialect = getattr(responder, "dialect", OWN)
    return wordings.get(dialect, wordings[OWN]).format(**fill)


def seen(answer: Answer) -> Seen:
    """The geometry of the one picture or video that was shown."""
    if not answer.seen:
        raise RuntimeError("the responder did not say what it saw; its answers must carry `seen`")
    return answer.seen[0]
