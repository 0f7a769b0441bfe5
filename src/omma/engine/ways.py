"""Finds a short way to the end of an answer that is held to a grammar, letter by letter. No torch."""

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
BYTES = 256  # letters that are bytes; marks come after them
QUOTE, BLANK = ord('"'), ord(" ")
OPENING, SHUTTING = frozenset(b"{["), frozenset(b"}]")
CLOSING = tuple(b'"}])>:,')
SOME = b" 01589-./_@#aefxzAFXZ"  # of many letters that may come, those that are tried in a quick search
MANY = 24  # letters
QUICK, THOROUGH = 3, 6  # ways of one length that are gone on with
FINAL = 2  # lengths looked at beyond that of the first way found: a longer one may have fewer tokens
NONE = 1 << 20  # tokens that a spelling counts for which there is none
AGAIN = 1000  # places of a thorough search
NEAR = 48  # tokens of a known way, from its beginning and from its end, after which it is come back to
LONG = 64  # letters of a known way that are walked count as a place
SPELLED = 32  # bytes of the longest token that a way is spelled with
RUN = 8  # the same letter so often, to tell apart places that allow the same next letter


class Walk(Protocol):
    """What of a grammar's walk is needed here."""

    def take(self, token: int) -> None: ...
    def mask(self) -> NDArray[np.bool_]: ...
    def follows(self, tokens: Sequence[int]) -> int: ...
    def copy(self) -> Walk: ...


@dataclass(frozen=True, eq=False)
class Letters:
    """A vocabulary taken apart: its `tokens` by id, the ids of `marks`, and those that end an answer.

    A way is looked for over letters instead of tokens, as they are a few hundred in every vocabulary: of a
    byte its value, of a mark 256 and its rank among the marks, and one that ends the answer.
    """

    tokens: Sequence[bytes]
    marks: frozenset[int]
    stops: frozenset[int]

    @property
    def stop(self) -> int:
        """A token that ends an answer."""
        return min(self.stops)

    @property
    def end(self) -> int:
        """The letter that ends an answer, beyond all others."""
        return BYTES + len(self.marks)

    @cached_property
    def ids(self) -> Mapping[bytes, int]:
        """The first token of each spelling; marks are none."""
        told: dict[bytes, int] = {}
        for token, text in enumerate(self.tokens):
            if text and token not in self.marks:
                told.setdefault(text, token)
        return told

    @cached_property
    def ranked(self) -> tuple[int, ...]:
        """The marks in the order of their letters."""
        return tuple(sorted(self.marks))

    @cached_property
    def of_mark(self) -> Mapping[int, int]:
        """The letter of each mark."""
        return {mark: BYTES + rank for rank, mark in enumerate(self.ranked)}

    def of(self, tokens: Sequence[int]) -> list[int]:
        """The letters of tokens none of which ends the answer."""
        told = list[int]()
        for token in tokens:
            told += (self.of_mark[token],) if token in self.marks else self.tokens[token]
        return told

    def opens(self, token: int) -> int:
        """How many brackets a token opens, or more if they are letters."""
        text = self.tokens[token] if token < len(self.tokens) else b""
        return text.count(b"{") + text.count(b"[")

    @cached_property
    def longest(self) -> int:
        """Bytes of the longest token that is spelled with: those beyond are blanks in a row, mostly."""
        return min(max(map(len, self.ids)), SPELLED)

    @cached_property
    def steps(self) -> tuple[NDArray[np.int64], ...]:
        """The letters that may be written next, as they are tried; later groups where no earlier goes on.

        Marks and plain letters, then bytes of other letters, blanks, the escape, and control characters.
        """
        plain = [
            *CLOSING,
            *(one for one in range(0x21, 0x7F) if one not in CLOSING and one not in ESCAPE),
            0x20,
        ]
        groups = (plain, range(0x80, 0x100), sorted(BLANKS - {0x20}), sorted(ESCAPE), range(0x20))
        first, *others = ([one for one in group if bytes([one]) in self.ids] for group in groups)
        return tuple(np.array(group, np.int64) for group in ((*range(BYTES, self.end), *first), *others))

    @cached_property
    def some(self) -> frozenset[int]:
        """The steps of a quick search, where many letters may come."""
        return frozenset((*range(BYTES, self.end), *CLOSING, *SOME))

    def fewest(self, letters: Sequence[int]) -> tuple[int, ...]:
        """The same text in as few tokens as there are for it; marks stay as they are."""
        told, text = list[int](), bytearray()
        for letter in letters:
            if letter >= BYTES:
                told += [*self._spelled(bytes(text)), self.ranked[letter - BYTES]]
                text.clear()
            else:
                text.append(letter)
        return (*told, *self._spelled(bytes(text)))

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
    further: tuple[int, ...] = (0, 0)  # less is further: see _further
    alike: Sequence[int] | None = None  # steps to unlike places, where the node before allowed the same


def _further(before: tuple[int, ...], step: int) -> tuple[int, ...]:
    """How far on a path is after a step: of paths of one length the lowest is gone on with first.

    Brackets that were shut, from without the start first; then for each that stands around the path, and for
    the path within, closing steps that were made there, less those brackets that were opened: what is deep in
    something that need not have been begun counts less than what is over. All of them below zero.
    """
    told = before
    if step in OPENING:
        return (*told[:-1], told[-1] + 1, 0)
    if step in SHUTTING:
        told = told[:-1] if len(told) > 2 else (told[0] - 1, 0)
    return (*told[:-1], told[-1] - 1) if step in CLOSING else told


