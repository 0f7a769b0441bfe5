"""How much each tenant may ask at once, so that no one's requests make another's wait: bounded everywhere.

A request is inside from its head to the last byte of its answer; there it waits for a turn, in a line of its
tenant's own, and turns are given to tenants one after the other. Lines and bytes have an end: beyond it the
answer is Busy, with the seconds after which to come again.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from omma.errors import Busy, TooLarge

MINUTE = 60.0


@dataclass(frozen=True)
class Allowance:
    """What a tenant, or all of them together, may use.

    `at_once` requests are answered at a time and `waiting` more are inside, arriving or in line. `bytes` of
    bodies are held at a time. `tokens_a_minute`, read and written, are counted after they were used: an
    answer is never cut short by it, but the next request waits until it is made up for. None is no bound.
    """

    at_once: int = 32
    waiting: int = 128
    bytes: int = 512 << 20
    tokens_a_minute: int | None = None


WHOLE = Allowance(at_once=64, waiting=512, bytes=2 << 30)


@dataclass
class _Use:
    """What a tenant uses now."""

    allowed: Allowance
    inside: int = 0
    answered: int = 0
    bytes: int = 0
    credit: float = 0.0  # tokens that may still be used; less than nothing after a long answer
    counted: float = 0.0  # when credit was last made up, on the clock
    line: deque[asyncio.Future[None]] = field(default_factory=deque)


class Quota:
    """Holds tenants to their allowances. Used from one asyncio loop. `serve.settings.Gate` is its face."""

    def __init__(
        self,
        each: Allowance = Allowance(),
        *,
        named: Mapping[str, Allowance] | None = None,
        whole: Allowance = WHOLE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._each, self._named, self._clock = each, dict(named or {}), clock
        self._whole = _Use(whole)
        self._uses: dict[str, _Use] = {}
        self._next: deque[str] = deque()  # tenants with a line, whose turn comes first in front
        self._seconds = 1.0  # what an answer took lately, on the average

    @asynccontextmanager
    async def enter(self, tenant: str, size: int) -> AsyncIterator[None]:
        """Be inside, with a body of `size` bytes as far as that is known (0 where it is not).

        Raises TooLarge for a body over what the tenant may ever hold, and Busy.
        """
        use = self._of(tenant)
        if size > use.allowed.bytes:
            raise TooLarge(
                f"the body has {size:,} bytes; at most {use.allowed.bytes:,} are held for one key; send less"
            )
        self._check_tokens(use)
        for one, whose in ((use, "this key has"), (self._whole, "the server has")):
            if one.inside >= one.allowed.at_once + one.allowed.waiting:
                raise Busy(
                    f"{whose} {one.inside} requests inside, and no more are taken in; ask again",
                    self._wait(one),
                )
            if one.bytes + size > one.allowed.bytes:
                raise Busy(f"{whose} {one.bytes:,} bytes of bodies in hand; ask again", self._wait(one))
        for one in (use, self._whole):
            one.inside += 1
            one.bytes += size
        try:
            yield
        finally:
            for one in (use, self._whole):
                one.inside -= 1
                one.bytes -= size
            self._forget(tenant)

    @asynccontextmanager
    async def turn(self, tenant: str) -> AsyncIterator[None]:
        """Be answered: waits in the tenant's line until fewer than `at_once` are."""
        use = self._of(tenant)
        if use.line or not self._free(use):
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            use.line.append(place)
            if tenant not in self._next:
                self._next.append(tenant)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._leave(use)  # the turn came in the same moment
                elif place in use.line:
                    use.line.remove(place)
                self._forget(tenant)
                raise
        else:
            self._take(use)
        began = self._clock()
        try:
            yield
        finally:
            self._seconds += 0.1 * (self._clock() - began - self._seconds)
            self._leave(use)
            self._forget(tenant)

    def spend(self, tenant: str, tokens: int) -> None:
        """Count tokens that were read or written for a tenant."""
        use = self._of(tenant)
        self._make_up(use)
        use.credit -= tokens

    def state(self) -> dict[str, int]:
        """Requests that are inside, answered and in line, and bytes in hand, of all tenants together."""
        line = sum(len(use.line) for use in self._uses.values())
        whole = self._whole
        return {
            "inside": whole.inside,
            "answered": whole.answered,
            "in_line": line,
            "body_bytes": whole.bytes,
        }

    def _of(self, tenant: str) -> _Use:
        if tenant not in self._uses:
            allowed = self._named.get(tenant, self._each)
            use = _Use(allowed, credit=float(allowed.tokens_a_minute or 0), counted=self._clock())
            self._uses[tenant] = use
        return self._uses[tenant]

    def _forget(self, tenant: str) -> None:
        """Keep nothing of a tenant that uses nothing and owes nothing."""
        use = self._uses.get(tenant)
        if use is None or use.inside or use.answered or use.line:
            return
        self._make_up(use)
        if use.allowed.tokens_a_minute is None or use.credit >= use.allowed.tokens_a_minute:
            del self._uses[tenant]

    def _free(self, use: _Use) -> bool:
        return all(one.answered < one.allowed.at_once for one in (use, self._whole))

    def _take(self, use: _Use) -> None:
        use.answered += 1
        self._whole.answered += 1

    def _leave(self, use: _Use) -> None:
        use.answered -= 1
        self._whole.answered -= 1
        self._call()

    def _call(self) -> None:
        """Give free turns to who stands first, one tenant after the other."""
        for tenant in tuple(self._next):
            use = self._of(tenant)
            while use.line and use.line[0].done():
                use.line.popleft()
            served = bool(use.line) and self._free(use)
            if served:
                self._take(use)
                use.line.popleft().set_result(None)
            if served or not use.line:
                self._next.remove(tenant)
            if served and use.line:
                self._next.append(tenant)

    def _make_up(self, use: _Use) -> None:
        now = self._clock()
        rate = use.allowed.tokens_a_minute
        if rate is not None:
            use.credit = min(use.credit + (now - use.counted) * rate / MINUTE, float(rate))
        use.counted = now

    def _check_tokens(self, use: _Use) -> None:
        rate = use.allowed.tokens_a_minute
        if rate is None:
            return
        self._make_up(use)
        if use.credit <= 0:
            raise Busy(
                f"this key has used its {rate:,} tokens a minute; ask again when they are made up for",
                (1 - use.credit) * MINUTE / rate,
            )

    def _wait(self, use: _Use) -> float:
        """Seconds after which a place is likely free."""
        return max(1.0, self._seconds * use.inside / (2 * use.allowed.at_once))
