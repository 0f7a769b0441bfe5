"""The most memory that answering takes, phase by phase, and what holds it.

The same road as `engine` goes, on tensors without numbers: `shadow.Ledger` counts what the tower, the reading
of the prompt and the memory of keys and values hold. Beside that come the weights, as they lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from omma.engine.cache import Cache, Part
from omma.engine.packed import PART, PAYS
from omma.model.vlm import Vlm
from omma.plan.parameters import Parameters, blueprint
from omma.plan.shadow import Ledger, counted
from omma.plan.showing import Talk
from omma.sample import Grid, Pack
from omma.spec import Experts, ModelSpec

ROWS, BUDGET = 32, 8192  # an engine's: conversations that run, tokens of prompts that are read, together
MAPPED = 200_000_000  # bytes of a file that stay mapped together (weights/folder.py)
RESERVE = 800_000_000  # bytes that an accelerator's own libraries take


@dataclass(frozen=True)
class Lying:
    """How the weights lie. `mapped` from the file as they are, or converted while they are loaded.

    `packs` says that a processor lays them out anew while it answers. On an accelerator neither is so.
    """

    dtype: torch.dtype
    mapped: bool = True
    packs: bool = False
    accelerator: bool = False


class Phase(NamedTuple):
    """Bytes held at the worst moment of a phase: weights, keys and values, and whatever else passes."""

    name: str
    weights: int
    remembered: int
    passing: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.remembered + self.passing


def kv_bytes(model: Vlm, dtype: torch.dtype) -> int:
    """Bytes of keys and values that one token leaves behind."""
    spec = model.spec.decoder
    return 2 * spec.depth * spec.key_heads * spec.head_width * dtype.itemsize


def phases(model: Vlm, parameters: Parameters, talk: Talk, batch: int, lying: Lying) -> tuple[Phase, ...]:
    """Every phase of answering `batch` conversations like `talk`, the largest first group included.

    `model` is on the meta device.
    """
    rows = min(batch, ROWS)
    together = max(1, min(rows, BUDGET // talk.prompt))
    grids = [one.grid for one in talk.shown]
    drawn = rows * _rows_bytes(grids, model)  # of every conversation that waits, beside the accelerator
    parts = _parts(parameters, lying.dtype, shown=bool(grids))
    weights = _weights(parts, parameters.total * lying.dtype.itemsize, lying)
    blocks = 0 if lying.accelerator else _largest(model) * lying.dtype.itemsize  # made for one product
    found = [Phase("loading", weights.loading, 0, 0)]
    if grids:
        opened = max(3 * one.original.width * one.original.height for one in talk.shown)
        cut = 2 * max(3 * one.frames * one.resized.width * one.resized.height for one in talk.shown)
        found.append(Phase("pictures", weights.loaded, 0, drawn + opened + cut))
    held = _held(model.spec, lying.dtype, talk, batch, lying.accelerator and _mixes(model.spec))
    waits = 0 if lying.accelerator else drawn
    if grids:
        found.append(Phase("tower", weights.seen, held.kept, waits + held.seen - held.kept + blocks))
    found.append(Phase("prompt", weights.thought, held.kept, waits + held.read - held.kept + blocks))
    rows_now = waits + (0 if lying.accelerator else together * _rows_bytes(grids, model))
    found.append(Phase("head", weights.read, held.kept, rows_now + min(PART, parts.head)))
    answering = weights.read + _packing(parts, talk, lying)
    alone = waits if rows == 1 else 0  # a lone conversation is kept by whoever asked it
    found.append(Phase("answer", answering, held.remembered, alone + held.written - held.remembered))
    return tuple(found)


class _Held(NamedTuple):
    """The ledger's peaks while the tower sees, prompts are read, and answers grow; and of keys and values,
    what the first prompts leave and what all of them come to."""

    seen: int
    read: int
    written: int
    kept: int
    remembered: int


@lru_cache(maxsize=16)
def _held(spec: ModelSpec, dtype: torch.dtype, talk: Talk, batch: int, at_once: bool) -> _Held:
    model = blueprint(spec, dtype)
    rows = min(batch, ROWS)
    together = max(1, min(rows, BUDGET // talk.prompt))
    with counted(model, at_once=at_once) as ledger:
        cache = Cache(spec.decoder, dtype, torch.device("meta"))
        seen, read = _read(model, cache, ledger, talk, together)
        kept = cache.bytes
        return _Held(seen, read, _write(cache, ledger, talk, rows), kept, cache.bytes)


def _mixes(spec: ModelSpec) -> bool:
    return any(isinstance(part.feed_forward, Experts) for part in (spec.vision, spec.decoder))


class _Parts(NamedTuple):
    """Bytes of the weights that answering touches: of a tower if anything is shown, layers, and the head.

    A table of embeddings is read row by row, and so not touched, unless it is the head too.
    """

    vision: int
    layers: int
    head: int


def _parts(parameters: Parameters, dtype: torch.dtype, *, shown: bool) -> _Parts:
    size = dtype.itemsize
    vision = (parameters.tower + parameters.bridge) * size if shown else 0
    return _Parts(vision, parameters.layers * size, (parameters.head or parameters.embedding) * size)


class _Weights(NamedTuple):
    """Bytes of weights in memory: while they are loaded, then, and after tower, layers and head ran."""

    loading: int
    loaded: int
    seen: int
    thought: int
    read: int


def _weights(parts: _Parts, whole: int, lying: Lying) -> _Weights:
    if lying.accelerator:
        return _Weights(whole, whole, whole, whole, whole)
    if not lying.mapped:
        return _Weights(whole + min(whole, MAPPED), whole, whole, whole, whole)
    thought = parts.vision + parts.layers
    return _Weights(0, 0, parts.vision, thought, thought + parts.head)


def _packing(parts: _Parts, talk: Talk, lying: Lying) -> int:
    """What is held twice while packed weights take the plain ones' place, a share with every token.

    Layers come first: their plain weights go with their mapping, of which the tower shares the last and
    keeps it. The head is packed in parts, and its plain weight goes with the last of them; a tied one stays.
    """
    if not lying.packs or talk.answer <= PAYS:
        return 0
    packed = (parts.layers + parts.head) * min(talk.answer - PAYS, PAYS) // PAYS
    mapped = min(MAPPED, parts.layers) if lying.mapped else 0
    return mapped if packed <= parts.layers else mapped // 2 + packed - parts.layers


def _read(model: Vlm, cache: Cache, ledger: Ledger, talk: Talk, together: int) -> tuple[int, int]:
    """The ledger's peaks while the tower sees, picture by picture, and while the first prompts are read."""
    grids = [one.grid for one in talk.shown]
    starts = tuple(talk.prompt * i for i in range(together + 1))
    ids_T = np.zeros(starts[-1], np.int64)
    places = [start + i for start in starts[:-1] for i in range(talk.visual)]
    parts = [Part(row, 0, talk.prompt) for row in range(1, together + 1)]
    for part in parts:
        cache.open(part.row, talk.prompt)
    attend = cache.attend(parts)
    seen, features = 0, None
    if grids:
        ledger.peak = ledger.held
        each = [
            model.see(torch.empty(grid.patches, model.spec.vision.row, device="meta"), [grid])
            for grid in grids
        ]
        others = [torch.empty_like(one) for _ in parts[1:] for one in each]
        seen = ledger.peak
        features = torch.cat([*each, *others])
    ledger.peak = ledger.held
    positions_3T = np.zeros((3, len(ids_T)), np.int64)
    weights_T = np.zeros(len(ids_T), np.float32)
    pack = Pack(ids_T, positions_3T, weights_T, starts, places_N=np.array(places, np.int64))
    model.logits(model.read(pack, attend, features)[:together])
    return seen, ledger.peak


def _write(cache: Cache, ledger: Ledger, talk: Talk, rows: int) -> int:
    """The ledger's peak while answers grow, and rows move to wider lanes."""
    ledger.peak = ledger.held
    for row in range(1, rows + 1):
        if row not in cache.pages.tables:
            cache.open(row, talk.prompt)
    for row in range(1, rows + 1):
        cache.extend(row, talk.tokens)
    return ledger.peak


def _rows_bytes(grids: Sequence[Grid], model: Vlm) -> int:
    """Of the patch rows of one conversation, as `prep` makes them."""
    return sum(grid.patches for grid in grids) * model.spec.vision.row * 4


def _largest(model: Vlm) -> int:
    """Numbers of the largest matrix that a product lays out in blocks for itself; a head does so in parts."""
    skipped = ("decoder.embedding.", "decoder.head.", "vision.places")
    matrices = ((name, weight) for name, weight in model.named_parameters() if weight.dim() == 2)
    return max(weight.numel() for name, weight in matrices if not name.startswith(skipped))
