"""The whole model: it sees, embeds, thinks and names the next token, over rows that lie end to end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from omma.errors import PlaceholderMismatch
from omma.model.attend import Attend
from omma.model.decoder import Decoder, Embedded
from omma.model.initialise import draw_weights
from omma.model.layers import Linear
from omma.model.pieces import Pieces
from omma.model.resampler import SquareTower
from omma.model.vision import VisionTower
from omma.ops import linear_cross_entropy
from omma.sample import Grid, Pack
from omma.spec import ModelSpec, Resampler, VisionSpec


class Vlm(nn.Module):
    """A vision-language model of any generation `spec` can describe.

    Building it draws nothing: fill the parameters with `weights.load_weights` or `initialise`.
    Under ``torch.device("meta")`` it costs no memory. Parameters may be fp32 or bf16; norms, softmax and
    rotary angles are computed in fp32 either way. With `wide_from` the loss is made of fp32 products.
    """

    wide_from: int | None = None

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        self.vision = tower(spec.vision)
        self.decoder = Decoder(spec.decoder)

    def initialise(self, generator: torch.Generator) -> None:
        """Draw all weights for training from nothing; the same seed draws the same weights."""
        draw_weights(self.vision, self.spec.vision.depth, generator)
        draw_weights(self.decoder, self.spec.decoder.depth, generator)

    def see(self, rows_PC: Tensor, grids: Sequence[Grid]) -> Tensor:
        """Features (N, D + L · D) of the visual tokens that patch rows (P, C) make, picture by picture.

        N is the grids' merged cells; after a token's own D numbers stand those that the decoder's first L
        layers add to it; L is the length of the tower's `deepstack`, 0 for most (facts §2.8).
        Raises PlaceholderMismatch when rows and grids were not made together.
        """
        features_NX: Tensor = self.vision(rows_PC, grids)
        return features_NX

    def looking(self, rows_PC: Tensor, grids: Sequence[Grid]) -> Pieces[Tensor]:
        """The same as `see`, a piece at a time. What is seen does not depend on how long one waits between.

        Where attention is cut its sums may be rounded otherwise than those of `see`.
        """
        return self.vision.pieces(rows_PC, grids)

    def embed(
        self,
        ids_T: Tensor,
        features_NX: Tensor | None,
        places_N: Tensor | None,
        reach_T: Tensor | None = None,
    ) -> Embedded:
        """Rows (T, D): each id's embedding, with the visual tokens that `see` made at `places_N`.

        `reach_T` is how many tokens the prompt has that each row belongs to, or was written after; None while
        learning. Models whose far positions are stretched go by it (facts §3.1), the others do not look.
        Raises PlaceholderMismatch when the prompt leaves more or fewer places than there are features.
        """
        embeddings_TD: Tensor = self.decoder.embedding(ids_T)
        places = 0 if places_N is None else len(places_N)
        made = 0 if features_NX is None else len(features_NX)
        if places != made:
            raise PlaceholderMismatch(
                f"the prompt leaves {places} places but the tower makes {made} features; "
                "make prompt and patches with one Processor"
            )
        if features_NX is None or places_N is None:
            return Embedded(embeddings_TD, reach_T=reach_T)
        features_NX = features_NX.to(embeddings_TD.dtype)
        if not (levels := len(self.spec.vision.deepstack)):
            return Embedded(embeddings_TD.index_copy(0, places_N, features_NX), reach_T=reach_T)
        own_ND, *deep = features_NX.reshape(len(features_NX), 1 + levels, -1).unbind(1)
        shown_TD = embeddings_TD.index_copy(0, places_N, own_ND)
        return Embedded(shown_TD, places_N, torch.stack(deep), reach_T)

    def forward(self, rows: Embedded, positions_3T: Tensor, attend: Attend) -> Tensor:
        """Final-normed hidden states (T, D) of rows at positions (time, row, column); only those wanted."""
        hidden_TD: Tensor = self.decoder(rows, positions_3T, attend)
        return hidden_TD

    def read(
        self,
        pack: Pack,
        attend: Attend,
        features_NX: Tensor | None = None,
        *,
        learning: bool = False,
        wanted_A: Tensor | None = None,
    ) -> Tensor:
        """Hidden states (T, D) of a pack: its pictures seen, its words embedded, all of it thought through.

        `features_NX` are those of the pictures where they have been seen already. While `learning`, positions
        are not stretched, however far out they are. Of rows `wanted_A` alone the answer is (A, D).
        Raises PlaceholderMismatch when words and pictures were not made together.
        """
        device = self.decoder.embedding.weight.device

        def tensor(array: NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(array).to(device)

        if features_NX is None and pack.rows_PC is not None:
            features_NX = self.see(tensor(pack.rows_PC), pack.grids)
        reach_T = None if learning else tensor(pack.reach_T)
        rows = self.embed(tensor(pack.ids_T), features_NX, tensor(pack.places_N), reach_T)
        hidden_TD: Tensor = self(rows._replace(wanted_A=wanted_A), tensor(pack.positions_3T), attend)
        return hidden_TD

    def logits(self, hidden_TD: Tensor) -> Tensor:
        """Scores (T, V) of the next token, in the parameters' dtype."""
        decoder = self.decoder
        if decoder.head is None:
            return F.linear(hidden_TD, decoder.embedding.weight)
        logits_TV: Tensor = decoder.head(hidden_TD)
        return logits_TV

    def surprise(self, hidden_AD: Tensor, truth_A: Tensor, weights_A: Tensor) -> Tensor:
        """The sum over rows of weight times −log probability of the true next token: fp32, a scalar.

        The same as from `logits`, which are not kept: of a long pack they would be most of the memory.
        """
        head = self.decoder.head
        if head is None or type(head) is Linear:
            table_VD = self.decoder.embedding.weight if head is None else head.weight
            if self.wide_from is not None:
                hidden_AD, table_VD = hidden_AD.float(), table_VD.float()
            return linear_cross_entropy(hidden_AD, table_VD, truth_A, weights_A)
        each_A = F.cross_entropy(self.logits(hidden_AD).float(), truth_A, reduction="none")
        return (each_A * weights_A).sum()


def tower(spec: VisionSpec) -> VisionTower | SquareTower:
    """The vision tower of this kind: patches merged by neighbourhood, or looked at by learned queries."""
    match spec.resampler:
        case None:
            return VisionTower(spec)
        case Resampler() as kind:
            return SquareTower(spec, kind)
        case _:
            raise TypeError(f"no tower is built from {spec!r}")
