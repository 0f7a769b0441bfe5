"""Draws the next token from its logits: penalties, temperature, the three cuts, and a seeded choice."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omma.engine.request import Sampling

GREEDY_BELOW = 1e-5  # a temperature so low can only choose between exact ties


class Sampler:
    """One request's way of drawing tokens. It remembers what was read and written, and its own dice.

    The draw takes one uniform number a token from a generator of its own: the same seed gives the same
    tokens, whatever else runs.
    """

    def __init__(self, sampling: Sampling, prompt: NDArray[np.int64], vocabulary: int) -> None:
        self._sampling = sampling
        seed = sampling.seed
        self._dice = np.random.default_rng(None if seed is None else seed % 2**64)
        self._read_V: Tensor | None = None
        self._written_V: Tensor | None = None
        self._counts_V: Tensor | None = None
        if sampling.repetition_penalty != 1:
            self._read_V = torch.zeros(vocabulary, dtype=torch.bool)
            self._read_V[torch.from_numpy(prompt)] = True
        if sampling.presence_penalty != 0:
            self._written_V = torch.zeros(vocabulary, dtype=torch.bool)
        if sampling.frequency_penalty != 0:
            self._counts_V = torch.zeros(vocabulary)

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is taken, no dice thrown."""
        return self._sampling.temperature < GREEDY_BELOW

    @property
    def plain(self) -> bool:
        """Whether the choice is the largest logit and nothing has to be remembered."""
        return self.greedy and self._read_V is None and self._written_V is None and self._counts_V is None

    def __call__(self, logits_V: Tensor) -> int:
        """Choose a token from fp32 logits (V,) and remember it."""
        token = self.choose(logits_V)
        self.remember(token)
        return token

    def choose(self, logits_V: Tensor) -> int:
        """Choose a token from fp32 logits (V,); another may be chosen in its place."""
        scores_V = self._penalised(logits_V)
        return int(scores_V.argmax()) if self.greedy else self._drawn(self._distribution(scores_V))

    def remember(self, token: int) -> None:
        """A token is written: penalties go by it from now on."""
        for mask_V in (self._read_V, self._written_V):
            if mask_V is not None:
                mask_V[token] = True
        if self._counts_V is not None:
            self._counts_V[token] += 1

    def distribution(self, logits_V: Tensor) -> Tensor:
        """The probabilities (V,), float64, from which the next token would be drawn; temperature above 0."""
        return self._distribution(self._penalised(logits_V))

    def _penalised(self, logits_V: Tensor) -> Tensor:
        """Repetition penalty over all that was read and written; presence penalty over what was written, and
        frequency penalty as often as it was.
        """
        scores_V = logits_V.float().cpu()
        if self._read_V is not None:
            penalty = self._sampling.repetition_penalty
            damped_V = torch.where(scores_V < 0, scores_V * penalty, scores_V / penalty)
            scores_V = torch.where(self._read_V, damped_V, scores_V)
        if self._written_V is not None:
            scores_V = scores_V - self._written_V * self._sampling.presence_penalty
        if self._counts_V is not None:
            scores_V = scores_V - self._counts_V * self._sampling.frequency_penalty
        return scores_V

    def _distribution(self, scores_V: Tensor) -> Tensor:
        """Temperature, then top-k, top-p and min-p, each on what the one before it left."""
        sampling = self._sampling
        scores_V = scores_V.double() / sampling.temperature
        if 0 < sampling.top_k < len(scores_V):
            least = scores_V.topk(sampling.top_k).values[-1]
            scores_V = scores_V.masked_fill(scores_V < least, -torch.inf)
        chances_V = scores_V.softmax(0)
        if sampling.top_p < 1:
            chances_V = _nucleus(chances_V, sampling.top_p)
        if sampling.min_p > 0:
            chances_V = chances_V * (chances_V >= sampling.min_p * chances_V.max())
        return chances_V / chances_V.sum()

    def _drawn(self, chances_V: Tensor) -> int:
        ladder_V = chances_V.cumsum(0)
        top = float(ladder_V[-1])
        # Strictly below the top, so that the rounding of the product cannot point past the last token.
        height = min(self._dice.random() * top, math.nextafter(top, 0.0))
        return int(torch.searchsorted(ladder_V, height, right=True))


def _nucleus(chances_V: Tensor, top_p: float) -> Tensor:
    """Drop a token when it and all less likely ones together weigh 1 - top_p or less; keep the likeliest.

    Tokens under (1 - top_p) / V weigh that little all together: they go unsorted, which spares the sort
    of a whole vocabulary.
    """
    spare = 1 - top_p
    hopeful = (chances_V > spare / len(chances_V)).nonzero().squeeze(1)
    chances, order = chances_V[hopeful].sort()
    weight = chances.cumsum(0) + (chances_V.sum() - chances.sum())
    kept = weight > spare
    kept[-1] = True
    cut_V = torch.zeros_like(chances_V)
    cut_V[hopeful[order[kept]]] = chances[kept]
    return cut_V
