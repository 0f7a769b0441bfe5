"""What a server sends of an answer, in any of the forms that servers are known for, as our pieces of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from omma.chat import THOUGHTS_END, Chosen, Delta, FinishReason, Likely, Seen, Usage
from omma.errors import BadInput, Interrupted
from omma.prep.dialects import DIALECTS
from omma.remote.refusals import refusal_of
from omma.sample import Size

# Why an answer ended, in others' words.
_REASONS: Mapping[str, FinishReason] = {
    "stop": "stop",
    "tool_calls": "stop",
    "function_call": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "loop": "loop",
    "repetition": "loop",
}
Object = Mapping[str, Any]


class Hearing:
    """One answer, while it is heard. Thoughts that come apart are put back before the text, with their mark.

    `seen` is what this side worked out; what the server tells of it goes before. `thought` becomes True when
    thoughts came apart.
    """

    def __init__(self, seen: Sequence[Seen], server: str) -> None:
        self.thought = False
        self._seen, self._server = tuple(seen), server
        self._said = self._looped = False
        self._calls: dict[int, list[str]] = {}  # of each call, its name and its arguments' JSON
        self._finish: FinishReason | None = None
        self._usage = Usage(0, 0)

    def stream(self, events: Iterable[str]) -> Iterator[Delta]:
        """The pieces of a stream of events, up to the one that ends it."""
        for event in events:
            if event.strip() == "[DONE]":
                break
            yield from self._heard(self._object(event), "delta")
        yield self._last()

    def whole(self, body: bytes) -> Iterator[Delta]:
        """The pieces of an answer that came at once, from a server that does not stream."""
        yield from self._heard(self._object(body.decode("utf-8", errors="replace")), "message")
        yield self._last()

    def _object(self, text: str) -> Object:
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError):
            raw = None
        if not isinstance(raw, Mapping):
            raise Interrupted(f"{self._server} sent what is no JSON object: {text[:80]!r}")
        if error := raw.get("error"):
            raise refusal_of(error, self._server)
        if raw.get("object") == "error":
            raise refusal_of(raw, self._server)
        return raw

    def _heard(self, chunk: Object, key: str) -> Iterator[Delta]:
        self._facts(chunk)
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if not isinstance(choice, Mapping) or choice.get("index"):
                continue  # more answers than the one that was asked for
            said = choice.get(key)
            said = said if isinstance(said, Mapping) else {}
            text = self._text(said)
            chosen = _chosen(choice.get("logprobs"))
            if text or chosen:
                yield Delta(text, chosen=chosen)
            if (reason := choice.get("finish_reason")) is not None:
                self._finish = self._reason(reason)

    def _text(self, said: Object) -> str:
        """The words of a piece, thoughts first."""
        thoughts = _words(said.get("reasoning_content")) or _words(said.get("reasoning"))
        words = _words(said.get("content"))
        self.thought |= bool(thoughts)
        if words and self.thought and not self._said:
            words = f"\n{THOUGHTS_END}\n\n{words}"
        self._said |= bool(words)
        for call in _objects(said.get("tool_calls")):
            self._called(call)
        return thoughts + words

    def _called(self, call: Object) -> None:
        """A piece of a call. Some servers send calls whole and without a number."""
        number = call.get("index")
        pieces = self._calls.setdefault(number if isinstance(number, int) else len(self._calls), ["", ""])
        function = call.get("function")
        for place, key in enumerate(("name", "arguments")):
            piece = function.get(key) if isinstance(function, Mapping) else None
            pieces[place] += piece if isinstance(piece, str) else ""

    def _calling(self) -> str:
        """The calls as the models write them (facts §7.3)."""
        told = []
        for name, arguments in self._calls.values():
            call = f'{{"name": {json.dumps(name, ensure_ascii=False)}, "arguments": {arguments or "{}"}}}'
            told.append(f"<tool_call>\n{call}\n</tool_call>")
        return ("\n" if told and self._said else "") + "\n".join(told)

    def _reason(self, reason: Any) -> FinishReason:
        if isinstance(reason, Mapping):  # SGLang's own form
            reason = reason.get("type")
        if known := _REASONS.get(str(reason)):
            return known
        if reason == "content_filter":
            raise BadInput(f"{self._server} held the answer back (content_filter); ask in another way")
        raise Interrupted(f"{self._server} ended the answer for {str(reason)[:80]!r}; ask again")

    def _facts(self, chunk: Object) -> None:
        """The usage, and what our own server tells beside an answer."""
        if isinstance(usage := chunk.get("usage"), Mapping):
            self._usage = _usage(usage)
        own = chunk.get("omma")
        own = own if isinstance(own, Mapping) else {}
        self._looped |= own.get("finish_reason") == "loop"
        if isinstance(told := own.get("seen"), list):
            if len(told) != len(self._seen):
                raise Interrupted(
                    f"{self._server} saw {len(told)} pictures and videos of {len(self._seen)} that were shown"
                )
            self._seen = tuple(_seen(mine, its) for mine, its in zip(self._seen, told, strict=True))

    def _last(self) -> Delta:
        if self._finish is None:
            raise Interrupted(f"{self._server} broke off in the middle of its answer; ask again")
        return Delta(self._calling(), "loop" if self._looped else self._finish, self._usage, self._seen)


def _words(content: Any) -> str:
    """A text, or the texts of a list of parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    return "".join(part["text"] for part in parts if isinstance(part, Mapping) and _is_text(part))


