"""Brings an answer that is held to a grammar to its end before its tokens are used up. No torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from omma.chat import FinishReason
from omma.engine.reach import Reach
from omma.engine.ways import Budget, Letters, Walk, way_out
from omma.errors import BadShape

FIRST, FAR = 1000, 16_000  # places that are looked at for a first way out, and more of a far one
LATER, EACH = 60, 20  # to come back to the way from one token further, and more for each there is to spare
DRAWN = 8  # tokens that are drawn where those before would leave no room for an end
AGAIN = 8  # tokens after which a way is looked for again where none was found, twice as many each time
ENOUGH = 3  # times the places of a first way, that are looked at for one answer in all
AMPLE = 20_000  # or so many, if they are more
UNBOUNDED = 10**6  # tokens


@dataclass(frozen=True, eq=False)
class Endings:
    """What is to be known of a grammar to end its answers: how far off an end can be, and how it is spelled.

    `begun` gives a walk through it letter by letter. `json` says that brackets and quotes end what is open;
    `examples` are letters that a string may have to hold.
    """

    reach: Reach
    letters: Letters
    begun: Callable[[], Walk]
    json: bool = True
    examples: Sequence[Sequence[int]] = ()

    @cached_property
    def first(self) -> int:
        """Places that are looked at for a first way out."""
        return FIRST + min(4 * self.reach.within, FAR)

    @cached_property
    def least(self) -> tuple[int, ...] | None:
        """The shortest whole answer that is found; None if none is."""
        return self.way(self.begun(), UNBOUNDED, self.first)

    def way(
        self,
        walk: Walk,
        most: int,
        work: int,
        *,
        known: Sequence[int] = (),
        budget: Budget | None = None,
    ) -> tuple[int, ...] | None:
        """`way_out` of this grammar, from where a walk stands letter by letter."""
        return way_out(
            walk,
            self.letters,
            most=most,
            known=known,
            json=self.json,
            work=work,
            budget=budget,
            examples=self.examples,
        )

    def ready(self, most: int) -> None:
        """Find beforehand what an answer of `most` tokens needs at its beginning: a second, at the worst."""
        if self.near(most):
            _ = self.least

    def near(self, most: int) -> bool:
        """Whether an answer of `most` tokens may have to be ended from its beginning on."""
        return most <= self.reach.within + 1


class Closing:
    """Of one answer, whether a token leaves room for an end, and the way to it when little room is left.

    While more tokens remain than any end can take, nothing is looked for. From there on a way out is known
    before each token, no longer than the tokens that remain; no token is written after which there is none.
    Looking has an end: an answer that has been looked at enough takes the way that is known. Where not even
    the shortest answer has room, nothing is looked for.
    """

    def __init__(self, endings: Endings, most: int) -> None:
        self._endings, self._opened, self._wait, self._pause = endings, 0, 0, AGAIN
        self._budget = Budget(max(ENOUGH * endings.first, AMPLE))
        self._way: tuple[int, ...] | None = None  # from where the answer stands
        self._walk: Walk | None = None  # letter by letter, once ends are looked for
        self._behind = list[int]()  # tokens that are written and not yet walked
        if endings.near(most):
            if endings.least is not None and len(endings.least) <= most:
                self._way = endings.least
            else:
                self._budget.places = 0
        self._ahead: tuple[int, tuple[int, ...] | None] | None = None  # a token, and the way after it
        self._cut = self._hurries = False

    @property
    def reason(self) -> FinishReason | None:
        """Why the answer ends otherwise than by itself: it ran in circles, or a token had no room."""
        return "loop" if self._hurries else "length" if self._cut else None

    def chosen(self, walk: Walk, left: int, draw: Callable[[Sequence[int]], int | None]) -> int:
        """A token to write, where `left` may be: the first drawn after which the answer can come to its end.

        `draw` gives one that the grammar allows, other than those refused; None where there is no other.
        """
        refused: list[int] = []
        while not self._hurries and len(refused) < DRAWN:
            token = draw(refused)
            if token is None:
                break
            if self._allowed(walk, token, left, look=not refused):
                return token
            refused.append(token)
            self._cut = True
        return self._way[0] if self._way else self._endings.letters.stop

    def _allowed(self, walk: Walk, token: int, left: int, *, look: bool) -> bool:
        """Whether an end is found after a token; unless one is to `look`, only if the way goes on at once."""
        letters, reach = self._endings.letters, self._endings.reach
        opened = self._opened + letters.opens(token)
        self._ahead = None
        if token in letters.stops or left > reach.within + reach.level * opened + 1:
            return True
        if self._way is None and not self._found(walk, left):
            return True
        if self._budget.places <= 0:
            look = False
        spare = left - len(self._way or ())
        work = min(self._endings.first, LATER + EACH * spare) if look else 0
        way = self._further(walk, token, left - 1, work)
        if way is not None:
            self._ahead = (token, way)
        return way is not None

    def take(self, token: int) -> None:
        """The token that was chosen is written."""
        self._behind.append(token)
        self._opened += self._endings.letters.opens(token)
        if self._ahead is not None and self._ahead[0] == token:
            self._way = self._ahead[1]
        elif self._way and self._way[0] == token:
            self._way = self._way[1:]
        else:
            self._way = None
        self._ahead = None

    def hurry(self, walk: Walk, left: int) -> bool:
        """Take the shortest way out from here on; False where none is known."""
        self._wait = 0
        self._hurries = self._way is not None or self._found(walk, left)
        return self._hurries

    def _found(self, walk: Walk, left: int) -> bool:
        """Look for a way out from here; where there is none, not again for some tokens."""
        self._wait -= 1
        if self._wait > 0 or self._budget.places <= 0:
            return False
        endings = self._endings
        self._way = self._out(walk, (), left, (), endings.first)
        if self._way is None:
            self._wait, self._pause = self._pause, 2 * self._pause
        return self._way is not None

    def _further(self, walk: Walk, token: int, left: int, work: int) -> tuple[int, ...] | None:
        """A way out after a token, from the one before it."""
        way = self._way or ()
        if way and way[0] == token:
            return way[1:]
        return self._out(walk, (token,), left, way, work)

    def _out(
        self, walk: Walk, first: tuple[int, ...], left: int, known: tuple[int, ...], work: int
    ) -> tuple[int, ...] | None:
        """A way out after `first`, which the answer's own walk allows token by token."""
        letters = self._endings.letters
        try:
            ahead = self._letter_by_letter()
            for letter in letters.of(first):
                ahead.take(letter)
        except (BadShape, ValueError):  # a place that is too complex to look at leads nowhere
            return None
        way = self._endings.way(ahead, left, work, known=known, budget=self._budget)
        if way is None:
            return None
        told = (*first, *way, letters.stop)
        return way if walk.follows(told) == len(told) else None

    def _letter_by_letter(self) -> Walk:
        """A walk of its own at the place where the answer stands."""
        if self._walk is None:
            self._walk = self._endings.begun()
        behind, self._behind = self._behind, []
        for letter in self._endings.letters.of(behind):
            self._walk.take(letter)
        return self._walk.copy()
