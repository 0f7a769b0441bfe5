"""The parsers that strangers' bytes reach, each as a function of bytes that refuses in our own words only."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from bench import hostile_media as media
from bench.fuzz_words import Run, box, message, schema


@dataclass(frozen=True)
class Parser:
    """A parser: `ready` makes the function once, `seeds` are whole inputs from which others are made."""

    name: str
    ready: Callable[[], Run]
    seeds: Callable[[], list[bytes]]
    longest: int = 8192  # bytes of one input


def _picture() -> Run:
    from omma.chat import Image
    from omma.errors import BadInput
    from omma.prep.pictures import PictureLimits
    from omma.prep.resize import LONGEST_RATIO
    from omma.prep.rules import QWEN3
    from omma.prep.visuals import shot

    limits = PictureLimits(pixels=1_000_000, bytes=1 << 20, ratio=LONGEST_RATIO)

    def run(data: bytes) -> None:
        try:
            clip = shot(Image(data), QWEN3, room=4096, pictures=limits)
        except BadInput:
            return
        assert clip.frames.shape == (1, clip.resized.height, clip.resized.width, 3)

    return run


def _video() -> Run:
    import av.logging

    from omma.chat import Video
    from omma.errors import BadInput
    from omma.host.limits import CODECS
    from omma.prep.reels import ReelLimits
    from omma.prep.rules import QWEN3
    from omma.prep.visuals import shot

    av.logging.set_level(None)
    limits = ReelLimits(
        pixels=1_000_000,
        bytes=1 << 20,
        frames=10_000,
        animation=4_000_000,
        seconds=3600.0,
        codecs=frozenset(CODECS.split()),
        threads=False,
    )

    def run(data: bytes) -> None:
        try:
            clip = shot(Video(data, max_frames=4), QWEN3, room=4096, reels=limits)
        except BadInput:
            return
        assert 1 <= len(clip.frames) == len(clip.times)
        assert list(clip.times) == sorted(clip.times)

    return run


def _pictures_seeds() -> list[bytes]:
    kinds = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF")
    whole = [media.noise(kind, (24, 16)) for kind in kinds]
    odd = [
        media.png_flood(),
        media.tiff_far(),
        media.gif_wide(),
        media.webp_lie(),
        media.png(8, 8, bytes(200)),
    ]
    return [*whole, *odd, b"P5 4 4 65535\n" + bytes(32), b"P7\nWIDTH 2\nHEIGHT 2\nDEPTH 3\n"]


def _videos_seeds() -> list[bytes]:
    forms = (
        ("mpeg4", "mp4"),
        ("mpeg4", "matroska"),
        ("mjpeg", "avi"),
        ("mpeg2video", "mpegts"),
        ("flv", "flv"),
    )
    films = [media.film(codec, form) for codec, form in forms]
    return [
        *films,
        media.film_lie(),
        media.gif_flood(20, 8),
        media.gif_grows(),
        media.png_flood(),
        media.sound(),
        media.film_empty(),
    ]


def _random_seeds(count: int = 24) -> list[bytes]:
    import random

    dice = random.Random(5)
    return [dice.randbytes(dice.choice((20, 100, 500, 2_000))) for _ in range(count)]


PARSERS: dict[str, Parser] = {
    parser.name: parser
    for parser in (
        Parser("picture", _picture, _pictures_seeds, 16_384),
        Parser("video", _video, _videos_seeds, 65_536),
        Parser("schema", schema, _random_seeds, 2_048),
        Parser("message", message, functools.partial(_random_seeds, 24), 4_096),
        Parser("box", box, _random_seeds, 4_096),
    )
}
