"""The school's one loop: batch, loss, backward, step; it can be stopped anywhere and goes on exactly."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import torch
from torch import nn

from omma.errors import BadCheckpoint, BadFolder, BadRecipe
from omma.loading import load_folder
from omma.model.vlm import Vlm
from omma.prep.processor import Processor
from omma.synth.colours import COLOURS
from omma.synth.world import CLASSES
from omma.train import checkpoint
from omma.train.check import check
from omma.train.feed import feed, held_out
from omma.train.lesson import Batch
from omma.train.marks import MarksHead
from omma.train.optimise import Optimiser, part_of
from omma.train.passes import losses
from omma.train.rate import rate_at
from omma.train.recipe import Recipe
from omma.weights.folder import write_folder

Tell = Callable[[Mapping[str, Any]], None]


@dataclass
class Run:
    """A model on its way: what a step changes and what a checkpoint holds."""

    model: Vlm
    head: MarksHead | None
    optimiser: Optimiser
    step: int = 0


def begin(recipe: Recipe, device: str) -> Run:
    """The model before the first step: from the recipe's start, or from random weights of its seed."""
    dtype = _dtype(recipe.precision, device)
    if recipe.start is not None:
        loaded = load_folder(recipe.start, device=device, dtype="float32")
        if loaded.spec != recipe.model:
            raise BadRecipe(f"{recipe.start} holds another model than the recipe's; wanted the same spec")
        model = loaded.model
    else:
        model = Vlm(recipe.model)
        model.initialise(torch.Generator().manual_seed(recipe.seed))
    torch.manual_seed(recipe.seed)
    head = _head(recipe) if recipe.marks else None
    named: list[tuple[str, nn.Parameter]] = []
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(part_of(name) in recipe.learns)
        if parameter.requires_grad:
            named.append((name, parameter))
    if head is not None:
        named += [(f"head.{name}", parameter) for name, parameter in head.named_parameters()]
    model.to(device)
    if head is not None:
        head.to(device)
    optimiser = Optimiser(named, recipe)  # takes its fp32 masters before the model is rounded
    model.to(dtype)
    if head is not None:
        head.to(dtype)
    return Run(model, head, optimiser)


def _head(recipe: Recipe) -> MarksHead:
    """The dense head: as it stands beside the model that the recipe starts from, else afresh."""
    vision = recipe.model.vision
    head = MarksHead(vision.width, vision.out_width, len(CLASSES), len(COLOURS))
    if recipe.start is not None and (beside := recipe.start / "marks.safetensors").exists():
        try:
            head.load_state_dict(checkpoint.read(beside))
        except RuntimeError:
            raise BadFolder(f"{beside} is of another head; remove it to begin with a fresh one") from None
    return head


def train(
    recipe: Recipe,
    run_folder: Path,
    *,
    device: str = "cpu",
    workers: int = 1,
    tell: Tell | None = None,
    stop_after: float | None = None,
) -> Path | None:
    """Run a recipe in `run_folder`, going on from its newest checkpoint; returns the finished model's folder.

    `tell` hears every log line. After `stop_after` seconds the run saves itself and returns None: call again
    to go on. Raises BadRecipe, and BadCheckpoint when the folder holds another recipe's run.
    """
    recipe.check()
    run_folder.mkdir(parents=True, exist_ok=True)
    run = begin(recipe, device)
    _resume(run, recipe, run_folder)
    (run_folder / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1, default=str))
    checkpoint.trim_log(run_folder / "log.jsonl", run.step)
    began = time.monotonic()
    checks: list[Batch] | None = None
    with (run_folder / "log.jsonl").open("a", buffering=1) as log:
        batches = feed(recipe, run.step, recipe.steps, workers)
        try:
            for made in batches:
                line = _step(run, recipe, made)
                if run.step % recipe.check_every == 0 or run.step == recipe.steps:
                    checks = held_out(recipe) if checks is None else checks
                    line["held_out"] = check(run.model, run.head, checks, words=recipe.words > 0)
                _tell(log, tell, line)
                late = stop_after is not None and time.monotonic() - began > stop_after
                if run.step % recipe.save_every == 0 or run.step == recipe.steps or late:
                    _save(run, recipe, run_folder)
                if late and run.step < recipe.steps:
                    return None
        finally:
            batches.close()
    return finish(run, recipe, run_folder / "model")


def export(recipe: Recipe, run_folder: Path, folder: Path) -> Path:
    """Write the model as it is at the newest checkpoint of a run, without ending the run.

    Raises BadCheckpoint when the run has none, or is another recipe's.
    """
    if not checkpoint.checkpoints(run_folder):
        raise BadCheckpoint(f"{run_folder} has no checkpoint yet; train first")
    run = begin(recipe, "cpu")
    _resume(run, recipe, run_folder)
    return finish(run, recipe, folder)


def finish(run: Run, recipe: Recipe, folder: Path) -> Path:
    """Write the model as a public folder, with the dense head beside it for a next stage."""
    write_folder(run.model, recipe.model, folder, dtype=torch.bfloat16)
    Processor.from_folder(recipe.processor, recipe.model).save(folder)
    if run.head is not None:
        checkpoint.write(run.head.float().state_dict(), folder / "marks.safetensors")
    return folder


def _step(run: Run, recipe: Recipe, batches: list[Batch]) -> dict[str, Any]:
    """One optimiser step over the micro batches; its log line."""
    began = time.monotonic()
    told: dict[str, float] = {}
    for batch in batches:
        loss, pieces = losses(run.model, run.head, batch, words=recipe.words, marks=recipe.marks)
        torch.autograd.backward(loss / len(batches))
        run.optimiser.gather()
        for name, value in pieces.items():
            told[name] = told.get(name, 0.0) + value / len(batches)
    rate = rate_at(recipe.rate, run.step, recipe.steps)
    norm = run.optimiser.step(rate)
    run.step += 1
    tokens = sum(len(batch.pack.ids_T) for batch in batches)
    seconds = time.monotonic() - began
    return {
        "step": run.step,
        **{name: round(value, 5) for name, value in told.items()},
        "rate": rate,
        "norm": round(norm, 4),
        "tokens": tokens,
        "seconds": round(seconds, 3),
    }


def _resume(run: Run, recipe: Recipe, folder: Path) -> None:
    """Go on from the folder's newest checkpoint, if there is one and it is this recipe's."""
    found = checkpoint.load(folder)
    if found is None:
        return
    tensors, facts = found
    if facts["recipe"] != recipe.fingerprint():
        raise BadCheckpoint(
            f"{folder} holds a run of recipe {facts['recipe']}, this one is {recipe.fingerprint()}; "
            "name another folder, or bring the recipe back"
        )
    run.optimiser.load(tensors)
    run.step = int(facts["step"])


def _save(run: Run, recipe: Recipe, folder: Path) -> None:
    checkpoint.save(
        folder, run.step, run.optimiser.state(), {"recipe": recipe.fingerprint()}, keep=recipe.keep
    )


def _tell(log: TextIO, tell: Tell | None, line: Mapping[str, Any]) -> None:
    log.write(json.dumps(line) + "\n")
    if tell is not None:
        tell(line)


def _dtype(precision: str, device: str) -> torch.dtype:
    """What the model computes in: bfloat16 where the machine multiplies it faster than float32."""
    if precision != "auto":
        return torch.float32 if precision == "float32" else torch.bfloat16
    gains = device != "cpu" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if gains else torch.float32
