"""Servers that are not ours: a model of this process, told in the forms that others are known for."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from omma.chat import Answer, Message, messages

Answering = Callable[[tuple[Message, ...], Mapping[str, Any]], Answer]
Reply = tuple[int, Mapping[str, str], bytes]
FORMS = ("vllm", "sglang", "bare", "whole")


@dataclass
class Foreign:
    """A server: what answers, in which form, under which name. `no` are answers given before any other."""

    answer: Answering
    form: str = "vllm"
    model: str = "omma-nano"
    no: list[Reply] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    endless: bool = False
    thoughts: str = ""
    url: str = ""

    def refuses(self, body: Mapping[str, Any]) -> Reply | None:
        """An answer in place of the model's, where a server of this kind does not take the request."""
        return None

    def cards(self) -> bytes:
        """The list of models, as much of it as such a server gives."""
        owner = {"vllm": "vllm", "sglang": "sglang"}.get(self.form, "someone")
        card = {"id": self.model, "object": "model", "owned_by": owner, "root": self.model}
        return json.dumps({"object": "list", "data": [card]}).encode()

    def pieces(self, body: Mapping[str, Any]) -> Iterator[bytes]:
        """The answer's bytes, in such pieces as they are sent."""
        told = self.answer(_decoded(body["messages"]), body)
        usage = {"prompt_tokens": told.usage.prompt_tokens, "completion_tokens": told.usage.completion_tokens}
        if self.form == "whole":
            said = {"role": "assistant", "content": told.text, "reasoning_content": self.thoughts or None}
            choice = {"index": 0, "message": said, "finish_reason": told.finish_reason}
            yield json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()
            return
        end = b"\r\n" if self.form == "bare" else b"\n"
        stream = b"".join(self._event(chunk, end) for chunk in self._chunks(told, body, usage))
        if self.form == "bare":
            stream = b": hello" + end + end + stream.removesuffix(end)  # nor [DONE], nor an empty line
            yield from (stream[at : at + 7] for at in range(0, len(stream), 7))
            return
        yield stream + b"data: [DONE]\n\n"

    def _event(self, chunk: Mapping[str, Any], end: bytes) -> bytes:
        raw = json.dumps(chunk, ensure_ascii=self.form == "vllm").encode()
        return (b"data:" if self.form == "bare" else b"data: ") + raw + end + end

    def _chunks(self, told: Answer, body: Mapping[str, Any], usage: Any) -> Iterator[dict[str, Any]]:
        nothing = {"role": "assistant", "content": None if self.form == "bare" else ""}
        yield {"choices": [{"index": 0, "delta": nothing, "logprobs": None, "finish_reason": None}]}
        key = "reasoning" if self.form == "vllm" else "reasoning_content"
        if self.thoughts:
            yield {"choices": [{"index": 0, "delta": {key: self.thoughts}, "finish_reason": None}]}
        for at in range(0, len(told.text), 3):
            delta = {"content": told.text[at : at + 3]} | ({key: None} if self.form == "sglang" else {})
            yield {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        last: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": told.finish_reason}
        if self.form == "sglang":
            last["matched_stop"] = 151645
        yield {"choices": [last]}
        if self.form != "bare" and (body.get("stream_options") or {}).get("include_usage"):
            yield {"choices": [], "usage": usage | {"prompt_tokens_details": None}}


def _decoded(raw: list[dict[str, Any]]) -> tuple[Message, ...]:
    return messages(raw)


class _Handler(BaseHTTPRequestHandler):
    """One request to a foreign server, which the class of its own that `serving` makes holds."""

    foreign: Foreign

    def log_message(self, format: str, *words: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.foreign.keys.append(self.headers.get("authorization"))
        if self.foreign.form == "bare":
            self._send(404, {"content-type": "text/html"}, b"<html><h1>Not Found</h1></html>")
        else:
            self._send(200, {"content-type": "application/json"}, self.foreign.cards())

    def do_POST(self) -> None:
        foreign = self.foreign
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        foreign.asked.append(body)
        foreign.keys.append(self.headers.get("authorization"))
        if refused := foreign.no.pop(0) if foreign.no else foreign.refuses(body):
            self._send(*refused)
            return
        self.send_response(200)
        self.send_header("content-type", _kind(foreign.form))
        self.end_headers()
        try:
            for piece in foreign.pieces(body):
                self.wfile.write(piece)
                self.wfile.flush()
            while foreign.endless:
                self.wfile.write(b": nothing yet\n\n")
        except (BrokenPipeError, ConnectionResetError):
            foreign.left.set()

    def _send(self, status: int, headers: Mapping[str, str], raw: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)


@contextmanager
def serving(foreign: Foreign) -> Iterator[Foreign]:
    """The server on a free port of this machine, for as long as the block runs."""
    handler = type("Handler", (_Handler,), {"foreign": foreign})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    foreign.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield foreign
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _kind(form: str) -> str:
    return {"whole": "application/json", "bare": "text/event-stream; charset=utf-8"}.get(
        form, "text/event-stream"
    )
