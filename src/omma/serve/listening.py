"""Takes what a desk tells apart, piece by piece: thoughts, words, calls of tools, and the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from omma.chat import Chosen
from omma.serve.calling import Calls
from omma.serve.desk import Told
from omma.serve.speech import Called, Ended, Event, Read, Said, Thought, Thoughts


async def events(
    told: AsyncGenerator[Told, None], *, thinks: bool, calls: bool
) -> AsyncGenerator[Event, None]:
    """An answer's pieces. Ends with one Ended; closing it closes what tells.

    Tokens with log-probabilities go with the words of their piece; those of thoughts are not told.
    """
    parts = _Parts(thinks, calls)
    async with aclosing(told) as pieces:
        async for piece in pieces:
            ended = piece.delta.finish_reason is not None
            if piece.delta.read:
                yield Read(piece.delta.read)
            for one in parts.feed(piece.delta.text, piece.delta.chosen, ended=ended):
                yield one
            if ended:
                yield Ended(piece)
                return
    raise RuntimeError("the desk's answer ended without a finish reason")


class _Parts:
    """Thoughts first, then words and calls."""

    def __init__(self, thinks: bool, calls: bool) -> None:
        self._thoughts = Thoughts(thinks)
        self._calls = Calls() if calls else None

    def feed(self, text: str, chosen: tuple[Chosen, ...], *, ended: bool) -> Iterator[Event]:
        """The pieces that are certain after some more text; all that is left where it has ended."""
        parts = list(self._split(text, ended=ended))
        if self._thoughts.inside:
            chosen = ()
        if chosen and not any(isinstance(one, Said) for one in parts):
            parts.append(Said(""))
        for one in parts:
            if isinstance(one, Said) and chosen:
                one, chosen = Said(one.text, chosen), ()
            yield one

    def _split(self, text: str, *, ended: bool) -> Iterator[Thought | Said | Called]:
        for one in [*self._thoughts.feed(text), *(self._thoughts.end() if ended else ())]:
            if isinstance(one, Said) and self._calls is not None:
                yield from self._calls.feed(one.text)
            else:
                yield one
        if ended and self._calls is not None:
            yield from self._calls.end()
