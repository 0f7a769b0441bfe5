"""What a person names as a picture or a video, as bytes to read: nothing is fetched, nothing runs."""

from __future__ import annotations

import base64
import binascii
import io
import os
import re
import threading
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from omma.chat import MediaSource, source_name
from omma.errors import BadInput, MissingFile, OmmaError

VIDEO_ENDINGS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".flv"})
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def names_video(source: MediaSource) -> bool:
    """Whether a source is a path that ends as those of videos do."""
    return isinstance(source, (str, Path)) and Path(source).suffix.lower() in VIDEO_ENDINGS


@contextmanager
def open_bytes(source: MediaSource, kind: str, refuse: type[BadInput], limit: int) -> Iterator[IO[bytes]]:
    """A source's bytes as a seekable file, for the time of a `with`. Nothing is fetched over a network.

    `refuse` is raised, naming the source, when it cannot hold a `kind`; MissingFile when it cannot be opened.
    `limit` bounds the bytes that are held in memory: those of a data: URL or of a stream that cannot seek.
    """
    name = source_name(source)
    if isinstance(source, str):
        source = _named(source, kind, refuse)
    match source:
        case Path():
            with _open_file(source, name) as file:
                yield _from_start(file, name, kind, refuse)
            return
        case bytes() | bytearray() | memoryview():
            held = bytes(source)
        case io.IOBase() if source.closed or isinstance(source, io.TextIOBase):
            raise refuse(f"{name} is a file that is closed or of text; wanted one opened with 'rb'")
        case io.IOBase() if source.seekable():
            yield _from_start(cast(IO[bytes], source), name, kind, refuse)
            return
        case _ if hasattr(source, "read"):
            held = source.read(limit + 1)
        case _:
            raise refuse(f"{name} is no {kind}; give a path, bytes, an open file, a data: URL or pixels")
    if not isinstance(held, bytes) or not held:
        raise refuse(f"{name} holds no bytes; wanted a {kind}")
    if len(held) > limit:
        raise refuse(f"{name} holds more than {limit:,} bytes, the most that is taken in for a {kind}")
    yield io.BytesIO(held)


@contextmanager
def decoding(source: MediaSource, kind: str, refuse: type[BadInput]) -> Iterator[None]:
    """Decode inside, without a warning. Decoders fail on broken bytes in many ways; all mean the same."""
    try:
        with _quiet:
            yield
    except (OmmaError, MemoryError):
        raise
    except Exception as error:
        why = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
        if why == "not identified by this driver":  # Pillow's words for a header that ends too early
            why = "its header is cut off or wrong"
        raise refuse(f"{source_name(source)} is a broken {kind}: {why}") from error


def _named(source: str, kind: str, refuse: type[BadInput]) -> Path | bytes:
    """A text is a path, a data: URL or a file: URL."""
    if not source:
        raise MissingFile(f"the name of a {kind} is empty; give a path, a data: URL or bytes")
    if source[:5].lower() == "data:":
        return _from_data_url(source, kind, refuse)
    if source[:8].lower() == "file:///":
        return Path(urllib.request.url2pathname(source[7:]))
    if ADDRESS.match(source):
        raise refuse(
            f"{source_name(source)} is an address, and fetching is off; give a file, bytes or a data: URL"
        )
    return Path(source)


def _from_start(file: IO[bytes], name: str, kind: str, refuse: type[BadInput]) -> IO[bytes]:
    if not file.seek(0, io.SEEK_END):
        raise refuse(f"{name} is empty; wanted a {kind}")
    file.seek(0)
    return file


def check_plain(path: Path, name: str) -> None:
    """Raise MissingFile for a folder, a device or a pipe: to open a pipe would wait for whoever writes it.

    What is not there is left to the opening, which says so.
    """
    if os.path.isdir(path):  # unlike a Path's own, these say no to a name that is too long
        raise MissingFile(f"{name} is a folder; wanted a file")
    if os.path.exists(path) and not os.path.isfile(path):
        raise MissingFile(f"{name} is a device or a pipe; wanted a file")


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths, however they are spelled or linked, are one file that is there."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def _open_file(path: Path, name: str) -> IO[bytes]:
    try:
        check_plain(path, name)
        return path.open("rb")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise MissingFile(f"{name} cannot be opened: {why.lower()}") from error


def _from_data_url(url: str, kind: str, refuse: type[BadInput]) -> bytes:
    head, comma, body = url.partition(",")
    if not comma:
        raise refuse(f"{source_name(url)} is no data: URL; wanted data:{kind}/…;base64,…")
    raw = urllib.parse.unquote_to_bytes(body)
    if not head.lower().endswith(";base64"):
        return raw
    try:
        return base64.b64decode(b"".join(raw.split()), validate=True)
    except binascii.Error as error:
        raise refuse(f"{source_name(url)} is not base64: {str(error).lower()}") from error


class _Quiet:
    """Decoders' warnings are kept from the user while any thread decodes; a bad file is told as an error.

    The filters of `warnings` belong to the whole process, so the first thread in sets them aside and the
    last one out puts them back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._kept = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._kept = warnings.catch_warnings()
                self._kept.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._kept.__exit__(None, None, None)


_quiet = _Quiet()
