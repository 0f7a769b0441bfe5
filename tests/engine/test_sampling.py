"""Drawing a token: neutral by default, cut as asked, and the same again from the same seed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from omma.engine.request import Sampling
from omma.engine.sampling import Sampler

VOCABULARY = 50


def logits(seed: int = 0) -> torch.Tensor:
    return torch.randn(VOCABULARY, generator=torch.Generator().manual_seed(seed)) * 3


def sampler(*, prompt: tuple[int, ...] = (), **wishes: float) -> Sampler:
    return Sampler(Sampling(**wishes), np.array(prompt, np.int64), VOCABULARY)  # type: ignore[arg-type]


def test_nothing_said_is_the_likeliest() -> None:
    assert sampler()(logits()) == int(logits().argmax())


def test_no_draw_changes_the_logits() -> None:
    before = logits()
    sampler(temperature=1.0, repetition_penalty=2.0, presence_penalty=1.0, prompt=(3,))(before)
    assert torch.equal(before, logits())


def test_the_same_seed_draws_the_same_tokens() -> None:
    runs = [[draw(logits(i)) for i in range(40)] for draw in (sampler(temperature=1.0, seed=7) for _ in "ab")]
    assert runs[0] == runs[1]


def test_another_seed_draws_other_tokens() -> None:
    runs = [
        [draw(logits(i)) for i in range(40)] for draw in (sampler(temperature=1.0, seed=s) for s in (7, -7))
    ]
    assert runs[0] != runs[1]


def test_draws_follow_the_distribution() -> None:
    draw = sampler(temperature=1.3, top_p=0.9, seed=1)
    wanted = draw.distribution(logits())
    counts = torch.bincount(torch.tensor([draw(logits()) for _ in range(4_000)]), minlength=VOCABULARY)
    assert (counts / 4_000 - wanted).abs().max() < 0.03
    assert not counts[wanted == 0].any()


def test_a_token_of_the_prompt_is_damped_whatever_its_sign() -> None:
    draw = sampler(repetition_penalty=100.0, prompt=(1, 2))
    assert draw(torch.tensor([0.01, 0.9, -0.1] + [-5.0] * 47)) == 0


def test_presence_damps_what_was_written_but_not_what_was_read() -> None:
    draw = sampler(presence_penalty=2.0, prompt=(1,))
    flat = torch.tensor([0.0, 1.0, 0.5] + [-9.0] * 47)
    assert [draw(flat), draw(flat), draw(flat)] == [1, 2, 0]


@settings(max_examples=60)
@given(
    st.integers(0, 10_000),
    st.floats(0.05, 3),
    st.integers(0, 60),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_cuts_leave_a_distribution(
    seed: int, temperature: float, top_k: int, top_p: float, min_p: float
) -> None:
    chances = sampler(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p).distribution(
        logits(seed)
    )
    assert chances.sum().item() == pytest.approx(1)
    assert chances[logits(seed).argmax()] > 0
    assert not top_k or (chances > 0).sum() <= top_k
