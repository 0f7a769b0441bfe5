"""Sends one hostile input over a connection of its own, and says whether the server did as it was to."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from bench.hostile_inputs import SILENT, Attack, Step, Target


class Heard(NamedTuple):
    """What came back: the status, SILENT where nothing did; the error's sentence or the body; seconds."""

    status: int
    text: str
    seconds: float


async def throw(attack: Attack, target: Target) -> Heard:
    """Send an input and hear the answer, as long as its deadline goes. Raises TimeoutError after it."""
    steps = await asyncio.to_thread(list, attack.send(target))  # bombs take a while to make
    began = time.monotonic()
    async with asyncio.timeout(attack.within):
        reader, writer = await asyncio.open_connection(target.host, target.port)
        hearing = asyncio.ensure_future(_hear(reader))
        try:
            await _send(steps, writer, hearing)
            raw = b"" if attack.status is None else await hearing
        finally:
            hearing.cancel()
            writer.transport.abort()
    status, text = _understood(raw)
    return Heard(status, text, time.monotonic() - began)


def wrong(attack: Attack, heard: Heard) -> str | None:
    """What was not as it is to be, in a sentence; None where all was."""
    if attack.status is None:
        return None
    if heard.status != attack.status:
        return f"{attack.name}: got {heard.status} {heard.text[:200]!r}; wanted {attack.status}"
    if attack.says not in heard.text:
        return f"{attack.name}: said {heard.text[:200]!r}; wanted {attack.says!r} in it"
    if attack.status >= 400 and (not heard.text or "\n" in heard.text or "Traceback" in heard.text):
        return f"{attack.name}: said {heard.text[:200]!r}; wanted one sentence in OpenAI's form"
    return None


async def _send(steps: Sequence[Step], writer: asyncio.StreamWriter, hearing: asyncio.Future[bytes]) -> None:
    for step in steps:
        if hearing.done():
            return
        if isinstance(step, float):
            await asyncio.wait({hearing}, timeout=step)
            continue
        try:
            writer.write(step)
            await writer.drain()
        except ConnectionError:
            return


async def _hear(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the server closes the connection."""
    raw = bytearray()
    with suppress(ConnectionError):
        while piece := await reader.read(1 << 16):
            raw += piece
    return bytes(raw)


def _understood(raw: bytes) -> tuple[int, str]:
    first, _, body = raw.partition(b"\r\n\r\n")
    words = first.split(maxsplit=2)
    if len(words) < 2:
        return SILENT, ""
    text = body.decode("utf-8", "replace")
    with suppress(ValueError, KeyError, TypeError):
        error = json.loads(text)["error"]
        if {"message", "type", "param", "code"} <= error.keys():
            return int(words[1]), str(error["message"])
        return int(words[1]), ""
    return int(words[1]), text if int(words[1]) < 400 else ""
