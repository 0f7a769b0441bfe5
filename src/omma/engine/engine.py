"""One loop for many requests: new prompts are read whole, then every running row writes a token a step."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from omma.chat import FinishReason
from omma.engine.cache import Cache
from omma.engine.packed import Packing
from omma.engine.request import Request
from omma.engine.sampling import Sampler
from omma.errors import BadModel, OmmaError, OutOfMemory
from omma.model.attend import Segments
from omma.model.memory import memory_for
from omma.model.vlm import Vlm
from omma.sample import Sample, pack

NO_NUMBERS = (
    "the model's logits are not numbers; its layers overflow in this dtype: "
    "load it with dtype='bfloat16' or 'float32'"
)


class Written(NamedTuple):
    """A token of a request. A stop id ends an answer and is no part of its text."""

    ticket: int
    token: int
    finish: FinishReason | None


class Failed(NamedTuple):
    """A request that ended for a reason of its own; the others go on as if it had never been asked."""

    ticket: int
    error: OmmaError


@dataclass
class _Row:
    """A request that is running. Its prompt has been read and is not kept.

    `position` is where the next token stands, on all three axes (facts §3.2); `reach` is the prompt's length.
    """

    sampler: Sampler
    stop_ids: frozenset[int]
    left: int
    position: int
    reach: int
    last: int = -1

    def take(self, token: int) -> FinishReason | None:
        """Write a token; say why it was the last, if it was."""
        self.last = token
        self.left -= 1
        return "stop" if token in self.stop_ids else None if self.left else "length"


class Engine:
    """Runs requests on one model: `add` them, `step` until `idle`; `cancel` frees a request's memory at once.

    At most `rows` requests run together; the others wait in line. One step reads prompts of together at
    most `budget` tokens (a longer one alone), or writes one token in every running row.
    """

    def __init__(self, model: Vlm, *, rows: int = 32, budget: int = 8192) -> None:
        weight = next(model.decoder.parameters())
        self._model = model
        self._device = weight.device
        self._cache = Cache(model.spec.decoder, weight.dtype, weight.device)
        self._packing = Packing(model)
        self._rows, self._budget = rows, budget
        self._running: dict[int, _Row] = {}
        self._waiting: deque[tuple[int, Request]] = deque()
        self._next = 0

    @property
    def idle(self) -> bool:
        """Nothing runs and nothing waits."""
        return not self._running and not self._waiting

    @property
    def room(self) -> int:
        """How many more requests would run at once."""
        return max(0, self._rows - len(self._running) - len(self._waiting))

    @property
    def bytes(self) -> int:
        """Memory that the running rows hold for keys and values."""
        return self._cache.bytes

    def add(self, request: Request) -> int:
        """Put a request in line; the ticket names it from now on."""
        self._next += 1
        self._waiting.append((self._next, request))
        return self._next

    @torch.inference_mode()
    def cancel(self, ticket: int) -> None:
        """Forget a request, waiting or running. An unknown or finished ticket is no matter."""
        self._waiting = deque(waiting for waiting in self._waiting if waiting[0] != ticket)
        if self._running.pop(ticket, None) is not None:
            self._cache.drop(ticket)

    @torch.inference_mode()
    def step(self) -> list[Written | Failed]:
        """Do the next piece of work; give the tokens it wrote, and the requests that it could not go on with.

        Those whose logits are no numbers, and those that this machine has not the memory for.
        """
        if self._waiting and len(self._running) < self._rows:
            return self._read(*self._admitted())
        return self._write() if self._running else []

    def _admitted(self) -> tuple[list[int], list[Sample]]:
        """Let waiting requests in, in order, as rows and budget allow: their tickets and prompts."""
        tickets: list[int] = []
        samples: list[Sample] = []
        left = self._budget
        vocabulary = self._model.spec.decoder.vocabulary
        while self._waiting and len(self._running) < self._rows:
            sample = self._waiting[0][1].sample
            if tickets and sample.length > left:
                break
            ticket, request = self._waiting.popleft()
            sampler = Sampler(request.sampling, sample.ids_T, vocabulary)
            places = sample.next_position, sample.length
            row = _Row(sampler, request.stop_ids, request.max_tokens, *places)
            self._running[ticket] = row
            tickets.append(ticket)
            samples.append(sample)
            left -= sample.length
        return tickets, samples

    def _read(self, tickets: list[int], samples: list[Sample]) -> list[Written | Failed]:
        """Read whole prompts; where memory does not suffice for several of them, one after the other."""
        try:
            return self._chosen(tickets, self._read_through(tickets, samples))
        except OutOfMemory as wrong:
            if len(tickets) == 1:
                return [self._failed(tickets[0], wrong)]
        for ticket in tickets:
            self._cache.drop(ticket)
        alone = zip(tickets, samples, strict=True)
        return [told for ticket, sample in alone for told in self._read([ticket], [sample])]

    def _read_through(self, tickets: list[int], samples: list[Sample]) -> Tensor:
        """Logits (S, V) after each prompt: they lie end to end, and only last tokens go through the head."""
        tokens = sum(sample.length for sample in samples)
        patches = sum(len(visual.rows_PC) for sample in samples for visual in sample.visuals)
        with memory_for(
            f"a prompt of {tokens:,} tokens with {patches:,} patches of pictures",
            "say less, show fewer pictures, or give them a smaller max_pixels",
        ):
            one = pack(samples)
            attend = self._cache.prefill(tickets, one.starts)
            hidden_TD = self._model.read(one, attend)
            last_S = torch.tensor(one.starts[1:], device=self._device) - 1
            return self._model.logits(hidden_TD[last_S])

    def _write(self) -> list[Written | Failed]:
        """One token for every running row, the rows as one ragged axis of length one each."""
        lengths = self._cache.lengths
        longest = max(lengths, key=lengths.__getitem__)
        try:
            with memory_for(
                f"remembering {lengths[longest]:,} tokens beside {len(lengths) - 1} other answers",
                "ask for fewer tokens, or for fewer answers at a time",
            ):
                attend = self._cache.decode()
        except OutOfMemory as wrong:
            return [self._failed(longest, wrong)]
        tickets = self._cache.order
        rows = [self._running[ticket] for ticket in tickets]
        self._packing.go_on(max(row.left for row in rows))
        ids_S = torch.tensor([row.last for row in rows], device=self._device)
        positions_3S = torch.tensor([row.position for row in rows], device=self._device).expand(3, -1)
        for row in rows:
            row.position += 1
        reach_S = torch.tensor([row.reach for row in rows], device=self._device)
        hidden_SD = self._model(self._model.embed(ids_S, None, None, reach_S), positions_3S, attend)
        return self._chosen(tickets, self._model.logits(hidden_SD))

    def _chosen(self, tickets: list[int], logits_SV: Tensor) -> list[Written | Failed]:
        """Draw a token for each row; rows that end leave the cache."""
        logits_SV = logits_SV.float()
        ids = self._model.spec.ids
        for token in (ids.image, ids.video):  # the places of pictures are read, never written
            logits_SV[:, token] = -torch.inf
        best_S = logits_SV.max(-1)
        likeliest, sound = best_S.indices.tolist(), best_S.values.isfinite().tolist()
        told: list[Written | Failed] = []
        for i, ticket in enumerate(tickets):
            if not sound[i]:
                told.append(self._failed(ticket, BadModel(NO_NUMBERS)))
                continue
            row = self._running[ticket]
            token = likeliest[i] if row.sampler.plain else row.sampler(logits_SV[i])
            told.append(Written(ticket, token, finish := row.take(token)))
            if finish is not None:
                self.cancel(ticket)
        return told

    def _failed(self, ticket: int, error: OmmaError) -> Failed:
        self.cancel(ticket)
        return Failed(ticket, error)


@torch.no_grad()
def score(model: Vlm, sample: Sample) -> Tensor:
    """Logits after every token of one sample, fp32 (T, V). Raises OutOfMemory."""
    size = f"{sample.length:,} × {model.spec.decoder.vocabulary:,}"
    with memory_for(f"a table of {size} scores", "score a shorter conversation"):
        return model.logits(model.read(pack([sample]), Segments((0, sample.length)))).float()
