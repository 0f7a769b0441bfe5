"""Rows that only fill up a count are nobody's: they change nothing, and counts are few."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from omma.engine import forward as room
from omma.engine.cache import Cache, Part
from omma.engine.request import Request, Sampling
from omma.engine.row import Row
from omma.model.vlm import Vlm
from omma.presets import GENERATIONS, tiny
from omma.spec import ModelSpec
from tests.engine.test_engine import model, sample

HALF = torch.bfloat16
LENGTHS = (5, 16, 8)  # 29 rows, for which 32 go through


def through(spec: ModelSpec, vlm: Vlm, generation: str) -> tuple[Tensor, Tensor]:
    """Hidden states and scores of three prompts at once."""
    cache, rows = Cache(spec.decoder, HALF, torch.device("cpu")), []
    for ticket, length in enumerate(LENGTHS, 1):
        asked = Request(sample(generation, length, ticket), Sampling(), frozenset(), 4)
        rows.append(Row(ticket, asked, spec, named=False, guesses=0))
        cache.open(ticket, length)
    parts = [Part(row.ticket, 0, length) for row, length in zip(rows, LENGTHS, strict=True)]
    hidden_TD = room.forward(vlm, cache, parts, rows)
    return hidden_TD, room.logits(vlm, hidden_TD)


@pytest.mark.parametrize("generation", GENERATIONS)
@torch.inference_mode()
def test_rows_that_fill_up_a_count_change_nothing(generation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, vlm = tiny(generation), Vlm(tiny(generation)).to(HALF).eval()
    vlm.load_state_dict(model(generation).state_dict())
    assert room._even(vlm, torch.empty(sum(LENGTHS), 1, dtype=HALF)) == 32
    filled = through(spec, vlm, generation)
    monkeypatch.setattr(room, "LIGHT", 0)
    assert room._even(vlm, torch.empty(sum(LENGTHS), 1, dtype=HALF)) == sum(LENGTHS)
    for one, other in zip(filled, through(spec, vlm, generation), strict=True):
        assert one.shape == other.shape
        assert (one - other).float().norm() <= 0.02 * other.float().norm()


def test_counts_are_few_and_not_much_more_than_is_wanted() -> None:
    vlm = model(GENERATIONS[0])
    taken = [room._even(vlm, torch.empty(tokens, 1, dtype=HALF)) for tokens in range(1, 4097)]
    assert all(tokens <= count <= 1.25 * tokens for tokens, count in enumerate(taken, 1))
    assert len(set(taken)) == room.FEW + room.STEPS * 9
    assert all(room._even(vlm, torch.empty(tokens, 1)) == tokens for tokens in range(1, 100))  # fp32