def _is_text(part: Object) -> bool:
    return isinstance(part.get("text"), str)


def _seen(mine: Seen, its: Any) -> Seen:
    """Our geometry with what the server tells of its own."""
    if not isinstance(its, Mapping):
        return mine
    told: dict[str, Any] = {
        name: Size(*its[name]) for name in ("original", "resized") if _is_size(its.get(name))
    }
    if its.get("dialect") in DIALECTS:
        told["boxes"] = its["dialect"]
    times = its.get("times")
    if isinstance(times, list) and all(isinstance(time, (int, float)) for time in times):
        told["times"] = tuple(map(float, times))
    if isinstance(its.get("tokens"), int):
        told["tokens"] = its["tokens"]
    return replace(mine, **told)


def _is_size(told: Any) -> bool:
    return isinstance(told, list) and len(told) == 2 and all(isinstance(n, int) and n > 0 for n in told)


def _usage(told: Object) -> Usage:
    details = told.get("prompt_tokens_details")
    details = details if isinstance(details, Mapping) else {}
    written = told.get("completion_tokens_details")
    pictures, videos = (_count(details.get(name)) for name in ("image_tokens", "video_tokens"))
    return Usage(
        _count(told.get("prompt_tokens")),
        _count(told.get("completion_tokens")),
        pictures + videos,
        videos,
        _count(details.get("cached_tokens")),
        _count(written.get("reasoning_tokens")) if isinstance(written, Mapping) else 0,
    )


def _count(told: Any) -> int:
    return told if isinstance(told, int) else 0


def _chosen(told: Any) -> tuple[Chosen, ...]:
    """Tokens with their log-probabilities, in OpenAI's form."""
    content = told.get("content") if isinstance(told, Mapping) else None
    return tuple(
        Chosen(*_likely(one), tuple(Likely(*_likely(other)) for other in _objects(one.get("top_logprobs"))))
        for one in _objects(content)
    )


def _objects(told: Any) -> Iterator[Object]:
    return (one for one in told if isinstance(one, Mapping)) if isinstance(told, list) else iter(())


def _likely(one: Object) -> tuple[bytes, float]:
    """A token's bytes, or its text where they are not told, and its log-probability."""
    raw, probable = one.get("bytes"), one.get("logprob")
    whole = isinstance(raw, list) and all(isinstance(n, int) and 0 <= n < 256 for n in raw)
    spelled = bytes(raw) if whole else str(one.get("token", "")).encode("utf-8", "replace")  # type: ignore[arg-type]
    return spelled, float(probable) if isinstance(probable, (int, float)) else 0.0
