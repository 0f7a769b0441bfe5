"""The dense lesson of the tower: what stands at each place of the picture, read off the merged features.

A model that starts from random weights waits long before it sees anything, because words alone say little
about pixels. Drawn worlds know every pixel, so each visual token is asked directly: which kind and colour is
at each of its points, where it is, and where its thing begins and ends. The head goes when training ends.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from omma.train.lesson import IGNORE, POINTS, Marks

BINS = 40  # places along a side that a coordinate is told in; neighbours share it linearly
BACKGROUND_WEIGHT = 0.3  # most of a picture is background: it should not drown the things


class MarksHead(nn.Module):
    """Linear read-outs of merged features (N, D): kinds and colours at Q points, six coordinates in bins."""

    def __init__(self, width: int, kinds: int, colours: int) -> None:
        super().__init__()
        self.kinds, self.colours = kinds, colours
        self.cuts = (POINTS**2 * kinds, POINTS**2 * colours, 6 * BINS)
        self.read = nn.Linear(width, sum(self.cuts))
        nn.init.normal_(self.read.weight, std=0.02)
        nn.init.zeros_(self.read.bias)

    def forward(self, features_ND: Tensor, marks: Marks) -> tuple[Tensor, dict[str, float]]:
        """The mean loss, and its pieces with the share of right kinds on things, for the log."""
        read = self.read(features_ND).float()
        kinds, colours, places = read.split(self.cuts, dim=-1)
        kind_truth = torch.from_numpy(marks.kinds_NQ.astype("int64")).flatten().to(read.device)
        colour_truth = torch.from_numpy(marks.colours_NQ.astype("int64")).flatten().to(read.device)
        kinds = kinds.reshape(-1, self.kinds)
        weight = torch.ones(self.kinds, device=read.device)
        weight[0] = BACKGROUND_WEIGHT
        kind_loss = F.cross_entropy(kinds, kind_truth, weight, ignore_index=IGNORE)
        colour_loss = F.cross_entropy(colours.reshape(-1, self.colours), colour_truth, ignore_index=IGNORE)
        place_loss = _places_loss(places, torch.from_numpy(marks.places_N6).to(read.device))
        on_things = (kind_truth != 0) & (kind_truth != IGNORE)
        right = (kinds.argmax(-1) == kind_truth)[on_things].float().mean()
        pieces = {"kinds": kind_loss, "colours": colour_loss, "places": place_loss, "kinds_right": right}
        return kind_loss + colour_loss + place_loss, {
            name: float(piece.detach()) for name, piece in pieces.items()
        }


def _places_loss(places: Tensor, truth_N6: Tensor) -> Tensor:
    """Cross-entropy against two neighbouring bins that share each coordinate; nan teaches nothing."""
    known = ~truth_N6.isnan()
    logits = places.reshape(*truth_N6.shape, BINS)[known].log_softmax(-1)
    at = truth_N6[known].clamp(0, 1) * (BINS - 1)
    low = at.floor().long().clamp(max=BINS - 2)
    high_share = at - low
    picked = logits.gather(-1, torch.stack((low, low + 1), -1))
    return -(picked[:, 0] * (1 - high_share) + picked[:, 1] * high_share).mean()
