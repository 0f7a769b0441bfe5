"""How likely a prompt's own tokens are, each after those before it: for whoever measures a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from omma.engine.cache import Part
from omma.engine.row import Row, Scored

BLOCK = 64  # tokens whose scores over the whole vocabulary are held at a time


def score_prompts(
    parts: Sequence[Part], rows: Sequence[Row], hidden_TD: Tensor, scores: Callable[[Tensor], Tensor]
) -> None:
    """Score what was just read of the prompts that asked for it; `scores` makes (T, V), fp32, of (T, D)."""
    first = 0
    for part, row in zip(parts, rows, strict=True):
        if part.start < row.prompt - 1 and row.request.scores_prompt:
            _score(row, part, hidden_TD[first : first + part.more], scores)
        first += part.more


def _score(row: Row, part: Part, hidden_TD: Tensor, scores: Callable[[Tensor], Tensor]) -> None:
    """One prompt's. What was scored before it was put back in line is not scored again."""
    count, stop = row.request.logprobs or 0, min(part.stop, row.prompt - 1)
    for at in range(max(part.start, len(row.read)), stop, BLOCK):
        until = min(at + BLOCK, stop)
        chances_TV = scores(hidden_TD[at - part.start : until - part.start]).log_softmax(-1)
        ids_T = torch.from_numpy(row.ids(at + 1, until + 1)).to(chances_TV.device)
        own = chances_TV.gather(1, ids_T[:, None])[:, 0].tolist()
        best = chances_TV.topk(min(count, chances_TV.shape[1]))
        likeliest = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        for chance, (tokens, values) in zip(own, likeliest, strict=True):
            row.read.append(Scored(chance, tuple(zip(tokens, values, strict=True))))
