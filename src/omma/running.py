"""One model for many askers: any thread asks, one thread owns the engine and writes all answers together."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import perf_counter
from typing import Any, TypeAlias

import torch

from omma.chat import Delta, Message, Options, Seen
from omma.engine.content import digests
from omma.engine.engine import Engine, Failed, Written
from omma.engine.generate import Piece, Writing
from omma.engine.request import Request
from omma.errors import Busy, Interrupted, OmmaError
from omma.respond import Model, delta
from omma.verbs import PLAIN

FEATURES = 256_000_000  # bytes of features of pictures that are kept, at most
GUESSES = 8  # tokens that are tried in a step, where the same words stood before


@dataclass(frozen=True)
class Limits:
    """How much is done at a time.

    `rows` answers are written together, and `line` requests may wait for that; more are refused. `memory`
    bytes hold keys and values, those kept of answers that have ended too: by default half of what is free on
    an accelerator, or a quarter of the machine's memory, and there no more than `enough`. `features`, by
    default a sixteenth of that and at most FEATURES, `guesses`, `budget`, `chunk`, `pause`, `alone` and
    `invariant` are those of `engine.Engine`.
    """

    rows: int = 32
    line: int = 256
    memory: int | None = None
    features: int | None = None
    guesses: int = GUESSES
    budget: int = 8192
    chunk: int | None = None
    pause: float = 0.25
    alone: float = 1.0
    invariant: bool = False


Hear: TypeAlias = Callable[[Piece], None]  # what the engine's thread does with a piece; it must not take long


class _Work:
    """What the engine's thread holds of an answer. The asker's handle is another thing."""

    def __init__(self, prep: float, hear: Hear) -> None:
        self.prep, self.hear = prep, hear
        self.writing: Writing | None = None

    @property
    def seconds(self) -> dict[str, float]:
        """By stage, as far as it has come."""
        stages = {} if self.writing is None else self.writing.row.times.seconds
        return {"prep": self.prep, **stages}


class Asked:
    """An answer that is being written. Closing it, or letting go of it, ends the work within a step.

    `seconds` by stage are complete after the last piece: prep, wait, encode, prefill, decode.
    """

    def __init__(self, name: str, seen: tuple[Seen, ...], work: _Work, inbox: SimpleQueue[Any]) -> None:
        self.name, self.seen, self._work, self._inbox = name, seen, work, inbox
        self._over = False

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds by stage, as far as the answer has come."""
        return self._work.seconds

    def close(self) -> None:
        """Want nothing more. Who waits for a piece is told that the answer was closed."""
        if not self._over:
            self._over = True
            self._inbox.put(_Cancel(self._work))

    def __del__(self) -> None:
        self.close()


class Answering(Asked, Iterator[Delta]):
    """An answer whose pieces wait until they are asked for."""

    def __init__(self, pieces: SimpleQueue[Piece], *asked: Any) -> None:
        super().__init__(*asked)
        self._pieces = pieces

    def __next__(self) -> Delta:
        if self._over:
            raise StopIteration
        piece = self._pieces.get()
        if piece.finish is not None or piece.error is not None:
            self._over = True
        return delta(piece, self.seen)


