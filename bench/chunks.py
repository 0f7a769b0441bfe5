"""A prompt read a stretch at a time, by the plainest memory there is: the judge of any cleverer one."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from omma.model.vlm import Vlm
from omma.sample import Sample, pack


class Remembered:
    """All keys and values so far, in a row: an `Attend` for one prompt that is read from left to right."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Tensor, Tensor]] = {}

    def __call__(self, q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, layer: int) -> Tensor:
        """New rows see themselves and everything before them: (T, H, K)."""
        keys, values = self._held.get(layer, (k_TGK[:0], v_TGK[:0]))
        keys, values = self._held[layer] = torch.cat([keys, k_TGK]), torch.cat([values, v_TGK])
        new, known = len(q_THK), len(keys)
        mask = torch.ones(new, known, dtype=torch.bool).tril(known - new)
        q, k, v = (x.transpose(0, 1)[None] for x in (q_THK, keys, values))
        return scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)[0].transpose(0, 1)


@torch.inference_mode()
def logits_in_chunks(model: Vlm, sample: Sample, size: int) -> Tensor:
    """Logits (T, V) of a sample of which `size` tokens are read at a time, wherever its pictures lie."""
    one = pack([sample])
    features_NX = None if one.rows_PC is None else model.see(torch.from_numpy(one.rows_PC), one.grids)
    reach_T = torch.from_numpy(one.reach_T)
    rows = model.embed(torch.from_numpy(one.ids_T), features_NX, torch.from_numpy(one.places_N), reach_T)
    attend, hidden = Remembered(), []
    for start in range(0, sample.length, size):
        stop = min(start + size, sample.length)
        positions_3T = torch.from_numpy(np.ascontiguousarray(one.positions_3T[:, start:stop]))
        hidden.append(model(rows.part(start, stop), positions_3T, attend))
    return model.logits(torch.cat(hidden)).float()
