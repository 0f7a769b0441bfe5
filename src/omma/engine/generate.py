"""Requests in, text out as it is written: the engine's tokens, spelled and cut at stop texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from omma.chat import Chosen, FinishReason, Likely, Usage
from omma.engine.engine import Engine, Failed, Written
from omma.engine.request import Request
from omma.engine.row import Row, Scored
from omma.engine.text import TextStream
from omma.errors import OmmaError
from omma.model.vlm import Vlm


@dataclass(frozen=True)
class Piece:
    """Text of the request at `index`. Its last piece says why it ended, with what it took, or the error.

    `chosen` are its tokens, where log-probabilities were asked for, and `read` those of the prompt, which the
    first piece has where they were asked for.
    """

    index: int
    text: str
    finish: FinishReason | None = None
    usage: Usage | None = None
    error: OmmaError | None = None
    chosen: tuple[Chosen, ...] = ()
    read: tuple[Chosen, ...] = ()

    @property
    def telling(self) -> bool:
        """Whether there is anything in it that has to be heard."""
        return bool(self.text or self.read) or self.finish is not None or self.error is not None


@dataclass
class Writing:
    """A request whose answer is being written: its tokens become pieces."""

    index: int
    row: Row
    bytes_of: Callable[[int], bytes]
    stream: TextStream
    visual: int
    video: int
    count: int = 0
    thoughts: int = 0  # tokens, the one that ends them included
    thinking: bool = False
    chosen: list[tuple[int, Chosen]] = field(default_factory=list)  # with the letters that stood before each

    @classmethod
    def to(cls, index: int, request: Request, row: Row, bytes_of: Callable[[int], bytes]) -> Writing:
        """An answer not yet begun."""
        visuals = request.sample.visuals
        visual, video = (
            sum(one.tokens for one in visuals if one.kind in kinds)
            for kinds in (("image", "video"), ("video",))
        )
        thinks = request.thoughts_end is not None
        stream = TextStream(bytes_of, request.stop)
        return cls(index, row, bytes_of, stream, visual, video, thinking=thinks)

    def take(self, written: Written) -> Piece:
        """Spell one more token."""
        self.count += 1
        if self.thinking:
            self.thoughts += 1
            self.thinking = written.token != self.row.request.thoughts_end
        text, read = "", self._read() if self.count == 1 else ()
        if written.token not in self.row.request.stop_ids:
            self._score(written)
            text = self.stream.add(written.token)
        finish: FinishReason | None = "stop" if self.stream.stopped else written.finish
        if finish is not None:
            text += self.stream.close()
            finish = "stop" if self.stream.stopped else finish
        if not text and finish is None:
            return Piece(self.index, "", read=read)
        # A token that begins behind a stop text's place is no part of the answer, as that text is none.
        cut = self.stream.told if self.stream.stopped else None
        chosen = tuple(one for place, one in self.chosen if cut is None or place < cut)
        self.chosen.clear()
        usage = None if finish is None else self._usage()
        return Piece(self.index, text, finish, usage, chosen=chosen, read=read)

    def _score(self, written: Written) -> None:
        if (how := written.scored) is not None:
            self.chosen.append((self.stream.taken, self._chosen(written.token, how)))

    def _chosen(self, token: int, how: Scored) -> Chosen:
        likely = tuple(Likely(self.bytes_of(other), score) for other, score in how.likeliest)
        return Chosen(self.bytes_of(token), how.logprob, likely)

    def _read(self) -> tuple[Chosen, ...]:
        """The prompt's tokens as they were scored; before the first stood nothing."""
        if not self.row.request.scores_prompt:
            return ()
        ids = self.row.ids(0, self.row.prompt).tolist()
        scored = [Scored(0.0, ()), *self.row.read]
        return tuple(self._chosen(token, how) for token, how in zip(ids, scored, strict=True))

    def _usage(self) -> Usage:
        return Usage(self.row.prompt, self.count, self.visual, self.video, self.row.cached, self.thoughts)


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
    answers: dict[int, Writing] = {}
    line = enumerate(requests)
    while True:
        while engine.room and (following := next(line, None)) is not None:
            index, request = following
            ticket = engine.add(request)
            answers[ticket] = Writing.to(index, request, engine.row(ticket), bytes_of)
            del following, request  # it may be large
        if engine.idle:
            return
        for told in engine.step():
            if told.ticket not in answers:  # a stop text ended it before this token of the same step
                continue
            if isinstance(told, Failed):
                yield Piece(answers.pop(told.ticket).index, "", error=told.error)
                continue
            piece = answers[told.ticket].take(told)
            if piece.finish is not None:
                engine.cancel(told.ticket)
                del answers[told.ticket]
            if piece.telling:
                yield piece
