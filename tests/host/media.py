"""Media for the tests of this wing: honest ones, and those that are made to harm."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import av
import numpy as np
import PIL.Image


def picture(kind: str = "PNG", size: tuple[int, int] = (90, 60), **more: Any) -> bytes:
    """A picture whose every pixel differs from its neighbours."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x % 256, y % 256, (x * 7 + y * 3) % 256], -1).astype(np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, kind, **more)
    return file.getvalue()


def film(frames: int = 30, codec: str = "libx264", container: str = "mp4") -> bytes:
    """A film of 64 × 48 that becomes brighter, ten frames a second."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        eye: Any = out.add_stream(codec, rate=10)
        eye.width, eye.height, eye.pix_fmt = 64, 48, "yuv420p"
        for i in range(frames):
            grey = np.full((48, 64, 3), i * 240 // frames, np.uint8)
            out.mux(eye.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        out.mux(eye.encode())
    return file.getvalue()


def animation(count: int = 3, size: tuple[int, int] = (40, 30)) -> bytes:
    frames = [PIL.Image.new("RGB", size, (i * 40, 0, 0)) for i in range(count)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=250)
    return file.getvalue()


def png(width: int, height: int, rows: bytes | None = None) -> bytes:
    """A PNG that says these sides, black, or holding other bytes than it says."""
    black = zlib.compress(bytes((width * 3 + 1) * height), 1) if rows is None else zlib.compress(rows)
    head = struct.pack("!2I5B", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", black), (b"IEND", b""))
    told = [struct.pack("!I", len(body)) + name + body + _check(name + body) for name, body in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(told)


def _check(body: bytes) -> bytes:
    return struct.pack("!I", zlib.crc32(body))
