"""The door that every request comes through: its name, its key, what it may not be, and a line in the log.

Plain ASGI around the routes. Nothing a client says is read here but the head of its request.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeAlias

from omma.serve.faults import Refused
from omma.serve.keys import KeyRing
from omma.serve.meters import Meters
from omma.serve.reply import Reply
from omma.serve.settings import Settings
from omma.serve.traces import NoTraces, Traces
from omma.serve.visit import Message, Receive, Scope, Send, Visit

LOG = logging.getLogger("omma.serve")

App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

NO_TRACES = NoTraces()
OPEN = "/healthz"  # the one route without a key
TOLD_SECONDS = 1.0  # that those whose answers are cut at the server's end may take to hear of it
WATCHED = ("/healthz", "/readyz", "/metrics")  # they answer while the server stops
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]*)(:[0-9]{1,5})?")


class Doorway:
    """The application: give it to uvicorn. `close` lets nobody else in and waits for those inside."""

    def __init__(
        self, app: App, settings: Settings, keys: KeyRing, meters: Meters, traces: Traces = NO_TRACES
    ) -> None:
        self._app, self._settings, self._keys = app, settings, keys
        self._meters, self._traces = meters, traces
        self._closing = False
        self._inside: dict[int, tuple[Visit, asyncio.Task[Any] | None]] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def closing(self) -> bool:
        """Whether the server is being stopped."""
        return self._closing

    async def close(self, seconds: float | None = None) -> bool:
        """Refuse new requests, and wait for answers under way, as long as `leaving` says. True: all ended.

        Those that have not are told so, as an answer or as their stream's last event.
        """
        self._closing = True
        try:
            async with asyncio.timeout(self._settings.leaving if seconds is None else seconds):
                await self._empty.wait()
        except TimeoutError:
            for visit, task in tuple(self._inside.values()):
                visit.cut = True
                if task is not None:
                    task.cancel()
            with suppress(TimeoutError):
                async with asyncio.timeout(TOLD_SECONDS):
                    await self._empty.wait()
            return False
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the server's own beginning and end."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        visit = Visit.of(scope)
        visit.stopping = self._closing
        scope["omma.visit"] = visit
        counted = visit.path not in WATCHED
        self._enter(counted, visit)
        try:
            with self._traces.follow(visit):
                await self._visited(visit, scope, receive, self._dressed(visit, send))
        finally:
            self._leave(counted, visit)
            self._record(visit)

    async def _visited(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._check(visit)
        except Refused as refused:
            visit.notes["code"] = refused.code
            await Reply(send).fail(refused)
            return
        await self._app(scope, receive, send)

    def _check(self, visit: Visit) -> None:
        """Raises Refused for who may not come in."""
        headers, hosts = visit.headers, self._settings.hosts
        host = headers.get("host", "")
        named = _HOST.fullmatch(host)
        if hosts and (named is None or named.group(1).lower() not in hosts):
            text = f"this server is not called {host[:80]!r}; ask for one of {', '.join(hosts)}"
            raise Refused(421, text, code="unknown_host")
        origin = headers.get("origin")
        if origin is not None and origin.lower().partition("://")[2] != host.lower():
            text = "pages of other sites may not ask here; open the server's own page, or ask from a program"
            raise Refused(403, text, code="cross_origin")
        if visit.path != OPEN and self._keys:
            visit.tenant = self._tenant(headers)
        if self._closing and visit.path not in WATCHED:
            text = "the server is being stopped; ask again, another one may answer"
            more = {"retry-after": "2", "connection": "close"}
            raise Refused(503, text, code="stopping", headers=more)

    def _tenant(self, headers: Any) -> str:
        """Whose key was shown. A browser shows it as the password of a name, which does not matter."""
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        shown = shown.strip()
        if scheme.lower() == "basic":
            shown = _password(shown)
        elif scheme.lower() != "bearer":
            shown = ""
        tenant = self._keys.tenant(shown) if shown else None
        if tenant is None:
            what = "this key is not known" if shown else "a key is missing"
            text = f"{what}; wanted the header Authorization: Bearer KEY"
            raise Refused(
                401, text, code="invalid_api_key", headers={"www-authenticate": _challenge(headers)}
            )
        return tenant

    def _dressed(self, visit: Visit, send: Send) -> Send:
        """Puts the id and the headers of safety on whatever is answered, and sees its status."""

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                visit.status = visit.status or message["status"]
                told = {name for name, _ in message["headers"]}
                more = {"x-request-id": visit.id, **HEADERS}
                message["headers"] = [
                    *message["headers"],
                    *((n.encode(), v.encode()) for n, v in more.items() if n.encode() not in told),
                ]
            await send(message)

        return dressed

    def _enter(self, counted: bool, visit: Visit) -> None:
        if counted:
            self._inside[id(visit)] = visit, asyncio.current_task()
            self._empty.clear()
            self._meters.open.inc()

    def _leave(self, counted: bool, visit: Visit) -> None:
        if counted:
            del self._inside[id(visit)]
            self._meters.open.dec()
            if not self._inside:
                self._empty.set()

    def _record(self, visit: Visit) -> None:
        """A line of the log: numbers and names, no prompt and no pixel. The path only where it is a route."""
        route = visit.route or "unknown"
        self._meters.visited(route, visit.status, visit.seconds, visit.notes.get("code"))
        line = {
            "time": round(time.time(), 3),
            "id": visit.id,
            "method": visit.method[:16],
            "route": route,
            "status": visit.status,
            "seconds": round(visit.seconds, 4),
            "tenant": visit.tenant,
            **visit.notes,
        }
        level = logging.ERROR if visit.status == 500 else logging.INFO
        LOG.log(level, "%s", json.dumps(line, ensure_ascii=False))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.close()
                await asyncio.to_thread(self._traces.close)
                await send({"type": "lifespan.shutdown.complete"})
                return


def _challenge(headers: Any) -> str:
    """How to show a key: a browser that opens a page can only ask for a password."""
    page = headers.get("sec-fetch-mode") == "navigate"
    return 'Basic realm="omma: the key is the password", charset="UTF-8"' if page else 'Bearer realm="omma"'


def _password(shown: str) -> str:
    try:
        return base64.b64decode(shown, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
