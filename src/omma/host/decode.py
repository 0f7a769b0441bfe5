"""Media bytes to pixels in processes that may die of them: each job in a child of its own, within limits."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import omma
from omma.chat import Image, Video
from omma.errors import BadInput, BadPicture, BadVideo, Busy, Interrupted
from omma.host.decode_child import NUMBER
from omma.host.frames import Blob, Bounds, Broken, Frame, HungUp, receive, send
from omma.host.limits import SAFE, DecodeLimits
from omma.host.nouns import error_of, noun, plain
from omma.host.poison import Poison
from omma.prep.rules import PictureRules
from omma.prep.video import Clip

BIRTH = 60.0  # seconds that a decoder may take to start
GRACE = 5.0  # seconds over a job's patience, in which its end is told
IN_LINE = 2  # decoders: one at work, one warm in its place
QUICK, BORN_DEAD = (
    5.0,
    5,
)  # a decoder that lives shorter was born dead; so many in a row, and there is a pause
SLOWEST = 10.0  # seconds between two tries to start one, at most
OVERRUN = (signal.SIGXCPU, signal.SIGALRM)


class _Medium(NamedTuple):
    """What was to be decoded, in words, and how it is refused."""

    name: str
    refuse: type[BadInput]


PICTURE, VIDEO = _Medium("picture", BadPicture), _Medium("video", BadVideo)


class Taken(NamedTuple):
    """A decoded medium, and the seconds that its stages took: "media", and "resize" of a picture."""

    clip: Clip
    seconds: dict[str, float]


class Wanted:
    """Whether a job's outcome is still wanted. `drop` it from any thread, and the job is killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watch: socket.socket | None = None
        self._dropped = False

    def hold(self, watch: socket.socket | None) -> None:
        """The job is under way, and this socket is what keeps it alive; None: it has ended."""
        with self._lock:
            self._watch = watch
        if self._dropped:
            self.drop()

    def drop(self) -> None:
        """Nobody wants it any more."""
        with self._lock:
            self._dropped = True
            if self._watch is not None:
                with suppress(OSError):  # it has just ended by itself
                    self._watch.shutdown(socket.SHUT_RDWR)


class _Decoder:
    """A decoder's process and the socket that jobs are handed over on. `walls` are known once it is warm."""

    def __init__(self, limits: DecodeLimits) -> None:
        self.orders, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        home = str(Path(omma.__file__).parent.parent)
        places = os.pathsep.join([home, *(place for place in sys.path if place and place != home)])
        with its:
            told = str(its.fileno()), json.dumps(limits.plain)
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "omma.host.decode_child", *told],
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={"PYTHONPATH": places, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,
            )
        self.orders.settimeout(BIRTH)
        self.born = monotonic()
        self.walls: tuple[str, ...] = ()
        self._lock = threading.Lock()

    def begin(self) -> tuple[socket.socket, socket.socket]:
        """Our ends of a new job's sockets: the one for its work, the one on which its end is told.

        Waits until the decoder is warm and the job's child is there. Raises HungUp, TimeoutError.
        """
        (job, its), (watch, told) = socket.socketpair(), socket.socketpair()
        with its, told:
            try:
                self._hand(its, told)
                its.close()
                told.close()
                watch.settimeout(GRACE)
                if len(watch.recv(NUMBER.size)) < NUMBER.size:
                    raise HungUp("the decoder died before the job began")
            except (HungUp, OSError) as error:
                job.close()
                watch.close()
                raise error if isinstance(error, (HungUp, TimeoutError)) else HungUp(str(error)) from None
        return job, watch

    def end(self) -> None:
        """End it and whatever it is doing."""
        self.process.kill()

    def wait(self) -> None:
        """Wait until the decoder is warm. Raises HungUp, TimeoutError, OSError."""
        with self._lock:
            if not self.walls:
                told = self.orders.recv(1 << 16)
                if not told:
                    raise HungUp("the decoder died before it was warm")
                self.walls = tuple(json.loads(told)["walls"])

    def _hand(self, *ends: socket.socket) -> None:
        self.wait()
        with self._lock:
            socket.send_fds(self.orders, [b"job"], [end.fileno() for end in ends])


