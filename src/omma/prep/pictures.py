"""Any source of a picture to an upright RGB picture, or one sentence that says why not."""

from __future__ import annotations

import base64
import binascii
import io
import threading
import urllib.parse
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from omma.chat import MediaSource, source_name
from omma.errors import BadInput, BadPicture, MissingFile

Reader = Callable[[IO[bytes], str], ImageFile.ImageFile]

# The formats that are read, each with the test of its first bytes. None of them runs programs.
FORMATS: dict[str, tuple[Reader, Callable[[bytes], bool | str]]] = {
    "PNG": (PngImagePlugin.PngImageFile, PngImagePlugin._accept),
    "JPEG": (JpegImagePlugin.jpeg_factory, JpegImagePlugin._accept),
    "WEBP": (WebPImagePlugin.WebPImageFile, WebPImagePlugin._accept),
    "GIF": (GifImagePlugin.GifImageFile, GifImagePlugin._accept),
    "BMP": (BmpImagePlugin.BmpImageFile, BmpImagePlugin._accept),
    "TIFF": (TiffImagePlugin.TiffImageFile, TiffImagePlugin._accept),
    "PPM": (PpmImagePlugin.PpmImageFile, PpmImagePlugin._accept),
    "AVIF": (AvifImagePlugin.AvifImageFile, AvifImagePlugin._accept),
}
ORIENTATION = 0x0112
UPRIGHT = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_270,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class PictureLimits:
    """What is refused before anything is decoded: more pixels than `pixels`, more bytes than `bytes`."""

    pixels: int = 178_000_000
    bytes: int = 1 << 30


def open_picture(source: MediaSource, limits: PictureLimits = PictureLimits()) -> PIL.Image.Image:
    """The picture in RGB: EXIF orientation applied, alpha laid on white, an animation's first frame.

    `source` is a path, bytes, an open binary file, a `data:` URL, a PIL picture, or a numpy array
    (H, W, 3), (H, W, 4) or (H, W) of uint8. Deeper greys are scaled to 0 … 255.
    Raises MissingFile or BadPicture with one sentence that names the source.
    """
    name = source_name(source)
    if isinstance(source, np.ndarray):
        source = _from_array(source, name)
    if isinstance(source, PIL.Image.Image):
        _check_area(source.size, name, limits)
        return _decoded(name, lambda: _upright_rgb(source))
    with open_bytes(source, "picture", BadPicture, limits.bytes) as file:
        return _decoded(name, lambda: _upright_rgb(_opened(file, name, limits)))


@contextmanager
def open_bytes(source: MediaSource, kind: str, refuse: type[BadInput], limit: int) -> Iterator[IO[bytes]]:
    """A source's bytes as a seekable file, for the time of a `with`. Nothing is fetched over a network.

    `refuse` is raised, naming the source, when it cannot hold a `kind`; MissingFile when it cannot be opened.
    """
    name = source_name(source)
    if isinstance(source, str) and (scheme := source[:64].partition(":")[0].lower()) in (
        "data",
        "http",
        "https",
    ):
        if scheme != "data":
            raise refuse(
                f"{name} is an address and fetching is off; give a file, bytes or a data: URL instead"
            )
        source = _from_data_url(source, kind, refuse)
    match source:
        case str() | Path():
            with _open_file(Path(source), name) as file:
                if not file.seek(0, io.SEEK_END):
                    raise refuse(f"{name} is empty; wanted a {kind}")
                file.seek(0)
                yield file
            return
        case bytes() | bytearray() | memoryview():
            held = bytes(source)
        case _ if hasattr(source, "read"):
            held = source.read(limit + 1)
        case _:
            raise refuse(
                f"{name} is no source of a {kind}; give a path, bytes, a file, a data: URL or pixels"
            )
    if not isinstance(held, bytes) or not held:
        raise refuse(f"{name} holds no bytes; wanted a {kind}")
    if len(held) > limit:
        raise refuse(f"{name} holds more than {limit:,} bytes, the limit for a {kind}")
    yield io.BytesIO(held)


def _open_file(path: Path, name: str) -> IO[bytes]:
    try:
        if path.is_dir():
            raise MissingFile(f"{name} is a folder; wanted a file")
        if path.exists() and not path.is_file():
            raise MissingFile(f"{name} is a device or a pipe; wanted a file")
        return path.open("rb")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise MissingFile(f"{name} cannot be opened: {why.lower()}") from error


