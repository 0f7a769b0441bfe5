"""The learning rate at a step."""

from __future__ import annotations

import math

from omma.train.recipe import Rate


def rate_at(rate: Rate, step: int, steps: int) -> float:
    """Learning rate of optimiser step `step` (0-based) in a run of `steps`."""
    if step < rate.warm_up:
        return rate.peak * (step + 1) / rate.warm_up
    if rate.shape == "trapezoid":
        falling = max(1, round(steps * rate.fall))
        share = min(1.0, max(0.0, (step - (steps - falling)) / falling))
        return rate.peak + (rate.final - rate.peak) * share
    share = (step - rate.warm_up) / max(1, steps - rate.warm_up)
    return rate.final + (rate.peak - rate.final) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
