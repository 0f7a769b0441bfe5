"""Any source of a picture to an upright RGB picture, or one sentence that says why not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import PIL.AvifImagePlugin
import PIL.BmpImagePlugin
import PIL.GifImagePlugin
import PIL.Image
import PIL.JpegImagePlugin
import PIL.PngImagePlugin
import PIL.PpmImagePlugin
import PIL.TiffImagePlugin
import PIL.WebPImagePlugin
from numpy.typing import NDArray

from omma.chat import MediaSource, source_name
from omma.errors import BadInput, BadPicture
from omma.prep.sources import decoding, open_bytes
from omma.sample import Size

# The formats that are read, each from its plugin above. None of them runs programs or names other files.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
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
    """What is refused before anything is decoded: more pixels than `pixels`, more bytes than `bytes`.

    With a `ratio` also what has one side more than so many times as long as the other.
    """

    pixels: int = 178_000_000
    bytes: int = 1 << 30
    ratio: float | None = None


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
        check_area(source.size, name, limits)
        with decoding(source, "picture", BadPicture):
            return _upright_rgb(source)
    with (
        open_bytes(source, "picture", BadPicture, limits.bytes) as file,
        decoding(source, "picture", BadPicture),
    ):
        return _upright_rgb(read_header(file, name, limits))


def _from_array(pixels: NDArray[Any], name: str) -> PIL.Image.Image:
    known = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))
    if pixels.dtype != np.uint8 or not known or not pixels.size:
        raise BadPicture(
            f"{name} has shape {pixels.shape} and dtype {pixels.dtype}; wanted (height, width, 3) of uint8"
        )
    return PIL.Image.fromarray(np.ascontiguousarray(pixels))


def picture_format(file: IO[bytes]) -> str | None:
    """The name of the picture format that a file's first bytes show. The file is put back to its start."""
    head = file.read(32)
    file.seek(0)
    for name in FORMATS:
        _, accept = PIL.Image.OPEN[name]
        if accept is not None and accept(head) is True:
            return name
    return None


def read_header(file: IO[bytes], name: str, limits: PictureLimits) -> PIL.Image.Image:
    """The picture with its header read and nothing decoded. The area is checked here, on the header."""
    known = picture_format(file)
    if known is None:
        head = file.read(16)
        raise BadPicture(
            f"{name} is not a picture: it begins with {head!r}; wanted one of {', '.join(FORMATS)}"
        )
    read, _ = PIL.Image.OPEN[known]
    picture = read(file, "")
    check_area(picture.size, name, limits)
    if known == "PNG":
        picture.verify()  # the checksums, which decoding skips; it spoils the reader
        file.seek(0)
        picture = read(file, "")
    return picture


def header_size(path: Path) -> Size | None:
    """The size that a picture file's header tells, as it is shown upright; None for what is no picture.

    Nothing is decoded: the picture may be broken all the same.
    """
    try:
        with path.open("rb") as file, decoding(path, "picture", BadPicture):
            known = picture_format(file)
            if known is None:
                return None
            read, _ = PIL.Image.OPEN[known]
            with read(file, "") as picture:
                width, height = picture.size
                told = known != "PNG" or "exif" in picture.info  # a PNG is searched to its end for it
                turned = told and picture.getexif().get(ORIENTATION, 1) >= 5
    except (OSError, BadPicture):
        return None
    return Size(height, width) if turned else Size(width, height)


def check_area(
    size: tuple[int, int], name: str, limits: PictureLimits, refuse: type[BadInput] = BadPicture
) -> None:
    """Raise `refuse` when a picture or frame of this size is not to be decoded."""
    width, height = size
    if width * height > limits.pixels:
        raise refuse(
            f"{name} is {width}×{height}, {width * height:,} pixels; at most {limits.pixels:,} are decoded, "
            "so make it smaller"
        )
    if not width * height:
        raise refuse(f"{name} is {width}×{height}; wanted at least one pixel on each side")
    if limits.ratio is not None and max(size) > limits.ratio * min(size):
        raise refuse(
            f"{name} is {width}×{height}, one side {max(size) / min(size):.0f} times the other; at most "
            f"{limits.ratio:g} times is understood"
        )


def _upright_rgb(picture: PIL.Image.Image) -> PIL.Image.Image:
    picture.load()
    turn = UPRIGHT.get(picture.getexif().get(ORIENTATION, 1))
    if turn is not None:
        picture = picture.transpose(turn)
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _eight_bits(picture)
    return flat_rgb(picture)


def flat_rgb(picture: PIL.Image.Image) -> PIL.Image.Image:
    """The picture in RGB, whatever shines through it being white."""
    if picture.mode == "La":
        picture = picture.convert("LA")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = PIL.Image.alpha_composite(PIL.Image.new("RGBA", picture.size, "white"), picture)
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
        grey, top = grey - low, high - low or 1.0
    return PIL.Image.fromarray(np.rint(grey * (255 / top)).astype(np.uint8))
