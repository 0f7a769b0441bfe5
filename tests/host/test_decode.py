"""Media are decoded elsewhere to the same bits; what harms the decoder costs its sender alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

from omma.chat import Image, Part, Video
from omma.errors import BadInput, BadPicture, BadVideo, Interrupted, PromptTooLong
from omma.host.decode import Decoders, Wanted
from omma.host.limits import DecodeLimits
from omma.prep.pictures import FORMATS
from omma.prep.rules import QWEN3, PictureRules
from omma.prep.visuals import shot
from tests.host import media

RULES = PictureRules()
ROOM = 100_000
LARGE = media.png(7000, 7000)  # honest, and half a second's work at least


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    made = Decoders(DecodeLimits())
    yield made
    made.close()


def born(decoders: Decoders) -> tuple[socket.socket, socket.socket, int]:
    """A job's sockets and its child, which waits for the medium."""
    job, watch = decoders._begun()
    parent = decoders.processes[0]
    child = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[-1]
    return job, watch, int(child)


def die(decoders: Decoders, monkeypatch: pytest.MonkeyPatch, part: Image | Video, number: int) -> None:
    """Decode in a job whose child ends by a signal before it has answered."""
    job, watch, child = born(decoders)
    os.kill(child, number)
    with monkeypatch.context() as patched:
        patched.setattr(decoders, "_begun", lambda: (job, watch))
        decoders.decode(part, RULES, room=ROOM)


@pytest.mark.parametrize("rules", [RULES, QWEN3], ids=["qwen2.5", "qwen3"])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_is_decoded_to_the_same_bits(decoders: Decoders, kind: str, rules: PictureRules) -> None:
    part = Image(media.picture(kind), max_pixels=50_000)
    taken = decoders.decode(part, rules, room=ROOM)
    here = shot(part, rules, room=ROOM)
    assert np.array_equal(taken.clip.frames, here.frames)
    assert (taken.clip.original, taken.clip.resized) == (here.original, here.resized)
    assert set(taken.seconds) == {"media", "resize"}


@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "libvpx-vp9"])
def test_a_film_is_decoded_to_the_same_bits(decoders: Decoders, codec: str) -> None:
    part = Video(media.film(codec=codec, container="matroska"), fps=3.0, stop=2.0)
    taken = decoders.decode(part, RULES, room=ROOM)
    here = shot(part, RULES, room=ROOM)
    assert np.array_equal(taken.clip.frames, here.frames)
    assert taken.clip.times == here.times
    assert taken.clip.seconds_per_slice == here.seconds_per_slice


def test_an_animation_is_decoded_to_the_same_bits(decoders: Decoders) -> None:
    part = Video(media.animation())
    here = shot(part, RULES, room=ROOM)
    assert np.array_equal(decoders.decode(part, RULES, room=ROOM).clip.frames, here.frames)


