"""The bridge's lesson in words: a visual token comes to lie near the words for what stands at its place.

A question names a thing ("the umbrella"), and attention has to find the tokens that show it. That search is
learned late when the tower's features and the table of words know nothing of one another. Here both are held
together directly: scored against the words' embeddings, each visual token names the kinds and the colours
that are seen in it. Nothing is added to the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from omma.prep.tokenizer import Tokenizer
from omma.synth.colours import COLOURS
from omma.synth.world import CLASSES
from omma.train.lesson import IGNORE, Marks
from omma.train.marks import on_things


@dataclass(frozen=True)
class Lexicon:
    """For each class and colour of the drawn worlds the id of the piece that its name begins with."""

    kinds: tuple[int, ...]
    colours: tuple[int, ...]


def lexicon(tokenizer: Tokenizer) -> Lexicon:
    """The pieces as they stand inside a sentence; a printed character is a piece as it is."""

    def piece(name: str) -> int:
        return tokenizer.text(name if len(name) == 1 else f" {name}")[0]

    return Lexicon(tuple(map(piece, CLASSES)), tuple(map(piece, COLOURS)))


def shares(marks: Marks) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What each visual token shows, of N: shares (N, kinds) and (N, colours) of its points on things.

    Rows without a thing, or whose thing has no named colour, are all 0.
    """
    kinds_NQ = marks.kinds_NQ
    things_NQ = on_things(kinds_NQ)
    return (
        _shares(kinds_NQ, things_NQ, len(CLASSES)),
        _shares(marks.colours_NQ, things_NQ & (marks.colours_NQ != IGNORE), len(COLOURS)),
    )


def _shares(named_NQ: NDArray[np.uint8], counted_NQ: NDArray[np.bool_], names: int) -> NDArray[np.float32]:
    table = np.zeros((len(named_NQ), names), np.float32)
    rows, points = np.nonzero(counted_NQ)
    np.add.at(table, (rows, named_NQ[rows, points]), 1.0)
    total = table.sum(axis=1, keepdims=True)
    np.divide(table, total, out=table, where=total > 0)
    return table


def naming_loss(
    tokens_ND: Tensor, embedding_VD: Tensor, lexicon: Lexicon, marks: Marks, count: float
) -> Tensor:
    """Cross-entropy of what each visual token (N, D) shows against the words' embeddings (V, D).

    Both sides are scaled to a root mean square of 1 and their product by 1 / √D. The sum over `count` rows'
    mean, kinds and colours added.
    """
    losses = []
    for ids, table in zip((lexicon.kinds, lexicon.colours), shares(marks), strict=True):
        wanted = torch.from_numpy(table).to(tokens_ND.device)
        width = tokens_ND.shape[-1:]
        names = F.rms_norm(embedding_VD[torch.tensor(ids, device=embedding_VD.device)].float(), width)
        scores = F.rms_norm(tokens_ND.float(), width) @ names.T / width[0] ** 0.5
        losses.append(-(wanted * scores.log_softmax(-1)).sum())
    return torch.stack(losses).sum() / max(count, 1.0)
