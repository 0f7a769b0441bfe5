"""The decoder: a small process that forks one child for each picture or video, and knows nothing of models.

It is started by `decode.Decoders` and holds only the decoders' code. For each job it is handed two sockets:
one that the job's child reads the medium from and answers on, and one on which it tells, itself, the child's
number and at last how it ended. When the other side of the second is closed, the child is killed.
"""

from __future__ import annotations

import gc
import io
import json
import os
import selectors
import signal
import socket
import struct
import sys
from collections import deque
from contextlib import suppress
from dataclasses import replace
from time import clock_gettime, perf_counter
from typing import Any

import numpy as np
import PIL.AvifImagePlugin
import PIL.Image

from omma.chat import Image, Video
from omma.errors import BadPicture, BadVideo, OmmaError
from omma.host import confine
from omma.host.frames import Blob, Bounds, HungUp, receive, send
from omma.host.limits import SAFE, DecodeLimits
from omma.host.nouns import noun, plain, plain_error
from omma.prep.pictures import FORMATS, open_picture
from omma.prep.rules import PictureRules
from omma.prep.video import Clip
from omma.prep.visuals import shot

NUMBER = struct.Struct("!i")
JOB = 3  # where a job's child holds its socket: behind the three that every process has
WARM_SIDE = 28
YOUNG = 0.1  # seconds of computing, after which a job's child comes behind everything else on the machine
BEHIND = 10  # by how much it is nicer then


def main(control: int, limits: DecodeLimits) -> None:
    """Serve until the other side of `control`, a socket of whole messages, is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=control) as orders:
        walls = [confine.leave_network()]
        _warm(SAFE)
        walls += _walls()
        gc.freeze()
        orders.send(json.dumps({"walls": walls}).encode())
        _Nursery(orders, limits).run()


class _Nursery:
    """Children at work, each with the socket on which its end is told."""

    def __init__(self, orders: socket.socket, limits: DecodeLimits) -> None:
        self._orders, self._limits = orders, limits
        self._children: dict[int, socket.socket] = {}
        self._young: deque[tuple[float, int]] = deque()  # children, and when to look at them, in that order
        self._nice = min(19, os.nice(0) + BEHIND)
        self._eyes = selectors.DefaultSelector()
        woken, waker = socket.socketpair()
        for one in (woken, waker):
            one.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._woken, self._waker = woken, waker
        self._eyes.register(orders, selectors.EVENT_READ)
        self._eyes.register(woken, selectors.EVENT_READ)

    def run(self) -> None:
        """Fork, tell, kill, until the orders end."""
        while True:
            for key, _ in self._eyes.select(self._aged()):
                if key.fileobj is self._orders:
                    if not self._order():
                        self._end()
                        return
                elif key.fileobj is self._woken:
                    self._woken.recv(4096)
                    self._reap()
                elif key.data in self._children:  # whoever asked for it has left
                    self._eyes.unregister(key.fileobj)
                    os.kill(key.data, signal.SIGKILL)

    def _order(self) -> bool:
        """Begin a job; False at the end of all."""
        try:
            word, handed, _, _ = socket.recv_fds(self._orders, 16, 2)
        except ConnectionError:
            return False
        if not word:
            return False
        job, watch = handed
        mother = os.getpid()
        child = os.fork()
        if child == 0:
            _bear(job, self._limits, mother)
        os.close(job)
        told = socket.socket(fileno=watch)
        self._children[child] = told
        self._eyes.register(told, selectors.EVENT_READ, child)
        self._young.append((perf_counter() + YOUNG, child))
        _tell(told, child)
        return True

    def _aged(self) -> float | None:
        """Let children that have computed for long come behind; seconds until the next may have."""
        while self._young:
            when, child = self._young[0]
            if (left := when - perf_counter()) > 0:
                return left
            self._young.popleft()
            if child not in self._children:
                continue
            if _computed(child) < YOUNG:
                self._young.append((perf_counter() + YOUNG, child))
            else:
                with suppress(OSError):  # it has just ended, or is of another user by now
                    os.setpriority(os.PRIO_PROCESS, child, self._nice)
        return None

    def _reap(self) -> None:
        while self._children:
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                return
            told = self._children.pop(child)
            if told.fileno() in self._eyes.get_map():
                self._eyes.unregister(told)
            _tell(told, status)
            told.close()

    def _end(self) -> None:
        for child in self._children:
            os.kill(child, signal.SIGKILL)


def _computed(child: int) -> float:
    """Seconds that a process of ours has computed, where that can be asked; else as if it had for long."""
    try:
        return clock_gettime((~child << 3) | 2)  # its clock, as clock_getcpuclockid(3) names it
    except OSError:
        return YOUNG


def _tell(told: socket.socket, number: int) -> None:
    try:
        told.send(NUMBER.pack(number))
    except OSError:  # nobody waits for it any more
        return


def _bear(job: int, limits: DecodeLimits, mother: int) -> None:
    """The life of a job's child. It never returns."""
    code = os.EX_SOFTWARE
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if job != JOB:
            os.dup2(job, JOB)
        os.closerange(JOB + 1, 1024)
        _confined(limits, mother)
        _work(socket.socket(fileno=JOB), limits)
        code = os.EX_OK
    except HungUp:
        code = os.EX_OK
    finally:
        os._exit(code)


