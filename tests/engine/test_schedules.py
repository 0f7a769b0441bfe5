"""However requests are mixed, cut, cancelled, put back, remembered, guessed at: the plain twin's tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from omma.engine.engine import Engine, Failed
from omma.engine.request import Request, Sampling
from omma.model.vlm import Vlm
from omma.presets import GENERATIONS, tiny
from omma.sample import Grid, Sample, Size, Visual
from tests.engine.twin import twin

KINDS = (*GENERATIONS, "qwen-vl")
FAST, MANY = 25, 500


@cache
def model(kind: str) -> Vlm:
    vlm = Vlm(tiny(kind))
    vlm.initialise(torch.Generator().manual_seed(0))
    with torch.no_grad():
        for weight in vlm.parameters():  # far from zero, so that no two logits lie close
            weight.mul_(4 if weight.ndim > 1 else 1)
    return vlm.eval().requires_grad_(False)


@dataclass(frozen=True)
class Third:
    """A grammar of the test's own: every token is a third of the vocabulary further on, give or take."""

    size: int
    ends: frozenset[int]

    @property
    def endings(self) -> None:
        return None

    def walk(self) -> Walking:
        return Walking(self, 0)


class Walking:
    def __init__(self, grammar: Third, at: int) -> None:
        self.grammar, self.at = grammar, at

    @property
    def ended(self) -> bool:
        return False

    def mask(self) -> NDArray[np.bool_]:
        mask = np.arange(self.grammar.size) % 3 == self.at % 3
        mask[list(self.grammar.ends)] = self.at > 4
        return mask

    def take(self, token: int) -> None:
        if not self.mask()[token]:
            raise ValueError(f"token {token} is not allowed here")
        self.at += 1

    def forced(self) -> list[int]:
        return [self.at % 3, 7] if self.at % 4 == 0 else []  # now and then a guess, and often a wrong one

    def follows(self, tokens: Sequence[int]) -> int:
        ahead = self.copy()
        for count, token in enumerate(tokens):
            if not ahead.mask()[token]:
                return count
            ahead.take(token)
        return len(tokens)

    def copy(self) -> Walking:
        return Walking(self.grammar, self.at)


