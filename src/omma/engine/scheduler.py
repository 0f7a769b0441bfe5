"""Who comes in, who goes on, and who makes room: plans of one step at a time. It knows no torch."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Protocol

from omma.engine.pages import pages_for

AHEAD = 256  # tokens of an answer that memory is reckoned with: most are shorter
WRITE = 8  # a token written takes about as long as so many tokens read together
SEE = 0.5  # and a patch seen as so many
SMALLEST = 32  # tokens of a prompt that are read in a step however long they take
SHARE = 0.3  # of a measurement in what is thought of the machine's pace


class Turn(Protocol):
    """A request, as far as planning goes: `length` tokens are known, `done` of them are remembered.

    `left` more may be written; `patches` of pictures have to be seen.
    """

    ticket: int
    tenant: str
    done: int

    @property
    def length(self) -> int: ...
    @property
    def left(self) -> int: ...
    @property
    def patches(self) -> int: ...


class Scheduler:
    """Plans for at most `rows` requests at once.

    In a step every row that writes goes on by a token, and prompts are read, `budget` tokens of them: fewer
    where somebody writes, so that nobody waits much longer than `pause` seconds for a token, and elsewhere so
    that who comes meanwhile waits about `alone` seconds at most. `chunk` fixes how many, whatever the pace.
    """

    def __init__(
        self,
        rows: int,
        budget: int,
        *,
        pause: float = 0.25,
        alone: float = math.inf,
        chunk: int | None = None,
    ) -> None:
        self.rows, self.budget, self.pause, self.alone, self.chunk = rows, budget, pause, alone, chunk
        self.running: dict[int, Turn] = {}  # in the order in which they came in
        self.waiting: dict[str, deque[Turn]] = {}
        self._served: dict[str, float] = {}  # of every tenant with a request here, in tokens read
        self._charged: dict[int, tuple[float, int]] = {}  # that much, with so many tokens left to write
        self._pace: float | None = None  # seconds a token of a prompt takes

    @property
    def idle(self) -> bool:
        """Nothing runs and nothing waits."""
        return not self.running and not self.waiting

    @property
    def line(self) -> int:
        """How many wait."""
        return sum(map(len, self.waiting.values()))

    @property
    def wait(self) -> float:
        """Seconds that a step may take: as long waits who writes, or else who comes meanwhile."""
        writing = any(turn.length - turn.done == 1 for turn in self.running.values())
        return self.pause if writing else self.alone

    def add(self, turn: Turn) -> None:
        """Put a request at the end of its tenant's line. Who comes anew has had as much as who had least."""
        self._served.setdefault(turn.tenant, min(self._served.values(), default=0.0))
        self.waiting.setdefault(turn.tenant, deque()).append(turn)

    def following(self) -> Turn | None:
        """Who is to come in next: the first of the tenant that has had least."""
        if not self.waiting or len(self.running) >= self.rows:
            return None
        return self.waiting[min(self.waiting, key=self._served.__getitem__)][0]

    def fits(self, turn: Turn, held: int, limit: int | None) -> bool:
        """Whether a request may come in, by the pages that it and those who run will come to."""
        if limit is None or not self.running:
            return True
        growth = sum(_growth(other) for other in self.running.values())
        return held + growth + pages_for(turn.length) + _growth(turn) <= limit

    def admit(self, turn: Turn) -> None:
        """Let the first of its tenant's line in. The tenant has then had what this will take."""
        line = self.waiting[turn.tenant]
        assert line.popleft() is turn
        if not line:
            del self.waiting[turn.tenant]
        self.running[turn.ticket] = turn
        took = turn.length - turn.done + SEE * turn.patches + WRITE * min(turn.left, AHEAD)
        self._charged[turn.ticket] = took, turn.left
        self._served[turn.tenant] += took

    def put_back(self, ticket: int) -> None:
        """A running request gives up its room, and is the next of its tenant."""
        turn = self.running.pop(ticket)
        self._served[turn.tenant] -= self._charged.pop(ticket)[0]
        self.waiting.setdefault(turn.tenant, deque()).appendleft(turn)

    def drop(self, ticket: int) -> None:
        """Forget a request, wherever it is."""
        gone = self.running.pop(ticket, None)
        for tenant, line in list(self.waiting.items()):
            for turn in line:
                if turn.ticket == ticket:
                    gone = turn
            self.waiting[tenant] = deque(turn for turn in line if turn.ticket != ticket)
            if not self.waiting[tenant]:
                del self.waiting[tenant]
        if gone is None:
            return
        if (charged := self._charged.pop(ticket, None)) is not None:
            wrote = charged[1] - gone.left  # it may have been less than was reckoned with
            self._served[gone.tenant] -= WRITE * max(min(charged[1], AHEAD) - wrote, 0)
        here = {turn.tenant for turn in self.running.values()} | self.waiting.keys()
        if gone.tenant not in here:
            del self._served[gone.tenant]

    def plan(self) -> list[tuple[int, int]]:
        """Of each row that goes on: its ticket, and how many tokens of it are to be remembered more."""
        writing = [turn for turn in self.running.values() if turn.length - turn.done == 1]
        reading = [turn for turn in self.running.values() if turn.length - turn.done > 1]
        left = self._reading()
        parts = [(turn.ticket, 1) for turn in writing]
        for number, turn in enumerate(_readers(reading)):
            first = number == 0 and len(reading) > 1
            # The oldest has half, so that it gets on; the rest goes to those who are done soonest.
            count = min(turn.length - turn.done, max(left // 2, 1) if first and left else left)
            if count > 0:
                parts.append((turn.ticket, count))
                left -= count
        return parts

    def took(self, tokens: int, seconds: float) -> None:
        """Tell how long a step was in which so many tokens of prompts were read."""
        pace = seconds / tokens
        self._pace = pace if self._pace is None else (1 - SHARE) * self._pace + SHARE * pace

    def seconds(self, turn: Turn) -> float | None:
        """How long reading a request's prompt will take; None while nothing has been read."""
        return None if self._pace is None else self._pace * (turn.length + SEE * turn.patches)

    def victim(self, pages: Mapping[int, int]) -> int | None:
        """Who gives up its room: of the tenant that holds most pages, the last to come in, never the oldest.

        None where one runs alone.
        """
        first, *others = self.running.values()
        held: dict[str, int] = {}
        for turn in (first, *others):
            held[turn.tenant] = held.get(turn.tenant, 0) + pages.get(turn.ticket, 0)
        if not others:
            return None
        most = max(held[turn.tenant] for turn in others)
        return next(turn.ticket for turn in reversed(others) if held[turn.tenant] == most)

    def _reading(self) -> int:
        if self.chunk is not None:
            return min(self.chunk, self.budget)
        if self._pace is None:
            return self.budget
        return int(max(SMALLEST, min(self.budget, self.wait / self._pace)))


def _readers(reading: list[Turn]) -> Iterator[Turn]:
    """The oldest, then the others by what they have left to read."""
    yield from reading[:1]
    yield from sorted(reading[1:], key=lambda turn: turn.length - turn.done)


def _growth(turn: Turn) -> int:
    """Pages that an answer may come to beside those of what is known of it."""
    return pages_for(turn.length + min(turn.left, AHEAD)) - pages_for(turn.length)