def _confined(limits: DecodeLimits, mother: int) -> list[str]:
    """Put every wall around this process; say which stand."""
    held = confine.held()
    confine.keep_to_one_core()
    walls = [confine.close_files()]
    confine.bound(held + limits.memory, limits.processor, limits.patience)
    walls.append(confine.become_nobody())
    confine.die_with_parent(mother)  # after the change of user, which forgets it
    return [*walls, confine.bar_calls()]


def _walls() -> list[str]:
    """Which walls stand around a job: a child tries them on and says so."""
    mine, its = socket.socketpair()
    mother = os.getpid()
    if (child := os.fork()) == 0:
        try:
            its.sendall("\n".join(_confined(SAFE, mother)).encode())
        finally:
            os._exit(0)
    its.close()
    told = b""
    with mine:
        while part := mine.recv(4096):
            told += part
    os.waitpid(child, 0)
    return told.decode().splitlines()


def _work(asker: socket.socket, limits: DecodeLimits) -> None:
    """One job: a part with its bytes in, a clip or an error out."""
    frame = receive(asker, Bounds(header=1 << 16, blobs=1, bytes=limits.bytes))
    part: Image | Video = noun(frame.header["part"], frame.blobs)
    rules: PictureRules = noun(frame.header["rules"], ())
    frame.blobs.clear()
    try:
        clip, seconds = _shot(part, rules, frame.header["room"], limits)
    except OmmaError as wrong:
        send(asker, plain_error(wrong))
    except MemoryError:
        refuse, noun_ = (BadPicture, "picture") if isinstance(part, Image) else (BadVideo, "video")
        send(asker, plain_error(refuse(f"the {noun_} takes more than {limits.memory >> 20:,} MiB to decode")))
    else:
        blobs: list[Blob] = []
        send(asker, {"clip": plain(clip, blobs), "seconds": seconds}, blobs)


def _shot(
    part: Image | Video, rules: PictureRules, room: int, limits: DecodeLimits
) -> tuple[Clip, dict[str, float]]:
    """The clip, and the seconds of its stages. A video is resized frame by frame, as it is decoded."""
    begun = perf_counter()
    if isinstance(part, Video):
        clip = shot(part, rules, room=room, reels=limits.reels)
        return clip, {"media": perf_counter() - begun}
    opened = np.asarray(open_picture(part.source, limits.pictures))
    decoded = perf_counter()
    clip = shot(replace(part, source=opened), rules, room=room, pictures=limits.pictures)
    return clip, {"media": decoded - begun, "resize": perf_counter() - decoded}


def _warm(limits: DecodeLimits) -> None:
    """Decode something in every format, so that a job's child, which can open no file, lacks no code."""
    PIL.AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # a job's child cannot have threads
    first, second = (PIL.Image.new("RGB", (WARM_SIDE, WARM_SIDE), colour) for colour in ("white", "black"))
    for kind in FORMATS:
        if kind not in PIL.Image.SAVE:  # this Pillow was built without
            continue
        file = io.BytesIO()
        first.save(file, kind, **({"save_all": True, "append_images": [second]} if kind == "GIF" else {}))
        _shot(Image(file.getvalue()), PictureRules(), 10**6, limits)
        if kind == "GIF":
            _shot(Video(file.getvalue()), PictureRules(), 10**6, limits)
    _film(limits)


def _film(limits: DecodeLimits) -> None:
    try:
        import av
    except ModuleNotFoundError:
        return
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        eye: Any = out.add_stream("mpeg4", rate=4)
        eye.width, eye.height, eye.pix_fmt = WARM_SIDE, WARM_SIDE, "yuv420p"
        white = np.full((WARM_SIDE, WARM_SIDE, 3), 255, np.uint8)
        for _ in range(4):
            out.mux(eye.encode(av.VideoFrame.from_ndarray(white, format="rgb24")))
        out.mux(eye.encode())
    _shot(Video(file.getvalue()), PictureRules(), 10**6, limits)


if __name__ == "__main__":
    main(int(sys.argv[1]), DecodeLimits(**json.loads(sys.argv[2])))
