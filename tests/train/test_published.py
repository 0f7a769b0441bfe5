"""Published values of LoRA are whole sets, which a wish's own numbers go before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from omma.errors import BadRecipe
from omma.loading import load_folder
from omma.presets import GENERATIONS, tiny
from omma.train.published import SETS
from omma.train.tuning import Tuning, settled
from omma.weights.lora import layers
from tests.train.school import write_dialogues
from tests.train.test_tune import fit, write_toy


def settle(lessons: int = 320, **wishes: Any) -> Any:
    return settled(Tuning(data="mine.jsonl", **wishes), tiny("qwen2.5-vl"), Path(), lessons)


def test_the_first_generations_values_are_those_of_the_facts() -> None:
    plan = settle(published="qwen-vl")
    wish, recipe = plan.wish, plan.recipe
    assert (wish.rank, wish.alpha, wish.dropout) == (64, 16, 0.05)
    assert (recipe.rate.peak, recipe.optimiser.weight_decay, recipe.optimiser.betas[1]) == (1e-5, 0.1, 0.95)
    assert (recipe.dialogues, recipe.steps, recipe.rate.warm_up) == (16, 100, 1)
    assert recipe.learns == ("decoder",)


def test_what_is_wished_for_goes_before_what_was_published() -> None:
    plan = settle(published="qwen-vl", rank=4, alpha=3, dropout=0.0, rate=2e-4, learns=("bridge",), turns=1)
    assert (plan.wish.rank, plan.wish.alpha, plan.wish.dropout) == (4, 3, 0.0)
    assert (plan.recipe.rate.peak, plan.recipe.learns, plan.recipe.steps) == (2e-4, ("bridge",), 20)


def test_alpha_follows_the_rank_where_nobody_says_it() -> None:
    assert [settle(rank=rank).wish.alpha for rank in (1, 16, 64)] == [2, 32, 128]
    assert settle().wish.rank == 16


@pytest.mark.parametrize("name", ["published", "rank", "alpha", "dropout", "layers"])
def test_weights_that_move_themselves_have_no_pairs(name: str) -> None:
    value = {"published": "qwen-vl", "layers": ("query",), "rank": 4}.get(name, 0.5)
    with pytest.raises(BadRecipe, match=f"{name} is of an adapter's pairs"):
        settle(method="full", **{name: value})


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("name", SETS)
def test_published_layers_are_in_every_generation(name: str, generation: str, tmp_path: Path) -> None:
    toy = write_toy(generation, tmp_path / "toy")
    data = write_dialogues(tmp_path / "data", 12)
    form = fit(toy, data, tmp_path / "out", published=name, turns=0.1)
    worn = dict(layers(load_folder(toy, device="cpu", adapter=form["folder"]).model))
    kinds = {layer.rsplit(".", 1)[-1] for layer in worn}
    assert all(layer.startswith("decoder.layers.") for layer in worn)
    assert {"out"} < kinds <= set(SETS[name].layers)
    assert {layer.scale for layer in worn.values()} == {SETS[name].alpha / 64}
    assert {len(layer.down) for layer in worn.values()} == {64}
    assert form["pairs"] == {"rank": 64, "alpha": SETS[name].alpha, "dropout": 0.05, "layers": len(worn)}


def test_layers_that_nothing_has_are_told_with_those_there_are(tmp_path: Path) -> None:
    toy, data = write_toy("qwen3-vl", tmp_path / "toy"), write_dialogues(tmp_path / "data", 12)
    with pytest.raises(
        BadRecipe, match="layers names w1; what learns has down, gate, key, out, query, up, value"
    ):
        fit(toy, data, tmp_path / "out", layers=("query", "w1"), learns=("decoder",))
