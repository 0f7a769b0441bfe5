"""Engines are chosen by what they know and how full they are; the dead, the fat and the mute are replaced."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import pytest

from omma.errors import BadFolder, BadMessage, Busy, Interrupted, NotStarted, OmmaError
from omma.host import fleet as room
from omma.host.fleet import BORN_DEAD, SLACK, Fleet, held
from omma.host.quarantine import DEATHS, Quarantine
from omma.host.settings import HostSettings, Setup


class Engine:
    """An engine's place in a fleet, without a process."""

    def __init__(self, load: int = 0, dies_of: OmmaError | None = None) -> None:
        self.load, self.heard, self.number = load, monotonic(), os.getpid()
        self.ended, self.killed = asyncio.Event(), False
        self.died_with: set[str] = set()
        self._dies_of = dies_of

    async def load_model(self, setup: Setup) -> Any:
        if self._dies_of is not None:
            self.ended.set()
            raise self._dies_of
        return "card", "rules"

    def kill(self) -> None:
        self.killed = True
        self.ended.set()

    async def close(self) -> None:
        self.kill()


def fleet_of(*engines: Engine, **settings: Any) -> Fleet:
    fleet = Fleet(HostSettings(spare=False, **settings))
    fleet._ready = dict(enumerate(engines))  # type: ignore[arg-type]
    return fleet


@contextmanager
def bearing(monkeypatch: pytest.MonkeyPatch, *fates: OmmaError | None) -> Iterator[list[Engine]]:
    """Whatever is born now has one of these fates after the other, and at last always the last one."""
    born: list[Engine] = []

    async def bear() -> Engine:
        born.append(Engine(dies_of=fates[min(len(born), len(fates) - 1)]))
        return born[-1]

    with monkeypatch.context() as patched:
        patched.setattr(room.Worker, "born", bear)
        patched.setattr(room, "LOOK", 0.01)
        yield born


def test_the_same_beginning_finds_the_same_engine_until_it_is_much_fuller() -> None:
    async def work() -> None:
        engines = [Engine() for _ in range(4)]
        fleet = fleet_of(*engines)
        chosen = [await fleet.chosen(f"conversation {i}") for i in range(64)]
        assert [await fleet.chosen(f"conversation {i}") for i in range(64)] == chosen
        assert all(8 <= chosen.count(engine) <= 24 for engine in engines)  # type: ignore[arg-type]
        first: Any = chosen[0]
        first.load = SLACK
        assert await fleet.chosen("conversation 0") is first
        first.load = SLACK + 1
        assert await fleet.chosen("conversation 0") is not first

    asyncio.run(work())


def test_a_dead_engine_gets_no_order_and_without_any_one_is_told_to_come_again() -> None:
    async def work() -> None:
        dead, living = Engine(), Engine(load=99)
        dead.ended.set()
        assert await fleet_of(dead, living).chosen("?") is living  # type: ignore[comparison-overlap]
        with pytest.raises(Busy, match="no engine is ready"):
            await fleet_of(dead, patience=0.01).chosen("?")

    asyncio.run(work())


def test_an_order_waits_for_the_engine_that_is_being_started(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        fleet = fleet_of()
        waiting = asyncio.create_task(fleet.chosen("?"))
        await asyncio.sleep(0)
        await fleet.open()
        assert await waiting is born[0]  # type: ignore[comparison-overlap]
        await fleet.close()

    with bearing(monkeypatch, None) as born:
        asyncio.run(work())


def test_an_engine_that_dies_is_replaced_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        fleet = fleet_of(replicas=2)
        await fleet.open()
        first: Any = await fleet.chosen("?")
        first.kill()
        while len(fleet.workers) < 2 or first in fleet.workers:
            await asyncio.sleep(0)
        assert fleet.restarts == 1
        await fleet.close()

    with bearing(monkeypatch, None) as born:
        asyncio.run(work())
    assert len(born) == 3
    assert all(engine.killed for engine in born)


def test_engines_that_die_as_they_load_are_tried_a_few_times_and_then_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work() -> None:
        fleet = fleet_of()
        with pytest.raises(Interrupted, match="died of it"):
            await fleet.open()
        await fleet.close()

    with bearing(monkeypatch, Interrupted("died of it")) as born:
        monkeypatch.setattr(room, "SLOWEST", 0.0)
        asyncio.run(work())
    assert len(born) == BORN_DEAD + 1


def test_a_start_that_is_too_slow_is_said_the_first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(self: Engine, setup: Setup) -> None:
        await asyncio.Event().wait()

    async def work() -> None:
        fleet = fleet_of(loading=0.01)
        with pytest.raises(NotStarted, match=r"no engine was ready within 0\.01 s"):
            await fleet.open()
        await fleet.close()

    with bearing(monkeypatch, None) as born:
        monkeypatch.setattr(Engine, "load_model", never)
        asyncio.run(work())
    assert len(born) == 1


def test_a_model_that_cannot_be_loaded_is_said_the_first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        fleet = fleet_of()
        with pytest.raises(BadFolder, match="no weights"):
            await fleet.open()
        await fleet.close()

    with bearing(monkeypatch, BadFolder("no weights")) as born:
        asyncio.run(work())
    assert len(born) == 1


@pytest.mark.parametrize("what", ["mute", "fat", "idle"])
def test_the_mute_and_the_fat_are_ended_and_the_idle_are_not(
    monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    async def work() -> None:
        engine = Engine(load=what == "mute")
        engine.heard -= 1000
        fleet = fleet_of(engine, stalled=100.0, memory=1 if what == "fat" else None)
        watching = asyncio.create_task(fleet._watch())
        await asyncio.sleep(0.1)
        watching.cancel()
        assert engine.killed == (what != "idle")

    monkeypatch.setattr(room, "LOOK", 0.001)
    asyncio.run(work())


def test_memory_is_known_of_the_living_only() -> None:
    assert (held(os.getpid()) or 0) > 1 << 20
    assert held(1 << 22) is None


def test_one_death_counts_once_and_the_last_is_died_alone() -> None:
    async def work() -> None:
        quarantine = Quarantine()

        async def one(engine: Engine) -> None:
            async with quarantine.around("the same") as watch:
                watch.worker = engine  # type: ignore[assignment]
                await asyncio.sleep(0)
                engine.kill()
                raise Interrupted("died")

        for death in range(1, DEATHS + 1):
            engine = Engine()
            fates = await asyncio.gather(*(one(engine) for _ in range(3)), return_exceptions=True)
            assert quarantine.deaths.deaths("the same") == death
            last = [BadMessage] * 2 if death == DEATHS else [Interrupted] * 2
            assert [type(fate) for fate in fates] == [Interrupted, *last]

    asyncio.run(work())


def test_replicas_share_the_machine_and_keep_within_their_limit() -> None:
    assert HostSettings().shared == Setup()
    one, two = (HostSettings(replicas=count).shared.pages for count in (2, 4))
    assert one == 2 * (two or 0)
    assert HostSettings(memory=1 << 30).shared.pages == 1 << 28
