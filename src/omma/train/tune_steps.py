"""The steps of fitting a model: learn, look at what is held out, keep the best, stop in time."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from omma.errors import BadCheckpoint, BadRecipe
from omma.model.vlm import Vlm
from omma.train.checkpoint import trim_log, write
from omma.train.lesson import Batch
from omma.train.loop import Tell
from omma.train.optimise import Optimiser
from omma.train.passes import Pupil, answer_logits, totals_of
from omma.train.rate import rate_at
from omma.train.tune_data import Brought, Deal, Dialogue, passes, step_of
from omma.train.tuning import Settled

STATE, LOG = "state.safetensors", "log.jsonl"
TOKENS = 6144  # in one pass of the model
GAIN = 1e-3  # nats a token: less is nothing


@dataclass(frozen=True)
class Standing:
    """Where a run is: steps taken, and the best held-out loss with the step after which it was had."""

    step: int = 0
    best_step: int = 0
    best_loss: float = math.inf
    since: int = 0  # checks in a row that gained nothing

    def after(self, step: int, loss: float) -> Standing:
        """The standing after one more check. Better by next to nothing is kept, and is no reason to go on."""
        since = 0 if self.best_loss - loss > GAIN else self.since + 1
        if loss < self.best_loss:
            return Standing(step, step, loss, since)
        return replace(self, step=step, since=since)


@dataclass
class Fitting:
    """A model being fitted: what its steps need, and the folder they are kept in."""

    pupil: Pupil
    optimiser: Optimiser
    settled: Settled
    brought: Brought
    deal: Deal
    folder: Path
    fingerprint: str
    tell: Tell

    @property
    def model(self) -> Vlm:
        """The model itself."""
        return self.pupil.model

    def run(self) -> tuple[Standing, dict[str, Tensor]]:
        """Take the steps that are left, lay the best weights in the model; where it ended, and those weights.

        A run that was killed goes on after its last check, exactly. Raises BadCheckpoint for a broken state.
        """
        standing = self._resume()
        trim_log(self.folder / LOG, standing.step)
        steps = self.settled.recipe.steps
        with (self.folder / LOG).open("a", buffering=1) as log:

            def note(line: Mapping[str, Any]) -> None:
                log.write(json.dumps(line) + "\n")
                self.tell(line)

            if math.isinf(standing.best_loss):
                loss = self.held_out()
                standing = standing.after(0, loss)
                note({"step": 0, "held_out": {"loss": loss}})
                self._keep(standing)
            batches = _ahead(self._batches(standing.step, steps))
            while standing.step < steps and standing.since < self.settled.wish.patience:
                line: dict[str, Any] = {}
                for _ in range(min(self.settled.every, steps - standing.step)):
                    line = self._step(standing.step, next(batches))
                    standing = replace(standing, step=standing.step + 1)
                    if standing.step % self.settled.every and standing.step < steps:
                        note(line)
                loss = self.held_out()
                standing = standing.after(standing.step, loss)
                note(line | {"held_out": {"loss": loss}})
                self._keep(standing)
            batches.close()
        best = load_file(self._best(standing))
        with torch.no_grad():
            for name, parameter in self.optimiser.parameters.items():
                parameter.copy_(best[name])
        return standing, best

    def clear(self) -> None:
        """Take away what only a run that goes on needs."""
        for file in (self.folder / STATE, *self.folder.glob("best-*.safetensors")):
            file.unlink(missing_ok=True)

    def held_out(self) -> float:
        """The mean loss of the dialogues that the run is stopped by."""
        return float(losses(self.model, self.brought, self.deal.check).mean())

    def _step(self, number: int, batches: Sequence[Batch]) -> dict[str, Any]:
        """One optimiser step over its passes; its log line."""
        began, recipe = time.monotonic(), self.settled.recipe
        torch.manual_seed(recipe.seed * 1_000_003 + number)  # of dropout: a resumed run drops the same
        self.pupil.train()
        totals, told = totals_of(batches), 0.0
        for batch in batches:
            loss, pieces = self.pupil(batch, totals)
            loss.backward()
            self.optimiser.gather()
            told += pieces["answers"]
        rate = rate_at(recipe.rate, number, recipe.steps)
        norm = self.optimiser.step(rate, number + 1)
        seconds = round(time.monotonic() - began, 3)
        return {"step": number + 1, "loss": round(told, 5), "rate": rate, "norm": norm, "seconds": seconds}

    def _batches(self, start: int, stop: int) -> Iterator[list[Batch]]:
        recipe = self.settled.recipe
        for step in range(start, stop):
            chosen = step_of(self.deal.train, recipe.dialogues, recipe.seed, step)
            yield [self.brought.batch(part, recipe) for part in passes(chosen, TOKENS)]

    def _best(self, standing: Standing) -> Path:
        return self.folder / f"best-{standing.best_step:06d}.safetensors"

    def _keep(self, standing: Standing) -> None:
        """Write down where the run is; the best weights first: the state never names what is not there."""
        if standing.best_step == standing.step:
            write(self.optimiser.masters, self._best(standing))
        facts = {
            "fingerprint": self.fingerprint,
            "standing": json.dumps(asdict(standing)),
            "precision": str(next(self.model.parameters()).dtype).removeprefix("torch."),
        }
        write(self.optimiser.state(), self.folder / STATE, facts)
        for old in self.folder.glob("best-*.safetensors"):
            if old != self._best(standing):
                old.unlink()

    def _resume(self) -> Standing:
        path = self.folder / STATE
        if not path.exists():
            return Standing()
        facts = check_begun(self.folder, self.fingerprint)
        try:
            saved = load_file(path)
        except (OSError, SafetensorError) as problem:
            raise BadCheckpoint(f"{path} cannot be read: {problem}; remove it to begin anew") from None
        standing = Standing(**json.loads(facts["standing"]))
        for name, tensor in self.optimiser.state().items():
            with torch.no_grad():
                tensor.copy_(saved[name])
        self.optimiser.resume(standing.step)
        return standing


def begun_in(folder: Path) -> str | None:
    """The precision that a folder's run computes in; None where none has begun, or its state is broken."""
    try:
        return _facts(folder).get("precision")
    except (OSError, SafetensorError):
        return None


