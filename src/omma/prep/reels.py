"""Where a video's frames come from: a film read as a stream, an animated picture, or a list of pictures."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from typing import IO, TYPE_CHECKING, Any, Protocol

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from omma.chat import MediaSource, source_name
from omma.errors import BadVideo, MissingExtra
from omma.prep.pictures import PictureLimits, check_area, flat_rgb, open_picture, picture_format, read_header
from omma.prep.sources import decoding, open_bytes
from omma.sample import Size

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# What films are packed in. No playlists, no scripts: those name other files and addresses.
CONTAINERS = "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,obu,ivf,flv,asf,ogg,nut"
# By how many degrees a frame is to be turned against the clock before it is shown.
TURNS = {
    90: PIL.Image.Transpose.ROTATE_90,
    180: PIL.Image.Transpose.ROTATE_180,
    270: PIL.Image.Transpose.ROTATE_270,
}
LATEST = 1e7  # seconds
UNKNOWN_RATE = 24.0  # frames a second, where a film says nothing at all
ANIMATED = {"GIF", "WEBP", "PNG", "AVIF"}
GIF_PAUSE = 0.1  # what browsers show a frame for, in seconds, when it says nothing


@dataclass(frozen=True)
class ReelLimits(PictureLimits):
    """What is refused of a video: frames over `pixels` (8K), more `bytes` held in memory, more `frames`.

    An animation is decoded whole, at most `animation` pixels of it. `seconds` is the longest film, and
    `codecs` are those that are decoded, by libav's names; None is any. With `threads` a film is decoded on
    several cores.
    """

    pixels: int = 7680 * 4320
    frames: int = 50_000_000
    animation: int = 10_000_000_000
    seconds: float | None = None
    codecs: frozenset[str] | None = None
    threads: bool = True


LIMITS = ReelLimits()


class Reel(Protocol):
    """Frames that can be picked by their number, with their times in seconds from the first."""

    @property
    def size(self) -> Size: ...
    @property
    def times(self) -> Sequence[float]: ...
    @property
    def rate(self) -> float:
        """Frames a second, on the average."""
        ...

    def pick(self, chosen: Sequence[int]) -> Iterator[PIL.Image.Image]:
        """The chosen frames, upright and in RGB. `chosen` ascends. Ends early where the reel is broken."""
        ...


class Pictures:
    """A list of pictures, or an array of them, as a reel. They are opened as they are picked.

    `rate` is theirs, frames a second, where `times` does not say when each of them stands.
    """

    def __init__(
        self,
        frames: Sequence[MediaSource] | NDArray[Any],
        rate: float,
        times: Sequence[float] | None = None,
    ) -> None:
        if isinstance(frames, np.ndarray) and frames.ndim != 4:
            raise BadVideo(f"the array has shape {frames.shape}; wanted (frames, height, width, 3) of uint8")
        if not len(frames):
            raise BadVideo("a list of no pictures is no video; wanted at least one")
        self._frames, self.rate = frames, rate
        self.times: Sequence[float] = [i / rate for i in range(len(frames))]
        if times is not None:
            self.times = _ascending(times, len(frames))
            if len(times) > 1:
                self.rate = (len(times) - 1) / (times[-1] - times[0])
        self.size = Size(*open_picture(frames[0]).size)

    def pick(self, chosen: Sequence[int]) -> Iterator[PIL.Image.Image]:
        for i in chosen:
            frame = open_picture(self._frames[i])
            if frame.size != self.size:
                raise BadVideo(
                    f"frame {i} of the list is {frame.width}×{frame.height} and frame 0 is "
                    f"{self.size.width}×{self.size.height}; wanted frames of one size"
                )
            yield frame


def _ascending(times: Sequence[float], count: int) -> Sequence[float]:
    """The seconds that `count` frames stand at. Raises BadVideo unless each comes after the one before."""
    if len(times) != count:
        raise BadVideo(f"the list has {count} frames and {len(times)} times; wanted a time for each")
    for number, time in enumerate(times):
        if isinstance(time, bool) or not isinstance(time, (int, float)) or not 0 <= time <= LATEST:
            raise BadVideo(
                f"frame {number} of the list stands at {time!r:.40}; wanted seconds, from 0 to {LATEST:,.0f}"
            )
        if number and time <= times[number - 1]:
            raise BadVideo(
                f"frame {number} of the list stands at {time:g} s and the one before at "
                f"{times[number - 1]:g} s; wanted times that go forward"
            )
    return times


@contextmanager
def open_reel(
    source: MediaSource, rate: float, limits: ReelLimits = LIMITS, times: Sequence[float] | None = None
) -> Iterator[Reel]:
    """A source as a reel, for the time of a `with`.

    `rate` is that of a list of pictures, frames a second; or `times` are the seconds that they stand at.
    """
    if is_list(source):
        yield Pictures(source, rate, times)
        return
    name = source_name(source)
    with open_bytes(source, "video", BadVideo, limits.bytes) as file, decoding(source, "video", BadVideo):
        yield (Animation if picture_format(file) else Film)(file, name, limits)


def is_list(source: MediaSource) -> bool:
    """Whether a video is given as its frames."""
    return isinstance(source, (list, tuple, np.ndarray))


class Animation:
    """An animated GIF, WebP or PNG as a reel."""

    def __init__(self, file: IO[bytes], name: str, limits: ReelLimits = LIMITS) -> None:
        self._picture = picture = read_header(file, name, limits)
        self.size = Size(*picture.size)
        count: int = getattr(picture, "n_frames", 1) if picture.format in ANIMATED else 1
        if count == 1:
            raise BadVideo(f"{name} is a still picture; wanted a video, so give it as an image")
        if (pixels := count * self.size.width * self.size.height) > limits.animation:
            raise BadVideo(
                f"{name} has {count:,} frames of {self.size.width}×{self.size.height}, {pixels:,} pixels; "
                f"at most {limits.animation:,} are decoded of an animated picture"
            )
        pauses = []
        for i in range(count):
            picture.seek(i)
            if picture.size != self.size:  # Pillow would widen all of it, beyond any limit
                raise BadVideo(
                    f"{name} is {self.size.width}×{self.size.height} and its frame {i} reaches out to "
                    f"{picture.width}×{picture.height}; wanted frames inside the picture, so save it anew"
                )
            picture.load()
            pauses.append(float(picture.info.get("duration") or 0) / 1000 or GIF_PAUSE)
        self.times: Sequence[float] = [0.0, *accumulate(pauses[:-1])]
        self.rate = len(pauses) / sum(pauses)

    def pick(self, chosen: Sequence[int]) -> Iterator[PIL.Image.Image]:
        for i in chosen:
            self._picture.seek(i)
            yield flat_rgb(self._picture.copy())


class Film:
    """A film as a reel. Its packets are listed once, undecoded; frames are decoded as they are picked.

    Listing gives the true number and times of the frames, whatever the header says or leaves out.
    """

    def __init__(self, file: IO[bytes], name: str, limits: ReelLimits = LIMITS) -> None:
        self._file, self._name, self._limits = file, name, limits
        with _container(file) as container:
            stream = _pictures_of(container, name)
            self._check(stream)
            self._timed, self._moments, self._keys = _listed(container, stream, name, limits.frames)
            if not self._moments:
                raise BadVideo(f"{name} is a video without a single frame; wanted at least one")
            check_area((stream.width, stream.height), name, limits, BadVideo)
            stated = float(stream.average_rate or stream.guessed_rate or 0)
            base = float(stream.time_base or 0) if self._timed else 1 / (stated or UNKNOWN_RATE)
        first = self._moments[0]
        self.times: Sequence[float] = [(moment - first) * base for moment in self._moments]
        measured = (len(self.times) - 1) / self.times[-1] if self.times[-1] else 0.0
        believed = stated and (not measured or abs(stated / measured - 1) < 0.05)
        self.rate = stated if believed else measured or UNKNOWN_RATE
        if limits.seconds is not None and self.times[-1] > limits.seconds:
            raise BadVideo(
                f"{name} lasts {self.times[-1]:,.0f} s; at most {limits.seconds:,.0f} s are taken, so cut it"
            )
        opening = next(self.pick([0]), None)
        if opening is None:
            raise BadVideo(f"{name} is a broken video: not one frame of it can be decoded")
        self.size = Size(*opening.size)

    def _check(self, stream: VideoStream) -> None:
        """Refuse by the header: a codec that is not decoded here, frames that are too large."""
        codec, known = stream.codec_context.name, self._limits.codecs
        if known is not None and codec not in known:
            raise BadVideo(f"{self._name} is in {codec}; wanted one of {', '.join(sorted(known))}")
        if stream.width and stream.height:
            check_area((stream.width, stream.height), self._name, self._limits, BadVideo)

    def pick(self, chosen: Sequence[int]) -> Iterator[PIL.Image.Image]:
        """Between frames that lie far apart it leaps to key frames. What it decodes it forgets."""
        with _container(self._file) as container:
            stream = _pictures_of(container, self._name)
            if self._limits.threads:
                stream.thread_type = "AUTO"
            else:
                stream.codec_context.thread_count = 1
            decoded, at, frame = self._decoded(container, stream), None, None
            for done, moment in enumerate(self._moments[i] for i in chosen):
                key = self._keys[max(bisect_right(self._keys, moment) - 1, 0)] if self._keys else None
                if key is not None and (at or self._moments[0]) < key <= moment:
                    container.seek(key, stream=stream)
                    decoded = self._decoded(container, stream)
                    at, frame = next(decoded, (None, None))
                    if at is None or at > key:  # it cannot leap in this container: walk from the start
                        self._keys = []
                        yield from self.pick(chosen[done:])
                        return
                if at is None or at < moment:
                    at, frame = next(((a, f) for a, f in decoded if a >= moment), (None, None))
                if frame is None:
                    return
                yield _upright(frame)

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[tuple[int, VideoFrame]]:
        """Frames with their moments, over broken packets to the end."""
        count = 0
        for packet in _packets(container, stream):
            try:
                frames = packet.decode()
            except (ValueError, OSError):
                continue
            for frame in frames:
                moment = frame.pts if self._timed and frame.pts is not None else count
                count = moment + 1
                yield moment, frame


def _container(file: IO[bytes]) -> InputContainer:
    try:
        import av
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "videos are read by PyAV, which is absent; do: pip install 'omma[video]'"
        ) from error
    file.seek(0)
    return av.open(file, "r", options={"format_whitelist": CONTAINERS, "protocol_whitelist": "none"})


def _pictures_of(container: InputContainer, name: str) -> VideoStream:
    """The first stream of moving pictures; the cover of a song is none."""
    for stream in container.streams.video:
        if not stream.disposition & stream.disposition.attached_pic:
            return stream
    raise BadVideo(f"{name} holds no pictures, only {_others(container)}; wanted a video")


def _others(container: InputContainer) -> str:
    return " and ".join(sorted({stream.type for stream in container.streams} - {"video"})) or "a cover"


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """The stream's packets up to where the file breaks off, then the one that empties the decoder."""
    try:
        yield from container.demux(stream)
    except (ValueError, OSError):
        return


def _listed(
    container: InputContainer, stream: VideoStream, name: str, most: int
) -> tuple[bool, list[int], list[int]]:
    """Whether packets carry their times; the moments of all frames, and of those that need no other frame."""
    packets: list[tuple[int | None, bool]] = []
    for packet in _packets(container, stream):
        if packet.size and not packet.is_discard:
            packets.append((packet.pts, packet.is_keyframe))
        if len(packets) > most:
            raise BadVideo(f"{name} has more than {most:,} frames, the most that are looked at; cut it")
    moments = sorted({pts for pts, _ in packets if pts is not None})
    if len(moments) < len(packets) or not stream.time_base:
        return False, list(range(len(packets))), []
    return True, moments, sorted(pts for pts, key in packets if key and pts is not None)


def _upright(frame: VideoFrame) -> PIL.Image.Image:
    depths = "rgba" if any(component.is_alpha for component in frame.format.components) else "rgb24"
    # On one thread: a frame takes no time, and in a process that may start none there are none.
    picture = PIL.Image.fromarray(frame.reformat(format=depths, threads=1).to_ndarray())
    if turn := TURNS.get(frame.rotation % 360):
        picture = picture.transpose(turn)
    return flat_rgb(picture)
