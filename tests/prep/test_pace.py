"""A pace follows what moves in a video and how long it is, within its bounds, in one pass."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.chat import Video
from omma.prep.pace import Pace, motion
from omma.prep.rules import DESCRIBED
from omma.prep.video import Clip, open_video, slice_words
from omma.spec import Written
from tests.prep.test_video import film

PACE = Pace(slowest=5.0, fastest=60.0)
MOST = 32
moving = st.floats(0, 1)
lengths = st.floats(1e-3, 1e5)


@given(moving, lengths)
def test_a_rate_lies_between_the_slowest_and_the_fastest(moved: float, seconds: float) -> None:
    rate = PACE.rate(moved, seconds, MOST)
    assert 5.0 <= rate <= 60.0
    assert rate == 5.0 or rate * seconds <= MOST * (1 + 1e-8)


@given(moving, moving, lengths)
def test_more_motion_never_takes_fewer_frames(one: float, two: float, seconds: float) -> None:
    assert PACE.rate(min(one, two), seconds, MOST) <= PACE.rate(max(one, two), seconds, MOST)


@given(moving, lengths, lengths)
def test_a_longer_video_is_never_taken_faster(moved: float, one: float, two: float) -> None:
    assert PACE.rate(moved, max(one, two), MOST) <= PACE.rate(moved, min(one, two), MOST)


def test_both_ends_of_the_pace_are_reached() -> None:
    assert PACE.rate(0.0, 0.5, MOST) == 5.0
    assert PACE.rate(1.0, 0.5, MOST) == pytest.approx(60.0)
    assert PACE.rate(1.0, 4.0, MOST) == pytest.approx(MOST / 4.0)
    assert PACE.rate(1.0, 60.0, MOST) == 5.0


@given(st.integers(534, 6400))
def test_no_frame_is_lost_to_rounding(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert int(seconds * PACE.rate(1.0, seconds, MOST)) == MOST


def bar(at: float, width: int = 64) -> PIL.Image.Image:
    """A white bar a quarter wide on black, its left edge `at` of the way; it comes in again on the left."""
    columns = (np.arange(width) / width - at) % 1 < 0.25
    return PIL.Image.fromarray(np.tile(columns * np.uint8(255), (48, 1)).astype(np.uint8))


def swept(turns: float, frames: int = 60) -> float:
    """The motion of a bar that goes round so many times in two seconds."""
    return motion((bar(turns * i / frames) for i in range(frames)), (2 * i / frames for i in range(frames)))


def test_what_stands_still_does_not_move() -> None:
    assert swept(0) == 0.0
    assert motion([bar(0.5)], [0.0]) == 0.0
    assert motion([], []) == 0.0


def test_what_goes_faster_moves_more() -> None:
    told = [swept(turns) for turns in (0.0, 0.1, 0.25, 0.5, 0.9)]
    assert told == sorted(set(told))
    assert told[-1] < swept(1.5) == 1.0


@given(st.lists(st.integers(0, 255), min_size=2, max_size=12), st.floats(0.01, 100))
def test_motion_is_the_same_backwards_and_never_over_one(greys: list[int], seconds: float) -> None:
    frames = [PIL.Image.new("RGB", (4, 3), (grey,) * 3) for grey in greys]
    times = [seconds * i / len(greys) for i in range(len(greys))]
    forwards = motion(frames, times)
    assert 0.0 <= forwards <= 1.0
    assert motion(reversed(frames), times) == pytest.approx(forwards, abs=1e-6)


def test_motion_holds_no_more_than_two_frames() -> None:
    alive: list[weakref.ref[PIL.Image.Image]] = []
    most = 0

    def shown() -> Iterator[PIL.Image.Image]:
        nonlocal most
        for i in range(50):
            frame = bar(i / 50)
            alive.append(weakref.ref(frame))
            most = max(most, sum(one() is not None for one in alive))
            yield frame
            del frame

    motion(shown(), (i / 10 for i in range(50)))
    assert most <= 2


def see(source: bytes, **wishes: float) -> Clip:
    return open_video(Video(source, **wishes), DESCRIBED, room=10**6)  # type: ignore[arg-type]


def test_a_film_that_moves_is_taken_faster_than_one_that_stands() -> None:
    # Two seconds each. A film of one grey stands still; the other goes from black nearly to white.
    still, fading = see(film(frames=60, rate=30, steps=0)), see(film(frames=60, rate=30))
    assert len(still.times) == 10
    assert len(still.times) < len(fading.times) <= 32
    assert len(see(film(frames=60, rate=30), fps=3.0).times) == 6


@pytest.mark.parametrize("frames", [1, 2, 31, 300])
def test_one_to_thirty_two_frames_are_taken_from_end_to_end(frames: int) -> None:
    clip = see(film(frames=frames, rate=30))
    assert 1 <= len(clip.times) <= 32
    assert clip.times[-1] == pytest.approx((frames - 1) / 30 if len(clip.times) > 1 else 0.0, abs=1e-3)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (Written(), ["<0.3 seconds>", "<1.8 seconds>"]),
        (Written(number=True, stamp=False), ["<frame 1>", "<frame 3>"]),
        (Written(stamp=False, interval=True, decimals=2), ["<+0.00 seconds>", "<+1.50 seconds>"]),
        (Written(True, True, False, 0), ["<frame 1, 0 seconds>", "<frame 3, 2 seconds>"]),
        (
            Written(True, True, True, 3),
            ["<frame 1, 0.255 seconds, +0.000 seconds>", "<frame 3, 1.755 seconds, +1.500 seconds>"],
        ),
    ],
)
def test_the_words_before_slices_are_those_that_are_wanted(written: Written, words: list[str]) -> None:
    assert slice_words((0.0, 0.51, 1.5, 2.01), 2, written) == words
