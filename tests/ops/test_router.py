"""The router's losses are what their papers write, token by token."""

from __future__ import annotations

import math

import pytest
import torch

from omma.ops.router import balance_loss, shares, z_loss


def router(tokens: int, experts: int, chosen: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(tokens)
    logits_TE = torch.randn(tokens, experts) * 3
    return logits_TE, logits_TE.topk(chosen).indices


@pytest.mark.parametrize(("tokens", "experts", "chosen"), [(1, 4, 1), (7, 4, 2), (64, 128, 8)])
def test_the_losses_are_their_definitions(tokens: int, experts: int, chosen: int) -> None:
    logits_TE, chosen_TC = router(tokens, experts, chosen)
    balance, calm = 0.0, 0.0
    for expert in range(experts):
        taken = sum(expert in row for row in chosen_TC.tolist()) / (tokens * chosen)
        mean = 0.0
        for row in logits_TE.tolist():
            mean += math.exp(row[expert]) / sum(map(math.exp, row)) / tokens
        balance += experts * taken * mean
    for row in logits_TE.tolist():
        calm += math.log(sum(map(math.exp, row))) ** 2 / tokens
    assert balance_loss(logits_TE, chosen_TC).item() == pytest.approx(balance, rel=1e-5)
    assert z_loss(logits_TE).item() == pytest.approx(calm, rel=1e-5)


def test_an_even_router_costs_one_and_a_stuck_one_costs_the_number_of_experts() -> None:
    even = balance_loss(torch.zeros(8, 4), torch.arange(8)[:, None] % 4)
    stuck = balance_loss(torch.tensor([[100.0, 0, 0, 0]]).repeat(8, 1), torch.zeros(8, 1, dtype=torch.long))
    assert even.item() == pytest.approx(1.0)
    assert stuck.item() == pytest.approx(4.0)


def test_the_gradient_leads_away_from_the_expert_that_is_chosen_most() -> None:
    logits_TE = torch.zeros(6, 3, requires_grad=True)
    balance_loss(logits_TE, torch.tensor([[0], [0], [0], [0], [1], [2]])).backward()
    assert logits_TE.grad is not None
    assert (logits_TE.grad[:, 0] > 0).all()
    assert (logits_TE.grad[:, 1:] < 0).all()


def test_shares_of_a_whole_step_stand_for_those_of_a_pass() -> None:
    logits_TE, chosen_TC = router(32, 4, 2)
    whole_E = shares(chosen_TC, 4)
    halves = [balance_loss(part, chosen_TC[:16], whole_E) for part in logits_TE.chunk(2)]
    assert (sum(halves) / 2).item() == pytest.approx(balance_loss(logits_TE, chosen_TC).item(), rel=1e-6)
    assert whole_E.sum().item() == pytest.approx(1.0)


def test_half_precision_is_judged_in_fp32() -> None:
    logits_TE, chosen_TC = router(16, 8, 2)
    half = logits_TE.bfloat16()
    assert balance_loss(half, chosen_TC).dtype == z_loss(half).dtype == torch.float32
    assert z_loss(half).item() == pytest.approx(z_loss(half.float()).item())
