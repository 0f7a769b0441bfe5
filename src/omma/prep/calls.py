"""Calls of tools out of an answer, whole or cut short, and the words before them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from omma.chat import ToolCall
from omma.prep.loose import Entry, entries, text_start

FIRST, LAST = "<tool_call>", "</tool_call>"
_BLANK = re.compile(r"\s*+")
_DECODER = json.JSONDecoder()
ARGUMENTS = ("arguments", "parameters")


@dataclass(frozen=True)
class Called:
    """What an answer says and calls. `cut`: its last call was not finished, and is left out."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    cut: bool = False


def parse_calls(text: str, *, name: str = "call") -> Called:
    """The calls of an answer, in their order, with the ids `name`_0, `name`_1, …. Never raises.

    Calls stand between ``<tool_call>`` and ``</tool_call>``, objects with a name and arguments. The text
    is what stands before the first, without the line end between; thoughts before it are no calls. What is
    between the marks and names no tool is no call; nearly right JSON is read as it was meant.
    """
    first = at = text.find(FIRST, text_start(text))
    if first < 0:
        return Called(text)
    calls: list[ToolCall] = []
    cut = False
    while at >= 0:
        entry, end = _body(text, at + len(FIRST))
        cut = entry is None or (isinstance(entry, Entry) and entry.cut)
        if not cut and entry is not None and (called := _call(entry)) is not None:
            calls.append(ToolCall(called[0], called[1], f"{name}_{len(calls)}"))
        at = text.find(FIRST, end)
    unfinished = cut and LAST not in text[text.rfind(FIRST) :]
    return Called(text[:first].removesuffix("\n"), tuple(calls), unfinished)


def _body(text: str, start: int) -> tuple[Mapping[str, Any] | None, int]:
    """The object of a call that begins at `start`, None if there is none, and where it ends."""
    try:
        value, end = _DECODER.raw_decode(text, _BLANK.match(text, start).end())  # type: ignore[union-attr]
        if isinstance(value, dict):
            return value, end  # whatever its texts hold, marks too
    except (ValueError, RecursionError):
        pass
    ends = [at for mark in (FIRST, LAST) if (at := text.find(mark, start)) >= 0]
    end = min(ends, default=len(text))
    return next(entries(text[start:end]), None), end


def _call(entry: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """A tool's name and arguments; None for an object that is no call."""
    named = entry.get("name")
    arguments: Any = next((entry[key] for key in ARGUMENTS if key in entry), {})
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return None
    if not isinstance(named, str) or not named or not isinstance(arguments, Mapping):
        return None
    return named, dict(arguments)
