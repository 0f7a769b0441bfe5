"""Many clients at one server for some minutes: failures, memory, seconds to tokens, and what a kill costs.

    python -m bench.load                     ten minutes of 32 clients, then a minute with kills
    python -m bench.load --minutes 0.5       a try; prints, and writes nothing with --dry

The server is `omma serve` as it stands, in processes of its own. What it remembers has an end and fills while
it warms up; from then on memory has to be flat. Figures go to docs/results/load.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import httpx

from bench.load_clients import KINDS, Crowd, Seen, ask, picture
from bench.processes import Memory
from bench.results import ROOT, Table

MODEL = "omma-nano"
PAIRS = 12  # pictures that are asked about twice, for the ratio
SIDE = 840  # their sides in pixels, and those of the picture that clients show again and again
DRIFT, SOONER, BACK = 0.05, 5.0, 5.0


async def processes(client: httpx.AsyncClient) -> dict[str, list[int]]:
    """The numbers of the engines' and the decoders' processes, those at work first."""
    told: dict[str, list[int]] = (await client.get("/readyz")).json()["state"]["processes"]
    return told


@asynccontextmanager
async def served() -> AsyncIterator[tuple[httpx.AsyncClient, int]]:
    """A server, and a client that knows it."""
    words = ["--model", MODEL, "--port", "0", "--json", "--quiet"]
    command = [sys.executable, "-m", "omma", "serve", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        try:
            url = json.loads(await asyncio.to_thread(server.stdout.readline))["url"]
            limits = httpx.Limits(max_connections=None)
            async with httpx.AsyncClient(base_url=url, timeout=300, limits=limits, trust_env=False) as client:
                yield client, server.pid
        finally:
            server.send_signal(signal.SIGTERM)
            await asyncio.to_thread(server.wait)


async def sooner(client: httpx.AsyncClient) -> tuple[float, float]:
    """Median seconds to the first token for a picture's first question, and for its second one."""
    firsts: list[list[float]] = [[], []]
    for seed in range(PAIRS):
        shown = {"type": "image_url", "image_url": {"url": picture(seed, SIDE)}}
        for turn, words in enumerate(("What is shown?", "Which colours are there?")):
            said = [{"role": "user", "content": [shown, {"type": "text", "text": words}]}]
            seen = await ask(client, MODEL, "pair", said)
            if seen.first is None:
                raise SystemExit(f"a question about a picture failed: {seen.code}")
            firsts[turn].append(seen.first)
    return median(firsts[0]), median(firsts[1])


async def kills(
    client: httpx.AsyncClient, crowd: Crowd, seconds: float
) -> tuple[list[Seen], dict[str, float]]:
    """What the crowd saw while an engine and a decoder were killed; the seconds until they served again."""
    asking = asyncio.create_task(crowd.ask_for(seconds))
    back: dict[str, float] = {}
    for kind, probe in (("engines", _answers), ("decoders", _decodes)):
        await asyncio.sleep(seconds / 4)
        os.kill((await processes(client))[kind][0], signal.SIGKILL)
        killed = perf_counter()
        while not await probe(client):
            await asyncio.sleep(0.01)
        back[kind] = perf_counter() - killed
    return await asking, back


async def _answers(client: httpx.AsyncClient) -> bool:
    """Whether a question gets its first token, whoever else is asking."""
    said = [{"role": "user", "content": "What is this?"}]
    return (await ask(client, MODEL, "probe", said, tokens=1)).code is None


async def _decodes(client: httpx.AsyncClient) -> bool:
    """Whether a picture that nobody has shown before is decoded."""
    shown = {"type": "image_url", "image_url": {"url": picture(int(1000 * perf_counter()), SIDE)}}
    body = {"model": MODEL, "messages": [{"role": "user", "content": [shown]}]}
    return (await client.post("/v1/cost", json=body)).status_code == 200


def spread(numbers: Sequence[float]) -> tuple[float, float]:
    """The median and the 95th percentile."""
    if len(numbers) < 2:
        return (numbers[0], numbers[0]) if numbers else (float("nan"), float("nan"))
    cuts = quantiles(numbers, n=20)
    return median(numbers), cuts[-1]


def tell_load(table: Table, seen: Sequence[Seen], seconds: float, memory: Memory) -> None:
    """Rows of the quiet part."""
    failed = [one for one in seen if one.code is not None]
    words = ", ".join(sorted({str(one.code) for one in failed}))
    table.row("requests", len(seen), note=f"{len(seen) / seconds:.2f} a second")
    table.row("failed", len(failed), goal=0, met=not failed, note=words)
    for kind in KINDS:
        p50, p95 = spread([one.first for one in seen if one.kind == kind and one.first is not None])
        table.row(f"first token, {kind}, p50", p50, "s")
        table.row(f"first token, {kind}, p95", p95, "s")
    p50, p95 = spread([gap for one in seen for gap in one.between])
    table.row("between tokens, p50", p50, "s")
    table.row("between tokens, p95", p95, "s")
    drift, note = memory.drift()
    table.row("memory drift", drift, goal=f"≤ {DRIFT}", met=drift <= DRIFT, note=note)


def tell_kills(table: Table, seen: Sequence[Seen], back: dict[str, float], clients: int) -> None:
    """Rows of the part with kills."""
    failed = [one for one in seen if one.code is not None]
    final = [one for one in failed if not one.retry]
    words = ", ".join(sorted({str(one.code) for one in failed}))
    table.row("requests while processes are killed", len(seen), note="kill -9 of an engine and of a decoder")
    inside = len(failed) <= clients + 2  # those inside the engine, and the jobs inside the decoder
    table.row("failed then", len(failed), goal=f"≤ {clients + 2}", met=inside, note=words)
    table.row("failed then, not to be asked again", len(final), goal=0, met=not final)
    for kind, spent in back.items():
        table.row(f"answers again after the kill, {kind}", spent, "s", goal=f"≤ {BACK:g}", met=spent <= BACK)


async def measured(table: Table, minutes: float, clients: int, killing: float) -> None:
    """All parts, one after the other, at one server."""
    async with served() as (client, server):
        first, second = await sooner(client)
        ratio = first / second
        table.row("a picture's first question, first token", first, "s", note=f"{SIDE}×{SIDE} pixels, alone")
        table.row("its second question, first token", second, "s")
        table.row("sooner by", ratio, "×", goal=f"≥ {SOONER:g}", met=ratio >= SOONER)
        crowd = Crowd(client, MODEL, clients, picture(0, SIDE))
        memory = Memory()
        looking = asyncio.create_task(memory.look(client, server))
        seen = await crowd.ask_for(60 * minutes)
        looking.cancel()
        tell_load(table, seen, 60 * minutes, memory)
        if killing:
            tell_kills(table, *await kills(client, crowd, killing), clients)


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the clients ask")
    parser.add_argument("--clients", type=int, default=32, help="how many ask at the same time")
    parser.add_argument(
        "--killing", type=float, default=60.0, help="seconds with kills afterwards; 0 is none"
    )
    parser.add_argument("--dry", action="store_true", help="print only")
    given: Any = parser.parse_args()
    table = Table("load", f"python -m bench.load --minutes {given.minutes:g} --clients {given.clients}")
    asyncio.run(measured(table, given.minutes, given.clients, given.killing))
    if not given.dry:
        return table.publish()
    table.show()
    return table.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
