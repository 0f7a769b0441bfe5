"""What is said between processes as plain JSON and blobs, and back: the same values, to the last bit."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from types import ModuleType
from typing import Any

import numpy as np

from omma import chat, errors, shape
from omma.errors import OmmaError
from omma.host.frames import Blob, Broken
from omma.host.settings import Setup
from omma.prep.pace import Pace
from omma.prep.rules import PictureRules
from omma.prep.video import Clip
from omma.sample import Size
from omma.serve.desk import Card, Cost, Shown

KIND = "!"  # the key that names a value's kind
INLINE = 1024  # bytes up to here stand in the JSON itself


def _nouns(*rooms: ModuleType) -> Iterator[type]:
    """The dataclasses of these rooms, and of the rooms that they have them from."""
    told = [
        cls for room in rooms for cls in vars(room).values() if inspect.isclass(cls) and is_dataclass(cls)
    ]
    for name in {cls.__module__ for cls in told}:
        yield from (
            cls for cls in vars(sys.modules[name]).values() if inspect.isclass(cls) and is_dataclass(cls)
        )


# Every noun of what is said. Nothing else is ever made from what another process sends.
KINDS: dict[str, type] = {
    cls.__name__: cls for cls in (*_nouns(chat, shape), Card, Clip, Cost, Pace, PictureRules, Setup, Shown)
}
_ERRORS: dict[str, type[OmmaError]] = {
    cls.__name__: cls for cls in vars(errors).values() if inspect.isclass(cls) and issubclass(cls, OmmaError)
}


def plain(value: Any, blobs: list[Blob]) -> Any:
    """The value as JSON; long bytes and pixels are put on `blobs` and named by their place there."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes() | bytearray() | memoryview():
            if memoryview(value).nbytes <= INLINE:
                return {KIND: "bytes", "of": bytes(value).decode("latin-1")}
            blobs.append(value)
            return {KIND: "blob", "at": len(blobs) - 1}
        case np.ndarray():
            if value.dtype != np.uint8:
                raise TypeError(f"pixels of {value.dtype}; wanted uint8")
            blobs.append(np.ascontiguousarray(value).data.cast("B"))
            return {KIND: "pixels", "at": len(blobs) - 1, "shape": list(value.shape)}
        case Size():
            return {KIND: "Size", "of": list(value)}
        case list():
            return [plain(item, blobs) for item in value]
        case tuple():
            return {KIND: "tuple", "of": [plain(item, blobs) for item in value]}
        case Mapping():
            if KIND not in value and all(isinstance(key, str) for key in value):
                return {key: plain(item, blobs) for key, item in value.items()}
            return {KIND: "mapping", "of": [[plain(k, blobs), plain(v, blobs)] for k, v in value.items()]}
    if not is_dataclass(value) or type(value) is not KINDS.get(type(value).__name__):
        raise TypeError(f"{type(value).__name__} is no noun that is told to another process")
    told = {field.name: getattr(value, field.name) for field in fields(value)}
    kept = {f.name: plain(told[f.name], blobs) for f in fields(value) if not _unsaid(told[f.name], f.default)}
    return {KIND: type(value).__name__, **kept}


def noun(raw: Any, blobs: Sequence[bytes | bytearray]) -> Any:
    """The value that `plain` was given. Raises Broken for what it never writes."""
    try:
        return _noun(raw, blobs)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Broken(f"not a noun: {type(error).__name__}: {error}") from None


def _unsaid(value: Any, default: Any) -> bool:
    """Whether a field is left out: it is the empty thing that it is by default."""
    empty = value is None or (isinstance(value, (tuple, str)) and not value)
    return empty and default is not MISSING and type(default) is type(value) and not default


def _noun(raw: Any, blobs: Sequence[bytes | bytearray]) -> Any:
    if isinstance(raw, list):
        return [_noun(item, blobs) for item in raw]
    if not isinstance(raw, dict):
        return raw
    match raw.get(KIND):
        case None:
            return {key: _noun(item, blobs) for key, item in raw.items()}
        case "bytes":
            return raw["of"].encode("latin-1")
        case "blob":
            return bytes(blobs[_place(raw)])
        case "pixels":
            return np.frombuffer(blobs[_place(raw)], np.uint8).reshape(raw["shape"])
        case "Size":
            return Size(*raw["of"])
        case "tuple":
            return tuple(_noun(item, blobs) for item in raw["of"])
        case "mapping":
            return {_noun(key, blobs): _noun(item, blobs) for key, item in raw["of"]}
        case kind:
            said = {key: _noun(item, blobs) for key, item in raw.items() if key != KIND}
            return KINDS[kind](**said)


def _place(raw: Mapping[str, Any]) -> int:
    place = raw["at"]
    if not isinstance(place, int) or place < 0:
        raise IndexError(f"blob {place!r}")
    return place


def plain_error(error: OmmaError) -> dict[str, Any]:
    """An error of ours as JSON: its class, its words, and after how long it may be asked again."""
    told: dict[str, Any] = {"error": type(error).__name__, "text": str(error)}
    if isinstance(error, errors.Busy):
        told["retry_after"] = error.retry_after
    if isinstance(error, errors.BadData):
        told["kind"] = error.kind
    return told


def error_of(raw: Mapping[str, Any]) -> OmmaError:
    """The error that `plain_error` was given; the root of the tree for a class that is not in it."""
    cls, text = _ERRORS.get(str(raw.get("error")), OmmaError), str(raw.get("text"))
    if issubclass(cls, errors.Busy):
        return cls(text, float(raw.get("retry_after", 1.0)))
    if issubclass(cls, errors.BadData):
        return cls(text, str(raw.get("kind", "record")))
    return cls(text)
