"""One request on its way through the engine: what is known of it, what was written, how the next is drawn."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omma.chat import FinishReason
from omma.engine.closing import Closing
from omma.engine.content import Content, digests, doublings
from omma.engine.grammar import Walk
from omma.engine.lookup import Lookup
from omma.engine.loops import circles
from omma.engine.request import Request
from omma.engine.sampling import Sampler
from omma.spec import ModelSpec


class Scored(NamedTuple):
    """The natural logarithm of a token's probability, and those of the likeliest in its place, best first."""

    logprob: float
    likeliest: tuple[tuple[int, float], ...]


@dataclass
class Times:
    """Moments of `time.perf_counter`, None where not come to, and the seconds that the tower took."""

    asked: float = field(default_factory=time.perf_counter)
    begun: float | None = None  # came in
    first: float | None = None  # wrote its first token
    ended: float | None = None
    encode: float = 0.0

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by stage, as far as there are any: in line, seeing, reading the prompt, writing."""
        now = time.perf_counter() if self.ended is None else self.ended
        begun = now if self.begun is None else self.begun
        first = now if self.first is None else self.first
        return {
            "wait": begun - self.asked,
            "encode": self.encode,
            "prefill": max(first - begun - self.encode, 0.0),
            "decode": now - first,
        }


class Row:
    """A request: waiting, running, or put back in line. It has its sampler, dice and walk all the while.

    `read` are the scores of its prompt's tokens from the second on, where they were asked for. `done` tokens
    of it are remembered; `cached` were when it first came in. `features` are those of pictures that were seen
    and are not read to their end. `guesses` are tokens that may come next, for one step. One that is not
    `lasting` lets go of its patches, which may be large, when they have been read; it is `blind` then, and
    cannot be read again.
    """

    def __init__(self, ticket: int, request: Request, spec: ModelSpec, *, named: bool, guesses: int) -> None:
        self.ticket, self.request, self.tenant = ticket, request, request.tenant
        sample = request.sample
        self.prompt = sample.length
        self.written: list[int] = []
        self.done, self.cached = 0, 0
        self.lasting, self.blind = True, False
        self.features: dict[int, Tensor] = {}
        self.guesses: list[int] = []
        self.read: list[Scored] = []
        self._most_guesses = guesses
        self.times = Times()
        self.sampler = Sampler(request.sampling, sample.ids_T, spec.decoder.vocabulary)
        self.walk: Walk | None = None if request.grammar is None else request.grammar.walk()
        endings = None if request.grammar is None else request.grammar.endings
        self.closing: Closing | None = None if endings is None else Closing(endings, request.max_tokens)
        self.lookup = Lookup(sample.ids_T.tolist(), guesses) if guesses else None
        self.shown: tuple[bytes, ...] = ()
        self.content: Content | None = None
        if named:
            self.shown = digests(sample) if request.shown is None else request.shown
            how = doublings(spec.decoder, sample.length)
            self.content = Content(sample, self.shown, tenant=request.tenant, doublings=how)
        self._position = sample.next_position
        self._patches = sum(visual.grid.patches for visual in sample.visuals)
        self._places = [visual.places for visual in sample.visuals]

    @property
    def length(self) -> int:
        """Tokens known: the prompt's and those written."""
        return self.prompt + len(self.written)

    @property
    def left(self) -> int:
        """Tokens that may still be written."""
        return self.request.max_tokens - len(self.written)

    @property
    def patches(self) -> int:
        """Patches to be seen, if nothing is remembered."""
        return self._patches

    def ids(self, start: int, stop: int) -> NDArray[np.int64]:
        """The tokens from `start` to `stop`, guessed ones behind the known."""
        known = self.request.sample.ids_T[start:stop]
        if stop <= self.prompt:
            return known
        behind = [*self.written, *self.guesses][max(start - self.prompt, 0) : stop - self.prompt]
        return np.concatenate([known, np.array(behind, np.int64)])

    def positions(self, start: int, stop: int) -> NDArray[np.int64]:
        """Their positions (3, count): after the prompt the same on all axes (facts §3.2)."""
        known = self.request.sample.positions_3T[:, start:stop]
        if stop <= self.prompt:
            return known
        behind = np.arange(max(start, self.prompt), stop) + (self._position - self.prompt)
        return np.concatenate([known, np.broadcast_to(behind, (3, len(behind)))], 1)

    def position(self, place: int) -> int:
        """The position of a written token, on all three axes."""
        return place + self._position - self.prompt

    def shows(self, start: int, stop: int) -> list[tuple[int, int, int]]:
        """Pictures with tokens from `start` to `stop`: the picture's number, and which of its tokens."""
        if start >= self.prompt:
            return []
        found = []
        for number, places in enumerate(self._places):
            first, last = np.searchsorted(places, (start, stop)).tolist()
            if last > first:
                found.append((number, first, last))
        return found

    def places(self, number: int) -> NDArray[np.int64]:
        """Where the tokens of a picture stand."""
        return self._places[number]

    def remember(self, done: int) -> None:
        """So many tokens are remembered now; features of pictures that were read to the end are let go."""
        self.done = done
        for number in [number for number in self.features if self._places[number][-1] < done]:
            del self.features[number]
        if not self.lasting and not self.blind and self._places and done >= self.prompt:
            self.blind = True
            self.request = replace(self.request, sample=replace(self.request.sample, visuals=()))

    def draw(self, logits_V: Tensor, likeliest: int) -> int:
        """Choose the next token from fp32 logits, of which `likeliest` is the largest. Raises BadShape."""
        if self.walk is None:
            return likeliest if self.sampler.plain else self.sampler(logits_V)
        allowed = torch.from_numpy(self.walk.mask().copy())
        if len(allowed) < len(logits_V):
            allowed = torch.nn.functional.pad(allowed, (0, len(logits_V) - len(allowed)))
        held_V = logits_V.cpu().masked_fill(~allowed, -torch.inf)
        return (
            self.sampler(held_V) if self.closing is None else self._closing(held_V, self.walk, self.closing)
        )

    def _closing(self, held_V: Tensor, walk: Walk, closing: Closing) -> int:
        """Choose a token after which the answer can still come to its end: the first that can is taken."""

        def draw(refused: Sequence[int]) -> int | None:
            if refused:
                held_V[list(refused)] = -torch.inf
                if not bool(held_V.isfinite().any()):
                    return None
            return self.sampler.choose(held_V)

        token = closing.chosen(walk, self.left, draw)
        self.sampler.remember(token)
        return token

    def take(self, token: int) -> FinishReason | None:
        """Write a token; say why it was the last, if it was."""
        if self.times.first is None:
            self.times.first = time.perf_counter()
        if self.content is not None:
            self.content.write(token, self._position + len(self.written))
        self.written.append(token)
        walk, closing = self.walk, self.closing
        reason = None if closing is None else closing.reason
        if token in self.request.stop_ids:
            return reason or "stop"
        if walk is not None:
            walk.take(token)
        if closing is not None:
            closing.take(token)
        if self.lookup is not None:
            self.lookup.write(token)
        if not self.left:
            return reason or ("stop" if walk is not None and walk.ended else "length")
        if not self.request.loops or reason == "loop" or not circles(self.written):
            return None
        hurries = walk is not None and closing is not None and closing.hurry(walk, self.left)
        return None if hurries else "loop"

    def guess(self) -> list[int]:
        """Tokens that may come next, for the next step to try: at most all but one that may be written."""
        self.guesses = []
        if self.lookup is not None and self.length - self.done == 1:
            forced = [] if self.walk is None else self.walk.forced()
            self.guesses = (forced or self.lookup.guess())[: min(self.left - 1, self._most_guesses)]
        return self.guesses


def scored(logits_V: Tensor, token: int, count: int) -> Scored:
    """The log-probability of a token by the model's own distribution, and the `count` largest."""
    chances_V = logits_V.log_softmax(-1)
    best = chances_V.topk(min(count, len(chances_V)))
    told = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return Scored(float(chances_V[token]), tuple(told))
