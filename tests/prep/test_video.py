"""The right frames of a video are seen, at the right seconds, whatever holds them."""

from __future__ import annotations

import base64
import io
import struct
import sys
from pathlib import Path

import av
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from bench.hostile_media import gif_grows
from omma.chat import Video, message
from omma.errors import BadInput, BadVideo, MissingExtra, PromptTooLong
from omma.prep.processor import Processor
from omma.prep.reels import Film
from omma.prep.rules import QWEN3, PictureRules
from omma.prep.sources import names_video
from omma.prep.video import Clip, frame_size, frames_to_take, open_video, slice_times, spread, volume_size
from omma.sample import Size

RULES = PictureRules()
SHARED = QWEN3
SMALL = Size(64, 48)
CONTAINERS = [("mp4", "libx264"), ("matroska", "libx264"), ("mpegts", "libx264"), ("h264", "libx264")]
CONTAINERS += [("avi", "mpeg4"), ("webm", "libvpx-vp9"), ("mov", "mjpeg"), ("mpeg", "mpeg1video")]


def film(
    container: str = "mp4",
    codec: str = "libx264",
    *,
    frames: int = 60,
    rate: int = 30,
    size: Size = SMALL,
    sound: bool = False,
    steps: int = 240,
) -> bytes:
    """A film that becomes brighter: frame i is grey of i · steps / frames."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        if sound:
            ear = out.add_stream("aac", rate=8000)
            hiss = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            hiss.sample_rate = 8000
            out.mux(ear.encode(hiss))
            out.mux(ear.encode())
        if frames:
            eye = out.add_stream(codec, rate=rate)
            eye.width, eye.height = size
            eye.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            eye.options = {"g": "12", "bf": "2"} if codec == "libx264" else {"g": "12"}
            for i in range(frames):
                grey = np.full((size.height, size.width, 3), i * steps // frames, np.uint8)
                out.mux(eye.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
            out.mux(eye.encode())
    return file.getvalue()


def see(source: object, room: int = 10**6, **wishes: float) -> Clip:
    return open_video(Video(source, **wishes), RULES, room=room)  # type: ignore[arg-type]


def brightness(clip: Clip) -> list[int]:
    return [int(frame.mean()) for frame in clip.frames]


@pytest.mark.parametrize(("container", "codec"), CONTAINERS)
def test_leaping_and_walking_find_the_same_frames(container: str, codec: str) -> None:
    reel = Film(io.BytesIO(film(container, codec)), "film")
    walked = [np.asarray(frame) for frame in reel.pick(range(len(reel.times)))]
    assert len(walked) == 60
    far = [0, 25, 26, 51, 59]
    for number, frame in zip(far, reel.pick(far), strict=True):
        assert np.array_equal(frame, walked[number])


@pytest.mark.parametrize(("container", "codec"), CONTAINERS)
def test_two_seconds_give_four_frames_at_their_seconds(container: str, codec: str) -> None:
    clip = see(film(container, codec))
    rate = 25 if container == "h264" else 30  # a bare stream says nothing: 25 is what its reader takes
    assert clip.times == pytest.approx([i / rate for i in (0, 20, 39, 59)], abs=2e-3)
    assert brightness(clip) == pytest.approx([0, 80, 156, 236], abs=5)
    assert clip.seconds_per_slice == pytest.approx(2 * 60 / rate / 4)
    assert clip.original == (64, 48)


def test_the_same_film_gives_the_same_bits_from_every_source(tmp_path: Path) -> None:
    data = film()
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    url = "data:video/mp4;base64," + base64.b64encode(data).decode()
    clips = [see(source) for source in (path, str(path), data, io.BytesIO(data), url, path)]
    assert len({clip.frames.tobytes() for clip in clips}) == 1


def test_a_part_of_a_film_keeps_the_films_own_seconds() -> None:
    clip = see(film(frames=120), start=2.0, stop=3.0, fps=4.0)
    assert clip.times[0] == pytest.approx(2.0)
    assert clip.times[-1] == pytest.approx(3.0)
    assert len(clip.times) == 4
    assert brightness(clip)[0] == pytest.approx(120, abs=5)


def test_a_part_beyond_the_end_is_refused_with_the_length() -> None:
    with pytest.raises(BadVideo, match=r"from 10 s to 20 s; its last stands at 1\.9"):
        see(film(), start=10.0, stop=20.0)


@pytest.mark.parametrize("size", [Size(63, 47), Size(2, 2), Size(320, 20)])
def test_odd_sizes_are_seen(size: Size) -> None:
    clip = see(film("matroska", "mjpeg", size=size, frames=4))
    assert clip.original == size
    assert clip.frames.shape[1:] == (clip.resized.height, clip.resized.width, 3)


@pytest.mark.parametrize(
    ("degrees", "matrix"), [(90, (0, 1, -1, 0)), (180, (-1, 0, 0, -1)), (270, (0, -1, 1, 0))]
)
def test_rotation_is_honoured(degrees: int, matrix: tuple[int, ...]) -> None:
    """The matrix of a phone's film says by how many degrees, with the clock, it is turned to be shown."""
    bright = np.zeros((48, 64, 3), np.uint8)
    bright[:24, :32] = 255  # white in the top left of what was stored
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        eye = out.add_stream("libx264", rate=2)
        eye.width, eye.height, eye.pix_fmt = 64, 48, "yuv420p"
        for _ in range(4):
            out.mux(eye.encode(av.VideoFrame.from_ndarray(bright, format="rgb24")))
        out.mux(eye.encode())
    data = bytearray(file.getvalue())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    clip = see(bytes(data))
    shown = np.rot90(bright, -degrees // 90)
    assert clip.original == (shown.shape[1], shown.shape[0])
    corners = clip.frames[0][:: clip.resized.height - 1, :: clip.resized.width - 1, 0] > 128
    assert np.array_equal(corners, shown[:: shown.shape[0] - 1, :: shown.shape[1] - 1, 0] > 128)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animated_picture_is_a_video(kind: str) -> None:
    frames = [PIL.Image.new("RGB", (40, 30), (i * 20, 0, 0)) for i in range(10)]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=250, lossless=True)
    clip = see(file.getvalue())
    assert clip.times == (0.0, 0.75, 1.5, 2.25)
    assert [int(frame[0, 0, 0]) for frame in clip.frames] == pytest.approx([0, 60, 120, 180], abs=1)