def shown(kind: str, look: int, start: int) -> Visual:
    """One of three pictures, at a place of a prompt."""
    spec = tiny(kind).vision
    side = 4 if spec.side is None else spec.side // spec.patch
    cells = (side // spec.merge) ** 2
    rows = np.random.default_rng(look).normal(size=(side * side, spec.row)).astype(np.float32)
    size = Size(side * spec.patch, side * spec.patch)
    return Visual("image", rows, Grid(1, side, side), start, start + cells, size, size)


def prompt(kind: str, dice: np.random.Generator) -> Sample:
    """Words of a few beginnings, perhaps pictures among them, and words of its own."""
    ids = list(np.random.default_rng(int(dice.integers(2))).integers(0, 256, int(dice.choice([0, 20, 40]))))
    visuals = []
    most = 2 if tiny(kind).vision.side is None else 1  # a picture of the first generation is 256 tokens
    for _ in range(min(int(dice.choice([0, 0, 1, 2])), most)):
        visuals.append(shown(kind, int(dice.integers(3)), len(ids)))
        ids += [tiny(kind).ids.image] * visuals[-1].tokens
    again = list(dice.integers(0, 256, 5))
    ids += [*again, *dice.integers(0, 256, int(dice.integers(1, 30))), *again[: int(dice.integers(6))]]
    positions = np.broadcast_to(np.arange(len(ids)), (3, len(ids))).copy()
    for visual in visuals:  # rows and columns, as far as this test cares
        positions[1:, visual.start : visual.stop] //= 2
    return Sample(np.array(ids, np.int64), positions, tuple(visuals))


def wish(kind: str, dice: np.random.Generator) -> Request:
    spec = tiny(kind)
    ends = frozenset({3, 5, 260})
    sampling = Sampling(
        temperature=float(dice.choice([0, 0, 0.8, 1.5])),
        top_p=float(dice.choice([1, 0.9])),
        repetition_penalty=float(dice.choice([1, 1, 1.2])),
        frequency_penalty=float(dice.choice([0, 0, 0.5])),
        seed=int(dice.integers(1000)),
    )
    grammar = Third(spec.decoder.vocabulary, ends) if dice.random() < 0.25 else None
    return Request(
        prompt(kind, dice),
        sampling,
        ends,
        int(dice.integers(1, 18)),
        tenant=str(dice.choice(["", "a"])),
        grammar=grammar,
        logprobs=int(dice.integers(3)) if dice.random() < 0.3 else None,
        loops=True,
    )


def engine(kind: str, dice: np.random.Generator, asked: list[Request]) -> Engine:
    """An engine of any limits in which each of the requests can be answered alone."""
    vlm = model(kind)
    page = Engine(vlm).cache.page_bytes
    most = max(-(-(one.sample.length + one.max_tokens + 1) // 16) for one in asked)
    return Engine(
        vlm,
        rows=int(dice.integers(1, 6)),
        budget=int(dice.choice([24, 64, 8192])),
        chunk=[None, 5, 16, 33, 60][int(dice.integers(5))],
        memory=[None, page * (most + int(dice.integers(8)))][int(dice.integers(2))],
        keep=bool(dice.integers(2)),
        features=int(dice.choice([0, 3000, 10**6])),
        guesses=int(dice.choice([0, 1, 4])),
        invariant=bool(dice.random() < 0.2),
        pause=float(dice.choice([0, 0.25])),
    )


def run(seed: int) -> None:
    """One schedule: requests come and are cancelled at any step; the others' tokens are the twin's."""
    dice = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    asked = [wish(kind, dice) for _ in range(int(dice.integers(2, 6)))]
    one = engine(kind, dice, asked)
    if one.cache.pages.limit is None and one._named:
        one.cache.pages.limit = 200  # what is kept has to have an end
    waiting, tickets, cancelled = list(range(len(asked))), dict[int, int](), set[int]()
    got: dict[int, tuple[list[int], object]] = {i: ([], None) for i in waiting}
    while waiting or not one.idle:
        if waiting and dice.random() < 0.4:
            number = waiting.pop(0)
            tickets[one.add(asked[number])] = number
        if tickets and dice.random() < 0.03:
            ticket = int(dice.choice(list(tickets)))
            one.cancel(ticket)
            cancelled.add(tickets[ticket])
            assert ticket not in one.cache.pages.tables
        for told in one.step():
            assert not isinstance(told, Failed), told
            number = tickets[told.ticket]
            assert got[number][1] is None
            got[number] = ([*got[number][0], told.token], told.finish)
            assert (told.scored is None) == (asked[number].logprobs is None)
        one.cache.pages.check()
    assert one.cache.pages.held == 0
    for number, request in enumerate(asked):
        wanted, why = twin(model(kind), request)
        tokens, reason = got[number]
        if reason is None:
            assert number in cancelled
            assert tokens == wanted[: len(tokens)]
        else:
            assert (tokens, reason) == (wanted, why), f"seed {seed}, {kind}, request {number}"


@pytest.mark.parametrize("seed", range(FAST))
def test_a_schedule_changes_no_token(seed: int) -> None:
    run(seed)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(0, MANY, 50))
def test_many_schedules_change_no_token(first: int) -> None:
    for seed in range(first, first + 50):
        run(1000 + seed)


@pytest.mark.parametrize("kind", KINDS)
def test_invariant_logits_are_the_same_bits_however_they_come_about(kind: str) -> None:
    dice = np.random.default_rng(7)
    asked = [replace(wish(kind, dice), logprobs=20, grammar=None, max_tokens=6) for _ in range(3)]
    alone = [_scores(Engine(model(kind), invariant=True), [one])[0] for one in asked]
    for how in (
        {"rows": 2, "chunk": 5},
        {"rows": 3, "keep": True, "memory": 10**8, "features": 10**6, "guesses": 4},
    ):
        together = Engine(model(kind), invariant=True, **how)  # type: ignore[arg-type]
        for _ in "ab":  # the second time much is remembered
            assert _scores(together, asked) == alone


def _scores(one: Engine, asked: list[Request]) -> list[list[object]]:
    """Tokens and log-probabilities to the bit, of each request."""
    tickets = {one.add(request): i for i, request in enumerate(asked)}
    got: list[list[object]] = [[] for _ in asked]
    while not one.idle:
        for told in one.step():
            assert not isinstance(told, Failed), told
            got[tickets[told.ticket]].append((told.token, told.scored))
    return got


@pytest.mark.parametrize("kind", KINDS)
def test_prompts_that_are_stretched_differently_share_nothing(kind: str) -> None:
    dice = np.random.default_rng(0)
    words = dice.integers(0, 256, 700)

    def of(length: int) -> Request:
        ids = words[:length].astype(np.int64)
        positions = np.broadcast_to(np.arange(length), (3, length)).copy()
        return Request(Sample(ids, positions), Sampling(), frozenset(), 3)

    one = Engine(model(kind), keep=True, memory=10**8)
    cached = []
    for length in (300, 500, 700):
        ticket = one.add(of(length))
        row = one.row(ticket)
        got = []
        while not one.idle:
            got += [told.token for told in one.step() if not isinstance(told, Failed)]
        cached.append(row.cached)
        assert got == twin(model(kind), of(length))[0]
    stretched = tiny(kind).decoder.stretch
    beyond = stretched is not None and stretched.trained < 700
    assert cached[:2] == [0, 288]
    assert cached[2] == (0 if beyond else 496)
