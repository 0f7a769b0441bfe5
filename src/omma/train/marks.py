"""The dense lesson of the tower: what stands at each place of the picture, read off the merged features.

A model that starts from random weights waits long before it sees anything, because words alone say little
about pixels. Drawn worlds know every pixel, so each visual token is asked directly: which kind and colour is
at each of its points, where it is, and where its thing begins and ends. The head goes when training ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from omma.train.lesson import IGNORE, Marks

BINS = 40  # places along a side that a coordinate is told in; neighbours share it linearly
BACKGROUND_WEIGHT = 0.3  # most of a picture is background: it should not drown the things


class MarksHead(nn.Module):
    """Linear read-outs of the tower, thrown away after training.

    Each patch (P, W) tells the kind and colour at its own four points, each merged token (N, D) those at one
    point of each of its patches, and six coordinates in bins. A token cannot tell sixteen points apart by a
    linear read-out of a few hundred numbers; its patches can.
    """

    def __init__(self, patch_width: int, token_width: int, kinds: int, colours: int) -> None:
        super().__init__()
        self.kinds, self.colours = kinds, colours
        self.fine = nn.Linear(patch_width, 4 * (kinds + colours))
        self.coarse = nn.Linear(token_width, 4 * (kinds + colours) + 6 * BINS)
        for layer in (self.fine, self.coarse):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def forward(
        self, seen: Seen, marks: Marks, counts: Counts | None = None
    ) -> tuple[Tensor, dict[str, float]]:
        """The mean loss, and its pieces with the share of right kinds on things, for the log.

        Means are over `counts`, by default those of `marks`; several passes that share the counts of all of
        them add up to the mean over all.
        """
        counts = counts or count_marks(marks)
        tokens_ND = seen.features_NX
        if tokens_ND.shape[-1] > self.coarse.in_features:
            tokens_ND = tokens_ND[:, : self.coarse.in_features]
        points, width = 4 * (self.kinds + self.colours), seen.patches_PW.shape[-1:]
        fine = self.fine(F.rms_norm(seen.patches_PW, width)).float()
        coarse, places = self.coarse(tokens_ND).float().split((points, 6 * BINS), dim=-1)
        kinds, colours = (_by_patch(named).to(fine.device) for named in (marks.kinds_NQ, marks.colours_NQ))
        first_kinds, first_colours = (named[:, 0].reshape(-1, 4) for named in (kinds, colours))
        fine_loss, right = self._kinds_and_colours(fine, kinds, colours, counts.fine)
        coarse_loss, _ = self._kinds_and_colours(coarse, first_kinds, first_colours, counts.coarse)
        place_loss = _places_loss(places, torch.from_numpy(marks.places_N6).to(places.device), counts.places)
        pieces = {"fine": fine_loss, "coarse": coarse_loss, "places": place_loss, "kinds_right": right}
        total = fine_loss + coarse_loss + place_loss
        return total, {name: float(piece.detach()) for name, piece in pieces.items()}

    def _kinds_and_colours(
        self, read: Tensor, kinds: Tensor, colours: Tensor, counts: PointCounts
    ) -> tuple[Tensor, Tensor]:
        """Loss of four points a row, and the share of right kinds on things."""
        each = read.reshape(-1, self.kinds + self.colours)
        kind_logits, colour_logits = torch.split(each, [self.kinds, self.colours], dim=-1)
        kinds, colours = kinds.flatten(), colours.flatten()
        weight = torch.ones(self.kinds, device=read.device)
        weight[0] = BACKGROUND_WEIGHT
        kind_loss = F.cross_entropy(kind_logits, kinds, weight, ignore_index=IGNORE, reduction="sum")
        colour_loss = F.cross_entropy(colour_logits, colours, ignore_index=IGNORE, reduction="sum")
        loss = kind_loss / max(counts.kinds, 1e-6) + colour_loss / max(counts.colours, 1.0)
        on_things = (kinds != 0) & (kinds != IGNORE)
        right = (kind_logits.argmax(-1) == kinds)[on_things].float().sum()
        return loss, right / counts.things if counts.things else right.new_tensor(torch.nan)


def on_things(kinds_NQ: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which points stand on a thing that has a kind."""
    things_NQ: NDArray[np.bool_] = (kinds_NQ != 0) & (kinds_NQ != IGNORE)
    return things_NQ


class PointCounts(NamedTuple):
    """What the losses of points are means over: weighed kinds, colours, and points on things."""

    kinds: float
    colours: float
    things: float


class Counts(NamedTuple):
    """What the dense losses of a batch are means over.

    Points in patches, points in tokens, coordinates, and tokens in which there is something to name.
    """

    fine: PointCounts
    coarse: PointCounts
    places: float
    named: float

    def flat(self) -> tuple[float, ...]:
        """The eight numbers, to be added up over passes and ranks."""
        return (*self.fine, *self.coarse, self.places, self.named)

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Counts:
        """From what `flat` gave."""
        return cls(PointCounts(*numbers[:3]), PointCounts(*numbers[3:6]), *numbers[6:8])


def count_marks(marks: Marks) -> Counts:
    """What there is to be learned from these marks."""
    kinds, colours = _by_patch(marks.kinds_NQ), _by_patch(marks.colours_NQ)
    return Counts(
        _count_points(kinds, colours),
        _count_points(kinds[:, 0], colours[:, 0]),
        float(np.count_nonzero(~np.isnan(marks.places_N6))),
        float(on_things(marks.kinds_NQ).any(axis=1).sum()),
    )


def _count_points(kinds: Tensor, colours: Tensor) -> PointCounts:
    background, things = int((kinds == 0).sum()), int(((kinds != 0) & (kinds != IGNORE)).sum())
    return PointCounts(
        BACKGROUND_WEIGHT * background + things, float((colours != IGNORE).sum()), float(things)
    )


class Seen(NamedTuple):
    """What the tower made of a batch: features of its patches (P, W) and of its tokens (N, D + L · D)."""

    patches_PW: Tensor
    features_NX: Tensor


def _by_patch(named_NQ: NDArray[np.uint8]) -> Tensor:
    """From 4 × 4 points a token to four points a patch, patches in the order of the rows: (P, 4)."""
    points = torch.from_numpy(named_NQ.astype(np.int64)).reshape(-1, 2, 2, 2, 2)
    return points.transpose(2, 3).reshape(-1, 4)


def _places_loss(places: Tensor, truth_N6: Tensor, count: float) -> Tensor:
    """Cross-entropy against two neighbouring bins that share each coordinate; nan teaches nothing."""
    known = ~truth_N6.isnan()
    logits = places.reshape(*truth_N6.shape, BINS)[known].log_softmax(-1)
    at = truth_N6[known].clamp(0, 1) * (BINS - 1)
    low = at.floor().long().clamp(max=BINS - 2)
    high_share = at - low
    picked = logits.gather(-1, torch.stack((low, low + 1), -1))
    return -(picked[:, 0] * (1 - high_share) + picked[:, 1] * high_share).sum() / max(count, 1.0)
