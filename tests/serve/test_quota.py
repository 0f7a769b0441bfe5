"""Shares: nobody's requests make another's wait beyond its turn, and every line has an end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.errors import Busy, TooLarge
from omma.serve.quota import Allowance, Quota


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Answers:
    """Requests that are answered until they are let go, in the order of their turns."""

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.turns: list[str] = []
        self.let_go: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, tenant: str, name: str) -> None:
        self.let_go[name] = asyncio.Event()
        self.tasks[name] = asyncio.ensure_future(self._answer(tenant, name))
        await settled()

    async def end(self, name: str) -> None:
        self.let_go[name].set()
        await settled()

    async def _answer(self, tenant: str, name: str) -> None:
        async with self.quota.enter(tenant, 0), self.quota.turn(tenant):
            self.turns.append(name)
            await self.let_go[name].wait()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_turns_go_round_the_tenants_however_many_one_asks() -> None:
    async def work() -> None:
        there = Answers(Quota(whole=Allowance(at_once=1)))
        for name in ("a1", "a2", "a3", "b1"):
            await there.ask(name[0], name)
        for name in ("a1", "a2", "b1", "a3"):
            await there.end(name)
        assert there.turns == ["a1", "a2", "b1", "a3"]
        assert there.quota.state() == {"inside": 0, "answered": 0, "in_line": 0, "body_bytes": 0}

    run(work())


def test_a_tenant_at_its_bound_leaves_the_other_turns_free() -> None:
    async def work() -> None:
        there = Answers(Quota(Allowance(at_once=1)))
        for name in ("a1", "a2", "b1"):
            await there.ask(name[0], name)
        assert there.turns == ["a1", "b1"]
        await there.end("a1")
        assert there.turns == ["a1", "b1", "a2"]
        for name in ("a2", "b1"):
            await there.end(name)

    run(work())


def test_who_leaves_the_line_holds_up_nobody() -> None:
    async def work() -> None:
        there = Answers(Quota(Allowance(at_once=1)))
        for name in ("a1", "a2", "a3"):
            await there.ask("a", name)
        there.tasks["a2"].cancel()
        await settled()
        await there.end("a1")
        assert there.turns == ["a1", "a3"]
        await there.end("a3")
        assert there.quota.state()["answered"] == 0

    run(work())


def test_who_leaves_as_the_turn_comes_hands_it_on() -> None:
    async def work() -> None:
        there = Answers(Quota(Allowance(at_once=1)))
        for name in ("a1", "a2", "a3"):
            await there.ask("a", name)
        there.let_go["a1"].set()
        while not there.tasks["a1"].done():
            await asyncio.sleep(0)
        there.tasks["a2"].cancel()
        await settled()
        assert there.turns[-1] == "a3"
        await there.end("a3")
        assert there.quota.state()["answered"] == 0

    run(work())


def test_a_line_has_an_end() -> None:
    async def work() -> None:
        quota = Quota(Allowance(at_once=1, waiting=1))
        async with quota.enter("a", 0), quota.enter("a", 0):
            with pytest.raises(Busy, match="this key has 2 requests inside") as told:
                async with quota.enter("a", 0):
                    pass
            assert told.value.retry_after >= 1
            async with quota.enter("b", 0):
                pass
        async with quota.enter("a", 0):
            pass

    run(work())


def test_the_whole_house_has_an_end_too() -> None:
    async def work() -> None:
        quota = Quota(whole=Allowance(at_once=1, waiting=1, bytes=10))
        async with AsyncExitStack() as inside:
            for tenant in "ab":
                await inside.enter_async_context(quota.enter(tenant, 5))
            with pytest.raises(Busy, match="the server has 2 requests"):
                await inside.enter_async_context(quota.enter("c", 0))

    run(work())


def test_bytes_in_hand_are_bounded() -> None:
    async def work() -> None:
        quota = Quota(Allowance(bytes=100))
        async with quota.enter("a", 60):
            with pytest.raises(Busy, match="60 bytes"):
                async with quota.enter("a", 50):
                    pass
        with pytest.raises(TooLarge, match="101 bytes; at most 100"):
            async with quota.enter("a", 101):
                pass

    run(work())


def test_tokens_a_minute_are_made_up_for() -> None:
    async def work() -> None:
        clock = Clock()
        quota = Quota(Allowance(tokens_a_minute=60), clock=clock)
        async with quota.enter("a", 0):
            quota.spend("a", 90)
        with pytest.raises(Busy, match="60 tokens a minute") as told:
            async with quota.enter("a", 0):
                pass
        assert told.value.retry_after == 31
        async with quota.enter("b", 0):
            pass
        clock.seconds = told.value.retry_after
        async with quota.enter("a", 0):
            pass

    run(work())


def test_a_tenant_that_left_is_forgotten_unless_it_owes() -> None:
    async def work() -> None:
        clock = Clock()
        quota = Quota(Allowance(tokens_a_minute=60), clock=clock)
        for tenant in map(str, range(100)):
            async with quota.enter(tenant, 0):
                pass
        async with quota.enter("a", 0):
            quota.spend("a", 1)
        assert set(quota._uses) == {"a"}

    run(work())


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["ask", "end", "leave"])), max_size=40))
def test_bounds_hold_and_nobody_is_lost(steps: list[tuple[str, str]]) -> None:
    async def work() -> None:
        there = Answers(Quota(Allowance(at_once=2, waiting=50), whole=Allowance(at_once=3, waiting=100)))
        for number, (tenant, what) in enumerate(steps):
            open_ = [name for name in there.tasks if name[0] == tenant and not there.tasks[name].done()]
            if what == "ask":
                await there.ask(tenant, f"{tenant}{number}")
            elif what == "end" and open_:
                await there.end(open_[0])
            elif what == "leave" and open_:
                there.tasks[open_[-1]].cancel()
                await settled()
            answered = [t for t in there.turns if not there.tasks[t].done()]
            assert there.quota.state()["answered"] == len(answered) <= 3
            assert all(sum(name[0] == t for name in answered) <= 2 for t in "abc")
            waiting = sum(not task.done() for task in there.tasks.values()) - len(answered)
            assert waiting == there.quota.state()["in_line"]
            assert not waiting or len(answered) >= 2
        for _ in range(len(there.tasks)):
            for name in there.tasks:
                there.let_go[name].set()
            await settled()
        assert all(task.done() for task in there.tasks.values())
        assert there.quota.state()["inside"] == 0

    run(work())
