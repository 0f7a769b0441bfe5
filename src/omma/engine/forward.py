"""One step's way through the model: parts of rows end to end, and features of pictures among the words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omma.engine.cache import Cache, Part
from omma.engine.row import Row
from omma.model.decoder import Embedded
from omma.model.vlm import Vlm

BLOCK = 32  # rows that go through the model together where numbers may not depend on what else is asked
LIGHT = 2**22  # depth x width x width of decoders whose rows take less than compiling for a new count of them
FEW, STEPS = 8, 4  # counts of rows up to here are taken as they are, and so many of each octave above


def forward(model: Vlm, cache: Cache, parts: Sequence[Part], rows: Sequence[Row]) -> Tensor:
    """Hidden states (T, D) of the parts' tokens; ``rows[i]`` is the row of part i."""
    embedded, positions_3T = _embedded(model, parts, rows)
    tokens = len(embedded.x_TD)
    if spare := _even(model, embedded.x_TD) - tokens:
        embedded, positions_3T = _filled_up(embedded, positions_3T, spare)
    hidden_TD: Tensor = model(embedded, positions_3T, cache.attend(parts))
    return hidden_TD[:tokens]


def logits(model: Vlm, hidden_TD: Tensor) -> Tensor:
    """Scores (T, V)."""
    spare = _even(model, hidden_TD) - len(hidden_TD)
    return model.logits(_filled(hidden_TD, spare, 0))[: len(hidden_TD)]


def _even(model: Vlm, x_TD: Tensor) -> int:
    """How many rows go through the model for these.

    bf16 products on a processor are compiled for each count of rows, which takes milliseconds and half a MiB.
    A light model's rows are filled up to some counts: a tenth more of them on the average.
    """
    tokens, spec = len(x_TD), model.spec.decoder
    light = spec.depth * spec.width**2 < LIGHT
    if tokens <= FEW or not light or x_TD.device.type != "cpu" or x_TD.dtype != torch.bfloat16:
        return tokens
    step = (1 << (tokens - 1).bit_length() - 1) // STEPS
    return -(-tokens // step) * step


def steady_forward(model: Vlm, cache: Cache, parts: Sequence[Part], rows: Sequence[Row]) -> Tensor:
    """The same in blocks of BLOCK rows, the last one filled up: every product has one shape, whoever asks."""
    embedded, positions_3T = _embedded(model, parts, rows)
    firsts = list(accumulate((part.more for part in parts), initial=0))
    hidden = []
    for start in range(0, firsts[-1], BLOCK):
        stop = min(start + BLOCK, firsts[-1])
        inside = [
            Part(
                part.row,
                part.start + max(start - first, 0),
                min(stop, first + part.more) - max(start, first),
            )
            for part, first in zip(parts, firsts, strict=False)
            if first < stop and first + part.more > start
        ]
        block, spare = embedded.part(start, stop), BLOCK - (stop - start)
        block, places_3T = _filled_up(block, positions_3T[:, start:stop], spare)
        hidden.append(model(block, places_3T, cache.attend(inside))[: stop - start])
    return torch.cat(hidden)


def steady_logits(model: Vlm, hidden_TD: Tensor) -> Tensor:
    """Scores (T, V), made in blocks of BLOCK rows."""
    made = []
    for block_TD in torch.split(hidden_TD, BLOCK):
        spare = BLOCK - len(block_TD)
        made.append(model.logits(_filled(block_TD, spare, 0))[: len(block_TD)])
    return torch.cat(made)


def _embedded(model: Vlm, parts: Sequence[Part], rows: Sequence[Row]) -> tuple[Embedded, Tensor]:
    device = model.decoder.embedding.weight.device

    def tensor(arrays: list[NDArray[np.int64]], axis: int = 0) -> Tensor:
        return torch.from_numpy(np.concatenate(arrays, axis)).to(device)

    if all(part.more == 1 and part.start >= row.prompt for part, row in zip(parts, rows, strict=True)):
        return _written(model, parts, rows)
    features: list[Tensor] = []
    places: list[NDArray[np.int64]] = []
    first = 0
    for part, row in zip(parts, rows, strict=True):
        for number, start, stop in row.shows(part.start, part.stop):
            features.append(row.features[number][start:stop])
            places.append(row.places(number)[start:stop] - part.start + first)
        first += part.more
    counts = [part.more for part in parts]
    reach_T = torch.from_numpy(np.repeat([row.prompt for row in rows], counts)).to(device)
    ids_T = tensor([row.ids(part.start, part.stop) for part, row in zip(parts, rows, strict=True)])
    positions_3T = tensor([row.positions(p.start, p.stop) for p, row in zip(parts, rows, strict=True)], 1)
    shown = torch.cat(features) if features else None
    return model.embed(ids_T, shown, tensor(places) if places else None, reach_T), positions_3T


def _written(model: Vlm, parts: Sequence[Part], rows: Sequence[Row]) -> tuple[Embedded, Tensor]:
    """The same where every part is one token of an answer, which is most of the time."""
    told = [
        (row.written[part.start - row.prompt], row.position(part.start), row.prompt)
        for part, row in zip(parts, rows, strict=True)
    ]
    ids_S, positions_S, reach_S = torch.tensor(told, device=model.decoder.embedding.weight.device).unbind(1)
    return model.embed(ids_S, None, None, reach_S), positions_S.expand(3, -1)


def _filled_up(embedded: Embedded, positions_3T: Tensor, spare: int) -> tuple[Embedded, Tensor]:
    """With so many rows more, which are nobody's."""
    reach_T = None if embedded.reach_T is None else _filled(embedded.reach_T, spare, 0)
    embedded = embedded._replace(x_TD=_filled(embedded.x_TD, spare, 0), reach_T=reach_T)
    return embedded, _filled(positions_3T, spare, 1)


def _filled(x: Tensor, spare: int, axis: int) -> Tensor:
    if not spare:
        return x
    shape = list(x.shape)
    shape[axis] = spare
    return torch.cat([x, x.new_zeros(shape)], axis)
