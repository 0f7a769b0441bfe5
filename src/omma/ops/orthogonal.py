"""A matrix with all its singular values brought near one: the direction of Muon's updates."""

from __future__ import annotations

from torch import Tensor

# Chosen so that small singular values rise as fast as they can; large ones end between 0.7 and 1.2.
QUINTIC = (3.4445, -4.7750, 2.0315)


def orthogonalise(x_AB: Tensor, steps: int = 5) -> Tensor:
    """Turn U·S·Vᵀ into nearly U·Vᵀ, in bfloat16, by Newton and Schulz's iteration (Jordan et al. 2024).

    Costs the cube of the shorter side a step. A matrix of zeros stays one.
    """
    a, b, c = QUINTIC
    turned = x_AB.shape[0] > x_AB.shape[1]
    y: Tensor = x_AB.bfloat16()
    y = y.mT if turned else y
    y = y / y.norm().clamp(min=1e-7)
    for _ in range(steps):
        gram = y @ y.mT
        y = y.addmm(gram.addmm(gram, gram, beta=b, alpha=c), y, beta=a)
    out_AB: Tensor = y.mT if turned else y
    return out_AB
