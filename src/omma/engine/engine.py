"""One loop for many requests: each step writes a token in every running row, and reads prompts beside."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import torch
from torch import Tensor

from omma.chat import FinishReason
from omma.engine.cache import Cache, Part
from omma.engine.eyes import Eyes
from omma.engine.features import Features
from omma.engine.forward import forward, logits, steady_forward, steady_logits
from omma.engine.packed import Packing
from omma.engine.pages import PAGE, pages_for
from omma.engine.request import Request
from omma.engine.row import Row, Scored, scored
from omma.engine.scheduler import Scheduler
from omma.engine.scoring import score_prompts
from omma.engine.steady import steady
from omma.errors import BadModel, Interrupted, OmmaError, OutOfMemory
from omma.model.attend import Segments
from omma.model.memory import memory_for
from omma.model.vlm import Vlm
from omma.sample import Sample, pack

NO_NUMBERS = (
    "the model's logits are not numbers; its layers overflow in this dtype: "
    "load it with dtype='bfloat16' or 'float32'"
)
FEWER = "ask for fewer tokens, or for fewer answers at a time"
SMALLER = "say less, show fewer pictures, or give them a smaller max_pixels"


class Written(NamedTuple):
    """A token of a request. A stop id ends an answer and is no part of its text."""

    ticket: int
    token: int
    finish: FinishReason | None
    scored: Scored | None = None


class Failed(NamedTuple):
    """A request that ended for a reason of its own; the others go on as if it had never been asked."""

    ticket: int
    error: OmmaError


class Engine:
    """Runs requests on one model: `add` them, `step` until `idle`; `cancel` frees a request's pages at once.

    At most `rows` requests run together; the others wait in line, tenant by tenant. A step writes a token in
    every row whose prompt is read, and reads of the others' prompts `budget` tokens together; fewer while
    somebody writes (`pause`, `alone`, `chunk`: see `Scheduler`). A prompt may be cut anywhere, pictures too.

    `memory` bytes at most hold keys and values; when they are used up, a request is put back in line and goes
    on later with the same tokens. With `keep`, what was read stays until its memory is wanted, and prompts
    that begin with the same content are read from there on; `features` bytes keep what the tower made.
    `guesses` tokens a step are tried that stood behind the same words before: the answer is the same.

    Tokens of a request do not depend on what else runs but by the rounding of products of other shapes. With
    `invariant` they do not depend on it at all: alone or together, cut or whole, remembered or not, logits
    are the same bits: products are made in blocks of one shape.
    """

    def __init__(
        self,
        model: Vlm,
        *,
        rows: int = 32,
        budget: int = 8192,
        memory: int | None = None,
        keep: bool = False,
        features: int = 0,
        guesses: int = 0,
        chunk: int | None = None,
        pause: float = 0.25,
        alone: float = inf,
        invariant: bool = False,
    ) -> None:
        weight = next(model.decoder.parameters())
        self._model = steady(model) if invariant else model
        self._invariant, self._guesses, self._named = invariant, guesses, keep
        self._device = weight.device
        self.cache = Cache(model.spec.decoder, weight.dtype, weight.device, keep=keep, steady=invariant)
        if memory is not None:
            self.cache.pages.limit = memory // self.cache.page_bytes
        self.features = Features(features)
        self._eyes = Eyes(self._model, self.features)
        self._packing = Packing(model)
        self._scheduler = Scheduler(rows, budget, pause=pause, alone=alone, chunk=chunk)
        self._rows: dict[int, Row] = {}
        self._next = 0

    @property
    def idle(self) -> bool:
        """Nothing runs and nothing waits."""
        return not self._rows

    @property
    def room(self) -> int:
        """How many more requests would run at once."""
        return max(0, self._scheduler.rows - len(self._rows))

    @property
    def running(self) -> int:
        """How many requests run."""
        return len(self._scheduler.running)

    @property
    def bytes(self) -> int:
        """Memory that the running rows hold for keys and values."""
        return self.cache.pages.held * self.cache.page_bytes

    def row(self, ticket: int) -> Row:
        """A request that waits or runs: its times, and how much of it was remembered."""
        return self._rows[ticket]

    def seconds(self, ticket: int) -> float | None:
        """About how long reading a request's prompt takes; None where nothing is known yet."""
        return self._scheduler.seconds(self._rows[ticket])

    def add(self, request: Request) -> int:
        """Put a request in line; the ticket names it from now on."""
        self._next += 1
        spec, named = self._model.spec, self._named or bool(self.features.limit)
        row = Row(self._next, request, spec, named=named, guesses=self._guesses)
        row.lasting = self.cache.pages.limit is not None
        self._rows[row.ticket] = row
        self._scheduler.add(row)
        return row.ticket

    @torch.inference_mode()
    def cancel(self, ticket: int) -> None:
        """Forget a request, waiting or running. An unknown or finished ticket is no matter."""
        if (row := self._rows.pop(ticket, None)) is not None:
            row.times.ended = time.perf_counter()
            self._scheduler.drop(ticket)
            self.cache.drop(ticket)

    @torch.inference_mode()
    def step(self) -> list[Written | Failed]:
        """Do the next piece of work; give the tokens it wrote, and the requests that it could not go on with.

        Those whose logits are no numbers, those that this machine has not the memory for, and those whose
        picture or shape turns out to be wrong.
        """
        told: list[Written | Failed] = []
        self._admit(told)
        parts = self._with_room([Part(t, self._rows[t].done, n) for t, n in self._scheduler.plan()], told)
        rows = [self._rows[part.row] for part in parts]
        parts, wrong = self._eyes.ready(parts, rows, self._scheduler.wait)
        told += [self._failed(ticket, error) for ticket, error in wrong.items()]
        if parts:
            began = time.perf_counter()
            reading = sum(part.more for part in parts if part.more > 1)
            told += self._run(self.cache.ordered(parts))
            if reading:
                self._scheduler.took(reading, time.perf_counter() - began)
        return told

    def _admit(self, told: list[Written | Failed]) -> None:
        """Let waiting requests in, as rows and memory allow, and give them room for their prompts."""
        pages = self.cache.pages
        while (turn := self._scheduler.following()) is not None:
            row = self._rows[turn.ticket]
            if pages.limit is not None and pages_for(row.length + 1) > pages.limit:
                told.append(self._failed(row.ticket, self._too_long(row)))
                continue
            if not self._scheduler.fits(row, pages.held, pages.limit):
                return
            names = row.content.names if row.content is not None and self._named else ()
            names = () if row.request.scores_prompt else names
            if (done := self.cache.open(row.ticket, row.length, names)) is None:
                if not self._scheduler.running:
                    told.append(self._failed(row.ticket, self._too_long(row)))
                    continue
                return
            row.done = done
            if row.times.begun is None:
                row.times.begun, row.cached = time.perf_counter(), done
            self._scheduler.admit(row)

    def _with_room(self, parts: list[Part], told: list[Written | Failed]) -> list[Part]:
        """The parts there is room for; the last to come give up theirs where there is too little."""
        roomy: list[Part] = []
        for part in parts:
            row = self._rows.get(part.row)
            if row is None or part.row not in self._scheduler.running:
                continue
            guesses = row.guess() if part.more == 1 else []
            wanted = part._replace(more=part.more + len(guesses))
            while not self.cache.extend(part.row, wanted.stop):
                ticket = self._scheduler.victim(
                    {ticket: len(table) for ticket, table in self.cache.pages.tables.items()}
                )
                if part.row not in self.cache.pages.tables and self.running > 1:
                    ticket = part.row
                if ticket is None:
                    told.append(self._failed(part.row, self._too_long(row)))
                    break
                if self._rows[ticket].blind:
                    told.append(self._failed(ticket, self._too_long(self._rows[ticket])))
                else:
                    self._put_back(ticket)
                if ticket == part.row:
                    break
            else:
                roomy.append(wanted)
        return [part for part in roomy if part.row in self._scheduler.running]

    def _put_back(self, ticket: int) -> None:
        """Take a running row's pages; what is remembered of it may be found again when it comes in."""
        row = self._rows[ticket]
        self.cache.drop(ticket)
        row.done, row.guesses = 0, []
        row.features.clear()
        self._eyes.forget(row)
        self._scheduler.put_back(ticket)

    def _run(self, parts: Sequence[Part]) -> list[Written | Failed]:
        """Do the parts together; where that cannot be, one after the other, and who cannot alone fails."""
        rows = [self._rows[part.row] for part in parts]
        tokens = sum(part.more for part in parts)
        if not self._invariant and any(row.written for row in rows):
            self._packing.go_on(max(row.left for row in rows if row.written))
        try:
            with memory_for(f"reading {tokens:,} tokens", SMALLER):
                logits_SV = self._through(parts, rows)
        except (OmmaError, RuntimeError) as wrong:
            if len(parts) == 1:
                return [self._failed(parts[0].row, _told(wrong))]
            return [told for part in parts for told in self._run([part])]
        return self._chosen(parts, rows, logits_SV)

    def _through(self, parts: Sequence[Part], rows: Sequence[Row]) -> Tensor:
        """Logits (S, V), fp32, of all tokens whose followers are to be drawn, part by part."""
        run = steady_forward if self._invariant else forward
        hidden_TD = run(self._model, self.cache, parts, rows)
        score_prompts(parts, rows, hidden_TD, self._scores)
        wanted, first = [], 0
        for part, row in zip(parts, rows, strict=True):
            wanted += [first + i for i in range(part.more) if part.start + i + 1 >= row.length]
            first += part.more
        if len(wanted) < len(hidden_TD):
            hidden_TD = hidden_TD[torch.tensor(wanted, dtype=torch.int64, device=self._device)]
        return self._scores(hidden_TD) if wanted else hidden_TD

    def _scores(self, hidden_SD: Tensor) -> Tensor:
        """Logits (S, V), fp32. The places of pictures are read, never written."""
        made = steady_logits if self._invariant else logits
        logits_SV = made(self._model, hidden_SD).float()
        ids = self._model.spec.ids
        for token in (ids.image, ids.video):
            logits_SV[:, token] = -torch.inf
        return logits_SV

    def _chosen(
        self, parts: Sequence[Part], rows: Sequence[Row], logits_SV: Tensor
    ) -> list[Written | Failed]:
        """Draw what follows each part that came to its row's end; rows that end leave the cache."""
        told: list[Written | Failed] = []
        best_S = (
            logits_SV.max(-1) if any(p.stop >= r.length for p, r in zip(parts, rows, strict=True)) else None
        )
        likeliest = [] if best_S is None else best_S.indices.tolist()
        sound = [] if best_S is None else best_S.values.isfinite().tolist()
        at = 0
        for part, row in zip(parts, rows, strict=True):
            count = max(part.stop - row.length + 1, 0)
            if not all(sound[at : at + min(count, 1)]):
                told.append(self._failed(part.row, BadModel(NO_NUMBERS)))
            else:
                told += self._followed(part, row, logits_SV[at : at + count], likeliest[at : at + count])
            at += count
        return told

    def _followed(
        self, part: Part, row: Row, logits_SV: Tensor, likeliest: Sequence[int]
    ) -> list[Written | Failed]:
        """What follows a part, as long as guesses were right: each token is drawn as it would be alone."""
        told: list[Written | Failed] = []
        guesses, finish = row.guesses, None
        done = part.stop - max(len(likeliest) - 1, 0)
        for i, best in enumerate(likeliest):
            try:
                token = row.draw(logits_SV[i], best)
                wish = row.request.logprobs
                how = None if wish is None else scored(logits_SV[i], token, wish)
                finish = row.take(token)
            except (OmmaError, RuntimeError, ValueError) as wrong:
                return [*told, self._failed(part.row, _told(wrong))]
            told.append(Written(part.row, token, finish, how))
            if finish is not None or i >= len(guesses) or guesses[i] != token:
                break
            done += 1
        if row.lookup is not None:
            row.lookup.judge(len(guesses), max(len(told) - 1, 0))
        row.guesses = []
        self._remember(row, done)
        if finish is not None:
            self.cancel(part.row)
        return told

    def _remember(self, row: Row, done: int) -> None:
        """So many tokens of a row are remembered: full pages get their names."""
        before = row.done
        row.remember(done)
        if row.content is not None and self._named:
            for page in range(before // PAGE, done // PAGE):
                self.cache.pages.name(row.ticket, page, row.content.names[page])

    def _too_long(self, row: Row) -> OutOfMemory:
        beside = f" beside {self.running - 1} other answers" if self.running > 1 else ""
        return OutOfMemory(
            f"remembering {row.length:,} tokens{beside} takes more memory than there is; {FEWER}"
        )

    def _failed(self, ticket: int, error: OmmaError) -> Failed:
        self.cache.pages.forget(ticket)
        self.cancel(ticket)
        return Failed(ticket, error)


def _told(wrong: Exception) -> OmmaError:
    """What ended a request, as an error of omma's: a mistake inside ends the request that met it."""
    if isinstance(wrong, OmmaError):
        return wrong
    told = Interrupted(f"the model broke off with {type(wrong).__name__}: {wrong}; ask again, or report it")
    told.__cause__ = wrong
    return told


@torch.no_grad()
def score(model: Vlm, sample: Sample) -> Tensor:
    """Logits after every token of one sample, fp32 (T, V). Raises OutOfMemory."""
    size = f"{sample.length:,} × {model.spec.decoder.vocabulary:,}"
    with memory_for(f"a table of {size} scores", "score a shorter conversation"):
        return model.logits(model.read(pack([sample]), Segments((0, sample.length)))).float()
