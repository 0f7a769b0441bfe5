"""Routers learn to spread tokens: what is counted, once and of everything; what that does to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from omma.errors import BadCheckpoint, BadRecipe
from omma.model.experts import ExpertLayer, Router
from omma.model.initialise import draw_weights
from omma.model.vlm import Vlm
from omma.ops.router import balance_loss, z_loss
from omma.spec import Experts
from omma.train.feed import make_batches
from omma.train.lesson import Batch
from omma.train.passes import Pupil, Totals, totals_of
from omma.train.recipe import Recipe
from omma.train.recompute import recompute_layers
from omma.train.routers import Routers
from tests.train.school import toy_recipe


def recipe_with_experts(folder: Path, *, shown: int = 2) -> Recipe:
    """Experts in the decoder and in the tower."""
    recipe = toy_recipe(folder, shown=shown)
    model = recipe.model
    model = replace(
        model,
        decoder=replace(model.decoder, feed_forward=Experts(24, 6, 2)),
        vision=replace(model.vision, feed_forward=Experts(20, 4, 1)),
    )
    return replace(recipe, model=model, balance=0.5, z_loss=0.1)


def pupil_of(recipe: Recipe, *, together: bool = False, recompute: bool = False) -> Pupil:
    model = Vlm(recipe.model)
    model.initialise(torch.Generator().manual_seed(0))
    with torch.no_grad():  # far from even: the first numbers of all rows have something in common
        for module in model.modules():
            if isinstance(module, Router):
                module.weight.mul_(20)
    routers = Routers(model, balance=recipe.balance, z=recipe.z_loss)
    if recompute:
        recompute_layers(model)
    return Pupil(model, None, words=1.0, marks=0.0, together=together, routers=routers)


def routers_of(pupil: Pupil) -> Routers:
    assert pupil.routers is not None
    return pupil.routers


def alone(numbers: object) -> list[float]:
    assert isinstance(numbers, list)
    return numbers


def learn(pupil: Pupil, batches: list[Batch]) -> Tensor:
    """The gradient of one step over these passes."""
    totals = Totals.of(totals_of(batches).flat())
    pupil.zero_grad()
    for batch in batches:
        pupil(batch, totals)[0].backward()
    return torch.cat([p.grad.flatten() for p in pupil.parameters() if p.grad is not None])


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    return recipe_with_experts(tmp_path_factory.mktemp("experts"))


def test_passes_of_a_step_add_up_to_the_step_and_to_its_counts(recipe: Recipe) -> None:
    found = []
    for micro in (1, 3):
        pupil = pupil_of(recipe)
        first = make_batches(replace(recipe, micro=micro), 0)
        learn(pupil, first)
        routers_of(pupil).settle(alone)
        gradient = learn(pupil, make_batches(replace(recipe, micro=micro), 1))
        found.append((gradient, routers_of(pupil).settle(alone), routers_of(pupil).state()))
    (whole, told, state), (cut, told_cut, state_cut) = found
    assert (whole - cut).norm() <= 1e-5 * whole.norm()
    assert told == pytest.approx(told_cut, rel=1e-5)
    assert state == state_cut
    assert told["busiest"] > 1.2


@pytest.mark.parametrize("recompute", [False, True])
def test_layers_that_run_again_count_once(recipe: Recipe, recompute: bool) -> None:
    batches = make_batches(recipe, 0)
    pupil = pupil_of(recipe, recompute=recompute)
    learn(pupil, batches)
    routers_of(pupil).settle(alone)
    tokens = sum(len(batch.pack.ids_T) for batch in batches)
    patches = sum(len(batch.pack.rows_PC) for batch in batches if batch.pack.rows_PC is not None)
    for name, counts in routers_of(pupil).state().items():
        assert sum(counts) == (patches * 1 if name.startswith("vision.") else tokens * 2)


def test_running_layers_again_changes_no_gradient(recipe: Recipe) -> None:
    batches = make_batches(recipe, 0)
    kept, redone = (learn(pupil_of(recipe, recompute=recompute), batches) for recompute in (False, True))
    assert torch.equal(kept, redone)


def test_neither_a_check_nor_a_blank_picture_counts(tmp_path: Path) -> None:
    recipe = recipe_with_experts(tmp_path, shown=100)
    batch = next(one for one in make_batches(replace(recipe, micro=6), 0) if one.pack.rows_PC is None)
    pupil = pupil_of(recipe, together=True)
    pupil.examine(batch, words=True)
    pupil(batch)[0].backward()
    routers_of(pupil).settle(alone)
    assert {name.split(".")[0] for name in routers_of(pupil).state()} == {"decoder"}
    assert all(sum(counts) == 2 * len(batch.pack.ids_T) for counts in routers_of(pupil).state().values())
    assert all(p.grad is not None and not p.grad.any() for p in pupil.model.vision.parameters())


def test_gradients_reach_every_router_and_every_expert_that_was_chosen(recipe: Recipe) -> None:
    pupil = pupil_of(recipe)
    learn(pupil, make_batches(recipe, 0))
    routers_of(pupil).settle(alone)
    layers = {name: m for name, m in pupil.model.named_modules() if isinstance(m, ExpertLayer)}
    assert len(layers) == recipe.model.decoder.depth + recipe.model.vision.depth
    for name, layer in layers.items():
        chosen = torch.tensor(routers_of(pupil).state()[f"{name}.router"]) > 0
        last = name.startswith(
            f"decoder.layers.{recipe.model.decoder.depth - 1}."
        )  # only answers matter there
        for weight in (layer.experts.gate_up, layer.experts.down):
            assert weight.grad is not None
            reached = weight.grad.flatten(1).any(1)
            assert reached.any()
            assert torch.equal(reached & chosen, reached if last else chosen)
        assert layer.router.weight.grad is not None
        assert layer.router.weight.grad.any(1).all()


def rounds(layer: ExpertLayer, routers: Routers, x_TD: Tensor, count: int) -> Iterator[dict[str, float]]:
    """Steps in which nothing is learned but what routers are taught."""
    steps = torch.optim.SGD(layer.parameters(), lr=1.0)
    for _ in range(count):
        with routers.listening() as heard:
            layer(x_TD)
        loss = routers.losses(heard, len(x_TD), 0)
        assert loss is not None
        steps.zero_grad()
        loss.backward()
        steps.step()
        yield routers.settle(alone)


def skewed(experts: int, chosen: int) -> tuple[ExpertLayer, Tensor]:
    """A layer whose router likes its first experts, whatever comes."""
    draw = torch.Generator().manual_seed(0)
    layer = ExpertLayer(16, Experts(8, experts, chosen))
    draw_weights(layer, 1, draw)
    x_TD = torch.randn(256, 16, generator=draw)
    x_TD[:, 0] = 1.0
    with torch.no_grad():
        layer.router.weight[:, 1:] = torch.randn(experts, 15, generator=draw) * 0.3
        layer.router.weight[:, 0] = torch.linspace(3, -3, experts)
    return layer, x_TD


@pytest.mark.parametrize(("experts", "chosen"), [(4, 1), (8, 2)])
def test_the_balance_loss_brings_a_skewed_router_towards_balance(experts: int, chosen: int) -> None:
    layer, x_TD = skewed(experts, chosen)
    told = list(rounds(layer, Routers(layer, balance=1.0), x_TD, 90))
    assert told[0]["balance"] > 1.4
    assert told[-1]["balance"] < 1.1
    assert told[-1]["busiest"] < 0.7 * told[0]["busiest"]


def test_the_z_loss_keeps_scores_small() -> None:
    layer, x_TD = skewed(8, 2)
    told = list(rounds(layer, Routers(layer, z=0.1), x_TD, 30))
    assert told[-1]["z"] < 0.5 * told[0]["z"]


def test_what_is_told_of_a_step_is_what_its_losses_are() -> None:
    layer, x_TD = skewed(8, 2)
    routers = Routers(layer)
    with routers.listening() as heard:
        layer(x_TD[:100])
        layer(x_TD[100:])
    routers.losses(heard, len(x_TD), 0)
    logits_TE, _, chosen_TC = layer.router(x_TD)
    told = routers.settle(alone)
    assert told["balance"] == pytest.approx(balance_loss(logits_TE, chosen_TC).item(), rel=1e-5)
    assert told["z"] == pytest.approx(z_loss(logits_TE).item(), rel=1e-5)
    assert told["busiest"] == 8 * max(routers.state()["router"]) / chosen_TC.numel()


def test_counts_of_all_ranks_are_the_shares_of_the_next_step() -> None:
    layer, x_TD = skewed(4, 1)
    routers = Routers(layer, balance=1.0)
    with routers.listening() as heard:
        layer(x_TD)
    routers.losses(heard, 2 * len(x_TD), 0)
    routers.settle(lambda numbers: [2 * number for number in numbers])
    assert sum(routers.state()["router"]) == 2 * len(x_TD)
    again = Routers(layer, balance=1.0)
    again.resume(routers.state())
    assert torch.equal(again.shares["router"], routers.shares["router"])


def test_a_router_that_stands_still_is_not_taught() -> None:
    layer, _ = skewed(4, 1)
    layer.router.weight.requires_grad_(False)
    assert not Routers(layer)


@pytest.mark.parametrize("state", [{"other": [1, 2]}, {"router": [1, 2]}, {"router": [0, 0, 0, 0]}], ids=str)
def test_counts_of_other_routers_are_refused(state: dict[str, list[int]]) -> None:
    with pytest.raises(BadCheckpoint, match="counts choices"):
        Routers(skewed(4, 1)[0]).resume(state)


@pytest.mark.parametrize("field", ["balance", "z_loss"])
def test_a_model_without_experts_has_nothing_to_balance(field: str, tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path)
    with pytest.raises(BadRecipe, match="routers of experts"):
        replace(recipe, **{field: 1e-3}).check()
    with pytest.raises(BadRecipe, match="0 or more"):
        replace(recipe, **{field: -1.0}).check()


def test_experts_that_do_not_learn_have_nothing_to_balance(recipe: Recipe) -> None:
    recipe.check()
    with pytest.raises(BadRecipe, match="no part that learns"):
        replace(recipe, learns=("bridge",)).check()
