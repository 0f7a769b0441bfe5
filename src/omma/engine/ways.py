"""Finds a short way to the end of an answer that is held to a grammar, byte by byte. No torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from omma.errors import BadShape

BLANKS = frozenset(b" \t\r\n")
ESCAPE = frozenset(b"\\")
CLOSING = (
    b'"}])>:,'  # tried first, and counted: of ways of one length, the one with more of them is further on
)
SOME = b" 01589-./_@#aefxzAFXZ"  # of many letters that may come, those that are tried in a quick search
MANY = 24  # letters
QUICK, THOROUGH = 3, 6  # ways of one length that are gone on with
FINAL = 2  # lengths looked at beyond that of the first way found: a longer one may have fewer tokens
NONE = 1 << 20  # tokens that a spelling counts for which there is none
AGAIN = 1000  # places of a thorough search
RUN = 8  # the same letter so often, to tell apart places that allow the same next letter


class Walk(Protocol):
    """What of a grammar's walk is needed here."""

    def take(self, token: int) -> None: ...
    def mask(self) -> NDArray[np.bool_]: ...
    def follows(self, tokens: Sequence[int]) -> int: ...
    def copy(self) -> Walk: ...


@dataclass(frozen=True, eq=False)
class Letters:
    """Of a vocabulary: `tokens` by id, the ids of `marks`, and those that end an answer."""

    tokens: Sequence[bytes]
    marks: frozenset[int]
    stops: frozenset[int]

    @property
    def stop(self) -> int:
        """One that ends an answer."""
        return min(self.stops)

    @cached_property
    def ids(self) -> Mapping[bytes, int]:
        """The first token of each spelling; marks are none."""
        told: dict[bytes, int] = {}
        for token, text in enumerate(self.tokens):
            if text and token not in self.marks:
                told.setdefault(text, token)
        return told

    def opens(self, token: int) -> int:
        """How many brackets a token opens, or more if they are letters."""
        text = self.tokens[token] if token < len(self.tokens) else b""
        return text.count(b"{") + text.count(b"[")

    @cached_property
    def longest(self) -> int:
        """Bytes of the longest token."""
        return max(map(len, self.ids))

    @cached_property
    def steps(self) -> tuple[NDArray[np.int64], ...]:
        """What may be written next, in the order of being tried; the later groups where no earlier goes on.

        Marks and plain letters, then bytes of other letters, blanks, the escape, and control characters.
        """
        byte = {text[0]: token for text, token in self.ids.items() if len(text) == 1}
        plain = [
            *CLOSING,
            *(one for one in range(0x21, 0x7F) if one not in CLOSING and one not in ESCAPE),
            0x20,
        ]
        groups = (plain, range(0x80, 0x100), sorted(BLANKS - {0x20}), sorted(ESCAPE), range(0x20))
        first, *others = (tuple(byte[one] for one in group if one in byte) for group in groups)
        return tuple(np.array(group, np.int64) for group in ((*sorted(self.marks), *first), *others))

    @cached_property
    def some(self) -> frozenset[int]:
        """The steps of a quick search, where many letters may come."""
        return (
            self.marks | self.closing | {self.ids[bytes([one])] for one in SOME if bytes([one]) in self.ids}
        )

    @cached_property
    def closing(self) -> frozenset[int]:
        """The tokens of the closing bytes."""
        return frozenset(self.ids[bytes([one])] for one in CLOSING if bytes([one]) in self.ids)

    @cached_property
    def shutting(self) -> frozenset[int]:
        """The tokens of the brackets that end what is open in JSON."""
        return frozenset(self.ids[text] for text in (b"}", b"]") if text in self.ids)

    @cached_property
    def quote(self) -> int | None:
        """The token that ends a string."""
        return self.ids.get(b'"')

    @cached_property
    def blank(self) -> int | None:
        """The token of a blank."""
        return self.ids.get(b" ")

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """What may end a string or an answer, token by token."""
        return (self.stop,) if self.quote is None else (self.stop, self.quote)

    def fewest(self, tokens: Sequence[int]) -> tuple[int, ...]:
        """The same text in as few tokens as there are for it; marks stay as they are."""
        told, text = list[int](), b""
        for token in tokens:
            if token in self.marks:
                told += [*self._spelled(text), token]
                text = b""
            else:
                text += self.tokens[token]
        return (*told, *self._spelled(text))

    def _spelled(self, text: bytes) -> list[int]:
        best: list[tuple[int, int]] = [(0, 0)]  # tokens up to here, and the bytes of the last
        for end in range(1, len(text) + 1):
            lengths = range(1, min(self.longest, end) + 1)
            costs = ((1 if text[end - n : end] in self.ids else NONE, n) for n in lengths)
            best.append(min((best[end - n][0] + cost, n) for cost, n in costs))
        told, end = list[int](), len(text)
        while end:
            told.append(self.ids[text[end - best[end][1] : end]])
            end -= best[end][1]
        return told[::-1]


class _Node(NamedTuple):
    """A place that was come to, and the steps to it from where the search began."""

    walk: Walk
    path: tuple[int, ...]
    allowed: Sequence[int]
    sign: int  # of all that is allowed there
    many: bool  # letters, of which some may be left out
    further: int = 0  # closing steps on the path, other than letters among many
    alike: Sequence[int] | None = None  # steps to unlike places, where the node before allowed the same


