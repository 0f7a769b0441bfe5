"""A matrix with all its singular values brought near one: the direction of Muon's updates."""

from __future__ import annotations

import torch
from torch import Tensor

# Chosen so that small singular values rise as fast as they can; large ones end between 0.7 and 1.2.
QUINTIC = (3.4445, -4.7750, 2.0315)
WIDE = 2  # times as wide as high: from there on it is cheaper to iterate on the Gram matrix


def orthogonalise(x_AB: Tensor, steps: int = 5) -> Tensor:
    """Turn U·S·Vᵀ into nearly U·Vᵀ by Newton and Schulz's iteration (Jordan et al. 2024).

    In float32 on a processor, where halves may well be slower, in bfloat16 elsewhere. Costs the cube of the
    shorter side a step. A matrix of zeros stays one.
    """
    turned = x_AB.shape[0] > x_AB.shape[1]
    y: Tensor = x_AB.float() if x_AB.device.type == "cpu" else x_AB.bfloat16()
    y = y.mT if turned else y
    y = y / y.norm().clamp(min=1e-7)
    # Products of Gram matrices square what rounding does to them: halves would not bear it.
    by_gram = y.dtype == torch.float32 and y.shape[1] > WIDE * y.shape[0]
    y = _on_gram(y, steps) if by_gram else _iterated(y, steps)
    out_AB: Tensor = y.mT if turned else y
    return out_AB


def _iterated(y: Tensor, steps: int) -> Tensor:
    a, b, c = QUINTIC
    for _ in range(steps):
        gram = y @ y.mT
        y = y.addmm(gram.addmm(gram, gram, beta=b, alpha=c), y, beta=a)
    return y


def _on_gram(y: Tensor, steps: int) -> Tensor:
    """The same where each step is a factor F = a + b·G + c·G² on the left: y → F·y, so G → F·G·F."""
    a, b, c = QUINTIC
    gram, factors = y @ y.mT, None
    for step in range(steps):
        factor = gram.addmm(gram, gram, beta=b, alpha=c)
        factor.diagonal().add_(a)
        factors = factor if factors is None else factor @ factors
        if step < steps - 1:
            gram = factor @ gram @ factor
    return y if factors is None else factors @ y
