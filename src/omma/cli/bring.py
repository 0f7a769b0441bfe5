"""Bring what a command names: the model, and pictures and videos told apart by their endings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from omma.chat import Image, Video, source_name
from omma.cli.options import DEFAULT_MODEL
from omma.errors import MissingFile, UnknownOption

if TYPE_CHECKING:
    from omma.verbs import Verbs

KEY = "OMMA_KEY"  # never a word of the command: those are seen by everyone on the machine


def model(name: str, device: str, dtype: str, connect: str | None = None) -> Verbs:
    """The model by its name, here or at a server's address. Torch is imported here and not before.

    At a server the bundled model's name means whichever it offers first.
    """
    import omma

    if connect is None:
        return omma.load(name, device=device, dtype=dtype)
    if (device, dtype) != ("auto", "auto"):
        raise UnknownOption("--device and --dtype are for a model here, not at a server; leave them out")
    return omma.connect(connect, None if name == DEFAULT_MODEL else name, key=key_of())


def key_of() -> str | None:
    """The key of the server that is asked, where one is given."""
    return os.environ.get(KEY) or None


def media(name: str, *, max_pixels: int | None = None, fps: float | None = None) -> Image | Video:
    """A picture or a video. A missing file is said at once, not after a model has been loaded."""
    from omma.prep.sources import ADDRESS, names_video

    if not name:
        raise MissingFile("the name of a file is empty; name a picture or a video")
    if ADDRESS.match(name):
        raise MissingFile(f"{source_name(name)} is an address, and nothing is fetched; give a file")
    if not name.startswith("data:") and not os.path.exists(name):
        raise MissingFile(f"{source_name(name)}: no such file; wanted a picture or a video")
    if names_video(name):
        return Video(name, fps=fps, max_pixels=max_pixels)
    return Image(name, max_pixels=max_pixels)


def picture(name: str, max_pixels: int | None = None) -> Image:
    """A picture, where nothing else is wanted. Raises MissingFile, and UnknownOption for a video."""
    part = media(name, max_pixels=max_pixels)
    if not isinstance(part, Image):
        raise UnknownOption(f"{name} is a video; this verb takes a picture")
    return part


def video(name: str, max_pixels: int | None = None, fps: float | None = None) -> Video:
    """A video or an animated picture, where nothing else is wanted.

    Raises MissingFile, and BadVideo for a picture that stands still, before a model has been loaded.
    """
    from omma.prep.reels import open_reel

    part = media(name, max_pixels=max_pixels, fps=fps)
    if isinstance(part, Video):
        return part
    with open_reel(part.source, rate=1.0):
        return Video(name, fps=fps, max_pixels=max_pixels)