class Decoders:
    """Decodes pictures and videos: one process at work, one warm in its place. Callable from any thread.

    A job that dies costs nobody else anything: what a medium did is told as BadPicture or BadVideo, what
    somebody else did to its process as Interrupted. Bytes that did it twice are refused at once.
    """

    def __init__(self, limits: DecodeLimits = SAFE) -> None:
        self.limits = limits
        self.poison = Poison()
        self._slots = threading.BoundedSemaphore(limits.jobs)
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._counts = {"decoder_jobs": 0, "decoder_deaths": 0, "decoder_restarts": 0}
        self._watchers: list[threading.Thread] = []
        self._early = 0
        self._line: list[_Decoder] = []
        self._line += [self._started() for _ in range(IN_LINE)]

    def decode(
        self,
        part: Image | Video,
        rules: PictureRules,
        *,
        room: int,
        digest: str | None = None,
        wanted: Wanted | None = None,
    ) -> Taken:
        """The part, whose source is bytes, as the tower is to see it: `prep.visuals.shot`, elsewhere.

        `digest` is the SHA-256 of the bytes, where it is known; `wanted` ends the job early. Raises what
        `shot` raises; BadPicture or BadVideo too for bytes that decoding died of, Interrupted when the
        decoder was killed from outside, and Busy when all decoders are at work for long.
        """
        medium = PICTURE if isinstance(part, Image) else VIDEO
        if not isinstance(part.source, bytes):
            raise medium.refuse(f"the {medium.name} is {type(part.source).__name__}; wanted its bytes")
        if (size := len(part.source)) > self.limits.bytes:
            raise medium.refuse(
                f"the {medium.name} has {size:,} bytes; at most {self.limits.bytes:,} are taken"
            )
        digest = digest or hashlib.sha256(part.source).hexdigest()
        if self.poison.refused(digest):
            raise medium.refuse(f"this {medium.name} crashed the decoder twice and is not tried again")
        if not self._slots.acquire(timeout=self.limits.patience):
            raise Busy("the decoders are all at work; come again later", retry_after=5.0)
        try:
            taken = self._decode(part, rules, room, digest, wanted or Wanted())
        finally:
            self._slots.release()
        self.poison.lived(digest)
        return taken

    def warm(self) -> None:
        """Wait until a decoder is warm. Raises Busy when none gets there."""
        job, watch = self._begun()
        job.close()
        watch.close()

    @property
    def walls(self) -> tuple[str, ...]:
        """What a job is confined by, in words; empty as long as no decoder is warm."""
        with self._lock:
            return self._line[0].walls if self._line else ()

    @property
    def processes(self) -> list[int]:
        """The decoders' process numbers, the one at work first."""
        with self._lock:
            return [decoder.process.pid for decoder in self._line]

    def state(self) -> dict[str, int]:
        """Jobs done, jobs that died, decoders that had to be replaced, media that are refused."""
        with self._lock:
            return {**self._counts, "decoder_refused": len(self.poison)}

    def close(self) -> None:
        """End all decoders. A job that is inside raises Interrupted."""
        self._closed.set()
        with self._lock:
            line, self._line = self._line, []
        for decoder in line:
            decoder.end()
        for watcher in self._watchers:
            watcher.join()

    def _decode(
        self, part: Image | Video, rules: PictureRules, room: int, digest: str, wanted: Wanted
    ) -> Taken:
        blobs: list[Blob] = []
        asked = {"part": plain(part, blobs), "rules": plain(rules, []), "room": room}
        job, watch = self._begun()
        with job, watch:
            job.settimeout(self.limits.patience + GRACE)
            watch.settimeout(GRACE)
            wanted.hold(watch)
            try:
                send(job, asked, blobs)
                frame = receive(job, Bounds(header=1 << 20, blobs=1, bytes=self.limits.answer))
            except (HungUp, TimeoutError, Broken) as error:
                medium = PICTURE if isinstance(part, Image) else VIDEO
                raise self._death(watch, error, digest, medium) from None
            finally:
                wanted.hold(None)
        self._count("decoder_jobs")
        return _taken(frame)

    def _begun(self) -> tuple[socket.socket, socket.socket]:
        """A new job's sockets, from the first decoder that is alive."""
        while True:
            with self._lock:
                if not self._line:
                    raise Busy("no decoder can be started just now; come again later", SLOWEST)
                decoder = self._line[0]
            try:
                job, watch = decoder.begin()
            except (HungUp, TimeoutError):
                decoder.end()
                self._replace(decoder)
            else:
                self._early = 0
                return job, watch

    def _death(
        self, watch: socket.socket, error: Exception, digest: str, medium: _Medium
    ) -> BadInput | Interrupted:
        """What to say of a job that gave nothing back."""
        self._count("decoder_deaths")
        status = _status(watch)
        ended_by = os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else None
        if isinstance(error, TimeoutError) or ended_by in OVERRUN:
            self.poison.died(digest)
            most = f"{self.limits.processor} s of computing, {self.limits.patience:g} s in all"
            return medium.refuse(f"the {medium.name} takes over {most} to decode; give a smaller one")
        if status is None or ended_by == signal.SIGKILL:  # somebody's hand, not the medium's doing
            return Interrupted("the decoder was killed while it was at work; ask again")
        self.poison.died(digest)
        return medium.refuse(f"the {medium.name} crashed the decoder: it is broken, or made to do that")

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1

    def _started(self) -> _Decoder:
        decoder = _Decoder(self.limits)
        watcher = threading.Thread(target=self._watch, args=(decoder,), name="decoder", daemon=True)
        self._watchers = [one for one in self._watchers if one.is_alive()] + [watcher]
        watcher.start()
        return decoder

    def _watch(self, decoder: _Decoder) -> None:
        """Wait for a decoder's end and see that another takes its place."""
        decoder.process.wait()
        self._replace(decoder)
        decoder.orders.close()
        if self._closed.wait(self._pause()):
            return
        with self._lock:
            if not self._closed.is_set() and len(self._line) < IN_LINE:
                self._line.append(self._started())

    def _replace(self, decoder: _Decoder) -> None:
        """Take a decoder out of the line; start another at once, unless they die as they are born."""
        with self._lock:
            if self._closed.is_set() or decoder not in self._line:
                return
            self._line.remove(decoder)
            self._counts["decoder_restarts"] += 1
            self._early = self._early + 1 if monotonic() - decoder.born < QUICK else 0
            if not self._pause():
                self._line.append(self._started())

    def _pause(self) -> float:
        """Seconds before the next decoder is started: none, unless several died as they were born."""
        return 0.0 if self._early < BORN_DEAD else min(SLOWEST, 0.1 * 2**self._early)


def _status(watch: socket.socket) -> int | None:
    """How the job's child ended, as wait(2) says; None if its decoder is gone too, or it has not ended."""
    try:
        told = watch.recv(NUMBER.size)
    except (TimeoutError, ConnectionError):
        return None
    return int(NUMBER.unpack(told)[0]) if len(told) == NUMBER.size else None


def _taken(frame: Frame) -> Taken:
    """The job's answer, which is believed no further than that it is a clip or one of our errors."""
    if "error" in frame.header:
        raise error_of(frame.header)
    try:
        clip = noun(frame.header["clip"], frame.blobs)
        sound = isinstance(clip, Clip) and clip.frames.ndim == 4 and clip.frames.shape[3] == 3
        if sound and clip.frames.shape[1:3] == (clip.resized.height, clip.resized.width):
            return Taken(clip, {str(name): float(value) for name, value in frame.header["seconds"].items()})
    except (Broken, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Interrupted(f"the decoder answered with {type(error).__name__}; ask again") from None
    raise Interrupted("the decoder answered with no pixels; ask again")
