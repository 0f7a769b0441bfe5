"""Hostile media cost their sender one sentence that names the file: no traceback, no warning, no decoding."""

from __future__ import annotations

import contextlib
import io
import os
import re
import struct
import threading
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from omma.chat import Image, Video, message
from omma.errors import BadInput, BadPicture, BadVideo, MissingFile, PromptTooLong, UnknownOption
from omma.prep.pictures import open_picture
from omma.prep.processor import Processor

NOISE = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
HTML = b"<!DOCTYPE html><html><body>404</body></html>"
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n/etc/passwd\n#EXT-X-ENDLIST\n"
SCRIPT = b"ffconcat version 1.0\nfile /etc/passwd\n"


def png(size: tuple[int, int] = (64, 64)) -> bytes:
    file = io.BytesIO()
    NOISE.resize(size).save(file, "PNG")
    return file.getvalue()


def jpeg() -> bytes:
    file = io.BytesIO()
    NOISE.save(file, "JPEG")
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header_only(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


def spoiled(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def last_checksum(data: bytes) -> int:
    """The place of the first checksum of pixels."""
    start = data.index(b"IDAT")
    return start + 4 + int.from_bytes(data[start - 4 : start]) + 3


def closed() -> io.BytesIO:
    file = io.BytesIO(png())
    file.close()
    return file


BAD_PICTURES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.png": (lambda: b"", "empty"),
    "text.png": (lambda: b"just some words", "not a picture"),
    "page.png": (lambda: HTML, "not a picture"),
    "cut.jpg": (lambda: jpeg()[:900], "broken"),
    "stub.jpg": (lambda: jpeg()[:3], "broken"),
    "cut.png": (lambda: png()[:2000], "broken"),
    "head.png": (lambda: png()[:8], "broken"),
    "sum.png": (lambda: spoiled(png(), last_checksum(png())), "broken"),
    "huge.png": (lambda: header_only(30_000, 30_000), "30000×30000, 900,000,000 pixels; at most 178,000,000"),
    "bomb.png": (lambda: header_only(2**31 - 1, 2**31 - 1), "at most 178,000,000"),
    "hollow.png": (lambda: header_only(100, 100), "broken"),
    "flat.png": (lambda: header_only(0, 10), "broken"),
    "page.eps": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
    "drawing.svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
    "letter.pdf": (lambda: b"%PDF-1.7\n", "not a picture"),
    "garbage.tif": (lambda: b"II*\x00\x08\x00\x00\x00\xff\xff" + b"\xff" * 200, "broken"),
    "garbage.gif": (lambda: b"GIF89a" + b"\xff" * 50, "broken"),
    "garbage.webp": (lambda: b"RIFF\xff\xff\xff\x7fWEBPVP8 " + b"\xff" * 50, "broken"),
    "garbage.bmp": (lambda: b"BM" + b"\xff" * 60, "broken"),
    "line.png": (lambda: header_only(1, 8000), "broken"),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_a_bad_picture_is_refused_by_name(name: str, processor: Processor, tmp_path: Path) -> None:
    make, why = BAD_PICTURES[name]
    path = tmp_path / name
    path.write_bytes(make())
    with pytest.raises(BadPicture, match=re.escape(why)) as told:
        processor.sample([message("user", Image(path))])
    assert name in str(told.value)
    assert "\n" not in str(told.value)


def test_what_is_not_there_is_missing(processor: Processor, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    for source in (tmp_path / "absent.png", str(tmp_path), "a\0b.png", "x" * 5000, pipe):
        for part in (Image(source), Video(source)):
            with pytest.raises(MissingFile):
                processor.sample([message("user", part)])


@pytest.mark.parametrize("url", ["http://a.example/x.png", "HTTPS://a.example/x", "ftp://a/x", "s3://b/x"])
def test_an_address_is_refused_because_fetching_is_off(url: str, processor: Processor) -> None:
    for part in (Image(url), Video(url)):
        with pytest.raises(BadInput, match="fetching is off"):
            processor.sample([message("user", part)])


@pytest.mark.parametrize(
    "url", ["data:", "data:image/png;base64", "data:image/png;base64,%%%", "data:,", "data:,x"]
)
def test_a_broken_data_url_is_refused(url: str) -> None:
    with pytest.raises(BadPicture):
        open_picture(url)


@pytest.mark.parametrize("source", [None, 7, [1, 2], {}, io.StringIO("text"), closed(), b"", lambda: None])
def test_what_is_no_source_is_refused(source: object) -> None:
    with pytest.raises(BadPicture):
        open_picture(source)


@pytest.mark.parametrize("size", [(1, 8000), (8000, 1)])
def test_a_line_of_pixels_is_refused_with_the_rule(size: tuple[int, int], processor: Processor) -> None:
    with pytest.raises(BadPicture, match="at most 200 times"):
        processor.sample([message("user", Image(png(size)))])


def test_one_pixel_is_made_to_fit(processor: Processor) -> None:
    (visual,) = processor.sample([message("user", Image(png((1, 1))))]).visuals
    assert visual.original == (1, 1)
    assert visual.resized == (56, 56)


def test_a_picture_cut_anywhere_is_refused_or_whole() -> None:
    data = jpeg()
    for length in range(0, len(data), 97):
        with pytest.raises(BadPicture):
            open_picture(data[:length])


def test_bytes_spoiled_anywhere_raise_nothing_else() -> None:
    random = np.random.default_rng(1)
    for data in (png(), jpeg()):
        for _ in range(60):
            broken = bytearray(data)
            for at in random.integers(0, len(data), 4):
                broken[at] = random.integers(0, 256)
            with contextlib.suppress(BadPicture):
                assert open_picture(bytes(broken)).mode == "RGB"


def test_a_warning_of_the_decoder_stays_inside_and_the_filters_as_they_were() -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\xff\xff\0\0\xff\xff\xff\x7f"
    file = io.BytesIO()
    NOISE.save(file, "JPEG", exif=exif)
    before = list(warnings.filters)
    threads = [threading.Thread(target=open_picture, args=(file.getvalue(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert open_picture(file.getvalue()).size == (64, 64)
    assert list(warnings.filters) == before


@pytest.mark.parametrize(
    "part",
    [
        Image(NOISE, max_pixels=0),
        Image(NOISE, min_pixels=-5),
        Image(NOISE, max_pixels="big"),  # type: ignore[arg-type]
        Image(NOISE, max_pixels=True),
        Image(NOISE, max_pixels=10**30),
        Video([NOISE], fps=float("nan")),
        Video([NOISE], fps=0.0),
        Video([NOISE], max_frames=1.5),  # type: ignore[arg-type]
        Video([NOISE], start=-1.0),
        Video([NOISE], start=3.0, stop=1.0),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(part: Image | Video, processor: Processor) -> None:
    with pytest.raises(UnknownOption, match="wanted"):
        processor.sample([message("user", part)])


def test_a_picture_over_the_context_is_refused_before_it_is_cut(processor: Processor) -> None:
    with pytest.raises(PromptTooLong, match="lower max_pixels"):
        processor.sample([message("user", Image(np.zeros((4000, 4000, 3), np.uint8)))])


BAD_VIDEOS = {
    "empty.mp4": b"",
    "text.mp4": b"just some words, and then some more words to be safe",
    "page.mp4": HTML,
    "list.mp4": PLAYLIST,
    "script.mp4": SCRIPT,
    "picture.mp4": png(),
    "head.mp4": b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41",
}


@pytest.mark.parametrize("name", BAD_VIDEOS)
def test_a_bad_video_is_refused_by_name(name: str, processor: Processor, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BAD_VIDEOS[name])
    with pytest.raises(BadVideo) as told:
        processor.sample([message("user", Video(path))])
    assert name in str(told.value)
