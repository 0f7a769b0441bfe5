"""A model behind an address: every verb of a loaded one, over any server that speaks OpenAI's form."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from omma.chat import Delta, Gathering, Message, Options, Spoken, messages
from omma.errors import (
    BadMessage,
    Busy,
    Interrupted,
    MissingExtra,
    OmmaError,
    UnknownModel,
    UnknownOption,
    Unreachable,
    halved,
)
from omma.remote.asking import body
from omma.remote.events import events
from omma.remote.hearing import Hearing
from omma.remote.peer import peer_of
from omma.remote.refusals import refusal
from omma.verbs import PLAIN, Reply, Verbs, alone

if TYPE_CHECKING:
    import httpx

Got = TypeVar("Got")
PATIENCE = 600.0  # seconds of silence
KNOCK = 10.0  # seconds until somebody opens
PAUSE = 0.5  # seconds before asking again the first time; then twice as many, each time a little otherwise
LONGEST_PAUSE = 20.0
LONGEST_PATIENCE = 1_000_000
MOST_RETRIES = 100
_HERE = ("localhost", "127.0.0.1", "::1")


class Remote(Verbs):
    """Asks a model behind an address. A `chat.Responder` for many threads; made by `omma.connect`.

    What is left open in options is as the server decides. Beside what a loaded model raises: Unreachable
    (nobody there, or the key is refused), Busy (later it goes) and Interrupted (asked again it goes).
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        *,
        key: str | None = None,
        timeout: float = PATIENCE,
        dialect: str | None = None,
        retries: int = 3,
    ) -> None:
        self.url = root(url)
        _check(key, timeout, retries)
        self._retries = retries
        self._client = _client(self.url, key, timeout)
        try:
            self.peer = peer_of(self._cards(missing=model is not None), model, dialect, self.url)
        except OmmaError:
            self.close()
            raise
        self.name = self.peer.model
        self._thought = False

    def __repr__(self) -> str:
        return f"<omma.Remote {self.name} at {self.url}: {self.peer.make}, {self.peer.dialect}>"

    def close(self) -> None:
        """Let go of all connections."""
        self._client.close()

    @property
    def thinks(self) -> bool:
        """Whether its answers begin with thoughts, as its card, its name or an answer said."""
        return self.peer.thinks or self._thought

    @property
    def dialect(self) -> str:
        """How it writes places and times: a name in prep.dialects."""
        return self.peer.dialect

    def stream(self, spoken: Sequence[Message], options: Options = PLAIN) -> Telling:
        """Answer piece by piece, from the first piece on. Closing it closes the connection.

        What is wrong with the conversation is raised here, and so is what the server says before it answers.
        """
        options.check()
        told, seen = body(messages(spoken), options, self.peer)
        raw = _written(told)
        return self._patiently(lambda: Telling(self, self._send("POST", "/chat/completions", raw), seen))

    def answers(
        self, conversations: Iterable[Spoken], options: Options = PLAIN, *, rows: int = 32
    ) -> Iterator[tuple[int, Reply | OmmaError]]:
        """Answers to many conversations, each with its place in line, as they are finished.

        `rows` are asked at a time, each in a thread and a connection of its own.
        """
        options.check()
        line = enumerate(conversations)
        running: dict[Future[Reply | OmmaError], int] = {}
        ended = threading.Event()
        with ThreadPoolExecutor(rows, thread_name_prefix="omma-connect") as pool:
            try:
                while True:
                    while len(running) < rows and (following := next(line, None)) is not None:
                        running[pool.submit(self._one, following[1], options, ended)] = following[0]
                    if not running:
                        return
                    for done in wait(running, return_when=FIRST_COMPLETED).done:
                        yield running.pop(done), done.result()
            finally:
                ended.set()
                pool.shutdown(wait=False, cancel_futures=True)

    def heard(self, hearing: Hearing) -> None:
        """Remember that thoughts came before an answer."""
        self._thought |= hearing.thought

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Whatever the network does to a request inside, as an error of ours."""
        import httpx

        try:
            yield
        except httpx.ConnectError as wrong:
            raise Interrupted(f"nobody answers at {self.url}: {wrong}") from None
        except httpx.TimeoutException:
            raise Interrupted(
                f"{self.url} has been silent for too long; ask again, or give timeout="
            ) from None
        except httpx.HTTPError as wrong:
            raise Interrupted(f"{self.url} broke off: {wrong or type(wrong).__name__}; ask again") from None
        except httpx.InvalidURL as wrong:
            raise UnknownOption(f"{self.url!r} is no server's address: {wrong}") from None

    def _one(self, spoken: Spoken, options: Options, ended: threading.Event) -> Reply | OmmaError:
        try:
            gathering = Gathering(Reply)
            stream = self.stream(messages(spoken), options)
            try:
                for delta in stream:
                    if (answer := gathering.take(delta)) is not None:
                        return answer
                    if ended.is_set():
                        break
            finally:
                stream.close()
            raise Interrupted("nobody waits for this answer any more")
        except OmmaError as wrong:
            return alone(wrong)

    def _patiently(self, ask: Callable[[], Got]) -> Got:
        """Ask, and where that fails in a way that passes, again: a few times, later each time."""
        for tried in range(self._retries + 1):
            try:
                return ask()
            except (Busy, Interrupted) as wrong:
                pause = PAUSE * 2**tried * random.uniform(0.5, 1.0)
                if isinstance(wrong, Busy):
                    pause = max(pause, wrong.retry_after)
                if tried == self._retries or pause > LONGEST_PAUSE:
                    raise
            time.sleep(pause)
        raise AssertionError("a last try returns or raises")

    def _cards(self, *, missing: bool) -> list[Any]:
        """The models that the server offers; none where it does not say and that is no matter."""

        def ask() -> list[Any]:
            response = self._send("GET", "/models", None)
            try:
                raw = json.loads(response.read())
            except ValueError:
                raw = None
            finally:
                response.close()
            data = raw.get("data") if isinstance(raw, dict) else None
            return data if isinstance(data, list) else []

        try:
            return ask()
        except Interrupted as wrong:
            raise Unreachable(str(wrong)) from None
        except UnknownModel:
            if missing:  # not every server has a list
                return []
            raise

    def _send(self, method: str, path: str, raw: bytes | None) -> httpx.Response:
        """Send a request; the response's head is here, and it is no refusal."""
        headers = {"content-type": "application/json"} if raw is not None else {}
        with self.faults():
            request = self._client.build_request(method, self.url + path, content=raw, headers=headers)
            response = self._client.send(request, stream=True)
            if response.status_code == 200:
                return response
            try:
                said = response.read()
            finally:
                response.close()
        raise refusal(response.status_code, response.headers, said, self.url)


