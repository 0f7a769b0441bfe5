"""Frames between processes: a JSON header and raw bytes beside it, with their lengths first, never pickle."""

from __future__ import annotations

import json
import socket
import struct
from asyncio import IncompleteReadError, StreamReader
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

MARK = b"omma"
HEAD = struct.Struct("!4sII")  # the mark, bytes of the header, how many blobs
LENGTH = struct.Struct("!Q")

Blob: TypeAlias = bytes | bytearray | memoryview


class Frame(NamedTuple):
    """What one process tells another."""

    header: dict[str, Any]
    blobs: list[bytes | bytearray]


@dataclass(frozen=True)
class Bounds:
    """The largest frame that is taken in: bytes of its header, blobs, and bytes of all blobs together."""

    header: int = 1 << 26
    blobs: int = 4096
    bytes: int = 1 << 31


class Broken(Exception):
    """What came is no frame, or one over its bounds. The other side is mistaken or lies: hang up."""


class HungUp(Exception):
    """The other side is gone."""


BOUNDS = Bounds()


def written(header: Mapping[str, Any], blobs: Sequence[Blob] = ()) -> list[Blob]:
    """A frame as stretches of bytes, to be sent one after the other."""
    words = json.dumps(header, separators=(",", ":")).encode()
    sizes = b"".join(LENGTH.pack(memoryview(blob).nbytes) for blob in blobs)
    return [HEAD.pack(MARK, len(words), len(blobs)) + sizes + words, *blobs]


def send(to: socket.socket, header: Mapping[str, Any], blobs: Sequence[Blob] = ()) -> None:
    """Send a frame. Raises HungUp when nobody listens, TimeoutError after the socket's own time."""
    try:
        for stretch in written(header, blobs):
            to.sendall(stretch)
    except (BrokenPipeError, ConnectionError) as error:
        raise HungUp(str(error)) from None


def receive(source: socket.socket, bounds: Bounds = BOUNDS) -> Frame:
    """Take in one frame. Raises HungUp at the end, Broken for what is no frame, TimeoutError."""
    size, count = _head(_exactly(source, HEAD.size), bounds)
    sizes = _sizes(_exactly(source, count * LENGTH.size), bounds)
    header = _header(_exactly(source, size))
    return Frame(header, [_exactly(source, size) for size in sizes])


async def receive_from(source: StreamReader, bounds: Bounds = BOUNDS) -> Frame:
    """`receive` for a loop's stream."""
    try:
        size, count = _head(await source.readexactly(HEAD.size), bounds)
        sizes = _sizes(await source.readexactly(count * LENGTH.size), bounds)
        header = _header(await source.readexactly(size))
        return Frame(header, [await source.readexactly(size) for size in sizes])
    except (IncompleteReadError, ConnectionError) as error:
        raise HungUp(str(error)) from None


def _head(raw: Blob, bounds: Bounds) -> tuple[int, int]:
    mark, size, count = HEAD.unpack(raw)
    if mark != MARK:
        raise Broken(f"a frame begins with {mark!r}; wanted {MARK!r}")
    if size > bounds.header or count > bounds.blobs:
        raise Broken(
            f"a header of {size:,} bytes with {count:,} blobs; at most {bounds.header:,} and {bounds.blobs:,}"
        )
    return size, count


def _sizes(raw: Blob, bounds: Bounds) -> list[int]:
    sizes = [size for (size,) in LENGTH.iter_unpack(raw)]
    if sum(sizes) > bounds.bytes:
        raise Broken(f"a frame of {sum(sizes):,} bytes; at most {bounds.bytes:,} are taken in")
    return sizes


def _header(raw: Blob) -> dict[str, Any]:
    try:
        header = json.loads(bytes(raw))
    except (ValueError, RecursionError) as error:
        raise Broken(f"a frame's header is not JSON: {error}") from None
    if not isinstance(header, dict):
        raise Broken(f"a frame's header is {type(header).__name__}; wanted an object")
    return header


def _exactly(source: socket.socket, size: int) -> bytearray:
    held = bytearray(size)
    rest = memoryview(held)
    while rest:
        try:
            came = source.recv_into(rest)
        except ConnectionError as error:
            raise HungUp(str(error)) from None
        if not came:
            raise HungUp("the other side hung up")
        rest = rest[came:]
    return held
