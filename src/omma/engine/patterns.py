"""How large a regular expression may be that an answer is held to. No torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omma.errors import BadShape, halved

MOST = 1 << 20  # letters, from which on they are not counted


def pattern_of(pattern: Any, where: str, *, letters: int, unfolded: int) -> str:
    """A regular expression that is text and no longer than may be, its repeats unfolded too. Raises BadShape.

    What has to be repeated is gone through letter by letter before each token, so its length is its price.
    """
    if not isinstance(pattern, str):
        raise BadShape(f"{where} is {type(pattern).__name__}; wanted a regular expression as text")
    if len(pattern) > letters:
        raise BadShape(f"{where} has {len(pattern):,} letters; at most {letters:,} are taken")
    if told := halved(pattern):
        raise BadShape(f"{where} holds {told}")
    if (long := length(pattern)) > unfolded:
        told = f"{long:,}" if long < MOST else f"over {MOST:,}"
        raise BadShape(
            f"{where} asks for {told} letters with its repeats written out; at most {unfolded:,} are taken: "
            "repeat less"
        )
    return pattern


def length(pattern: str, weigh: Callable[[str], int] = lambda piece: 1) -> int:
    """About how many letters an expression has with what must be repeated written out, MOST at most.

    Every choice counts. A letter, a class of them or an escape counts as `weigh` says of what stands there.
    """
    groups, last, at = [0], 0, 0
    while at < len(pattern):
        begins, letter, at = at, pattern[at], at + 1
        if letter == "(":
            groups.append(0)
            last = 0
            continue
        if letter == "{" and (times := _times(pattern, at)) is not None:
            count, at = times
            more = last * max(count - 1, 0)
            groups[-1], last = min(groups[-1] + more, MOST), min(last + more, MOST)
            continue
        if letter == "[":
            at = max(_shut(pattern, at) + 1, at)
        if letter == "\\":
            at += 1
        last = groups.pop() if letter == ")" and len(groups) > 1 else weigh(pattern[begins:at])
        groups[-1] = min(groups[-1] + last, MOST)
    return min(sum(groups), MOST)


def _times(pattern: str, at: int) -> tuple[int, int] | None:
    """The least number of times in the braces that open before `at`, and where they have shut."""
    shut = pattern.find("}", at)
    least = pattern[at:shut].split(",")[0].strip() if shut > 0 else ""
    if not (least.isascii() and least.isdigit()):
        return None
    return (int(least) if len(least) < 8 else MOST), shut + 1


def _shut(pattern: str, at: int) -> int:
    """Where the class of letters ends that begins before `at`; -1 where it does not."""
    at += pattern[at : at + 1] == "^"
    at += pattern[at : at + 1] == "]"
    while at < len(pattern) and pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return at if at < len(pattern) else -1
