"""Bring what a command names: the model, and pictures and videos told apart by their endings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from omma.chat import Image, Part, Video, source_name
from omma.errors import MissingFile

if TYPE_CHECKING:
    from omma.respond import Model


def model(name: str, device: str, dtype: str) -> Model:
    """The model by its name. Torch is imported here and not before."""
    import omma

    return omma.load(name, device=device, dtype=dtype)


def media(name: str, *, max_pixels: int | None = None, fps: float | None = None) -> Part:
    """A picture or a video. A missing file is said at once, not after a model has been loaded."""
    if not name.startswith("data:") and not os.path.exists(name):
        raise MissingFile(f"{source_name(name)}: no such file; wanted a picture or a video")
    from omma.respond import VIDEO_ENDINGS

    if Path(name).suffix.lower() in VIDEO_ENDINGS:
        return Video(name, fps=fps, max_pixels=max_pixels)
    return Image(name, max_pixels=max_pixels)
