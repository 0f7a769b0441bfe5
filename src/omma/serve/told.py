"""What every form of answer tells alike: usage, log-probabilities, what was seen, where the time went."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from omma.chat import Chosen, Likely, Seen, Usage
from omma.serve.desk import Cost, Told
from omma.serve.speech import Called, Ended, Event, Read, Said, Thought

LEAST = -9999.0  # a log-probability of nothing at all, as JSON knows no infinity

# An answer that ran in circles was cut like one that grew too long; `omma.finish_reason` says which it was.
REASONS = {"stop": "stop", "length": "length", "loop": "length"}


def name(kind: str) -> str:
    """An id for an answer or a part of one: ``chatcmpl-…``."""
    return f"{kind}{secrets.token_hex(12)}"


@dataclass
class Gathered:
    """An answer as it adds up."""

    text: str = ""
    thoughts: str = ""
    calls: list[dict[str, str]] = field(default_factory=list)
    chosen: list[Chosen] = field(default_factory=list)
    read: tuple[Chosen, ...] = ()
    told: Told | None = None

    @property
    def reason(self) -> str:
        """Why it ended, in omma's words."""
        return (self.told and self.told.delta.finish_reason) or "stop"


def gather(gathered: Gathered, one: Event) -> None:
    """Add a piece to what came before it."""
    match one:
        case Read(chosen):
            gathered.read = chosen
        case Thought(text):
            gathered.thoughts += text
        case Said(text, chosen):
            gathered.text += text
            gathered.chosen += chosen
        case Called(index, arguments, called):
            if called is not None:
                assert index == len(gathered.calls), "calls come one after the other"
                gathered.calls.append({"id": name("call_"), "name": called, "arguments": ""})
            gathered.calls[index]["arguments"] += arguments
        case Ended(told):
            gathered.told = told


def usage_of(one: Gathered) -> Usage:
    """What an answer took."""
    return (one.told and one.told.delta.usage) or Usage(0, 0)


def usage_form(usages: Sequence[Usage], count: int | None = None) -> dict[str, Any]:
    """The usage of one request: what was written counts in every choice, the prompt once.

    With several prompts each has `count` choices, and counts once.
    """
    written = sum(usage.completion_tokens for usage in usages)
    thought = sum(usage.reasoning_tokens for usage in usages)
    firsts = usages[:: count or len(usages)]
    read, visual, video, cached = (
        sum(getattr(usage, name) for usage in firsts)
        for name in ("prompt_tokens", "visual_tokens", "video_tokens", "cached_tokens")
    )
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {
            "text_tokens": read - visual,
            "image_tokens": visual - video,
            "video_tokens": video,
            "cached_tokens": cached,
        },
        "completion_tokens_details": {"reasoning_tokens": thought},
    }


def logprob_forms(chosen: Sequence[Chosen]) -> list[dict[str, Any]]:
    """Tokens with their log-probabilities, in OpenAI's form."""
    return [_likely(one) | {"top_logprobs": [_likely(other) for other in one.likeliest]} for one in chosen]


def _likely(one: Likely) -> dict[str, Any]:
    return {"token": word(one), "logprob": max(one.logprob, LEAST), "bytes": list(one.bytes)}


def word(one: Likely) -> str:
    """A token as text; where it is a part of a character only, its bytes are the truth."""
    return one.bytes.decode("utf-8", "replace")


def seen_form(seen: Seen) -> dict[str, Any]:
    """What the model saw of a picture or video: sizes in pixels, tokens, and the seconds of its frames."""
    told: dict[str, Any] = {
        "kind": seen.kind,
        "original": list(seen.original),
        "resized": list(seen.resized),
        "dialect": seen.boxes,
    }
    tokens = {} if seen.tokens is None else {"tokens": seen.tokens}
    return told | tokens | ({"times": [round(time, 6) for time in seen.times]} if seen.times else {})


def omma_form(told: Told, fetch: float | None, ignored: Sequence[str]) -> dict[str, Any]:
    """What OpenAI's form has no place for, in the field `omma`."""
    seconds = {stage: round(value, 6) for stage, value in seconds_of(told, fetch).items()}
    return {
        "finish_reason": told.delta.finish_reason,
        "geometry": told.geometry,
        "seen": [seen_form(seen) for seen in told.delta.seen],
        "seconds": seconds,
        "ignored": list(ignored),
    }


def seconds_of(told: Told, fetch: float | None) -> dict[str, float]:
    """Seconds by stage, fetching included where something was fetched."""
    return ({} if fetch is None else {"fetch": fetch}) | dict(told.seconds or {})


def cost_form(cost: Cost, model: str) -> dict[str, Any]:
    """A preview of the cost."""
    return {
        "object": "omma.cost",
        "model": model,
        "prompt_tokens": cost.prompt_tokens,
        "prompt_tokens_details": {
            "text_tokens": cost.text_tokens,
            "image_tokens": cost.picture_tokens,
            "video_tokens": cost.video_tokens,
        },
        "context": cost.context,
        "fits": cost.prompt_tokens < cost.context,
        "seconds": cost.seconds,
        "shown": [
            {
                "kind": one.kind,
                "original": list(one.original),
                "resized": list(one.resized),
                "tokens": one.tokens,
                "frames": one.frames,
            }
            for one in cost.shown
        ],
    }
