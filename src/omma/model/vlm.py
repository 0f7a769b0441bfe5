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
from omma.model.decoder import Decoder
from omma.model.initialise import draw_weights
from omma.model.vision import VisionTower
from omma.sample import Grid, Pack
from omma.spec import ModelSpec


class Vlm(nn.Module):
    """A vision-language model of any generation `spec` can describe.

    Building it draws nothing: fill the parameters with `weights.load_weights` or `initialise`.
    Under ``torch.device("meta")`` it costs no memory. Parameters may be fp32 or bf16; norms, softmax and
    rotary angles are computed in fp32 either way.
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        self.vision = VisionTower(spec.vision)
        self.decoder = Decoder(spec.decoder)

    def initialise(self, generator: torch.Generator) -> None:
        """Draw all weights for training from nothing; the same seed draws the same weights."""
        draw_weights(self.vision, self.spec.vision.depth, generator)
        draw_weights(self.decoder, self.spec.decoder.depth, generator)

    def see(self, rows_PC: Tensor, grids: Sequence[Grid]) -> Tensor:
        """Visual tokens (N, D) of patch rows (P, C), picture by picture. N is the grids' merged cells.

        Raises PlaceholderMismatch when rows and grids were not made together.
        """
        features_ND: Tensor = self.vision(rows_PC, grids)
        return features_ND

    def embed(self, ids_T: Tensor, features_ND: Tensor | None, places_N: Tensor | None) -> Tensor:
        """Rows (T, D): each id's embedding, with visual tokens at `places_N`.

        Raises PlaceholderMismatch when the prompt leaves more or fewer places than there are features.
        """
        embeddings_TD: Tensor = self.decoder.embedding(ids_T)
        places = 0 if places_N is None else len(places_N)
        made = 0 if features_ND is None else len(features_ND)
        if places != made:
            raise PlaceholderMismatch(
                f"the prompt leaves {places} places but the tower makes {made} features; "
                "make prompt and patches with one Processor"
            )
        if features_ND is None or places_N is None:
            return embeddings_TD
        return embeddings_TD.index_copy(0, places_N, features_ND.to(embeddings_TD.dtype))

    def forward(self, embeddings_TD: Tensor, positions_3T: Tensor, attend: Attend) -> Tensor:
        """Final-normed hidden states (T, D) of rows at positions (time, row, column)."""
        hidden_TD: Tensor = self.decoder(embeddings_TD, positions_3T, attend)
        return hidden_TD

    def read(self, pack: Pack, attend: Attend, features_ND: Tensor | None = None) -> Tensor:
        """Hidden states (T, D) of a pack: its pictures seen, its words embedded, all of it thought through.

        `features_ND` are the pictures' visual tokens where they have been seen already.
        Raises PlaceholderMismatch when words and pictures were not made together.
        """
        device = self.decoder.embedding.weight.device

        def tensor(array: NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(array).to(device)

        if features_ND is None and pack.rows_PC is not None:
            features_ND = self.see(tensor(pack.rows_PC), pack.grids)
        embeddings_TD = self.embed(tensor(pack.ids_T), features_ND, tensor(pack.places_N))
        hidden_TD: Tensor = self(embeddings_TD, tensor(pack.positions_3T), attend)
        return hidden_TD

    def logits(self, hidden_TD: Tensor) -> Tensor:
        """Scores (T, V) of the next token, in the parameters' dtype."""
        decoder = self.decoder
        if decoder.head is None:
            return F.linear(hidden_TD, decoder.embedding.weight)
        logits_TV: Tensor = decoder.head(hidden_TD)
        return logits_TV
