"""Every hostile input gets its answer from a whole server, and the server stands as before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from bench.hostile import ATTACKS, HONEST, running, target_of
from bench.hostile_client import throw, wrong
from bench.hostile_inputs import Attack, Target


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Target]]:
    with running("--arriving", "3", "--head", "2", "--fetch", "3") as url:
        yield url, asyncio.run(target_of(url))


def test_the_table_is_long_and_its_names_are_one_each() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 60
    assert {attack.status for attack in ATTACKS} >= {400, 401, 403, 404, 405, 408, 413, 415, 421, 431}


@pytest.mark.soak
def test_every_hostile_input_gets_its_answer(server: tuple[str, Target]) -> None:
    async def all_of_them() -> list[str | None]:
        turn = asyncio.Semaphore(6)

        async def one(attack: Attack) -> str | None:
            async with turn:
                return wrong(attack, await throw(attack, server[1]))

        return await asyncio.gather(*map(one, ATTACKS))

    assert not [text for text in asyncio.run(all_of_them()) if text is not None]


@pytest.mark.soak
def test_after_all_of_it_the_server_answers(server: tuple[str, Target]) -> None:
    with httpx.Client(base_url=server[0], timeout=60, trust_env=False) as client:
        client.headers["authorization"] = f"Bearer {HONEST}"
        asked = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 2}
        assert client.post("/v1/chat/completions", json=asked).status_code == 200
        state = client.get("/readyz").json()["state"]
        assert state["ready"]


@pytest.mark.parametrize("missed", [(200, "fine", 0.1), (400, "", 0.1), (400, "Traceback of 9 pixels", 0.1)])
def test_the_judge_sees_what_is_wrong(missed: tuple[int, str, float]) -> None:
    from bench.hostile_client import Heard

    attack = Attack("x", 400, "pixels", lambda target: [])
    assert wrong(attack, Heard(*missed))
    assert wrong(attack, Heard(400, "too many pixels", 0.1)) is None
