"""A video to the frames that the model sees: which are taken, how large, and at what seconds they stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omma.chat import Video, full_name, source_name
from omma.errors import BadPicture, BadVideo, PromptTooLong
from omma.prep.pace import PROBES, motion
from omma.prep.patches import fit
from omma.prep.reels import LIMITS, Reel, ReelLimits, is_list, open_reel
from omma.prep.resize import LONGEST_RATIO, smart_resize
from omma.prep.rules import PictureRules
from omma.sample import Size
from omma.spec import Written


@dataclass(frozen=True)
class Clip:
    """A video's sampled frames, resized: (N, H, W, 3) uint8, and the second of the video each stands at.

    A picture is a clip too: one frame, and no times.
    """

    frames: NDArray[np.uint8]
    times: tuple[float, ...]
    seconds_per_slice: float
    original: Size
    resized: Size
    name: str | None = None


def open_video(video: Video, rules: PictureRules, *, room: int, limits: ReelLimits = LIMITS) -> Clip:
    """Sample a video as the public processors do (facts §6.3, §6.4). `room` is how many tokens it may take.

    Rules with a pace look through a film first, unless the video says its `fps`.

    The source is a path, bytes, an open binary file, a `data:` URL, an animated picture, a list of pictures,
    or an array (N, H, W, 3) of uint8; the `fps` of a list is its own rate, or its frames stand at `times`,
    and all of it is taken.
    Raises MissingFile, BadVideo, PromptTooLong or MissingExtra, with one sentence that names the source.
    """
    listed = is_list(video.source)
    name = f"a list of {len(video.source)} frames" if listed else source_name(video.source)
    with open_reel(video.source, video.fps or rules.fps, limits, video.times) as reel:
        numbers = _between(reel, video, name)
        fps = video.fps or _fitting_rate(video, reel, numbers, rules)
        while numbers:
            if listed:
                count = min(len(numbers), video.max_frames or rules.max_frames)
            else:
                count = frames_to_take(len(numbers), reel.rate, fps, rules, video.max_frames)
            chosen = [numbers[i] for i in spread(len(numbers), count)]
            size = frame_size(reel.size, count, rules, video.max_pixels)
            if (tokens := _tokens(count, size, rules)) > room:
                raise PromptTooLong(
                    f"{name} takes {tokens:,} tokens, {count} frames of {size.width}×{size.height}, and "
                    f"{max(room, 0):,} are left; lower fps, max_frames or max_pixels, or give start, stop"
                )
            frames = _shoot(reel, chosen, size)
            if len(frames) == count:
                seconds = rules.temporal * len(numbers) / (reel.rate * count)
                times = tuple(reel.times[i] for i in chosen)
                called = name if listed else full_name(video.source)
                return Clip(frames, times, seconds, reel.size, size, called)
            # The film breaks off before its list of packets says: sample what can be decoded.
            numbers = range(numbers[0], chosen[len(frames) - 1] + 1) if len(frames) else range(0)
    raise BadVideo(f"{name} is a broken video: not one frame of it can be decoded")


def frames_to_take(
    count: int, rate: float, fps: float, rules: PictureRules, max_frames: int | None = None
) -> int:
    """How many of `count` frames shot at `rate` make `fps` frames a second: within the limits.

    Even, but where frames share a volume. A video of one frame gives one; never more than there are.
    """
    if rules.volume is not None:
        return min(max(int(count / rate * fps), rules.min_frames), max_frames or rules.max_frames, count)
    step = rules.temporal
    most = (max_frames or rules.max_frames) // step * step
    least = -(-rules.min_frames // step) * step
    wanted = min(max(count / rate * fps, least), most, count)
    return max(int(wanted // step) * step, 1)


def spread(count: int, taken: int) -> list[int]:
    """`taken` numbers from 0 to ``count - 1``, evenly, the ends among them, halves rounded to even."""
    return [int(i) for i in np.linspace(0, count - 1, taken).round()]


def frame_size(original: Size, count: int, rules: PictureRules, max_pixels: int | None = None) -> Size:
    """The size of each of `count` frames: all of them share the video's budget of tokens (facts §6.4).

    Raises BadVideo for a shape that is not understood.
    """
    if rules.volume is not None:
        return volume_size(original, count, rules, max_pixels)
    budget = int(0.9 * rules.video_tokens * rules.factor**2) * rules.temporal // count
    most = min(max_pixels or rules.frame_max_pixels, max(budget, int(1.05 * rules.frame_min_pixels)))
    least = min(rules.frame_min_pixels, most)
    try:
        return smart_resize(original, factor=rules.factor, min_pixels=least, max_pixels=most)
    except BadPicture as error:
        raise BadVideo(str(error)) from None


def volume_size(original: Size, count: int, rules: PictureRules, max_pixels: int | None = None) -> Size:
    """The size of each of `count` frames that share the rules' volume (facts §6.4, Qwen3-VL's rule).

    Raises BadVideo when one side is over 200 times the other.
    """
    assert rules.volume is not None
    factor, count = rules.factor, max(count, rules.temporal)
    least, most = rules.volume
    if max_pixels is not None:
        most = min(most, max_pixels * count)
    width, height = original
    if (small := min(width, height)) < factor:
        width, height = (int(side * (factor / small)) for side in original)
    if (ratio := max(width, height) / min(width, height)) > LONGEST_RATIO:
        raise BadVideo(
            f"the frames are {original.width}×{original.height}, one side {ratio:.0f} times the other; "
            f"at most {LONGEST_RATIO} times is understood"
        )
    rounded = Size(*(round(side / factor) * factor for side in (width, height)))
    volume = round(count / rules.temporal) * rules.temporal * rounded.width * rounded.height
    if volume > most:
        shrink = math.sqrt(count * width * height / most)
        return Size(*(max(factor, math.floor(side / shrink / factor) * factor) for side in (width, height)))
    if volume < least:
        grow = math.sqrt(least / (count * width * height))
        return Size(*(math.ceil(side * grow / factor) * factor for side in (width, height)))
    return rounded


def slice_times(times: Sequence[float], temporal: int) -> list[float]:
    """The second of each slice of `temporal` frames: the mean of its first and its last (facts §6.6)."""
    ends = [min(first + temporal, len(times)) - 1 for first in range(0, len(times), temporal)]
    return [(times[last - last % temporal] + times[last]) / 2 for last in ends]


def slice_words(times: Sequence[float], temporal: int, written: Written) -> list[str]:
    """The words before each slice of `temporal` frames that stand at these seconds (`spec.Written`)."""
    words = []
    seconds = slice_times(times, temporal)
    for number, (now, before) in enumerate(zip(seconds, [*seconds[:1], *seconds], strict=False)):
        said = (
            (written.number, f"frame {number * temporal + 1}"),
            (written.stamp, f"{now:.{written.decimals}f} seconds"),
            (written.interval, f"+{now - before:.{written.decimals}f} seconds"),
        )
        words.append(f"<{', '.join(word for wanted, word in said if wanted)}>")
    return words


def _fitting_rate(video: Video, reel: Reel, numbers: Sequence[int], rules: PictureRules) -> float:
    """Frames a second for these frames of a film; what moves in them is looked at only where it matters."""
    if rules.pace is None or is_list(video.source):
        return rules.fps
    looked = [numbers[i] for i in spread(len(numbers), min(len(numbers), PROBES))]
    moved = motion(reel.pick(looked), (reel.times[i] for i in looked))
    return rules.rate(moved, len(numbers) / reel.rate)


def _between(reel: Reel, video: Video, name: str) -> range:
    """The numbers of the frames from `start` to `stop`."""
    start, stop = video.start or 0.0, reel.times[-1] if video.stop is None else video.stop
    inside = [i for i, time in enumerate(reel.times) if start <= time <= stop]
    if not inside:
        raise BadVideo(
            f"{name} has no frame from {start:g} s to {stop:g} s; its last stands at {reel.times[-1]:g} s"
        )
    return range(inside[0], inside[-1] + 1)


def _tokens(count: int, size: Size, rules: PictureRules) -> int:
    return -(-count // rules.temporal) * (size.width * size.height) // rules.factor**2


def _shoot(reel: Reel, chosen: Sequence[int], size: Size) -> NDArray[np.uint8]:
    """The chosen frames, resized; fewer where the reel ends early."""
    frames = np.empty((len(chosen), size.height, size.width, 3), np.uint8)
    made = 0
    for made, frame in enumerate(reel.pick(chosen), 1):
        frames[made - 1] = fit(frame, size)
    return frames[:made]
