"""Requests in, text out as it is written: the engine's tokens, spelled and cut at stop texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from omma.chat import FinishReason, Usage
from omma.engine.engine import Engine, Failed, Written
from omma.engine.request import Request
from omma.engine.text import TextStream
from omma.errors import OmmaError
from omma.model.vlm import Vlm


@dataclass(frozen=True)
class Piece:
    """Text of the request at `index`. Its last piece says why it ended, with what it took, or the error."""

    index: int
    text: str
    finish: FinishReason | None = None
    usage: Usage | None = None
    error: OmmaError | None = None


@dataclass
class _Answer:
    """A request whose answer is being written."""

    index: int
    stream: TextStream
    stop_ids: frozenset[int]
    prompt: int
    visual: int
    count: int = 0

    @classmethod
    def to(cls, index: int, request: Request, bytes_of: Callable[[int], bytes]) -> _Answer:
        """An answer not yet begun. The prompt itself is not kept: it may be large."""
        sample = request.sample
        visual = sum(visual.tokens for visual in sample.visuals)
        return cls(index, TextStream(bytes_of, request.stop), request.stop_ids, sample.length, visual)

    def take(self, written: Written) -> Piece:
        """Spell one more token."""
        self.count += 1
        text = "" if written.token in self.stop_ids else self.stream.add(written.token)
        finish: FinishReason | None = "stop" if self.stream.stopped else written.finish
        if finish is None:
            return Piece(self.index, text)
        text += self.stream.close()
        usage = Usage(self.prompt, self.count, self.visual)
        return Piece(self.index, text, "stop" if self.stream.stopped else finish, usage)


def generate(
    model: Vlm, requests: Iterable[Request], bytes_of: Callable[[int], bytes], *, rows: int = 32
) -> Iterator[Piece]:
    """Answer all requests, `rows` at a time, each with the tokens it would have alone.

    Requests are drawn from the iterable only when there is room for them. Pieces of different requests come
    mixed, those of one request in order; pieces without text are left out, but for the last. A request that
    cannot be gone on with ends with an error, and no other does. Closing the iterator frees what its requests
    hold.
    """
    engine = Engine(model, rows=rows)
    answers: dict[int, _Answer] = {}
    line = enumerate(requests)
    while True:
        while engine.room and (following := next(line, None)) is not None:
            answers[engine.add(following[1])] = _Answer.to(*following, bytes_of)
        if engine.idle:
            return
        for told in engine.step():
            if isinstance(told, Failed):
                yield Piece(answers.pop(told.ticket).index, "", error=told.error)
                continue
            if told.ticket not in answers:  # a stop text ended it before this token of the same step
                continue
            piece = answers[told.ticket].take(told)
            if piece.finish is not None:
                engine.cancel(told.ticket)
                del answers[told.ticket]
            if piece.text or piece.finish is not None:
                yield piece