HOSTILE: dict[str, tuple[Part, str]] = {
    "no picture": (Image(b"GIF89b and more"), "is not a picture"),
    "nothing": (Image(b""), "holds no bytes"),
    "a bomb": (Image(media.png(60_000, 60_000, b"\0" * 99)), "60000×60000"),
    "a lying head": (Image(media.png(400, 400, b"\0" * 99)), "broken picture"),
    "cut short": (Image(media.picture()[:200]), "broken picture"),
    "a thread": (Image(media.png(30_000, 3)), "10000 times the other"),
    "a script": (Image(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "is not a picture"),
    "a drawing": (Image(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "is not a picture"),
    "a playlist": (Video(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"), "video"),
    "a concatenation": (Video(b"ffconcat version 1.0\nfile /etc/passwd\n"), "video"),
    "noise": (Video(bytes(range(256)) * 40), "video"),
    "half a film": (Video(media.film()[:900]), "video"),
    "a strange codec": (Video(media.film(4, "ffvhuff", "avi")), "wanted one of"),
    "a still": (Video(media.picture("GIF")), "still picture"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_media_cost_their_sender_one_sentence(decoders: Decoders, name: str) -> None:
    part, told = HOSTILE[name]
    assert isinstance(part, (Image, Video))
    with pytest.raises(BadInput, match=told):
        decoders.decode(part, RULES, room=ROOM)
    assert decoders.decode(Image(media.picture()), RULES, room=ROOM)


def test_what_has_no_room_is_refused_as_it_is_here(decoders: Decoders) -> None:
    with pytest.raises(PromptTooLong, match="and 3 are left"):
        decoders.decode(Image(media.picture()), RULES, room=3)


def test_too_many_bytes_are_not_looked_at() -> None:
    decoders = Decoders(DecodeLimits(bytes=100))
    with pytest.raises(BadPicture, match="at most 100 are taken"):
        decoders.decode(Image(media.picture()), RULES, room=ROOM)
    decoders.close()


def test_a_film_over_its_seconds_or_frames_is_refused() -> None:
    for limits, told in (
        (DecodeLimits(seconds=1.0), "at most 1 s"),
        (DecodeLimits(frames=5), "more than 5 frames"),
        (DecodeLimits(animation=100), "at most 100 are decoded"),
    ):
        decoders = Decoders(limits)
        with pytest.raises(BadVideo, match=told):
            decoders.decode(Video(media.animation() if "100" in told else media.film()), RULES, room=ROOM)
        decoders.close()


def test_a_picture_over_its_memory_is_refused_and_not_blamed() -> None:
    decoders = Decoders(DecodeLimits(memory=64 << 20))
    for _ in range(3):
        with pytest.raises(BadPicture, match="takes more than 64 MiB to decode"):
            decoders.decode(Image(LARGE), RULES, room=ROOM)
    assert decoders.state()["decoder_deaths"] == 0
    decoders.close()


def test_what_takes_too_long_is_ended_and_the_third_time_not_begun() -> None:
    decoders = Decoders(DecodeLimits(patience=0.1))
    for _ in range(2):
        with pytest.raises(BadPicture, match=r"0\.1 s in all to decode"):
            decoders.decode(Image(LARGE), RULES, room=ROOM)
    with pytest.raises(BadPicture, match="crashed the decoder twice"):
        decoders.decode(Image(LARGE), RULES, room=ROOM)
    assert decoders.state()["decoder_deaths"] == 2
    assert decoders.state()["decoder_refused"] == 1
    decoders.close()


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
def test_bytes_that_crash_the_decoder_twice_are_refused_at_once(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    poison = Image(media.picture(size=(30 + number, 30)))
    for _ in range(2):
        with pytest.raises(BadPicture, match="crashed the decoder: it is broken"):
            die(decoders, monkeypatch, poison, number)
    deaths = decoders.state()["decoder_deaths"]
    with pytest.raises(BadPicture, match="crashed the decoder twice"):
        decoders.decode(poison, RULES, room=ROOM)
    assert decoders.state()["decoder_deaths"] == deaths
    assert decoders.decode(Image(media.picture()), RULES, room=ROOM)


def test_a_job_that_somebody_killed_is_to_be_asked_again(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    innocent = Image(media.picture(size=(77, 33)))
    for _ in range(3):
        with pytest.raises(Interrupted, match="ask again"):
            die(decoders, monkeypatch, innocent, signal.SIGKILL)
    assert decoders.decode(innocent, RULES, room=ROOM)


def test_a_killed_decoder_takes_its_jobs_along_and_the_spare_goes_on() -> None:
    decoders = Decoders(DecodeLimits())
    decoders.warm()
    job, watch, child = born(decoders)
    first, spare = decoders.processes
    os.kill(first, signal.SIGKILL)
    with job, watch:
        assert job.recv(1) == b""  # its child is gone with it
    _wait_for(lambda: not Path(f"/proc/{child}").exists())
    assert decoders.decode(Image(media.picture()), RULES, room=ROOM)
    _wait_for(lambda: len(decoders.processes) == 2)
    assert decoders.processes[0] == spare
    decoders.close()


def test_whoever_leaves_ends_the_job(decoders: Decoders) -> None:
    job, watch, child = born(decoders)
    watch.close()
    _wait_for(lambda: not Path(f"/proc/{child}").exists())
    job.close()


class Fickle(Wanted):
    """Wanted until the job is under way."""

    def hold(self, watch: socket.socket | None) -> None:
        super().hold(watch)
        if watch is not None:
            self.drop()


def test_a_job_that_nobody_wants_is_killed_and_not_blamed(decoders: Decoders) -> None:
    for _ in range(3):
        with pytest.raises(Interrupted):
            decoders.decode(Image(LARGE), RULES, room=ROOM, wanted=Fickle())
    assert decoders.decode(Image(LARGE), RULES, room=ROOM)


def test_jobs_run_side_by_side(decoders: Decoders) -> None:
    sizes: list[tuple[int, int]] = []

    def work(width: int) -> None:
        taken = decoders.decode(Image(media.picture(size=(width, 40))), RULES, room=ROOM)
        sizes.append(taken.clip.original)

    threads = [threading.Thread(target=work, args=(40 + i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sizes) == [(40 + i, 40) for i in range(12)]


def test_a_closed_house_leaves_no_process_and_no_file_open() -> None:
    def files() -> int:
        return len(os.listdir("/proc/self/fd"))

    before, watchers = files(), threading.active_count()
    decoders = Decoders(DecodeLimits())
    decoders.decode(Image(media.picture()), RULES, room=ROOM)
    numbers = decoders.processes
    os.kill(numbers[0], signal.SIGKILL)
    decoders.close()
    assert files() == before
    assert not [number for number in numbers if Path(f"/proc/{number}").exists()]
    assert threading.active_count() == watchers


def test_decoding_and_the_desk_know_no_torch() -> None:
    for room in ("decode_child", "decode", "desk", "settings"):
        words = f"import sys, omma.host.{room}; print('torch' in sys.modules)"
        told = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
        assert told.stdout == "False\n", room


def _wait_for(true: object) -> None:
    """Wait for what must come; a minute is for a machine that does much else."""
    assert callable(true)
    until = monotonic() + 60
    while not true():
        assert monotonic() < until
        sleep(0.01)