def way_out(
    walk: Walk, letters: Letters, *, most: int, known: Sequence[int] = (), json: bool = True, work: int = 1000
) -> tuple[int, ...] | None:
    """Tokens that bring an answer to an end, its stop id left out: at most `most`, or None if none is found.

    `known` is a way that led out a token ago, which is come back to where that can be. Of what is found the
    fewest tokens are told. In `json` brackets and quotes are known to end what is open. About `work` places
    are looked at, the same ones each time; again and more thoroughly where nothing was found or known.
    """
    for quick in (True,) if known or not work else (True, False):
        with suppress(BadShape):  # a place that is too complex to look at leads nowhere
            places = work if quick else min(work, AGAIN)
            search = _Search(walk, letters, most, tuple(known), places, quick=quick, json=json and quick)
            if (told := search.found()) is not None:
                return told
    return None


class _Search:
    def __init__(
        self,
        walk: Walk,
        letters: Letters,
        most: int,
        known: tuple[int, ...],
        work: int,
        *,
        quick: bool,
        json: bool,
    ) -> None:
        self.letters, self.most, self.known, self.work = letters, most, known, work
        self.quick, self.json = quick, json
        self.wide = QUICK if quick else THOROUGH
        self.best: tuple[int, ...] | None = None
        self.enough: int | None = None  # steps, beyond which nothing better is looked for
        self.line: list[tuple[int, int, int, int, _Node]] = []
        self.met: set[tuple[object, ...]] = set()
        self.gone_on: dict[int, int] = {}  # by length, how many nodes
        self.count = self.order = 0
        self._join(walk, ())
        if self.best is None:
            heappush(self.line, (0, 0, 0, 0, self._node(walk, ())))

    def found(self) -> tuple[int, ...] | None:
        while self.line and self.count < self.work:
            length, *_, node = heappop(self.line)
            if self.enough is not None and length > self.enough:
                break
            if self.gone_on.get(length, 0) < self.wide:
                self.gone_on[length] = self.gone_on.get(length, 0) + 1
                self._go_on(node)
        return self.best

    def _go_on(self, node: _Node) -> None:
        """The places one step further, those that are alike once."""
        told: dict[tuple[int, int, tuple[int, ...]], _Node] = {}
        for step in node.allowed if node.alike is None else node.alike:
            self.count += 1
            walk, path = node.walk.copy(), (*node.path, step)
            walk.take(step)
            self._join(walk, path)
            one = self._node(walk, path)
            runs = self._runs(walk, step) if one.sign == node.sign else ()
            told.setdefault((len(path), one.sign, runs), one)
        steps = tuple(one.path[-1] for one in told.values())
        for sign, one in told.items():
            if sign not in self.met:
                self.met.add(sign)
                self.order += 1
                further = node.further + (not node.many and one.path[-1] in self.letters.closing)
                alike = steps if node.many and one.sign == node.sign else None
                rank = (len(one.path), -further, min(sign[-1], default=0), self.order)
                heappush(self.line, (*rank, one._replace(further=further, alike=alike)))

    def _node(self, walk: Walk, path: tuple[int, ...]) -> _Node:
        """A place, and the steps that may come next: those of the first group of which any may."""
        mask_V = walk.mask()
        mask_V[list(self.letters.stops)] = False
        groups = (group[mask_V[group]] for group in self.letters.steps)
        allowed = next((told for told in groups if len(told)), np.flatnonzero(mask_V)[:THOROUGH])
        steps = allowed.tolist()
        many = len(steps) > MANY
        return _Node(walk, path, self._worth(steps, many), hash(mask_V.tobytes()), many)

    def _worth(self, steps: list[int], many: bool) -> list[int]:
        """Those of the steps that are worth being tried; a blank is only among many letters."""
        letters = self.letters
        if self.json and many and letters.quote in steps and letters.marks.isdisjoint(steps):
            return [step for step in steps if step == letters.quote]
        if self.json and not many and (shutting := [step for step in steps if step in letters.shutting]):
            return shutting
        if many:
            return [step for step in steps if step in letters.some] if self.quick else steps
        return [step for step in steps if step != letters.blank] or steps

    def _runs(self, walk: Walk, step: int) -> tuple[int, ...]:
        """How often a letter must still come before something may end, RUN + 1 where that does not help."""
        ends = self.letters.ends
        return tuple(
            next((n for n in range(RUN) if walk.follows((*[step] * n, end)) == n + 1), RUN + 1)
            for end in ends
        )

    def _join(self, walk: Walk, path: tuple[int, ...]) -> None:
        """See whether an answer may end here, or go on as was known, and keep the better way."""
        tail = next(self._tails(walk), None)
        if tail is not None:
            told = (*self.letters.fewest(path), *tail)
            if len(told) > self.most:
                told = self.letters.fewest((*path, *tail))
            if len(told) <= self.most and (self.best is None or len(told) < len(self.best)):
                self.best = told
            if self.enough is None and self.best is not None:
                self.enough = len(path) + (0 if self.known else FINAL)

    def _tails(self, walk: Walk) -> Iterator[tuple[int, ...]]:
        """What of the known way leads out from here, the shortest first."""
        for at in range(len(self.known), -1, -1):
            tail = (*self.known[at:], self.letters.stop)
            if walk.follows(tail[:1]) and walk.follows(tail) == len(tail):
                yield tail[:-1]
