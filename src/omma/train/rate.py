"""The learning rate of a parameter at a step: the run's curve, and the parameter's own factor on it."""

from __future__ import annotations

import math
import re

from omma.train.recipe import Rate, Recipe

_LAYER = re.compile(r"vision\.layers\.(\d+)\.")


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


def part_of(name: str) -> str:
    """The part of the model that a parameter belongs to: vision, bridge (the mergers) or decoder.

    A table of waves that never learns is "fixed".
    """
    if name == "vision.merger.places.weight":
        return "fixed"
    if name.startswith(("vision.merger.", "vision.deep.")):
        return "bridge"
    return "vision" if name.startswith("vision.") else "decoder"


def factor_of(name: str, recipe: Recipe) -> float:
    """What the learning rate is multiplied by for this parameter.

    Of `scale` the longest start of the name counts. `tower_decay` counts once for the tower's last layer, and
    once more for each layer below it and for what lies under the first (the patch embedding).
    """
    known = [start for start in recipe.scale if name.startswith(start)]
    factor = recipe.scale[max(known, key=len)] if known else 1.0
    return factor * recipe.tower_decay ** _below_the_bridge(name, recipe.model.vision.depth)


def _below_the_bridge(name: str, depth: int) -> int:
    """How many layers down the tower a parameter lies; 0 for the bridge and whatever is no tower."""
    if part_of(name) != "vision":
        return 0
    layer = _LAYER.match(name)
    return depth - int(layer.group(1)) if layer else depth + 1
