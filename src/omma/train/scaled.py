"""A published stage at another size: rates, decays and freezes stay; model, data and length are new."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from omma.errors import BadRecipe
from omma.spec import ModelSpec
from omma.train.recipe import Data, Recipe


def scaled(
    recipe: Recipe,
    *,
    model: ModelSpec,
    processor: Path,
    data: Data,
    steps: int,
    dialogues: int,
    start: Path | None = None,
    **changes: Any,
) -> Recipe:
    """The recipe for this model and data, in so many steps of so many dialogues.

    The warm-up keeps its share of the steps; a checkpoint and a check come at least ten times a run.
    `changes` are further fields of the recipe. Raises BadRecipe when the result contradicts itself.
    """
    if steps < 1:
        raise BadRecipe(f"steps is {steps}; wanted 1 or more")
    often = max(1, min(recipe.save_every, steps // 10))
    kept: dict[str, Any] = {
        "name": f"{recipe.name}-small",
        "rate": replace(recipe.rate, warm_up=round(recipe.rate.warm_up * steps / recipe.steps)),
        "micro": 1,
        "longest": None,
        "save_every": often,
        "check_every": often,
    }
    made = replace(
        recipe,
        model=model,
        processor=processor,
        data=data,
        steps=steps,
        dialogues=dialogues,
        start=start,
        **(kept | changes),
    )
    made.check()
    return made
