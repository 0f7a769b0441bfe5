"""Takes two steps of each stage of the toy school and says which tensors of which part moved."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from pathlib import Path

import torch

from bench.results import ROOT
from omma.cli.teaching import read_recipe
from omma.train.begin import begin
from omma.train.feed import make_batches
from omma.train.loop import step
from omma.train.rate import part_of
from omma.train.recipe import Recipe
from omma.train.scaled import scaled

STAGES = ("align", "multitask", "instruct")


def moved(recipe: Recipe) -> dict[str, list[int]]:
    """For each part of the model: how many of its tensors two steps moved, and how many it has."""
    run = begin(recipe, "cpu")
    before = {name: tensor.detach().clone() for name, tensor in run.model.named_parameters()}
    for number in range(2):
        step(run, recipe, make_batches(recipe, number))
    after = dict(run.model.named_parameters())
    all_of = Counter(part_of(name) for name in before)
    those = Counter(part_of(name) for name in before if not torch.equal(before[name], after[name]))
    return {part: [those[part], count] for part, count in all_of.items()}


def main() -> None:
    """All stages, as JSON."""
    told = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # the toy school writes its lines under runs/
        for stage in STAGES:
            made = read_recipe(str(ROOT / "recipes" / "stages" / f"toy.py:{stage}"))
            told[stage] = moved(
                scaled(
                    made,
                    model=made.model,
                    processor=Path(made.processor),
                    data=made.data,
                    steps=2,
                    dialogues=6,
                )
            )
    print(json.dumps(told))


if __name__ == "__main__":
    main()