class Telling(Iterator[Delta]):
    """An answer that is being told. Its first piece is here; closing it closes the connection."""

    def __init__(self, remote: Remote, response: httpx.Response, seen: Sequence[Any]) -> None:
        self._remote, self._response = remote, response
        self._hearing = Hearing(seen, remote.url)
        at_once = "json" in response.headers.get("content-type", "")
        self._deltas = self._whole() if at_once else self._hearing.stream(events(response.iter_bytes()))
        self._first: Delta | None = None
        self._first = self._next()

    def __next__(self) -> Delta:
        first, self._first = self._first, None
        return first if first is not None else self._next()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, whatever is still to come."""
        self._deltas = iter(())
        self._response.close()

    def _whole(self) -> Iterator[Delta]:
        yield from self._hearing.whole(self._response.read())

    def _next(self) -> Delta:
        try:
            with self._remote.faults():
                delta = next(self._deltas)
        except BaseException:
            self.close()
            raise
        self._remote.heard(self._hearing)
        return delta


def root(url: str) -> str:
    """The address that paths are put behind: without a slash at its end, with /v1 where there is no path.

    Raises UnknownOption for what is no address of the web.
    """
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        _ = parts.path.encode(), parts.port  # half of a character, or no number: it is said only now
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UnknownOption(f"{url!r} is no server's address; wanted one such as http://localhost:8000/v1")
    if parts.username or parts.password:
        raise UnknownOption("the address holds a name or a password; take them out and give key=")
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return f"{parts.scheme}://{parts.netloc}{path or '/v1'}"


def _check(key: object, timeout: object, retries: object) -> None:
    """Raise UnknownOption for a key that no header carries, or a number that cannot be meant."""
    if key is not None and not (isinstance(key, str) and key.isascii() and key.isprintable()):
        raise UnknownOption(
            "the key holds what no header carries; wanted a text of ASCII letters, figures and signs, "
            "without line breaks"
        )
    seconds = timeout if isinstance(timeout, (int, float)) and not isinstance(timeout, bool) else 0
    if not 0 < seconds <= LONGEST_PATIENCE:
        raise UnknownOption(
            f"timeout is {timeout!r:.40}; wanted seconds: over 0, {LONGEST_PATIENCE:,} at most"
        )
    if not isinstance(retries, int) or isinstance(retries, bool) or not 0 <= retries <= MOST_RETRIES:
        raise UnknownOption(f"retries is {retries!r:.40}; wanted a whole number from 0 to {MOST_RETRIES}")


def _written(told: Mapping[str, Any]) -> bytes:
    """A body as it is sent. Raises BadMessage for half of a character, which UTF-8 has no bytes for."""
    raw = json.dumps(told, ensure_ascii=False)
    if wrong := halved(raw):
        raise BadMessage(f"a text holds {wrong}")
    return raw.encode()


def _client(url: str, key: str | None, timeout: float) -> httpx.Client:
    try:
        import httpx
    except ModuleNotFoundError:
        raise MissingExtra(
            "connecting needs httpx, which is absent; do: pip install 'omma[client]'"
        ) from None
    return httpx.Client(
        headers={"authorization": f"Bearer {key}"} if key else {},
        timeout=httpx.Timeout(timeout, connect=min(KNOCK, timeout), pool=None),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
        trust_env=urlsplit(url).hostname not in _HERE,  # a proxy does not lead to this very machine
    )
