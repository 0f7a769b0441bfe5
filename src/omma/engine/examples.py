"""Short texts that match the patterns of strings: what may end a string that must hold such. No torch."""

from __future__ import annotations

import json
import re
from contextlib import suppress

from omma.engine.reach import within
from omma.shape import Calls, Schema, Shape

LETTERS = "0aA-_ .@/:#1bBzZ" + "".join(map(chr, range(0x21, 0x7F))) + "é\n\t"  # as they are tried for a class
MANY = 16  # patterns of a shape that are looked at
LONG = 200  # letters of a text


def examples_of(shape: Shape) -> tuple[tuple[int, ...], ...]:
    """Bytes, as they stand in JSON, of a match for each pattern of a string; some patterns have none here."""
    match shape:
        case Schema(schema):
            schemas = [schema]
        case Calls(tools):
            schemas = [schema for _, schema in tools]
        case _:
            return ()
    told = (found.get("pattern") for schema in schemas for found in within(schema))
    patterns = dict.fromkeys(pattern for pattern in told if isinstance(pattern, str))
    texts = dict.fromkeys(filter(None, map(example, list(patterns)[:MANY])))
    return tuple(tuple(json.dumps(text, ensure_ascii=False)[1:-1].encode()) for text in texts)


def example(pattern: str) -> str | None:
    """About the shortest match of a regular expression; None for one that looks around or back."""
    with suppress(ValueError, IndexError, RecursionError, re.error):
        text, end = _choice(pattern, 0)
        if end == len(pattern) and len(text) <= LONG:
            return text
    return None


def _choice(pattern: str, at: int) -> tuple[str, int]:
    """The shortest of what stands between strokes, and where it ends: at a bracket or the pattern's end."""
    texts = list[str]()
    while True:
        text, at = _sequence(pattern, at)
        texts.append(text)
        if pattern[at : at + 1] != "|":
            return min(texts, key=len), at
        at += 1


def _sequence(pattern: str, at: int) -> tuple[str, int]:
    told = list[str]()
    while at < len(pattern) and pattern[at] not in "|)":
        text, at = _one(pattern, at)
        least, at = _times(pattern, at)
        if least * len(text) > LONG:
            raise ValueError(pattern)
        told.append(least * text)
    return "".join(told), at


def _one(pattern: str, at: int) -> tuple[str, int]:
    """A match of what stands at a place, and where that ends."""
    letter = pattern[at]
    if letter in "^$":
        return "", at + 1
    if letter == "(":
        if pattern.startswith("(?", at) and not pattern.startswith("(?:", at):
            raise ValueError(pattern)
        text, end = _choice(pattern, at + 3 if pattern.startswith("(?:", at) else at + 1)
        if pattern[end : end + 1] != ")":
            raise ValueError(pattern)
        return text, end + 1
    if letter == "[":
        end = at + 1 + (pattern[at + 1 : at + 2] == "^")
        end += 1  # a bracket that stands first is a letter
        while pattern[end] != "]":
            end += 2 if pattern[end] == "\\" else 1
        return _letter(pattern[at : end + 1]), end + 1
    if letter == "\\":
        end = at + {"x": 4, "u": 6}.get(pattern[at + 1], 2)
        if pattern[at + 1] in "bB":
            return "", end
        return _letter(pattern[at:end]), end
    return ("a" if letter == "." else letter), at + 1


def _letter(expression: str) -> str:
    """A letter that an expression for one letter matches."""
    allowed = re.compile(expression, re.ASCII)
    found = next((letter for letter in LETTERS if allowed.fullmatch(letter)), None)
    if found is None:
        raise ValueError(expression)
    return found


def _times(pattern: str, at: int) -> tuple[int, int]:
    """How often what stands before must be repeated at least, and where that is said to its end."""
    least, end = 1, at
    if pattern[at : at + 1] in ("*", "?", "+"):
        least, end = int(pattern[at] == "+"), at + 1
    elif told := re.compile(r"\{(\d{1,6})(,\d*)?\}").match(pattern, at):
        least, end = int(told[1]), told.end()
    return least, end + (end > at and pattern[end : end + 1] in ("?", "+"))
