"""The verbs that talk: ask once, describe a picture, or chat. Text is written while it is generated."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated

import typer

from omma.chat import Message, Options, Part, Video, message
from omma.cli import options as given
from omma.cli.bring import media as bring_media
from omma.cli.bring import model as bring_model
from omma.cli.bring import picture as bring_picture
from omma.cli.options import DEFAULT_MODEL, examples
from omma.cli.talk import Talk
from omma.cli.telling import tell
from omma.errors import UnknownOption

TALK = "Talk"


def enrol(app: typer.Typer) -> None:
    """Put this room's verbs on the program."""
    app.command(
        rich_help_panel=TALK,
        epilog=examples(
            'omma ask examples/shapes.png "What colour is the square?"',
            'omma ask before.png after.png "What has changed?" --max-tokens 100',
            'omma ask lecture.mp4 "What happens at the end?" --fps 1',
            'omma ask photo.jpg "What is this?" --json',
        ),
    )(ask)
    app.command(
        rich_help_panel=TALK,
        epilog=examples(
            "omma chat",
            "omma chat examples/garden.png",
            'echo "What colour is the sun?" | omma chat examples/garden.png',
        ),
    )(chat)
    app.command(
        rich_help_panel=TALK,
        epilog=examples("omma describe examples/garden.png", "omma describe examples/shapes.png --json"),
    )(describe)


def ask(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[MEDIA]... QUESTION",
            help="Pictures and videos, any number, and last the question.",
            show_default=False,
        ),
    ],
    model: given.ModelName = DEFAULT_MODEL,
    device: given.Device = "auto",
    dtype: given.Dtype = "auto",
    connect: given.Connect = None,
    system: given.System = None,
    max_tokens: given.MaxTokens = None,
    temperature: given.Temperature = None,
    top_p: given.TopP = None,
    top_k: given.TopK = None,
    seed: given.Seed = None,
    stop: given.Stop = None,
    keep_loops: given.KeepLoops = False,
    max_pixels: given.MaxPixels = None,
    fps: given.Fps = None,
    json: given.Json = False,
) -> None:
    """Ask a question about pictures, videos, or nothing at all."""
    *media, question = words
    if os.path.isfile(question) or (not media and os.path.exists(question)):
        shown = " ".join(words)
        raise UnknownOption(f'{question} came without a question; say: omma ask {shown} "What is this?"')
    if not question.strip():
        raise UnknownOption(f"the question is {question!r}; say in words what is asked")
    how = Options.of(
        **given.wishes(
            max_tokens=max_tokens, temperature=temperature, top_p=top_p, top_k=top_k, seed=seed, stop=stop
        ),
        keep_loops=keep_loops,
    )
    spoken = [*opening(system), message("user", *_shown(media, max_pixels, fps), question)]
    tell(bring_model(model, device, dtype, connect).stream(spoken, how), json=json)


def _shown(media: Sequence[str], max_pixels: int | None, fps: float | None) -> Sequence[Part]:
    """All media that were named. A limit for what is not among them is a mistake."""
    shown = [bring_media(name, max_pixels=max_pixels, fps=fps) for name in media]
    if max_pixels is not None and not shown:
        raise UnknownOption("--max-pixels is for pictures and videos, and none is shown; leave it out")
    if fps is not None and not any(isinstance(part, Video) for part in shown):
        raise UnknownOption("--fps is for videos, and none is shown; leave it out")
    return shown


def describe(
    picture: given.Picture,
    model: given.ModelName = DEFAULT_MODEL,
    device: given.Device = "auto",
    dtype: given.Dtype = "auto",
    connect: given.Connect = None,
    max_tokens: given.MaxTokens = None,
    max_pixels: given.MaxPixels = None,
    json: given.Json = False,
) -> None:
    """Say what a picture shows."""
    from omma.skills.describe import PROMPT

    how = Options.of(**given.wishes(max_tokens=max_tokens))
    spoken = [message("user", bring_picture(picture, max_pixels), PROMPT)]
    tell(bring_model(model, device, dtype, connect).stream(spoken, how), json=json)


def chat(
    media: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MEDIA]...",
            help="Pictures and videos, shown with the first thing you say.",
            show_default=False,
        ),
    ] = None,
    model: given.ModelName = DEFAULT_MODEL,
    device: given.Device = "auto",
    dtype: given.Dtype = "auto",
    connect: given.Connect = None,
    system: given.System = None,
    max_tokens: given.MaxTokens = None,
    temperature: given.Temperature = None,
    top_p: given.TopP = None,
    top_k: given.TopK = None,
    seed: given.Seed = None,
    json: given.Json = False,
) -> None:
    """Talk in turns, with pictures.

    /picture FILE shows a picture, /help lists what else there is. Lines from
    a pipe work too; then the first thing that goes wrong ends it. With --json,
    one object is written for each answer.
    """
    how = Options.of(
        **given.wishes(max_tokens=max_tokens, temperature=temperature, top_p=top_p, top_k=top_k, seed=seed)
    )
    shown: list[Part] = [bring_media(name) for name in media or []]
    Talk(bring_model(model, device, dtype, connect), how, opening(system), json=json, shown=shown).run()


def opening(system: str | None) -> list[Message]:
    """How a conversation begins."""
    return [] if system is None else [message("system", system)]
