"""A layer of experts says what transformers' loop over them says, forward and backward."""

from __future__ import annotations

import pytest
import torch

from bench.experts import REAL, TOY, Pair, Shape, Work
from omma.spec import Experts

CLOSE = 1e-4
SHAPES = {
    "a few of many": TOY,
    "one of many": Shape(64, Experts(24, 16, 1), 32),
    "all of them": Shape(48, Experts(40, 5, 5), 7),
    "one token": Shape(64, Experts(24, 16, 4), 1),
    "as wide as gate and up": Shape(48, Experts(24, 16, 4), 19),
}


def apart(work: Work) -> tuple[float, float]:
    """The largest difference from either of their ways, and the largest number."""
    ours, *theirs = (one() for one in work)
    return max(float((ours - other).abs().max()) for other in theirs), float(theirs[0].abs().max())


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_layer_says_what_the_loop_says(shape: Shape) -> None:
    pair = Pair(shape, torch.float32)
    gap, largest = apart(pair.forward(pair.tokens(shape.tokens)))
    assert gap <= CLOSE * min(1.0, largest)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_gradients_are_those_of_both_their_ways(shape: Shape) -> None:
    pair = Pair(shape, torch.float32)
    ours, *theirs = pair.learning(pair.tokens(shape.tokens))
    router, bank = ours(), pair.ours.experts
    for learn in theirs:
        assert (router - learn()).abs().max() <= CLOSE
        for mine, other in ((bank.gate_up, pair.gate_up), (bank.down, pair.down)):
            assert mine.grad is not None
            assert other.grad is not None
            assert (mine.grad - other.grad.mT).abs().max() <= CLOSE * other.grad.abs().max()


def test_the_router_is_that_of_transformers() -> None:
    pair = Pair(TOY, torch.bfloat16)
    x_TD = pair.tokens(TOY.tokens)
    logits_TE, weights_TC, chosen_TC = pair.ours.router(x_TD)
    wanted = pair.theirs.gate(x_TD)
    assert torch.equal(logits_TE, wanted[0])
    assert torch.equal(weights_TC, wanted[1])
    assert torch.equal(chosen_TC, wanted[2])


@pytest.mark.slow
def test_a_layer_at_the_width_of_30b_a3b_says_what_the_loop_says() -> None:
    pair = Pair(REAL, torch.float32)
    gap, largest = apart(pair.forward(pair.tokens(REAL.tokens)))
    assert gap <= CLOSE
    assert largest > 0.1
