"""Our cuts and penalties are those of transformers' logits processors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers.generation import logits_process as theirs

from omma.engine.request import Sampling
from omma.engine.sampling import Sampler

VOCABULARY = 997
PROMPT = np.array([5, 17, 17, 400], np.int64)


def logits(seed: int) -> torch.Tensor:
    return torch.randn(VOCABULARY, generator=torch.Generator().manual_seed(seed)) * 4


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "wish",
    [
        {"temperature": 0.3},
        {"top_k": 1},
        {"top_k": 40},
        {"top_k": 5000},
        {"top_p": 0.0},
        {"top_p": 0.8},
        {"top_p": 0.999},
        {"min_p": 0.05},
        {"repetition_penalty": 1.3},
        {"repetition_penalty": 0.7, "temperature": 2.5, "top_k": 80, "top_p": 0.9, "min_p": 0.02},
    ],
    ids=str,
)
def test_the_distribution_is_that_of_transformers(wish: dict[str, float], seed: int) -> None:
    wish = {"temperature": 1.0, **wish}
    ours = Sampler(Sampling(**wish), PROMPT, VOCABULARY).distribution(logits(seed))  # type: ignore[arg-type]
    chain = theirs.LogitsProcessorList()
    if "repetition_penalty" in wish:
        chain.append(theirs.RepetitionPenaltyLogitsProcessor(wish["repetition_penalty"]))
    chain.append(theirs.TemperatureLogitsWarper(wish["temperature"]))
    if "top_k" in wish:
        chain.append(theirs.TopKLogitsWarper(int(wish["top_k"])))
    if "top_p" in wish:
        chain.append(theirs.TopPLogitsWarper(wish["top_p"]))
    if "min_p" in wish:
        chain.append(theirs.MinPLogitsWarper(wish["min_p"]))
    scores = chain(torch.from_numpy(PROMPT)[None], logits(seed)[None])[0]
    torch.testing.assert_close(ours.float(), scores.softmax(0), atol=1e-6, rtol=1e-4)
