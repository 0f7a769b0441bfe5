"""Who comes in is fair, what is read leaves time for those who write, and the oldest always goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from omma.engine.scheduler import SMALLEST, Scheduler


@dataclass
class Asked:
    ticket: int
    tenant: str = ""
    length: int = 100
    left: int = 50
    patches: int = 0
    done: int = 0


def admitted(scheduler: Scheduler, most: int) -> list[Asked]:
    came = []
    while len(came) < most and (turn := scheduler.following()) is not None:
        scheduler.admit(turn)
        came.append(turn)
    return came  # type: ignore[return-value]


def test_a_tenant_with_many_requests_does_not_hold_up_another() -> None:
    scheduler = Scheduler(4, 8192)
    for ticket in range(1, 20):
        scheduler.add(Asked(ticket, "many"))
    for ticket in (20, 21):
        scheduler.add(Asked(ticket, "few"))
    assert sorted(turn.tenant for turn in admitted(scheduler, 4)) == ["few", "few", "many", "many"]


def test_a_tenant_is_charged_for_what_it_takes() -> None:
    scheduler = Scheduler(9, 8192)
    for ticket in range(1, 4):
        scheduler.add(Asked(ticket, "long", length=5000, patches=9000))
    for ticket in range(4, 20):
        scheduler.add(Asked(ticket, "short"))
    assert [turn.tenant for turn in admitted(scheduler, 9)].count("long") == 1


def test_within_a_tenant_first_come_is_first_served() -> None:
    scheduler = Scheduler(9, 8192)
    for ticket in range(1, 6):
        scheduler.add(Asked(ticket))
    assert [turn.ticket for turn in admitted(scheduler, 9)] == [1, 2, 3, 4, 5]


def test_who_is_put_back_is_next() -> None:
    scheduler = Scheduler(2, 8192)
    for ticket in (1, 2, 3):
        scheduler.add(Asked(ticket))
    admitted(scheduler, 2)
    scheduler.put_back(2)
    assert [turn.ticket for turn in admitted(scheduler, 1)] == [2]


def test_the_oldest_never_makes_room() -> None:
    scheduler = Scheduler(3, 8192)
    for ticket, tenant in ((1, "a"), (2, "b"), (3, "a")):
        scheduler.add(Asked(ticket, tenant))
    admitted(scheduler, 3)
    victims = []
    while (victim := scheduler.victim({1: 100, 2: 5, 3: 5})) is not None:
        victims.append(victim)
        scheduler.put_back(victim)
    assert len(victims) == 2
    assert 1 not in victims


def test_reading_leaves_time_for_those_who_write() -> None:
    scheduler = Scheduler(3, 8192, pause=0.2)
    scheduler.add(Asked(1, length=10, done=9))
    scheduler.add(Asked(2, length=5000))
    admitted(scheduler, 2)
    scheduler.took(1000, 1.0)
    assert dict(scheduler.plan()) == {1: 1, 2: 200}
    scheduler.took(10, 1000.0)
    assert dict(scheduler.plan()) == {1: 1, 2: SMALLEST}


def test_reading_leaves_time_for_those_who_may_come() -> None:
    scheduler = Scheduler(3, 8192, pause=0.2, alone=1.0)
    scheduler.add(Asked(1, length=5000))
    admitted(scheduler, 1)
    assert dict(scheduler.plan()) == {1: 5000}
    scheduler.took(500, 1.0)
    assert dict(scheduler.plan()) == {1: 500}
    scheduler.alone = math.inf
    assert dict(scheduler.plan()) == {1: 5000}


def test_a_long_prompt_shares_the_step_with_short_ones() -> None:
    scheduler = Scheduler(3, 100)
    for ticket, length in ((1, 5000), (2, 40), (3, 20)):
        scheduler.add(Asked(ticket, length=length))
    admitted(scheduler, 3)
    assert dict(scheduler.plan()) == {1: 50, 3: 20, 2: 30}


def test_who_would_not_find_room_to_write_waits() -> None:
    scheduler = Scheduler(3, 8192)
    scheduler.add(Asked(1, length=160, left=160, done=159))
    scheduler.add(Asked(2, length=160, left=160))
    admitted(scheduler, 1)
    turn = scheduler.following()
    assert turn is not None
    assert not scheduler.fits(turn, held=10, limit=39)
    assert scheduler.fits(turn, held=10, limit=40)


def test_nothing_of_a_tenant_who_has_left_is_remembered() -> None:
    scheduler = Scheduler(3, 8192)
    for ticket in range(1, 50):
        scheduler.add(Asked(ticket, f"tenant {ticket}"))
    admitted(scheduler, 3)
    for ticket in range(1, 50):
        scheduler.drop(ticket)
    assert scheduler.idle
    assert not scheduler._served
    assert not scheduler._charged
