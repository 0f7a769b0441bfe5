"""Packed is alone, weighted as the facts have it; recomputed is kept; a mean of weights goes on exactly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pictures
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional

from bench.qwen_vl import write_toy
from omma.chat import Image, Message, Video, message
from omma.errors import BadRecipe
from omma.loading import load_folder
from omma.model.vlm import Vlm
from omma.prep.processor import Processor
from omma.presets import GENERATIONS, tiny
from omma.sample import Sample
from omma.train.feed import make_batches
from omma.train.lesson import Lesson, batch, weighed
from omma.train.loop import export, train
from omma.train.passes import Pupil, answer_logits, see, totals_of
from omma.train.recompute import recompute_layers
from omma.weights import load_weights
from tests.train.school import small_spec, toy_recipe

SAMPLES = 64


def spoken(number: int, *, films: bool = True) -> list[Message]:
    """A dialogue of ragged length about nothing, a picture, two pictures, or, with films, a video."""
    dice = np.random.default_rng(number)

    def picture() -> Pictures.Image:
        height, width = dice.integers(2, 6, 2) * 28
        return Pictures.fromarray(dice.integers(0, 256, (height, width, 3), dtype=np.uint8))

    frames = dice.integers(0, 256, (int(dice.integers(2, 7)), 56, 84, 3), dtype=np.uint8)
    shown: list[Any] = [[], [Image(picture())], [Image(picture()), Image(picture())], [Video(frames, fps=2)]]
    words = "What colour is the square? " * int(dice.integers(1, 5))
    turns = [message("user", *shown[number % (4 if films else 3)], words)]
    turns.append(message("assistant", "red green blue " * int(dice.integers(1, 6))))
    if number % 3 == 0:
        turns += [message("user", "And?"), message("assistant", "blue")]
    return turns


def pupil_of(generation: str, folder: Path) -> tuple[Pupil, Processor]:
    if tiny(generation).vision.side is None:
        spec = small_spec(generation, folder)
    else:
        spec = load_folder(write_toy(folder), device="cpu").spec
    model = Vlm(spec)
    model.initialise(torch.Generator().manual_seed(0))
    return Pupil(model, None, words=1.0, marks=0.0), Processor.from_folder(folder, spec)


def gradients(pupil: Pupil) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in pupil.named_parameters() if p.grad is not None}


@torch.no_grad()
def losses_of(pupil: Pupil, lessons: list[Lesson]) -> list[float]:
    """What each lesson's answers cost in one pass of them all."""
    together = batch(lessons)
    logits_AV, truth_A, weights_A = answer_logits(pupil.model, together, see(pupil.model, together.pack))
    each_A = functional.cross_entropy(logits_AV, truth_A, reduction="none") * weights_A
    learned = [np.count_nonzero(lesson.sample.weights_T) for lesson in lessons]
    return [part.sum().item() for part in each_A.split(learned)]


@pytest.mark.parametrize("generation", [*GENERATIONS, pytest.param("qwen-vl", marks=pytest.mark.slow)])
def test_packed_is_alone(generation: str, tmp_path: Path) -> None:
    pupil, processor = pupil_of(generation, tmp_path)
    asked = [spoken(number, films=processor.rules.side is None) for number in range(SAMPLES)]
    made = [Lesson(processor.sample(said, prompt=False), ("answer",)) for said in asked]
    assert len({lesson.sample.length for lesson in made}) > SAMPLES // 2
    together = batch(made)
    loss, _ = pupil(together)
    loss.backward()
    packed = gradients(pupil)
    pupil.zero_grad()
    totals, alone = totals_of([together]), []
    for lesson in made:
        part, _ = pupil(batch([lesson]), totals)
        part.backward()
        alone.append(part.item())
    assert loss.item() == pytest.approx(sum(alone), rel=1e-5)
    shares = [cost / totals.answers for cost in losses_of(pupil, made)]
    assert shares == pytest.approx(alone, rel=1e-5)
    whole = torch.cat([gradient.flatten() for gradient in packed.values()]).norm()
    # A thousand patches a picture: what is next to nothing beside the whole is mostly rounding of their sums.
    least = whole * (0.0 if processor.rules.side is None else 0.01)
    apart = {name: gradient - packed[name] for name, gradient in gradients(pupil).items()}
    assert torch.cat([difference.flatten() for difference in apart.values()]).norm() <= 1e-5 * whole
    for name, difference in apart.items():
        # A key's bias moves every score of a row alike: its gradient is nothing but rounding.
        scale = whole if name.endswith("key.bias") else max(packed[name].norm(), least)
        assert difference.norm() <= 1e-5 * scale, name


