"""What a job of decoding may take, and what is decoded at all: one dataclass for parent and child."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from omma.prep.pictures import PictureLimits
from omma.prep.reels import ReelLimits
from omma.prep.resize import LONGEST_RATIO

# libav's names of the codecs that films of our day are in.
CODECS = (
    "av1 libdav1d flv ffv1 h263 h264 hevc mjpeg mpeg1video mpeg2video mpeg4 msmpeg4v2 msmpeg4v3 prores "
    "theora libvpx vp8 libvpx-vp9 vp9 wmv1 wmv2 wmv3 rawvideo"
)


@dataclass(frozen=True)
class DecodeLimits:
    """Limits of one picture or video, safe as they stand.

    `memory` is in bytes over what an idle decoder holds, `processor` in seconds of computing, `patience` in
    seconds of waiting for it. `bytes` are those of the medium, `pixels` those of a picture, `frame` those of
    a video's frame; `frames` and `seconds` bound a film, `animation` the pixels of all frames of an animated
    picture. `answer` is the most bytes of pixels that are taken back. `jobs` are
    decoded at the same time: more than there are cores, so that one that is slow holds up no other.
    """

    jobs: int = 4
    memory: int = 1536 << 20
    processor: int = 20
    patience: float = 90.0
    bytes: int = 256 << 20
    pixels: int = 64_000_000
    frame: int = 7680 * 4320
    frames: int = 1_000_000
    seconds: float = 6 * 3600.0
    animation: int = 2_000_000_000
    answer: int = 1 << 30

    @property
    def pictures(self) -> PictureLimits:
        """What is refused of a picture before it is decoded."""
        return PictureLimits(pixels=self.pixels, bytes=self.bytes, ratio=LONGEST_RATIO)

    @property
    def reels(self) -> ReelLimits:
        """What is refused of a video before it is decoded. It is decoded on one core: threads are barred."""
        return ReelLimits(
            pixels=self.frame,
            bytes=self.bytes,
            ratio=LONGEST_RATIO,
            frames=self.frames,
            animation=self.animation,
            seconds=self.seconds,
            codecs=frozenset(CODECS.split()),
            threads=False,
        )

    @property
    def plain(self) -> dict[str, Any]:
        """As JSON, for the child."""
        return asdict(self)


SAFE = DecodeLimits()
