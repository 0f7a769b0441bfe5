"""Clients of a server under load: what they ask, and what they saw of the answers, second by second."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import random
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import httpx
import numpy as np
import PIL.Image

KINDS = ("text", "picture", "repeated picture", "shared prefix")
WORDS = ("red green blue circle square triangle left right small large table window tree river house").split()  # noqa: SIM905
PREFIX = " ".join(WORDS * 16)  # what all of the last kind begin with
TOKENS = 24  # of an answer at most
REST = 0.2  # seconds until a client that was told to come again does


@dataclass
class Seen:
    """One request: its kind, when it began, the seconds to its first token, and those between tokens.

    `code` is the error's word, None where the answer came whole; `when` it ended, on the clock.
    """

    kind: str
    began: float
    first: float | None = None
    between: list[float] = field(default_factory=list)
    code: str | None = None
    retry: bool = False
    when: float = 0.0


def picture(seed: int, side: int) -> str:
    """A picture of coloured fields, another one for each seed, as a data: URL."""
    fields = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    file = io.BytesIO()
    drawn = PIL.Image.fromarray(fields).resize((side, side), PIL.Image.Resampling.NEAREST)
    drawn.save(file, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def asked(kind: str, draw: random.Random, known: str) -> list[dict[str, Any]]:
    """A conversation of a kind; `known` is the picture that is shown again and again."""
    words = " ".join(draw.choices(WORDS, k=8))
    match kind:
        case "picture":
            shown: str | None = picture(draw.getrandbits(32), 280)
        case "repeated picture":
            shown = known
        case _:
            shown = None
    said = f"{PREFIX} {words}?" if kind == "shared prefix" else f"Say something about {words}."
    parts: list[dict[str, Any]] = [{"type": "text", "text": said}]
    if shown is not None:
        parts.insert(0, {"type": "image_url", "image_url": {"url": shown}})
    return [{"role": "user", "content": parts}]


async def ask(
    client: httpx.AsyncClient, model: str, kind: str, messages: list[dict[str, Any]], *, tokens: int = TOKENS
) -> Seen:
    """One streamed request from its first byte to its last."""
    seen = Seen(kind, perf_counter())
    body = {"model": model, "messages": messages, "stream": True, "max_tokens": tokens, "temperature": 0.7}
    try:
        async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
            if answer.status_code != 200:
                _refused(seen, json.loads(await answer.aread()))
            else:
                await _listen(seen, answer)
    except httpx.HTTPError as error:
        seen.code = type(error).__name__
    seen.when = perf_counter()
    return seen


async def _listen(seen: Seen, answer: httpx.Response) -> None:
    before, ended = seen.began, False
    async for line in answer.aiter_lines():
        if not line.startswith("data: "):
            continue
        if line == "data: [DONE]":
            ended = True
            continue
        event = json.loads(line.removeprefix("data: "))
        if "error" in event:
            _refused(seen, event)
            return
        if not any(choice["delta"].get("content") for choice in event.get("choices", ())):
            continue
        now = perf_counter()
        if seen.first is None:
            seen.first = now - before
        else:
            seen.between.append(now - before)
        before = now
    if not ended:
        seen.code = "cut off"


def _refused(seen: Seen, body: dict[str, Any]) -> None:
    seen.code = str(body["error"]["code"])
    seen.retry = seen.code in ("interrupted", "rate_limit_exceeded")


class Crowd:
    """Clients that ask one after the other for as long as they are let."""

    def __init__(self, client: httpx.AsyncClient, model: str, count: int, known: str) -> None:
        self._client, self._model, self._known = client, model, known
        self._count = count
        self.seen: list[Seen] = []

    async def ask_for(self, seconds: float) -> list[Seen]:
        """All that was seen in so many seconds; requests under way are finished."""
        until = perf_counter() + seconds
        before = len(self.seen)
        await asyncio.gather(*(self._one(number, until) for number in range(self._count)))
        return self.seen[before:]

    async def _one(self, number: int, until: float) -> None:
        draw = random.Random(f"{number} {until}")
        while perf_counter() < until:
            kind = KINDS[(number + draw.randrange(len(KINDS))) % len(KINDS)]
            told = await ask(self._client, self._model, kind, asked(kind, draw, self._known))
            self.seen.append(told)
            if told.code is not None:
                await asyncio.sleep(REST)