def check_begun(folder: Path, fingerprint: str) -> dict[str, str]:
    """What is written beside a folder's state; nothing where no run has begun there.

    Raises BadCheckpoint for a broken state and for one of another run.
    """
    path = folder / STATE
    if not path.exists():
        return {}
    try:
        facts = _facts(folder)
    except (OSError, SafetensorError) as problem:
        raise BadCheckpoint(f"{path} cannot be read: {problem}; remove it to begin anew") from None
    if facts.get("fingerprint") != fingerprint:
        raise BadCheckpoint(
            f"{folder} holds a run on other data, another model or other settings; name another one"
        )
    return facts


def _facts(folder: Path) -> dict[str, str]:
    with safe_open(folder / STATE, "pt") as file:
        return dict(file.metadata() or {})


@torch.no_grad()
def losses(model: Vlm, brought: Brought, dialogues: Sequence[Dialogue]) -> NDArray[np.float64]:
    """The loss of each dialogue's answers, its mean over their tokens; in the order of their packing.

    Raises BadRecipe for a loss that is not finite: no better or worse could be told from there.
    """
    model.eval()
    found: list[NDArray[np.float64]] = []
    for part in passes(dialogues, TOKENS):
        batch = brought.batch(part)
        logits_AV, truth_A, weights_A = answer_logits(model, batch, None)
        each_A = F.cross_entropy(logits_AV.float(), truth_A, reduction="none") * weights_A
        starts = torch.tensor(batch.pack.starts, device=each_A.device)
        places_A = torch.from_numpy(np.flatnonzero(batch.pack.weights_T)).to(each_A.device)
        owner_A = torch.bucketize(places_A, starts, right=True) - 1
        sums_S = each_A.new_zeros(2, len(part))
        sums_S[0].index_add_(0, owner_A, each_A)
        sums_S[1].index_add_(0, owner_A, weights_A)
        found.append((sums_S[0] / sums_S[1]).double().cpu().numpy())
    told = np.concatenate(found)
    if not np.isfinite(told).all():
        odd = told[~np.isfinite(told)][0]
        raise BadRecipe(
            f"the loss of what is held out is {odd}; wanted a finite one: take a lower rate in another "
            "folder, or look whether the model's weights are whole"
        )
    return told


def _ahead(batches: Iterable[list[Batch]]) -> Generator[list[Batch]]:
    """The same batches, each made by another thread while the one before is learned from."""
    source = iter(batches)
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, source, None)
        while (batch := coming.result()) is not None:
            coming = maker.submit(next, source, None)
            yield batch
