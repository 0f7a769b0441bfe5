"""One pass of the model over a batch: features, hidden states, losses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from omma.model.attend import Segments
from omma.model.vlm import Vlm
from omma.sample import Pack
from omma.train.branches import Branches
from omma.train.lesson import Batch
from omma.train.marks import MarksHead, Seen


def see(model: Vlm, pack: Pack) -> Seen | None:
    """The tower's patches and tokens of the pack, or None without pictures."""
    if pack.rows_PC is None:
        return None
    weight = model.vision.patches.weight
    patches_PW = model.vision.look(torch.from_numpy(pack.rows_PC).to(weight.device, weight.dtype), pack.grids)
    return Seen(patches_PW, model.vision.merger(patches_PW))


def answer_logits(model: Vlm, batch: Batch, seen: Seen | None) -> tuple[Tensor, Tensor, Tensor]:
    """Of the A tokens with a weight: logits (A, V) where each is predicted, ids (A,), weights (A,)."""
    device, pack = next(model.parameters()).device, batch.pack
    ids_T = torch.from_numpy(pack.ids_T).to(device)
    places_N = torch.from_numpy(pack.places_N).to(device) if seen is not None else None
    embeddings_TD = model.embed(ids_T, None if seen is None else seen.tokens_ND, places_N)
    positions_3T = torch.from_numpy(pack.positions_3T).to(device)
    attend = Branches(pack.starts, batch.cuts, device) if any(batch.cuts) else Segments(pack.starts)
    hidden_TD = model(embeddings_TD, positions_3T, attend)
    weights_T = torch.from_numpy(pack.weights_T).to(device)
    learned_A = weights_T.nonzero().squeeze(-1)
    return model.logits(hidden_TD[learned_A - 1]), ids_T[learned_A], weights_T[learned_A]


def losses(
    model: Vlm, head: MarksHead | None, batch: Batch, *, words: float, marks: float
) -> tuple[Tensor, dict[str, float]]:
    """The weighted sum of the losses of a batch, and its pieces for the log."""
    seen = see(model, batch.pack)
    told: dict[str, float] = {}
    parts: list[Tensor] = []
    if words:
        logits_AV, truth_A, weights_A = answer_logits(model, batch, seen)
        each_A = F.cross_entropy(logits_AV.float(), truth_A, reduction="none")
        answer_loss = (each_A * weights_A).sum() / weights_A.sum()
        parts.append(words * answer_loss)
        told["answers"] = float(answer_loss.detach())
    if marks and head is not None and seen is not None and batch.marks is not None:
        dense_loss, pieces = head(seen, batch.marks)
        parts.append(marks * dense_loss)
        told |= pieces
    return torch.stack(parts).sum(), told
