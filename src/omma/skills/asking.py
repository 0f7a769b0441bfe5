"""One question about one picture, as every skill asks it."""

from __future__ import annotations

from omma.chat import Answer, Image, MediaSource, Options, Responder, Seen, message, whole

PLAIN = Options()


def ask(responder: Responder, picture: MediaSource | Image, prompt: str, options: Options) -> Answer:
    """Show the picture, say the prompt, wait for the whole answer."""
    image = picture if isinstance(picture, Image) else Image(picture)
    return whole(responder.stream((message("user", image, prompt),), options))


def seen(answer: Answer) -> Seen:
    """The geometry of the one picture that was shown."""
    if not answer.seen:
        raise RuntimeError("the responder did not say what it saw; its answers must carry `seen`")
    return answer.seen[0]
