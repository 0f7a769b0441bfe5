"""The school's one loop: batch, loss, backward, step; it can be stopped anywhere and goes on exactly."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.distributed.fsdp import FSDPModule

from omma.corpus.aside import Report
from omma.errors import BadCheckpoint
from omma.prep.processor import Processor
from omma.train import checkpoint
from omma.train.begin import Run, begin
from omma.train.check import check
from omma.train.checkpoint import Saver
from omma.train.feed import feed, held_out
from omma.train.ground import check_ground
from omma.train.hold import check_writable, held, writable
from omma.train.lesson import Batch
from omma.train.numbers import Numbers, numbers_for
from omma.train.passes import Totals, totals_of
from omma.train.rate import rate_at
from omma.train.recipe import Recipe
from omma.train.shard import ALONE, Ranks, together
from omma.weights.folder import write_folder

Tell = Callable[[Mapping[str, Any]], None]


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
    to go on. Records of data files that cannot be used are told in the folder's set-aside.jsonl, one for each
    rank. Under torchrun all ranks work on the one run, the first one writes and tells. Raises BadRecipe,
    and BadCheckpoint when the folder holds another recipe's run, or this one's on other ground, when
    another process works on it, or when it cannot be written to: a finished run whose model is there needs
    no writing.
    """
    recipe.check()
    with together(device) as ranks, held(run_folder, ranks):
        if not (written := _written(recipe, run_folder)):
            check_writable(run_folder)
        run = begin(recipe, device, ranks, numbers=_numbers(recipe, run_folder, device, ranks))
        if ranks.first:
            checkpoint.sweep(run_folder)
        _resume(run, recipe, run_folder)
        ranks.agree({"step": str(run.step)}, "checkpoints")
        if written and not writable(run_folder):
            return run_folder / "model"
        if not _school(run, recipe, run_folder, workers=workers, tell=tell, stop_after=stop_after):
            return None
        if ranks.count > 1:
            if ranks.first:
                export(recipe, run_folder, run_folder / "model")
            ranks.wait()
            return run_folder / "model"
        return _finish(run, recipe, run_folder / "model", recipe.gives)


def export(recipe: Recipe, run_folder: Path, folder: Path, *, gives: str | None = None) -> Path:
    """Write the model as it is at the newest checkpoint of a run, without ending the run.

    `gives` is "last" or "average", by default the recipe's choice. Raises BadCheckpoint when the run has no
    checkpoint or is another recipe's, BadRecipe when it keeps no average.
    """
    if not checkpoint.checkpoints(run_folder):
        raise BadCheckpoint(f"{run_folder} has no checkpoint yet; train first")
    run = begin(recipe, "cpu", numbers=_numbers(recipe, run_folder, "cpu"))
    _resume(run, recipe, run_folder)
    return _finish(run, recipe, folder, gives or recipe.gives)


def _written(recipe: Recipe, folder: Path) -> bool:
    """Whether a run has ended, and its model lies there as the recipe gives it."""
    found = checkpoint.newest(folder)
    if found is None or found[1]["step"] < recipe.steps:
        return False
    last = "tokenizer_config.json" if not recipe.marks else "marks.safetensors"
    try:
        asked = json.loads((folder / "recipe.json").read_text())
    except (OSError, ValueError):
        return False
    return (
        isinstance(asked, dict) and asked.get("gives") == recipe.gives and (folder / "model" / last).exists()
    )


def _numbers(recipe: Recipe, folder: Path, device: str, ranks: Ranks = ALONE) -> Numbers:
    """What the run computes in: as it began, wherever it goes on; at its beginning what suits every rank."""
    found = checkpoint.newest(folder)
    ground = {} if found is None else found[1].get("ground", {})
    if (begun := Numbers.remembered(ground, device)) is not None:
        return begun
    chosen = numbers_for(recipe.precision, device)
    slow, wide = ranks.added([float(chosen.dtype == torch.float32), float(chosen.wide)])
    return Numbers(torch.float32) if slow else Numbers(torch.bfloat16, wide=wide > 0)


def _finish(run: Run, recipe: Recipe, folder: Path, gives: str) -> Path:
    """Write the model as a public folder, with the dense head beside it for a next stage."""
    run.optimiser.give(gives)
    write_folder(run.model, recipe.model, folder, dtype=torch.bfloat16)
    Processor.from_folder(recipe.processor, recipe.model).save(folder)
    if run.head is not None:
        checkpoint.write(run.head.float().state_dict(), folder / "marks.safetensors")
    return folder