def _from_data_url(url: str, kind: str, refuse: type[BadInput]) -> bytes:
    head, comma, body = url.partition(",")
    if not comma:
        raise refuse(f"{source_name(url)} is no data: URL; wanted data:{kind}/…;base64,…")
    raw = urllib.parse.unquote_to_bytes(body)
    if not head.lower().endswith(";base64"):
        return raw
    try:
        return base64.b64decode(b"".join(raw.split()), validate=True)
    except binascii.Error as error:
        raise refuse(f"{source_name(url)} is not base64: {str(error).lower()}") from error


def _from_array(pixels: NDArray[Any], name: str) -> PIL.Image.Image:
    known = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))
    if pixels.dtype != np.uint8 or not known or not pixels.size:
        raise BadPicture(
            f"{name} has shape {pixels.shape} and dtype {pixels.dtype}; wanted (height, width, 3) of uint8"
        )
    return PIL.Image.fromarray(np.ascontiguousarray(pixels))


def _opened(file: IO[bytes], name: str, limits: PictureLimits) -> PIL.Image.Image:
    """The picture with its header read and nothing decoded. The area is checked here, on the header."""
    head = file.read(32)
    known = next((name for name, (_, accept) in FORMATS.items() if accept(head) is True), None)
    if known is None:
        raise BadPicture(
            f"{name} is not a picture: it begins with {head[:16]!r}; wanted one of {', '.join(FORMATS)}"
        )
    read = FORMATS[known][0]
    file.seek(0)
    picture = read(file, "")
    _check_area(picture.size, name, limits)
    if known == "PNG":
        picture.verify()  # the checksums, which decoding skips; it spoils the reader
        file.seek(0)
        picture = read(file, "")
    return picture


def _check_area(size: tuple[int, int], name: str, limits: PictureLimits) -> None:
    width, height = size
    if width * height > limits.pixels:
        raise BadPicture(
            f"{name} is {width}×{height}, {width * height:,} pixels; at most {limits.pixels:,} are decoded, "
            "so make it smaller"
        )
    if not width * height:
        raise BadPicture(f"{name} is {width}×{height}; wanted at least one pixel on each side")


def _decoded(name: str, decode: Callable[[], PIL.Image.Image]) -> PIL.Image.Image:
    """Decode without a warning. Broken bytes make Pillow fail in many ways; all of them mean the same."""
    try:
        with _quiet:
            return decode()
    except BadPicture:
        raise
    except Exception as error:
        raise BadPicture(f"{name} is a broken picture: {error or type(error).__name__}") from error


def _upright_rgb(picture: PIL.Image.Image) -> PIL.Image.Image:
    picture.load()
    turn = UPRIGHT.get(picture.getexif().get(ORIENTATION, 1))
    if turn is not None:
        picture = picture.transpose(turn)
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _eight_bits(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = PIL.Image.new("RGBA", picture.size, "white")
        picture = PIL.Image.alpha_composite(white, picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _eight_bits(picture: PIL.Image.Image) -> PIL.Image.Image:
    """A grey of 16 or more bits or of floats, scaled to 0 … 255.

    16 bits are scaled by 257. Wider numbers are read as what they fit: 0 … 1 (floats), 0 … 255,
    0 … 65535, or else stretched from the least to the greatest.
    """
    grey = np.nan_to_num(np.asarray(picture).astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(grey.min()), float(grey.max())
    tops: tuple[float, ...] = (65535.0,) if ";16" in picture.mode else (1.0, 255.0, 65535.0)
    if picture.mode == "I":
        tops = tops[1:]
    top = next((top for top in tops if low >= 0 and high <= top), None)
    if top is None:
        grey, top = grey - low, high - low
    return PIL.Image.fromarray(np.rint(grey * (255 / top)).astype(np.uint8))


class _Quiet:
    """Pillow's warnings are kept from the user while any thread decodes; a bad picture is told as an error.

    The filters of `warnings` belong to the whole process, so the first thread in sets them aside and the
    last one out puts them back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._kept = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._kept = warnings.catch_warnings()
                self._kept.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._kept.__exit__(None, None, None)


_quiet = _Quiet()
