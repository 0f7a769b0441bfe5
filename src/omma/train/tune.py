"""Fit a model to somebody's data: judge it, teach it, judge it again, and hand over what was learned."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor

from omma.chat import Answer, Responder
from omma.corpus.aside import Aside
from omma.corpus.aside import Report as AsideReport
from omma.corpus.reading import Corpus
from omma.errors import BadCheckpoint, BadData, BadRecipe, MissingFile
from omma.evals.replies import Prompt, compare, replies
from omma.loading import BUNDLED, Loaded, device_of, load_folder, resolve
from omma.model.vlm import Vlm
from omma.prep.processor import Processor
from omma.train.hold import check_writable, held
from omma.train.numbers import compute_dtype
from omma.train.optimise import Named, Optimiser
from omma.train.passes import Pupil
from omma.train.published import published
from omma.train.rate import part_of
from omma.train.tune_curves import draw_curves
from omma.train.tune_data import LEAST, Brought, Deal, bring, deal
from omma.train.tune_report import Carried, Report, of_losses, read_report, write_report
from omma.train.tune_steps import LOG, Fitting, Standing, begun_in, check_begun, losses
from omma.train.tuning import Settled, Tuning, settled
from omma.weights import read_dtype, read_spec, write_folder
from omma.weights.adapters import is_adapter, write_adapter
from omma.weights.config import GENERATION
from omma.weights.fields import write_json
from omma.weights.lora import Adapter, Pair, fresh, layers, linears, mark_of, put_on

CURVES, ASIDE = "curves.png", "aside.jsonl"
BYTES = 18  # a learning number takes: itself, its gradients, its master and two moments


class Listener(Protocol):
    """Who hears how it goes."""

    def counts(self, doing: str, done: int, total: int | None) -> None:
        """So many are done of what is being done; of a total that may not be known."""
        ...

    def step(self, line: Mapping[str, Any], total: int) -> None:
        """A line of the log: a step, or a held-out loss."""
        ...


class Judged(NamedTuple):
    """What the tests say of a model as it stands."""

    losses: NDArray[Any]
    answers: list[Answer]


class Material(NamedTuple):
    """The data by what it is for; what is judged by may have been brought apart."""

    brought: Brought
    deal: Deal
    judged_by: Brought
    asked: list[Prompt]
    aside: tuple[Aside, ...]

    @property
    def hash(self) -> str:
        """Tells this material from other."""
        return f"{self.brought.hash} {self.judged_by.hash}"


def tune(
    wish: Tuning,
    out: Path,
    *,
    responder_of: Callable[[Loaded], Responder],
    listener: Listener,
    device: str = "auto",
) -> dict[str, Any]:
    """Fit a model to data in the folder `out`; the report's form (see `tune_report.Report`).

    What was learned is in `out`/adapter (PEFT's layout) or `out`/model (a public folder). A run that was
    killed goes on after its last check; one that has ended gives its report again. `responder_of` makes what
    answers the tests of a model. Raises BadData, BadRecipe, BadCheckpoint (also where another process works
    on the folder), MissingFile and what loading raises.
    """
    if out.exists() and not out.is_dir():
        raise MissingFile(f"{out} is a file; name a folder, new or of a run that is to go on")
    with held(out):
        if (ended := read_report(out)) is None:
            check_writable(out)
        ready = _ready(wish, out, listener, device_of(device))
        if ended is not None:
            return _same(ended, ready.fingerprint, out)
        check_begun(out, ready.fingerprint)
        return _fit(ready, responder_of(ready.loaded), listener, out)


def _fit(ready: _Ready, responder: Responder, listener: Listener, out: Path) -> dict[str, Any]:
    """Judge, learn, judge again and write down all of it; the report's form."""
    AsideReport(out / ASIDE).take(ready.material.aside)
    began = time.monotonic()
    judge = partial(_judge, ready, responder, listener)
    before = judge("before")
    fitting = _fitting(ready, out, listener)
    standing, best = fitting.run()
    after = judge("after")
    kept = _hand_over(best, ready, out)
    draw_curves(out / LOG, standing.best_step, out / CURVES)
    report = _report(ready, standing, before, after, kept)
    form = write_report(report, ready.fingerprint, time.monotonic() - began, out)
    fitting.clear()
    return form


class _Ready(NamedTuple):
    """Everything that a fitting needs before its first step."""

    plan: Settled
    material: Material
    loaded: Loaded
    optimiser: Optimiser
    folder: Path  # of the model that is fitted
    mark: str  # of its weights

    @property
    def fingerprint(self) -> str:
        """Tells this fitting from others."""
        return self.plan.fingerprint(self.material.hash, self.mark)


def _ready(wish: Tuning, out: Path, listener: Listener, place: torch.device) -> _Ready:
    """The wish settled, the data read, the model loaded, and what is to learn made to.

    A run goes on in the precision that it began in.
    """
    wish.check()
    folder = resolve(wish.model)
    if is_adapter(folder):
        raise BadRecipe(f"{wish.model} is an adapter; merge it with omma train merge, and fit the model made")
    spec = read_spec(folder)
    material = gather(wish, Processor.from_folder(folder, spec), listener)
    plan = settled(wish, spec, folder, len(material.deal.train))
    dtype = compute_dtype(begun_in(out) or "auto", place.type)
    loaded = load_folder(wish.model, device=str(place), dtype=_name(dtype) if plan.lora else "float32")
    mark = mark_of(loaded.model)
    optimiser = Optimiser(_learning(loaded, plan), plan.recipe, rounded=dtype != torch.float32)
    loaded.model.to(dtype)
    return _Ready(plan, material, loaded, optimiser, folder, mark)


def _fitting(ready: _Ready, out: Path, listener: Listener) -> Fitting:
    """The steps that are to be taken, or to be gone on with, in the folder of the run."""
    return Fitting(
        pupil=Pupil(ready.loaded.model, None, words=1.0, marks=0.0),
        optimiser=ready.optimiser,
        settled=ready.plan,
        brought=ready.material.brought,
        deal=ready.material.deal,
        folder=out,
        fingerprint=ready.fingerprint,
        tell=lambda line: listener.step(line, ready.plan.recipe.steps),
    )


def gather(wish: Tuning, processor: Processor, listener: Listener) -> Material:
    """Read the data and deal it; what a test shows is never learned from. Raises BadData."""
    corpus = Corpus(wish.data, wish.form, wish.media)
    brought = bring(corpus, processor, lambda done: listener.counts("reading", done, None))
    if wish.test is None:
        dealt = deal(brought, wish.seed)
        return Material(brought, dealt, brought, brought.prompts(dealt.test), brought.aside)
    others = Corpus(wish.test, wish.form, wish.media)
    tests = bring(others, processor, lambda done: listener.counts("reading tests", done, None))
    shown = {name for dialogue in tests.dialogues for name in dialogue.shown}
    free = tuple(dialogue for dialogue in brought.dialogues if not shown & dialogue.shown)
    seen = [dialogue for dialogue in brought.dialogues if shown & dialogue.shown]
    both = [
        Aside(brought.corpus.at(dialogue.number).place, "in the test", f"{wish.test} shows it too")
        for dialogue in seen
    ]
    if len(free) < LEAST <= len(brought.dialogues):
        raise BadData(
            f"{wish.test} shows {len(seen)} of the {len(brought.dialogues)} dialogues of {wish.data} too, "
            f"which leaves {len(free)} to learn from, and wanted are {LEAST} or more; judge by others, "
            "or leave test out"
        )
    dealt = deal(replace(brought, dialogues=free), wish.seed, test=False)._replace(test=tests.dialogues)
    if not tests.dialogues:
        raise BadRecipe(f"{wish.test} holds no dialogue to judge by; leave test out, or name another file")
    return Material(
        brought, dealt, tests, tests.prompts(tests.dialogues), (*brought.aside, *both, *tests.aside)
    )


def _judge(ready: _Ready, responder: Responder, listener: Listener, when: str) -> Judged:
    """Losses and answers of the tests."""
    material = ready.material
    found = losses(ready.loaded.model, material.judged_by, material.deal.test)
    count = partial(listener.counts, f"answering {when}")
    return Judged(found, replies(responder, material.asked, count))


def _learning(loaded: Loaded, plan: Settled) -> Named:
    """What learns, by name: pairs put on the model now, or its own parameters. Raises BadRecipe."""
    model, wish = loaded.model, plan.wish
    if plan.lora:
        dice, said = torch.Generator().manual_seed(wish.seed), plan.pairs
        chosen, scale = _carrying(model, plan), said.alpha / said.rank
        pairs = {name: fresh(layer, said.rank, scale, dice) for name, layer in chosen.items()}
        put_on(model, Adapter(pairs), dropout=said.dropout)
    else:
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(part_of(name) in plan.recipe.learns)
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    need, room = BYTES * sum(p.numel() for _, p in named), _memory(next(model.parameters()).device)
    if need > room:
        raise BadRecipe(
            f"learning takes about {need / 1e9:.0f} GB for weights alone, and there are {room / 1e9:.0f}; "
            "choose method lora, a lower rank, or fewer parts to learn"
        )
    return named


def _carrying(model: Vlm, plan: Settled) -> dict[str, torch.nn.Linear]:
    """The linear layers that are to carry pairs. Raises BadRecipe naming those that there are."""
    able = {name: layer for name, layer in linears(model).items() if part_of(name) in plan.recipe.learns}
    able.pop("decoder.head", None)
    if (wanted := plan.wish.layers) is None:
        return able
    kinds = {name.rsplit(".", 1)[-1] for name in able}
    known = published(plan.wish.published).layers if plan.wish.published else ()
    if unknown := [name for name in wanted if name not in kinds and name not in known]:
        raise BadRecipe(f"layers names {', '.join(unknown)}; what learns has {', '.join(sorted(kinds))}")
    if not kinds & set(wanted):
        raise BadRecipe(
            f"none of the layers {', '.join(wanted)} is in what learns, which has {', '.join(sorted(kinds))}"
        )
    return {name: layer for name, layer in able.items() if name.rsplit(".", 1)[-1] in wanted}


def _memory(device: torch.device) -> float:
    """Bytes that the machine or its accelerator has."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[1])
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _hand_over(best: Mapping[str, Tensor], ready: _Ready, out: Path) -> Path:
    """Write what was learned: an adapter, or a whole model in its own dtype."""
    name, model = ready.plan.wish.model, ready.loaded.model
    if ready.plan.lora:
        pairs = {
            place: Pair(best[f"{place}.down"], best[f"{place}.up"], layer.scale)
            for place, layer in layers(model)
        }
        base = name if name in BUNDLED or not Path(name).exists() else str(Path(name).resolve())
        dropout = ready.plan.pairs.dropout
        write_adapter(pairs, model, out / "adapter", base=base, mark=ready.mark, dropout=dropout)
        return out / "adapter"
    dtype = read_dtype(ready.folder)
    own = load_folder(ready.folder, device="cpu", dtype=_name(dtype))
    with torch.no_grad():
        for place, tensor in best.items():
            own.model.get_parameter(place).copy_(tensor)
    (out / "model").mkdir(exist_ok=True)
    if own.generation:
        write_json(out / "model" / GENERATION, own.generation)
    write_folder(own.model, own.spec, out / "model", dtype=dtype)
    own.processor.save(out / "model")
    return out / "model"


def _report(ready: _Ready, standing: Standing, before: Judged, after: Judged, kept: Path) -> Report:
    plan, material = ready.plan, ready.material
    parameters = list(ready.loaded.model.parameters())
    learned = sum(p.numel() for p in parameters if p.requires_grad)
    return Report(
        model=plan.wish.model,
        method=plan.wish.method,
        learns=plan.recipe.learns,
        pairs=_pairs(ready),
        rate=plan.recipe.rate.peak,
        parameters=sum(p.numel() for p in parameters) - (learned if plan.lora else 0),
        learned=learned,
        lessons=len(material.deal.train),
        checks=len(material.deal.check),
        tests=len(material.deal.test),
        aside=len(material.aside),
        steps=standing.step,
        planned=plan.recipe.steps,
        best_step=standing.best_step,
        loss_before=of_losses(before.losses),
        loss_after=of_losses(after.losses),
        scores=tuple(compare(material.asked, before.answers, after.answers)),
        folder=str(kept),
    )


def _pairs(ready: _Ready) -> Carried | None:
    return Carried(*ready.plan.pairs, sum(1 for _ in layers(ready.loaded.model))) if ready.plan.lora else None


def _same(ended: dict[str, Any], fingerprint: str, out: Path) -> dict[str, Any]:
    if ended.get("fingerprint") != fingerprint:
        raise BadCheckpoint(
            f"{out} holds the report of other data, another model or other settings; name another folder"
        )
    return ended


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