def _school(
    run: Run,
    recipe: Recipe,
    folder: Path,
    *,
    workers: int,
    tell: Tell | None,
    stop_after: float | None,
) -> bool:
    """All steps that are left; False when time was up before the last."""
    ranks, saver, began = run.ranks, Saver(folder, recipe.keep, run.ranks), time.monotonic()
    checks: list[Batch] | None = None
    report = Report(folder / f"set-aside{f'-{ranks.rank}' * (ranks.rank > 0)}.jsonl")
    log = _Log(recipe, run, folder, tell)
    steps = feed(recipe, run.step, recipe.steps, workers, rank=ranks.rank, ranks=ranks.count)
    with closing(steps):
        for batches in steps:
            line = step(run, recipe, batches)
            saver.settle(wait=False)
            last = run.step == recipe.steps
            if run.step % recipe.check_every == 0 or last:
                checks = held_out(recipe, report.take) if checks is None else checks
                line["held_out"] = _check(run, recipe, checks)
            report.take(told for batch in batches for told in batch.aside)
            overdue = stop_after is not None and time.monotonic() - began > stop_after
            late, aside = ranks.added([float(overdue and ranks.first), float(report.count)])
            log.take(line | ({"set_aside": int(aside)} if aside else {}))
            if run.step % recipe.save_every == 0 or last or late:
                facts = {"recipe": recipe.fingerprint(), "ground": run.ground, "ranks": ranks.count}
                if run.pupil.routers is not None:
                    facts["routers"] = run.pupil.routers.state()
                saver.save(run.step, run.optimiser.state(), facts)
            if late and not last:
                break
        saver.settle()
    return run.step == recipe.steps


class _Log:
    """The run's log, which the first rank writes and tells."""

    def __init__(self, recipe: Recipe, run: Run, folder: Path, tell: Tell | None) -> None:
        self.first, self.tell, self.file = run.ranks.first, tell, folder / "log.jsonl"
        if self.first:
            (folder / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1, default=str))
            checkpoint.trim_log(self.file, run.step)

    def take(self, line: Mapping[str, Any]) -> None:
        """Write one line, and tell it. What nothing could be measured by is null: JSON knows no nan."""
        if self.first:
            line = _sayable(line)
            with self.file.open("a") as file:
                file.write(json.dumps(line) + "\n")
            if self.tell is not None:
                self.tell(line)


def _sayable(line: Mapping[str, Any]) -> dict[str, Any]:
    """The line with null for every number that is not finite."""
    told: dict[str, Any] = {}
    for name, value in line.items():
        inner = _sayable(value) if isinstance(value, Mapping) else value
        told[name] = None if isinstance(inner, float) and not math.isfinite(inner) else inner
    return told


def step(run: Run, recipe: Recipe, batches: list[Batch]) -> dict[str, Any]:
    """One optimiser step over the passes of this rank; the log line of all ranks."""
    began = time.monotonic()
    totals = Totals.of(run.ranks.added(totals_of(batches).flat()))
    told = {"tokens": float(sum(len(batch.pack.ids_T) for batch in batches))}
    for batch in batches:
        loss, pieces = run.pupil(batch, totals)
        torch.autograd.backward(loss)
        run.optimiser.gather()
        for name, value in pieces.items():
            told[name] = told.get(name, 0.0) + value
    rate = rate_at(recipe.rate, run.step, recipe.steps)
    norm = run.optimiser.step(rate, run.step + 1)
    run.step += 1
    tokens, *values = run.ranks.added(list(told.values()))
    spread = {} if run.pupil.routers is None else run.pupil.routers.settle(run.ranks.added)
    return {
        "step": run.step,
        **{name: round(value, 5) for name, value in zip(list(told)[1:], values, strict=True)},
        **{name: round(value, 5) for name, value in spread.items()},
        "rate": rate,
        "norm": round(norm, 4),
        "tokens": int(tokens),
        "seconds": round(time.monotonic() - began, 3),
    }


def _check(run: Run, recipe: Recipe, checks: list[Batch]) -> dict[str, float]:
    """The held-out figures; every rank goes through all of them, since layers are gathered from all."""
    told = check(run.pupil, checks, words=recipe.words > 0)
    if isinstance(run.pupil, FSDPModule):
        run.pupil.reshard()
    return told


def _resume(run: Run, recipe: Recipe, folder: Path) -> None:
    """Go on from the folder's newest checkpoint, if there is one: this recipe's, on the same ground."""
    found = checkpoint.newest(folder)
    if found is None:
        return
    path, facts = found
    if facts.get("recipe") != recipe.fingerprint():
        raise BadCheckpoint(
            f"{folder} holds a run of recipe {facts.get('recipe')}, this one is {recipe.fingerprint()}; "
            "name another folder, or bring the recipe back"
        )
    check_ground(facts.get("ground", {}), run.ground, folder)
    checkpoint.fill(path, run.optimiser.state(), run.ranks)
    run.optimiser.resume(int(facts["step"]))
    if run.pupil.routers is not None:
        run.pupil.routers.resume(facts.get("routers", {}))
    run.step = int(facts["step"])
