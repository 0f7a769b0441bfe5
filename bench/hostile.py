"""Hostile inputs thrown at a server under load: does each get its answer, and does anyone else notice?

    python -m bench.hostile                     ten minutes under attack; writes docs/results/hostile.json
    python -m bench.hostile --seconds 60 --dry  a short try; prints, and writes nothing

Honest clients ask in a circle; while they do, every input of the table is thrown once, evenly spread. What
they wait is compared with what they waited before and after, with nobody attacking.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from bench.hostile_client import throw, wrong
from bench.hostile_inputs import Attack, Step, Target
from bench.hostile_said import BODIES, DOORS, SHAPES, SLOW, TOKENS
from bench.hostile_shown import ADDRESSES, PATHS, PICTURES, VIDEOS
from bench.processes import computed
from bench.results import ROOT, Table

ATTACKS: tuple[Attack, ...] = (
    *(*PICTURES, *VIDEOS, *ADDRESSES, *PATHS),
    *(*SHAPES, *BODIES, *TOKENS, *DOORS, *SLOW),
)
HONEST, HOSTILE = "omma-honest-client-key", "omma-hostile-client-key"
PICTURE = ROOT / "examples" / "shapes.png"
SLOWER = 1.2  # the most that p95 may grow under attack
WORDS = ("What colour is the square?", "How many circles are there?", "Read the words.", "Say hello.")


@dataclass
class Waits:
    """What honest clients waited, in seconds, and what went wrong for them."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    computed: float = 0.0  # seconds that the server's processes computed meanwhile


@contextmanager
def running(*words: str) -> Iterator[str]:
    """A server with a web of its own, in a process of its own; yields its address."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys.toml"
        keys.write_text(f'[keys]\nhonest.secret = "{HONEST}"\nhostile.secret = "{HOSTILE}"\n')
        command = [sys.executable, "-m", "bench.hostile_house", "--keys", str(keys), *words]
        places = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        server = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": places}
        )
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            if not line:
                raise SystemExit("the server did not start; run its command to see why: " + " ".join(command))
            yield str(json.loads(line)["url"])
        finally:
            server.terminate()
            server.wait(60)
            server.stdout.close()  # type: ignore[union-attr]


async def target_of(url: str) -> Target:
    """The server as the hostile client sees it, with an upload of the honest one in it."""
    async with _client(url) as client:
        kept = await client.post(
            "/v1/media", content=PICTURE.read_bytes(), headers={"content-type": "image/png"}
        )
        kept.raise_for_status()
    host, _, port = url.removeprefix("http://").rpartition(":")
    return Target(host, int(port), HOSTILE, kept.json()["id"])


async def load(url: str, clients: int, seconds: float, waits: Waits) -> None:
    """Honest clients ask one question after the other."""
    server = await house_of(url)
    before = computed(server)
    picture = "data:image/png;base64," + base64.b64encode(PICTURE.read_bytes()).decode()
    ends = time.monotonic() + seconds

    async def ask(client: httpx.AsyncClient, number: int) -> None:
        while time.monotonic() < ends:
            content: list[dict[str, Any]] = [{"type": "text", "text": WORDS[number % len(WORDS)]}]
            if number % 2:
                content.insert(0, {"type": "image_url", "image_url": {"url": picture}})
            await _question(client, content, waits)
            number += 1

    async with _client(url) as client:
        await asyncio.gather(*(ask(client, number) for number in range(clients)))
    waits.computed += computed(server) - before


async def house_of(url: str) -> int:
    """The number of the server's process: the parent of its engines."""
    async with _client(url) as client:
        state = (await client.get("/readyz")).json()["state"]
    words = Path(f"/proc/{state['processes']['engines'][0]}/stat").read_text(encoding="ascii")
    return int(words.rpartition(")")[2].split()[1])