def test_an_animation_whose_frames_reach_out_of_it_is_refused_before_it_is_widened() -> None:
    with pytest.raises(BadVideo, match="is 8×8 and its frame 2 reaches out to 9001×9001"):
        see(gif_grows())


def test_a_list_of_pictures_is_taken_whole_at_its_own_rate(picture: NDArray[np.uint8]) -> None:
    for source in ([picture] * 6, np.stack([picture] * 6), [PIL.Image.fromarray(picture)] * 6):
        clip = see(source, fps=4.0)
        assert clip.times == (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
        assert clip.seconds_per_slice == 0.5


@pytest.mark.parametrize("count", [1, 3, 6])
@pytest.mark.parametrize("fps", [0.7, 2.0, 30.0])
def test_no_picture_of_a_list_is_left_out(count: int, fps: float, picture: NDArray[np.uint8]) -> None:
    assert len(see([picture[:30, :40]] * count, fps=fps).times) == count


def test_a_list_of_many_sizes_or_of_nothing_is_refused(picture: NDArray[np.uint8]) -> None:
    with pytest.raises(BadVideo, match="frame 1 of the list is 10×20"):
        see([picture, picture[:20, :10]])
    with pytest.raises(BadVideo, match="no pictures"):
        see([])
    with pytest.raises(BadVideo, match=r"shape \(480, 640, 3\)"):
        see(picture)


def test_sound_alone_is_no_video() -> None:
    with pytest.raises(BadVideo, match="holds no pictures, only audio"):
        see(film(frames=0, sound=True))


def test_a_film_that_breaks_off_is_seen_as_far_as_it_goes(tmp_path: Path) -> None:
    data = film("matroska", frames=120, size=Size(320, 240))
    path = tmp_path / "cut.mkv"
    path.write_bytes(data[: len(data) // 2])
    clip = see(path)
    assert len(clip.frames) == len(clip.times) >= 2
    assert clip.times[-1] < 3
    path.write_bytes(data[:200])
    with pytest.raises(BadVideo, match=r"cut\.mkv"):
        see(path)
    path.write_bytes(film()[:-600])  # an mp4 keeps its table of contents at the end
    with pytest.raises(BadVideo, match=r"cut\.mkv"):
        see(path)


def test_bytes_spoiled_anywhere_raise_nothing_else() -> None:
    random = np.random.default_rng(2)
    data = film(frames=12)
    for _ in range(25):
        broken = bytearray(data)
        for at in random.integers(0, len(data), 8):
            broken[at] = random.integers(0, 256)
        try:
            assert len(see(bytes(broken)).frames)
        except BadInput as told:
            assert "\n" not in str(told)  # noqa: PT017


def test_without_pyav_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtra, match=r"pip install 'omma\[video\]'"):
        see(b"\0\0\0\x20ftypisom")


def test_a_film_over_the_context_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(PromptTooLong, match="lower fps, max_frames or max_pixels"):
        see(film(), room=100)


@pytest.mark.parametrize(
    ("count", "rate", "fps", "wanted"),
    [
        (60, 30.0, 2.0, 4),
        (300, 30.0, 2.0, 20),
        (300, 30.0, 2.11, 20),
        (90_000, 25.0, 2.0, 768),
        (3, 30.0, 2.0, 2),
        (1, 30.0, 2.0, 1),
        (11, 5.0, 50.0, 10),
    ],
)
def test_the_number_of_frames_is_even_and_within_the_limits(
    count: int, rate: float, fps: float, wanted: int
) -> None:
    assert frames_to_take(count, rate, fps, RULES) == wanted


def test_a_wish_for_fewer_frames_is_heard() -> None:
    assert frames_to_take(300, 30.0, 2.0, RULES, max_frames=7) == 6
    assert frames_to_take(300, 30.0, 2.0, RULES, max_frames=1) == 1


def test_numbers_are_spread_with_the_ends_and_halves_go_to_even() -> None:
    assert spread(60, 4) == [0, 20, 39, 59]
    assert spread(4, 4) == [0, 1, 2, 3]
    assert spread(10, 1) == [0]


@pytest.mark.parametrize(
    ("count", "wanted"),
    [(4, Size(1008, 560)), (300, Size(1008, 560)), (500, Size(784, 448)), (768, Size(644, 336))],
)
def test_frames_share_the_videos_budget(count: int, wanted: Size) -> None:
    got = frame_size(Size(1280, 720), count, RULES)
    budget = int(0.9 * 128_000 * 784) * 2 / count
    assert got.width * got.height <= max(min(768 * 784, budget), 1.05 * 128 * 784)
    assert got == wanted


def test_a_video_in_a_conversation_keeps_its_places_times_and_seconds(processor: Processor) -> None:
    sample = processor.sample([message("user", Video(film()), "What happens?")])
    (visual,) = sample.visuals
    assert visual.grid == (2, 20, 28)
    assert visual.stop - visual.start == 280
    assert set(sample.ids_T[visual.start : visual.stop]) == {processor.spec.ids.video}
    assert (
        sample.positions_3T[0, visual.start : visual.stop].tolist()
        == [visual.start] * 140 + [visual.start + 2] * 140
    )
    (seen,) = processor.seen(sample)
    assert seen.times == visual.times == pytest.approx((0, 2 / 3, 1.3, 59 / 30))


@pytest.mark.parametrize(
    ("source", "video"),
    [("a/b.MP4", True), (Path("a.webm"), True), ("a.png", False), (b"a.mp4", False), ("mp4", False)],
)
def test_a_name_that_ends_like_a_video_is_one(source: object, video: bool) -> None:
    assert names_video(source) == video


@pytest.mark.parametrize(
    ("count", "original", "size", "tokens"),
    [
        (16, Size(1280, 720), Size(1280, 704), 7040),
        (64, Size(1280, 720), Size(832, 448), 11_648),
        (768, Size(1280, 720), Size(224, 128), 10_752),
        (4, Size(240, 320), Size(256, 320), 160),
    ],
)
def test_frames_share_a_volume_by_the_published_vectors(
    count: int, original: Size, size: Size, tokens: int
) -> None:
    assert volume_size(original, count, SHARED) == size
    assert count // 2 * size.width * size.height // 32**2 == tokens


def test_frames_that_share_a_volume_need_not_be_even() -> None:
    assert frames_to_take(90, 30.0, 2.0, SHARED) == 6
    assert frames_to_take(100, 30.0, 2.0, SHARED, max_frames=5) == 5
    assert frames_to_take(3, 30.0, 2.0, SHARED) == 3


def test_a_tiny_or_narrow_frame_is_brought_to_whole_cells() -> None:
    assert volume_size(Size(1, 1), 1, SHARED) == Size(64, 64)
    assert volume_size(Size(16, 160), 4, SHARED) == Size(32, 320)
    assert volume_size(Size(640, 480), 4, SHARED, max_pixels=64 * 32) == Size(32, 32)
    with pytest.raises(BadVideo, match="200 times"):
        volume_size(Size(10, 10_000), 4, SHARED)


def test_a_slice_stands_midway_between_its_frames() -> None:
    assert slice_times((0.0, 0.5, 1.0, 1.5), 2) == [0.25, 1.25]
    assert slice_times((0.0, 0.5, 1.0), 2) == [0.25, 1.0]
    assert slice_times((4.0,), 2) == [4.0]