@dataclass
class Budget:
    """How many `places` may yet be looked at for an answer."""

    places: int


def way_out(
    walk: Walk,
    letters: Letters,
    *,
    most: int,
    known: Sequence[int] = (),
    json: bool = True,
    work: int = 1000,
    budget: Budget | None = None,
    examples: Sequence[Sequence[int]] = (),
) -> tuple[int, ...] | None:
    """Tokens that bring an answer to an end, its stop id left out: at most `most`, or None if none is found.

    `walk` goes through the grammar letter by letter, see `Letters`. `known` is a way that led out a token
    ago, which is come back to where that can be. Of what is found the fewest tokens are told. In `json`
    brackets and quotes are known to end what is open. About `work` places are looked at, the same ones each
    time; again and more thoroughly where nothing was found or known. They are taken from the `budget`.
    Of `examples`, letters that may have to stand somewhere, each is tried as a whole among many letters.
    """
    budget = budget or Budget(2 * work)
    for quick in (True,) if known or not work else (True, False):
        with suppress(BadShape):  # a place that is too complex to look at leads nowhere
            places = min(work if quick else min(work, AGAIN), budget.places)
            search = _Search(walk, letters, most, tuple(known), places, quick=quick, json=json and quick)
            search.examples = examples
            try:
                told = search.found()
            finally:
                budget.places -= search.count
            if told is not None:
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
        self.rest = [*letters.of(known), letters.end]  # of the known way, letter by letter
        self.tails = list[tuple[int, int]]()  # where it is come back to, in tokens and in letters
        place = 0
        for at in range(len(known) + 1):
            if at <= NEAR or at >= len(known) - NEAR:
                self.tails.append((at, place))
            place += len(letters.of(known[at : at + 1]))
        self.quick, self.json = quick, json
        self.wide = QUICK if quick else THOROUGH
        self.best: tuple[int, ...] | None = None
        self.enough: int | None = None  # steps, beyond which nothing better is looked for
        self.line: list[tuple[int, tuple[int, ...], int, int, _Node]] = []
        self.met: set[tuple[object, ...]] = set()
        self.gone_on: dict[int, int] = {}  # by length, how many nodes
        self.count = self.order = 0
        self.examples: Sequence[Sequence[int]] = ()
        self._join(walk, ())
        if self.best is None:
            heappush(self.line, (0, (), 0, 0, self._node(walk, ())))

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
        for steps in self._steps(node):
            self.count += len(steps)
            walk, path = node.walk.copy(), (*node.path, *steps)
            for step in steps:
                walk.take(step)
            self._join(walk, path)
            one = self._node(walk, path)
            runs = self._runs(walk, steps[-1]) if one.sign == node.sign else ()
            told.setdefault((len(path), one.sign, runs), one)
        unlike = tuple(one.path[-1] for one in told.values() if len(one.path) == len(node.path) + 1)
        for sign, one in told.items():
            if sign not in self.met:
                self.met.add(sign)
                self.order += 1
                further = node.further if node.many else _further(node.further, one.path[-1])
                alike = unlike if node.many and one.sign == node.sign else None
                rank = (len(one.path), further, min(sign[-1], default=0), self.order)
                heappush(self.line, (*rank, one._replace(further=further, alike=alike)))

    def _steps(self, node: _Node) -> Iterator[Sequence[int]]:
        """What may come next: a letter each, and among many letters whole examples."""
        yield from ((step,) for step in (node.allowed if node.alike is None else node.alike))
        if node.many:
            yield from (told for told in self.examples if node.walk.follows(told) == len(told))

    def _node(self, walk: Walk, path: tuple[int, ...]) -> _Node:
        """A place, and the steps that may come next: those of the first group of which any may."""
        mask_V = walk.mask()
        mask_V[self.letters.end] = False
        groups = (group[mask_V[group]] for group in self.letters.steps)
        allowed = next((told for told in groups if len(told)), np.flatnonzero(mask_V)[:THOROUGH])
        steps = allowed.tolist()
        many = len(steps) > MANY
        return _Node(walk, path, self._worth(steps, many), hash(mask_V.tobytes()), many)

    def _worth(self, steps: list[int], many: bool) -> list[int]:
        """Those of the steps that are worth being tried; a blank is only among many letters."""
        if self.json and many and QUOTE in steps and max(steps) < BYTES:
            return [QUOTE]
        if self.json and not many and (shutting := [step for step in steps if step in SHUTTING]):
            return shutting
        if many:
            return [step for step in steps if step in self.letters.some] if self.quick else steps
        return [step for step in steps if step != BLANK] or steps

    def _runs(self, walk: Walk, step: int) -> tuple[int, ...]:
        """How often a letter must still come before something may end, RUN + 1 where that does not help."""
        ends = (self.letters.end, QUOTE)
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
                told = self.letters.fewest((*path, *self.letters.of(tail)))
            if len(told) <= self.most and (self.best is None or len(told) < len(self.best)):
                self.best = told
            if self.enough is None and self.best is not None:
                self.enough = len(path) + (0 if self.known else FINAL)

    def _tails(self, walk: Walk) -> Iterator[tuple[int, ...]]:
        """What of the known way leads out from here, the shortest first."""
        may = dict[int, bool]()
        for at, place in reversed(self.tails):
            letter = self.rest[place]
            if letter not in may:
                may[letter] = walk.follows([letter]) == 1
            if may[letter]:
                rest = self.rest[place:]
                self.count += len(rest) // LONG
                if walk.follows(rest) == len(rest):
                    yield self.known[at:]
