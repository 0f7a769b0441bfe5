"""One pass of the model over a batch: features, hidden states, losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from omma.model.attend import Segments
from omma.model.vlm import Vlm
from omma.sample import Grid, Pack
from omma.spec import Experts
from omma.train.branches import Branches
from omma.train.lesson import Batch
from omma.train.marks import Counts, MarksHead, Seen, count_marks
from omma.train.names import Lexicon, naming_loss
from omma.train.routers import Routers

NO_COUNTS = (0.0,) * 8


@dataclass(frozen=True)
class Totals:
    """What the losses of one step are means over, all passes and ranks together.

    `answers` is the weight of all that is learned of answers; `marks` counts the dense lesson's points;
    `tokens` and `patches` are the rows of decoder and tower.
    """

    answers: float
    marks: Counts
    tokens: float = 0.0
    patches: float = 0.0

    def flat(self) -> tuple[float, ...]:
        """The numbers, to be added up."""
        return (self.answers, self.tokens, self.patches, *self.marks.flat())

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Totals:
        """From what `flat` gave."""
        return cls(numbers[0], Counts.of(numbers[3:]), *numbers[1:3])


def totals_of(batches: Sequence[Batch]) -> Totals:
    """What these batches give to learn, together."""
    answers = sum(float(batch.pack.weights_T.sum(dtype=np.float64)) for batch in batches)
    counts = [count_marks(batch.marks).flat() for batch in batches if batch.marks is not None]
    marks = Counts.of([sum(column) for column in zip(*counts, strict=True)] or NO_COUNTS)
    tokens = sum(len(batch.pack.ids_T) for batch in batches)
    patches = sum(0 if batch.pack.rows_PC is None else len(batch.pack.rows_PC) for batch in batches)
    return Totals(answers, marks, float(tokens), float(patches))


class Pupil(nn.Module):
    """The model and the dense head as one module: what a step runs and what is spread over ranks.

    With `together` a pass without pictures shows the tower a blank one, whose features count for nothing:
    every rank must take part when the tower's weights are gathered. `routers` are those of a model with
    experts, whose losses are part of the step's. `lexicon` are the words that visual tokens learn to name
    what they show by, a lesson that weighs `names`.
    """

    def __init__(
        self,
        model: Vlm,
        head: MarksHead | None,
        *,
        words: float,
        marks: float,
        together: bool = False,
        routers: Routers | None = None,
        names: float = 0.0,
        lexicon: Lexicon | None = None,
    ) -> None:
        super().__init__()
        self.model, self.head, self.routers = model, head, routers
        self.words, self.marks, self.together = words, marks, together
        self.names, self.lexicon = names, lexicon

    def forward(self, batch: Batch, totals: Totals | None = None) -> tuple[Tensor, dict[str, float]]:
        """The batch's part of the loss of a step, and its pieces for the log; alone, the loss itself."""
        totals = totals or totals_of([batch])
        parts: list[Tensor] = []
        if self.together and batch.pack.rows_PC is None:
            parts.append(_touch(self.model, self.head if self.marks else None))
        if self.routers is None:
            taught, told = self._teach(batch, totals)
            return torch.stack(parts + taught).sum(), told
        with self.routers.listening() as heard:
            taught, told = self._teach(batch, totals)
        spread = self.routers.losses(heard, totals.tokens, totals.patches)
        return torch.stack(parts + taught + ([] if spread is None else [spread])).sum(), told

    def _teach(self, batch: Batch, totals: Totals) -> tuple[list[Tensor], dict[str, float]]:
        """The parts of the loss on answers and on the dense lesson, and their pieces."""
        seen = see(self.model, batch.pack)
        told: dict[str, float] = {}
        parts: list[Tensor] = []
        if self.words:
            answer_loss = self.model.surprise(*answer_rows(self.model, batch, seen)) / max(
                totals.answers, 1e-6
            )
            parts.append(self.words * answer_loss)
            told["answers"] = float(answer_loss.detach())
        if self.marks and self.head is not None and seen is not None and batch.marks is not None:
            dense_loss, pieces = self.head(seen, batch.marks, totals.marks)
            parts.append(self.marks * dense_loss)
            told |= pieces
        if self.lexicon is not None and seen is not None and batch.marks is not None:
            table_VD = self.model.decoder.embedding.weight
            loss = naming_loss(
                seen.features_NX[:, : table_VD.shape[1]],
                table_VD,
                self.lexicon,
                batch.marks,
                totals.marks.named,
            )
            parts.append(self.names * loss)
            told["names"] = float(loss.detach())
        return parts, told

    def examine(self, batch: Batch, *, words: bool) -> tuple[Tensor | None, dict[str, float]]:
        """For each weighted token whether it is the most likely one (A,), and the dense head's pieces."""
        seen = see(self.model, batch.pack)
        pieces: dict[str, float] = {}
        if self.head is not None and seen is not None and batch.marks is not None:
            pieces = self.head(seen, batch.marks)[1]
        if not words:
            return None, pieces
        logits_AV, truth_A, _ = answer_logits(self.model, batch, seen)
        return logits_AV.argmax(-1) == truth_A, pieces


def see(model: Vlm, pack: Pack) -> Seen | None:
    """The tower's patches and tokens of the pack, or None without pictures."""
    return None if pack.rows_PC is None else _see(model, torch.from_numpy(pack.rows_PC), pack.grids)


def _see(model: Vlm, rows_PC: Tensor, grids: Sequence[Grid]) -> Seen:
    weight = model.vision.patches.weight
    looks = model.vision.look(rows_PC.to(weight.device, weight.dtype), grids)
    return Seen(looks[0], model.vision.merge(looks))


def _touch(model: Vlm, head: MarksHead | None) -> Tensor:
    """Nothing, by way of every weight of the tower and the head."""
    vision = model.spec.vision
    across = vision.merge if vision.side is None else vision.side // vision.patch
    blank = torch.zeros(across**2, vision.row)
    seen = _see(model, blank, [Grid(1, across, across)])
    touched = seen.features_NX.float().sum()
    if head is not None:
        touched = touched + sum(parameter.float().sum() for parameter in head.parameters())
    return touched * 0.0


def answer_logits(model: Vlm, batch: Batch, seen: Seen | None) -> tuple[Tensor, Tensor, Tensor]:
    """Of the A tokens with a weight: logits (A, V) where each is predicted, ids (A,), weights (A,)."""
    hidden_AD, truth_A, weights_A = answer_rows(model, batch, seen)
    return model.logits(hidden_AD), truth_A, weights_A


def answer_rows(model: Vlm, batch: Batch, seen: Seen | None) -> tuple[Tensor, Tensor, Tensor]:
    """Of the A tokens with a weight: hidden states (A, D) that predict each, ids (A,), weights (A,)."""
    device, pack = next(model.parameters()).device, batch.pack
    attend = Branches(pack.starts, batch.cuts, device) if any(batch.cuts) else Segments(pack.starts)
    ids_T = torch.from_numpy(pack.ids_T).to(device)
    weights_T = torch.from_numpy(pack.weights_T).to(device)
    learned_A = weights_T.nonzero().squeeze(-1)
    before_A = learned_A - 1
    # A mixture's balance is that of all rows: none of them leaves before the last router.
    mixed = isinstance(model.spec.decoder.feed_forward, Experts)
    features_NX = None if seen is None else seen.features_NX
    hidden_XD = model.read(pack, attend, features_NX, learning=True, wanted_A=None if mixed else before_A)
    return hidden_XD[before_A] if mixed else hidden_XD, ids_T[learned_A], weights_T[learned_A]