class Running:
    """Keeps a model running. A `chat.Responder` for many threads; `close` it, or use it in a ``with``.

    Answers are those of `Model.stream`: the same options, shapes and seeds. Beginnings of prompts, and what
    was shown before, are not read again for the same tenant.
    """

    def __init__(self, model: Model, **limits: Any) -> None:
        self.model, self.limits = model, Limits(**limits)
        how = self.limits
        memory = _memory(model, how.rows) if how.memory is None else how.memory
        self._engine = Engine(
            model.network,
            rows=how.rows,
            budget=how.budget,
            memory=memory,
            keep=True,
            features=min(FEATURES, memory // 16) if how.features is None else how.features,
            guesses=how.guesses,
            chunk=how.chunk,
            pause=how.pause,
            alone=how.alone,
            invariant=how.invariant,
        )
        self._inbox: SimpleQueue[_Ask | _Cancel | None] = SimpleQueue()
        self._works: dict[int, _Work] = {}  # touched by the engine's thread alone
        self._lock = Lock()
        self._open, self._ended, self._taken = 0, Counter[str](), 0.0  # `taken`: seconds of an answer
        self._spent, self._cached = Counter[str](), 0
        self._over: str | None = None
        self._thread = Thread(target=self._run, name="omma-engine", daemon=True)
        self._thread.start()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stream(
        self,
        spoken: Sequence[Message],
        options: Options = PLAIN,
        *,
        tenant: str = "",
        name: str = "",
    ) -> Answering:
        """Answer piece by piece; the work begins at once, and pictures are opened in the caller's thread.

        Raises what is wrong with the conversation, and Busy where too many wait already.
        """
        pieces: SimpleQueue[Piece] = SimpleQueue()
        return Answering(pieces, *self._asked(spoken, options, tenant, name, pieces.put))

    def ask(
        self,
        spoken: Sequence[Message],
        options: Options,
        hear: Hear,
        *,
        tenant: str = "",
        name: str = "",
    ) -> Asked:
        """The same for somebody who has many answers at a time: the engine's thread gives `hear` each piece.

        The first may come before this returns, the last one has a finish or an error. A listener that holds
        what this gives has to let go of it then: the prompt's pictures would stay with them both.
        """
        return Asked(*self._asked(spoken, options, tenant, name, hear))

    def _asked(
        self, spoken: Sequence[Message], options: Options, tenant: str, name: str, hear: Hear
    ) -> tuple[str, tuple[Seen, ...], _Work, SimpleQueue[Any]]:
        options.check()
        self._enter()
        began = perf_counter()
        try:
            asked, seen = self.model.prepared(spoken, options, tenant=tenant)
            asked = replace(asked, shown=digests(asked.sample))
        except BaseException:
            self._leave("refused", 0.0)
            raise
        work = _Work(perf_counter() - began, hear)
        self._inbox.put(_Ask(asked, work))
        if self._over is not None:  # it may have ended after we entered: nobody would hear us
            self._hang_up(self._over)
        return name, seen, work, self._inbox

    def load(self) -> dict[str, Any]:
        """How things stand: requests, pages, what was kept, and seconds by stage of all answers so far."""
        pages = self._engine.cache.pages
        with self._lock:
            running = min(self._engine.running, self._open)
            return {
                "running": running,
                "waiting": self._open - running,
                "pages": {"held": pages.held, "kept": pages.kept, "limit": pages.limit},
                "bytes": {"pages": self._engine.cache.bytes, "features": self._engine.features.bytes},
                "cached_tokens": self._cached,
                "ended": dict(self._ended),
                "seconds": dict(self._spent),
                "broken": self._over,
            }

    def close(self) -> None:
        """End what runs with Interrupted, and the thread."""
        self._inbox.put(None)
        self._thread.join()

    def _enter(self) -> None:
        with self._lock:
            if self._over is not None:
                raise Interrupted(self._over)
            waiting = self._open - self.limits.rows
            if waiting >= self.limits.line:
                after = max(1.0, self._taken * waiting / self.limits.rows)
                raise Busy(
                    f"{self._open} requests are being answered or wait; at most "
                    f"{self.limits.rows + self.limits.line} may; ask again in {after:.0f} s",
                    after,
                )
            self._open += 1

    def _leave(self, how: str, seconds: float) -> None:
        with self._lock:
            self._open -= 1
            self._ended[how] += 1
            if seconds:
                self._taken = seconds if not self._taken else 0.9 * self._taken + 0.1 * seconds

    # ---- the engine's thread

    def _run(self) -> None:
        told = "the engine has been closed; ask another one"
        try:
            while self._heard():
                for step in self._engine.step():
                    self._tell(step)
        except BaseException as wrong:
            told = f"the engine broke off with {type(wrong).__name__}: {wrong}; ask again when it is back"
            raise
        finally:
            with self._lock:
                self._over = told
            self._hang_up(told)

    def _heard(self) -> bool:
        """Take in what was asked and unasked, and wait if there is nothing to do. False: to be closed."""
        while True:
            try:
                word = self._inbox.get(block=self._engine.idle)
            except Empty:
                return True
            match word:
                case None:
                    return False
                case _Ask():
                    self._begin(word)
                case _Cancel(work):
                    self._end(work)

    def _begin(self, ask: _Ask) -> None:
        ticket = self._engine.add(ask.request)
        writing = Writing.to(ticket, ask.request, self._engine.row(ticket), self.model.spell)
        self._works[ticket], ask.work.writing = ask.work, writing

    def _end(self, work: _Work) -> None:
        """It was closed by whoever asked. If it has ended meanwhile there is nothing to do."""
        ticket = None if work.writing is None else work.writing.index
        if ticket is not None and self._works.pop(ticket, None) is not None:
            self._engine.cancel(ticket)
            self._leave("cancelled", 0.0)
            work.hear(Piece(ticket, "", error=Interrupted("the answer was closed")))

    def _tell(self, told: Written | Failed) -> None:
        work = self._works.get(told.ticket)
        if work is None or work.writing is None:
            return  # a stop text, or whoever asked, ended it before this token of the same step
        if isinstance(told, Failed):
            piece = Piece(told.ticket, "", error=told.error)
        else:
            piece = work.writing.take(told)
        if not piece.telling:
            return
        if piece.finish is not None or piece.error is not None:
            self._engine.cancel(told.ticket)
            del self._works[told.ticket]
            self._count(work, piece)
        work.hear(piece)

    def _count(self, work: _Work, piece: Piece) -> None:
        seconds = work.seconds
        with self._lock:
            self._spent.update(seconds)
            self._cached += 0 if piece.usage is None else piece.usage.cached_tokens
        self._leave(piece.finish or "failed", sum(seconds.values()))

    def _hang_up(self, told: str) -> None:
        """Tell everybody who is still asking that nothing more comes."""
        error: OmmaError = Interrupted(told)
        for ticket, work in list(self._works.items()):
            if self._works.pop(ticket, None) is not None:
                self._leave("interrupted", 0.0)
                work.hear(Piece(ticket, "", error=error))
        while not self._inbox.empty():
            try:
                word = self._inbox.get(block=False)
            except Empty:
                return
            if isinstance(word, _Ask):
                self._leave("interrupted", 0.0)
                word.work.hear(Piece(0, "", error=error))


@dataclass(frozen=True)
class _Ask:
    request: Request
    work: _Work


@dataclass(frozen=True)
class _Cancel:
    work: _Work


def enough(model: Model, rows: int) -> int:
    """Bytes of keys and values of so many rows, each as long as the model reads."""
    spec, weight = model.spec.decoder, next(model.network.decoder.parameters())
    return 2 * spec.depth * spec.key_heads * spec.head_width * weight.itemsize * spec.context * rows


def _memory(model: Model, rows: int) -> int:
    """Bytes for keys and values where nobody says: a quarter of the machine, half of an accelerator."""
    weight = next(model.network.decoder.parameters())
    if weight.device.type == "cuda":
        return torch.cuda.mem_get_info(weight.device)[0] // 2
    return min(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4, enough(model, rows))
