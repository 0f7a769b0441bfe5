"""The plain twin: one request at a time, everything read again for every token, no clever path anywhere."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from omma.chat import FinishReason
from omma.engine.loops import circles
from omma.engine.request import Request
from omma.engine.sampling import Sampler
from omma.model.attend import Segments
from omma.model.vlm import Vlm


@torch.inference_mode()
def twin(model: Vlm, asked: Request) -> tuple[list[int], FinishReason]:
    """The tokens of a request, and why it ended."""
    one, spec = asked.sample, model.spec
    ids, positions, written = one.ids_T, one.positions_3T, list[int]()
    sampler = Sampler(asked.sampling, one.ids_T, spec.decoder.vocabulary)
    walk = None if asked.grammar is None else asked.grammar.walk()
    features = [model.see(torch.from_numpy(each.rows_PC), [each.grid]) for each in one.visuals]
    places = [torch.from_numpy(each.places) for each in one.visuals]
    reach = one.length
    while True:
        logits = _last(model, ids, positions, features, places, reach)
        logits[[spec.ids.image, spec.ids.video]] = -torch.inf
        if walk is not None:
            logits[~torch.from_numpy(walk.mask().copy())] = -torch.inf
        token = sampler(logits)
        written.append(token)
        if token in asked.stop_ids:
            return written, "stop"
        if walk is not None:
            walk.take(token)
        if len(written) == asked.max_tokens:
            return written, "length"
        if asked.loops and circles(written):
            return written, "loop"
        ids = np.append(ids, token)
        positions = np.concatenate([positions, np.full((3, 1), one.next_position + len(written) - 1)], 1)


def _last(
    model: Vlm,
    ids: np.ndarray,
    positions: np.ndarray,
    features: list[Tensor],
    places: list[Tensor],
    reach: int,
) -> Tensor:
    shown, where = (torch.cat(features), torch.cat(places)) if features else (None, None)
    rows = model.embed(torch.from_numpy(ids), shown, where, torch.full((len(ids),), reach))
    hidden = model(rows, torch.from_numpy(positions), Segments((0, len(ids))))
    return model.logits(hidden[-1:])[0].float()
