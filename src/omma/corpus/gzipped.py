"""A file packed with gzip, read from any place of what is in it: nothing is unpacked onto the disk."""

from __future__ import annotations

import io
import os
import threading
import zlib
from bisect import bisect_right
from pathlib import Path
from typing import IO, Any, NamedTuple

FORMAT = 16 + zlib.MAX_WBITS  # gzip's own, with its check sums
BITE = 1 << 16  # packed bytes that are read at a time
OUT = 1 << 18  # bytes that are unpacked at a time
APART, MOST = 1 << 20, 256  # stops stand so far apart, twice as far each time there are so many


class Stop(NamedTuple):
    """A place that unpacking can begin at: bytes of it in the packed file and in what it holds.

    The state is the unpacker's own, some 40 kB; None begins a member of the file.
    """

    packed: int
    place: int
    state: Any


class Gzipped:
    """A gzip file as one of plain bytes. It learns where unpacking can begin while it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.apart = APART
        self._noting = threading.Lock()
        self.stops = [Stop(0, 0, None)]
        self.end: int | None = None  # of what can be unpacked; None while nobody has come there
        self.broken = ""  # why it ends there, where that is not the file's end

    def open(self) -> IO[bytes]:
        """What is in it, as a file to be read from any place on. It ends where it is damaged."""
        return io.BufferedReader(_Stream(self, self.path.open("rb", buffering=0)), OUT)

    def problem(self) -> str:
        """Why not all of it can be unpacked; nothing where it can. Whoever asks first reads to its end."""
        if self.end is None:
            with self.open() as file:
                file.seek(0, io.SEEK_END)
        return self.broken

    def guess(self) -> int:
        """About how many bytes are in it, by how the first of them are packed."""
        if self.end is not None:
            return self.end
        with self.path.open("rb") as file:
            head, size = file.read(BITE), os.fstat(file.fileno()).st_size
        try:
            begun = len(zlib.decompressobj(FORMAT).decompress(head))
        except zlib.error:
            begun = 0
        return max(size, size * begun // max(len(head), 1))

    def before(self, place: int) -> Stop:
        """The last stop that is not past this place."""
        stops = self.stops  # another thread may put others in their place
        return stops[bisect_right(stops, place, key=lambda stop: stop.place) - 1]

    def passing(self, stop: Stop) -> None:
        """Note a stop where the last one is far behind; of very many every other goes."""
        with self._noting:
            if stop.place - self.stops[-1].place < self.apart:
                return
            self.stops.append(stop._replace(state=stop.state and stop.state.copy()))
            if len(self.stops) > MOST:
                self.stops, self.apart = self.stops[::2], self.apart * 2


class _Stream(io.RawIOBase):
    """The bytes in a gzip file, unpacked as they are read, over all of its members."""

    def __init__(self, whole: Gzipped, file: io.FileIO) -> None:
        self._whole, self._file = whole, file
        self._wanted = 0  # where reading goes on
        self._begin(whole.stops[0])

    def _begin(self, stop: Stop) -> None:
        self._file.seek(stop.packed)
        self._taken = stop.packed  # packed bytes that were used up
        self._at = stop.place  # bytes of what is in it that were unpacked
        self._state = stop.state and stop.state.copy()
        self._rest = b""  # packed bytes that were read and not used up
        self._salvaged: bytes | None = None  # the last whole bytes before a damage

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._wanted

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; the end is where it can be unpacked to."""
        if whence == io.SEEK_END:
            self._begin(self._whole.stops[-1])
            while self._unpack(OUT):
                pass
            offset += self._at
        elif whence == io.SEEK_CUR:
            offset += self._wanted
        self._wanted = offset
        return offset

    def readinto(self, buffer: Any) -> int:
        stop = self._whole.before(self._wanted)
        if self._at > self._wanted or stop.place > self._at:
            self._begin(stop)
        while self._at < self._wanted:
            if not self._unpack(min(OUT, self._wanted - self._at)):
                return 0
        body = self._unpack(min(len(buffer), OUT))
        buffer[: len(body)] = body
        self._wanted += len(body)
        return len(body)

    def _unpack(self, most: int) -> bytes:
        """The next bytes, at most so many; none at the end."""
        while self._salvaged is None and (self._state is not None or self._next_member()):
            rest = self._rest or self._file.read(BITE) or b""
            before = self._state.copy()
            try:
                body: bytes = self._state.decompress(rest, most)
            except zlib.error as problem:
                self._salvaged = _salvage(before, rest)
                self._whole.broken = f"it is damaged ({problem})"
                break
            ended = self._state.eof
            self._rest = self._state.unused_data if ended else self._state.unconsumed_tail
            self._taken += len(rest) - len(self._rest)
            self._at += len(body)
            if ended:
                self._state = None
            elif not rest and not body:
                self._whole.broken = "it ends in the middle"
                break
            self._whole.passing(Stop(self._taken, self._at, self._state))
            if body:
                return body
        body, self._salvaged = (self._salvaged or b"")[:most], (self._salvaged or b"")[most:]
        self._at += len(body)
        if not body:
            self._whole.end = self._at
        return body

    def _next_member(self) -> bool:
        """Begin the next member, if there is one; zeros behind the last are padding."""
        while not (kept := self._rest.lstrip(b"\0")):
            self._taken += len(self._rest)
            self._rest = self._file.read(BITE) or b""
            if not self._rest:
                return False
        self._taken += len(self._rest) - len(kept)
        self._rest = kept
        self._state = zlib.decompressobj(FORMAT)
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


def _salvage(state: Any, rest: bytes) -> bytes:
    """What stands before a damage, byte by byte: the same from wherever unpacking began."""
    found: list[bytes] = []
    try:
        for at in range(len(rest)):
            found.append(state.decompress(rest[at : at + 1]))
    except zlib.error:
        pass
    return b"".join(found)