async def attack(target: Target, thrown: Sequence[Attack], seconds: float) -> list[str]:
    """Throw each input once, evenly spread; what was not as it is to be."""
    made: dict[str, list[Step]] = {one.name: list(one.send(target)) for one in thrown}
    began = time.monotonic()

    async def late(number: int, one: Attack) -> str | None:
        await asyncio.sleep(began + number * seconds / len(thrown) - time.monotonic())
        ready = Attack(one.name, one.status, one.says, lambda _: made[one.name], one.within)
        try:
            return wrong(one, await throw(ready, target))
        except TimeoutError:
            return f"{one.name}: no answer within {one.within:g} s"

    found = await asyncio.gather(*(late(number, one) for number, one in enumerate(thrown)))
    return [text for text in found if text is not None]


async def measure(url: str, clients: int, seconds: float, table: Table) -> None:
    """Quiet, under attack, quiet again; and what it came to."""
    calm, stormy = Waits(), Waits()
    target = await target_of(url)
    await load(url, clients, min(5.0, seconds / 10), Waits())
    await load(url, clients, seconds / 2, calm)
    found, _ = await asyncio.gather(
        attack(target, ATTACKS, seconds), load(url, clients, seconds + 1.0, stormy)
    )
    await load(url, clients, seconds / 2, calm)
    right = len(ATTACKS) - len(found)
    goal = len(ATTACKS)
    table.row(
        "hostile inputs that got their answer", right, "", goal=goal, met=not found, note="; ".join(found)
    )
    errors = stormy.errors + calm.errors
    note = "; ".join(sorted(set(errors))[:5])
    table.row("errors of the others", len(errors), "", goal=0, met=not errors, note=note)
    table.row("answers to the others under attack", len(stormy.whole), "", met=bool(stormy.whole))
    each = calm.computed / max(len(calm.whole), 1)
    note = f"beyond the {1000 * each:.0f} ms of each answer to the others; all processes of the server"
    spent = max(stormy.computed - each * len(stormy.whole), 0.0) / goal
    table.row("computing for a hostile input, on the average", spent, "s", note=note)
    for name in ("first", "whole"):
        before, under = (_p95(getattr(waits, name)) for waits in (calm, stormy))
        told = {"first": "first token", "whole": "whole answer"}[name]
        table.row(f"p95 of the others' {told}, nobody attacking", before, "s")
        table.row(f"p95 of the others' {told}, under attack", under, "s")
        ratio = under / before
        table.row(f"slower by attack: {told}", ratio, "×", goal=f"≤ {SLOWER}", met=ratio <= SLOWER)


def main() -> None:
    """Run, print, write."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seconds", type=float, default=600.0, help="how long the attack goes")
    asked.add_argument("--clients", type=int, default=4, help="honest clients")
    asked.add_argument("--dry", action="store_true", help="write nothing")
    given = asked.parse_args()
    table = Table("hostile", "python -m bench.hostile")
    with running() as url:
        asyncio.run(measure(url, given.clients, given.seconds, table))
    if given.dry:
        table.show()
        raise SystemExit(table.exit_code)
    raise SystemExit(table.publish())


async def _question(client: httpx.AsyncClient, content: list[dict[str, Any]], waits: Waits) -> None:
    body = {"messages": [{"role": "user", "content": content}], "max_tokens": 16, "stream": True, "seed": 1}
    began, first = time.monotonic(), None
    try:
        async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
            text = ""
            async for piece in answer.aiter_text():
                first = first or time.monotonic()
                text += piece
        if answer.status_code != 200 or not text.endswith("data: [DONE]\n\n"):
            waits.errors.append(f"{answer.status_code} {text[-200:]}")
            return
    except httpx.HTTPError as error:
        waits.errors.append(type(error).__name__)
        return
    waits.first.append((first or began) - began)
    waits.whole.append(time.monotonic() - began)


def _client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=url, headers={"authorization": f"Bearer {HONEST}"}, timeout=120.0, trust_env=False
    )


def _p95(waits: Sequence[float]) -> float:
    return float(np.percentile(waits, 95)) if waits else float("nan")


if __name__ == "__main__":
    main()