def whole_weight(recipe: Any, learned: int) -> float:
    weights_T = np.zeros(50, np.float32)
    weights_T[5 : 5 + learned] = 1
    sample = Sample(np.zeros(50, np.int64), np.zeros((3, 50), np.int64), (), weights_T)
    made = weighed(sample, recipe).weights_T
    assert made is not None
    return float(made.sum())


@pytest.mark.parametrize(
    ("choice", "ratio"), [({}, 9.0), ({"roots": True}, 3.0), ({"alike": True}, 1.0)], ids=str
)
def test_a_dialogue_weighs_as_the_recipe_has_it(
    choice: dict[str, bool], ratio: float, tmp_path: Path
) -> None:
    recipe = replace(toy_recipe(tmp_path), **choice)
    assert whole_weight(recipe, 36) / whole_weight(recipe, 4) == pytest.approx(ratio)


def test_each_branch_weighs_by_itself(tmp_path: Path) -> None:
    weights_T = np.array([0, 0, 1, 1, 1, 1, 0, 1], np.float32)
    sample = Sample(np.zeros(8, np.int64), np.zeros((3, 8), np.int64), (), weights_T)
    made = weighed(sample, replace(toy_recipe(tmp_path), roots=True), (2, 6, 8)).weights_T
    assert made is not None
    assert made.tolist() == [0, 0, 0.5, 0.5, 0.5, 0.5, 0, 1]


def test_recomputed_layers_give_the_same_gradients_and_keep_less(tmp_path: Path) -> None:
    batches = make_batches(replace(toy_recipe(tmp_path), micro=1), 0)
    found, kept = [], []
    for again in (False, True):
        pupil, _ = pupil_of("qwen2.5-vl", tmp_path / "processor")
        if again:
            recompute_layers(pupil.model)
        sizes: dict[int, int] = {}

        def pack(tensor: torch.Tensor, sizes: dict[int, int] = sizes) -> torch.Tensor:
            sizes[tensor.data_ptr()] = tensor.nbytes
            return tensor

        with saved_tensors_hooks(pack, lambda tensor: tensor):
            loss, _ = pupil(batches[0])
        loss.backward()
        kept.append(sum(sizes.values()))
        found.append(gradients(pupil))
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])
    assert kept[1] < 0.5 * kept[0]


def test_the_average_of_the_weights_goes_on_exactly_and_is_given_when_asked(tmp_path: Path) -> None:
    recipe = replace(toy_recipe(tmp_path, steps=6), average=0.5, precision="bfloat16", save_every=1)
    train(recipe, tmp_path / "whole", workers=0)
    while train(recipe, tmp_path / "halting", workers=0, stop_after=0.0) is None:
        pass
    given = {}
    for run in ("whole", "halting"):
        for gives in ("last", "average"):
            folder = export(recipe, tmp_path / run, tmp_path / run / gives, gives=gives)
            given[run, gives] = (folder / "model.safetensors").read_bytes()
    assert given["whole", "average"] == given["halting", "average"] != given["whole", "last"]
    assert given["whole", "last"] == (tmp_path / "whole" / "model" / "model.safetensors").read_bytes()


def test_the_average_is_the_mean_it_says(tmp_path: Path) -> None:
    recipe = replace(toy_recipe(tmp_path, steps=2), average=0.9, gives="average", precision="float32")
    folder = train(recipe, tmp_path / "run", workers=0)
    assert folder is not None
    steps = []
    for last in (0, 1, 2):
        model = Vlm(recipe.model)
        model.initialise(torch.Generator().manual_seed(recipe.seed))
        if last:
            load_weights(model, _stopped(recipe, tmp_path, last), dtype=torch.float32)
        steps.append(model.decoder.norm.weight.detach().clone())
    wanted = steps[0]
    for number in (1, 2):
        wanted = wanted + (steps[number] - wanted) * (1 - (1 + number) / (10 + number))
    given = Vlm(recipe.model)
    load_weights(given, folder, dtype=torch.float32)
    assert torch.allclose(given.decoder.norm.weight, wanted, atol=4e-3)


def _stopped(recipe: Any, folder: Path, steps: int) -> Path:
    """The weights after so many steps of the recipe."""
    run = folder / f"stopped-{steps}"
    for _ in range(steps):
        train(replace(recipe, save_every=1, keep=9), run, workers=0, stop_after=0.0)
    return export(recipe, run, run / "out", gives="last")


def test_an_average_that_is_not_kept_is_not_given(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path, steps=1)
    train(recipe, tmp_path / "run", workers=0)
    with pytest.raises(BadRecipe, match="keeps no average"):
        export(recipe, tmp_path / "run", tmp_path / "out", gives="average")
