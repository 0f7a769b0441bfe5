"""Of what there is little everyone gets a turn, one tenant after the other."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from omma.host.turns import Turns


def test_a_tenant_with_many_waiting_makes_another_wait_for_one() -> None:
    served: list[str] = []

    async def one(turns: Turns, tenant: str) -> None:
        async with turns.turn(tenant):
            served.append(tenant)
            await asyncio.sleep(0)

    async def work() -> None:
        turns = Turns(1)
        await asyncio.gather(*(one(turns, tenant) for tenant in ["loud"] * 6 + ["quiet", "third"]))

    asyncio.run(work())
    assert served == ["loud", "loud", "quiet", "third", "loud", "loud", "loud", "loud"]


def test_a_tenant_may_be_held_to_some_and_the_rest_are_for_others() -> None:
    async def work() -> None:
        turns, inside, leave = Turns(3, 2), Counter[str](), asyncio.Event()

        async def one(tenant: str) -> None:
            async with turns.turn(tenant):
                inside[tenant] += 1
                await leave.wait()

        tasks = [asyncio.create_task(one(tenant)) for tenant in ["loud"] * 5 + ["quiet"] * 2]
        for _ in range(3):
            await asyncio.sleep(0)
        assert (inside, turns.waiting) == ({"loud": 2, "quiet": 1}, 4)
        leave.set()
        await asyncio.gather(*tasks)
        assert (inside, turns.waiting, turns._free) == ({"loud": 5, "quiet": 2}, 0, 3)

    asyncio.run(work())


@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4)), max_size=12),
)
def test_turns_are_never_more_never_fewer_whoever_leaves(
    count: int, each: int, askers: list[tuple[str, int]]
) -> None:
    now, most = 0, 0

    async def one(turns: Turns, tenant: str) -> None:
        nonlocal now, most
        async with turns.turn(tenant):
            now += 1
            most = max(most, now)
            try:
                await asyncio.sleep(0)
            finally:
                now -= 1

    async def work() -> None:
        turns = Turns(count, each)
        tasks = [asyncio.create_task(one(turns, tenant)) for tenant, _ in askers]
        for step in range(4):
            await asyncio.sleep(0)
            for task, (_, leaves) in zip(tasks, askers, strict=True):
                if leaves == step:
                    task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        assert (turns.waiting, turns._free) == (0, count)

    asyncio.run(work())
    assert most <= count
