"""Whatever a picture is made of, what comes out is what a person sees, in RGB."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from omma.errors import BadPicture, MissingFile
from omma.prep.pictures import PictureLimits, open_picture
from omma.prep.sources import decoding

RED = PIL.Image.new("RGB", (4, 3), (200, 0, 0))


def written(picture: PIL.Image.Image, kind: str = "PNG", **settings: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **settings)
    return file.getvalue()


def colour(source: object) -> tuple[int, ...]:
    picture = open_picture(source)
    assert picture.mode == "RGB"
    pixel = picture.getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel


def test_every_kind_of_source_gives_the_same_pixels(tmp_path: Path) -> None:
    data = written(RED)
    path = tmp_path / "red.png"
    path.write_bytes(data)
    url = "data:image/png;base64," + base64.b64encode(data).decode()
    sources = [
        path,
        str(path),
        path.as_uri(),
        data,
        bytearray(data),
        io.BytesIO(data),
        url,
        RED,
        np.asarray(RED),
    ]
    assert {open_picture(source).tobytes() for source in sources} == {RED.tobytes()}


def test_a_stream_that_cannot_seek_is_read_too() -> None:
    class Pipe:
        def __init__(self) -> None:
            self.read = io.BytesIO(written(RED)).read

    assert colour(Pipe()) == (200, 0, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_honoured(orientation: int) -> None:
    upright = np.zeros((16, 24, 3), np.uint8)
    upright[:8, :8] = 255  # white in the top left corner
    turns = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE"}
    turns |= {6: "ROTATE_90", 7: "TRANSVERSE", 8: "ROTATE_270"}  # what the camera did: the tag undoes it
    stored = PIL.Image.fromarray(upright)
    if name := turns.get(orientation):
        stored = stored.transpose(PIL.Image.Transpose[name])
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    for kind in ("PNG", "JPEG", "WEBP", "TIFF"):
        seen = open_picture(written(stored, kind, exif=exif))
        assert seen.size == (24, 16)
        assert np.abs(np.asarray(seen).astype(int) - upright).max() < 40, kind


def test_what_is_transparent_is_white() -> None:
    assert colour(written(PIL.Image.new("RGBA", (2, 2), (9, 9, 9, 0)))) == (255, 255, 255)
    assert colour(written(PIL.Image.new("LA", (2, 2), (0, 0)))) == (255, 255, 255)
    assert colour(PIL.Image.new("PA", (2, 2), (0, 0))) == (255, 255, 255)
    palette = RED.quantize(2)
    assert colour(written(palette, transparency=palette.getpixel((0, 0)))) == (255, 255, 255)
    assert colour(written(RED, transparency=(200, 0, 0))) == (255, 255, 255)
    assert colour(written(PIL.Image.new("L", (2, 2), 7), transparency=7)) == (255, 255, 255)


def test_half_transparent_red_on_white_is_pink() -> None:
    red, green, blue = colour(PIL.Image.new("RGBA", (2, 2), (255, 0, 0, 128)))
    assert (red, green) == (255, blue)
    assert 126 <= green <= 128


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "HSV", "LAB", "RGBX", "RGBa", "La"])
def test_every_mode_of_pillow_becomes_rgb(mode: str) -> None:
    assert open_picture(PIL.Image.new(mode, (3, 2))).mode == "RGB"


def test_a_printers_jpeg_is_no_negative() -> None:
    white = PIL.Image.new("CMYK", (8, 8), (0, 0, 0, 0))
    assert min(colour(written(white, "JPEG"))) > 250


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey_are_scaled_not_clipped(kind: str) -> None:
    deep = PIL.Image.fromarray(np.array([[0, 257 * 100, 65535]], np.uint16))
    assert np.asarray(open_picture(written(deep, kind)))[0, :, 0].tolist() == [0, 100, 255]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 128.0, 255.0], [0, 128, 255]),
        ([0.0, 32767.5, 65535.0], [0, 128, 255]),
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([0.0, np.nan, np.inf], [0, 0, 0]),
        ([-2.0, -2.0, -2.0], [0, 0, 0]),
    ],
)
def test_floats_are_read_as_what_they_fit(values: list[float], wanted: list[int]) -> None:
    picture = PIL.Image.fromarray(np.array([values], np.float32))
    assert np.asarray(open_picture(written(picture, "TIFF")))[0, :, 0].tolist() == wanted


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    frames = [PIL.Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    red, _, blue = colour(written(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True))
    assert red > 250
    assert blue < 5


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3), (4, 5, 4)])
def test_arrays_of_bytes_are_pictures(shape: tuple[int, ...]) -> None:
    assert open_picture(np.zeros(shape, np.uint8)).size == (5, 4)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 5, 3)),
        np.zeros((4, 5, 2), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((0, 5, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused_with_their_shape(array: NDArray[np.uint8]) -> None:
    with pytest.raises(BadPicture, match="shape"):
        open_picture(array)


def test_a_limit_is_told_with_its_numbers() -> None:
    with pytest.raises(BadPicture, match=r"4×3, 12 pixels; at most 11"):
        open_picture(written(RED), PictureLimits(pixels=11))


def test_a_path_of_nothing_is_said_to_be_empty() -> None:
    with pytest.raises(MissingFile, match="the name of a picture is empty"):
        open_picture("")


def test_too_little_memory_is_not_called_a_broken_picture() -> None:
    with pytest.raises(MemoryError), decoding(b"", "picture", BadPicture):
        raise MemoryError
