"""Pictures and clips of exercises written to files: without loss or small, clips as films or animations."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from omma.errors import BadInput
from omma.synth.world import Exercise

OURS = re.compile(r"\d{4,}(-\d+)?\.(webp|mp4)")  # names that pictures and clips are given here
QUALITY = "14"  # x264's measure of loss: 0 is none, 51 the most
SMALL = 75  # WebP's measure of what is kept, 100 the most
_log = logging.getLogger(__name__)


def fresh(folder: Path, name: str, overwrite: bool, album: str = "") -> tuple[Path, Path]:
    """Where a list and its pictures go, made and empty of older ones; an album keeps those of others.

    What an earlier run did not write stays where it is. Raises BadInput where something of one stands.
    """
    file, pictures = folder / f"{name}.jsonl", folder / (album or name)
    kept = [] if album or not pictures.is_dir() else sorted(pictures.iterdir())
    older = [path for path in kept if OURS.fullmatch(path.name)]
    if (file.exists() or older) and not overwrite:
        raise BadInput(f"{file} or its pictures exist already; name another folder, or say --overwrite")
    for path in older:
        path.unlink()
    pictures.mkdir(parents=True, exist_ok=True)
    return file, pictures


def write_pictures(exercise: Exercise, folder: Path, stem: str, *, small: bool, film: bool) -> list[str]:
    """Write what an exercise shows into a folder; gives the files' names, in the order they are shown in.

    Pictures are lossless WebP, a clip is an MP4 film where that is wanted and PyAV is there, else an animated
    lossless WebP. Where they are to be `small`, each is stored with or without loss, whichever is smaller.
    """
    pictures = [drawing.picture for drawing in exercise.drawings]
    if exercise.fps is not None:
        name = f"{stem}.mp4" if film and _can_film() else f"{stem}.webp"
        if name.endswith(".mp4"):
            _film(pictures, exercise.fps, folder / name)
        else:
            _animation(pictures, exercise.fps, folder / name, small=small)
        return [name]
    names = (
        [f"{stem}.webp"] if len(pictures) == 1 else [f"{stem}-{n}.webp" for n in range(1, 1 + len(pictures))]
    )
    for picture, name in zip(pictures, names, strict=True):
        _save(picture, folder / name, small=small)
    return names


def _save(picture: Image.Image, path: Path, *, small: bool) -> None:
    if small:
        exact, near = BytesIO(), BytesIO()
        picture.save(exact, "WEBP", lossless=True, quality=75, method=4)
        picture.save(near, "WEBP", quality=SMALL, method=6)
        path.write_bytes(min(exact.getvalue(), near.getvalue(), key=len))
    else:
        picture.save(path, "WEBP", lossless=True, quality=20, method=0)


def _animation(pictures: Sequence[Image.Image], fps: float, path: Path, *, small: bool) -> None:
    """Frame by frame. Frames that are the same would be joined; those of clips never are."""
    first, *rest = pictures
    kept: dict[str, Any] = {"quality": SMALL, "method": 4} if small else {"quality": 20, "method": 0}
    first.save(
        path, "WEBP", save_all=True, append_images=rest, duration=round(1000 / fps), loop=0,
        lossless=not small, **kept,
    )  # fmt: skip


@cache
def _can_film() -> bool:
    try:
        import av  # noqa: F401
    except ModuleNotFoundError:
        _log.warning(
            "PyAV is absent, so clips are written as animated WebP; pip install 'omma[video]' films them"
        )
        return False
    return True


def _film(pictures: Sequence[Image.Image], fps: float, path: Path) -> None:
    """H.264 in MP4 with whole colours. One thread, no stray bytes: the same frames are the same file."""
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=round(fps))
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = "yuv444p"
        stream.thread_count = 1
        # Its tree of blocks looks at memory that nobody wrote: one film in fifty was another.
        stream.options = {"crf": QUALITY, "preset": "veryfast", "threads": "1", "x264-params": "mbtree=0"}
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
            container.mux(stream.encode(_tidied(frame.reformat(format=stream.pix_fmt))))
        container.mux(stream.encode(None))


def _tidied(frame: Any) -> Any:
    """The frame with zeros where its rows go on beyond the picture: the encoder looks at what lies there."""
    for plane in frame.planes:
        rows_HL = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        rows_HL[:, plane.width :] = 0
    return frame
