"""Optimiser steps on fp32 masters, so that the model itself may compute in bfloat16."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from omma.errors import BadRecipe
from omma.train.average import Average
from omma.train.muon import MuonSteps
from omma.train.rate import factor_of
from omma.train.recipe import Muon, Recipe

# Matrices at the model's rim: their rows are tokens, places or classes, not to be mixed with one another.
OUTER = ("decoder.embedding.", "decoder.head.", "vision.places.", "vision.merger.queries.", "head.")

Named = list[tuple[str, nn.Parameter]]


class Optimiser:
    """AdamW or Muon over fp32 masters of the parameters that learn, and their running mean if one is kept.

    `named` are (name, parameter) pairs; names choose the part's rate and whether a tensor is an inner matrix.
    A head of the trainer's own (dense marks) learns with the bridge. `rounded` says that the parameters are
    about to be rounded, so that masters are copies of them; otherwise a parameter is its own master.
    """

    def __init__(self, named: Named, recipe: Recipe, *, rounded: bool = False) -> None:
        self.clip = recipe.clip
        self.parameters = dict(named)
        self.masters: dict[str, Tensor] = {
            name: parameter.detach().float().clone().requires_grad_() if rounded else parameter
            for name, parameter in named
        }
        self._engines = list(_engines(self.masters, recipe))
        self.average = Average(self.masters, recipe.average) if recipe.average else None

    def gather(self) -> None:
        """Add the model's gradients to the masters' in fp32 and clear them; after every backward pass."""
        for name, master in self.masters.items():
            parameter = self.parameters[name]
            if parameter is master or parameter.grad is None:
                continue
            gradient = parameter.grad.detach().float()
            master.grad = gradient if master.grad is None else master.grad + gradient
            parameter.grad = None

    def step(self, rate: float, number: int = 1) -> float:
        """Clip, take step `number` (from 1) at this learning rate, lay it in the model; the gradient's norm.

        Raises BadRecipe, and moves nothing, when the gradient is not finite.
        """
        for master in self.masters.values():
            if master.grad is None:
                master.grad = torch.zeros_like(master)
        norm = torch.nn.utils.clip_grad_norm_(self.masters.values(), self.clip)
        norm = norm.full_tensor() if isinstance(norm, DTensor) else norm
        if not norm.isfinite():
            raise BadRecipe(
                f"the gradient's norm is {norm.item()}; nothing was changed: go on from the last checkpoint "
                "with a lower rate or in float32"
            )
        for engine in self._engines:
            for group in engine.param_groups:
                group["lr"] = rate * group["scale"]
            engine.step()
        for master in self.masters.values():
            master.grad = None
        if self.average is not None:
            self.average.follow(self.masters, number)
        self._lay(self.masters)
        return float(norm)

    def state(self) -> dict[str, Tensor]:
        """Masters, moments and means by name: all that the next step depends on, besides its number.

        The tensors are those in use: fill them and call `resume` to go on from other ones.
        """
        held = {f"master/{name}": master.detach() for name, master in self.masters.items()}
        for name, master in self.masters.items():
            for engine in self._engines:
                for key, value in engine.state.get(master, {}).items():
                    if key != "step":
                        held[f"{key}/{name}"] = value
        return held | (self.average.state() if self.average is not None else {})

    def resume(self, number: int) -> None:
        """Go on after step `number` from what the tensors of `state` were filled with."""
        for engine in self._engines:
            for moments in engine.state.values():
                if "step" in moments:
                    moments["step"].fill_(float(number))
        self._lay(self.masters)

    def give(self, gives: str) -> None:
        """Lay the "last" weights or their "average" in the model; no step is taken from there."""
        if gives == "average":
            if self.average is None:
                raise BadRecipe(
                    "the run keeps no average; wanted a recipe with average over 0, or gives 'last'"
                )
            self._lay(self.average.means)

    @torch.no_grad()
    def _lay(self, tensors: Mapping[str, Tensor]) -> None:
        for name, parameter in self.parameters.items():
            if parameter is not tensors[name]:
                parameter.copy_(tensors[name])


def _engines(masters: Mapping[str, Tensor], recipe: Recipe) -> Iterable[torch.optim.Optimizer]:
    """One optimiser for the inner matrices and one for the rest, or one for all.

    A mixture's experts are inner matrices, many in a tensor. Its router's rows are experts, which are not to
    be mixed: Muon leaves it to AdamW.
    """
    inner = {name for name, tensor in masters.items() if tensor.ndim > 1 and not name.startswith(OUTER)}
    if isinstance(recipe.optimiser, Muon):
        settings = recipe.optimiser
        turned = {name for name in inner if not name.startswith(settings.apart) and ".router." not in name}
        groups = _groups({n: p for n, p in masters.items() if n in turned}, recipe, settings.weight_decay)
        if groups:
            muon = MuonSteps(groups, momentum=settings.momentum)
            yield _ready(muon, "momentum_buffer")
        others, adamw = {n: p for n, p in masters.items() if n not in turned}, settings.others
    else:
        others, adamw = dict(masters), recipe.optimiser
    decayed = _groups({n: p for n, p in others.items() if n in inner}, recipe, adamw.weight_decay)
    groups = decayed + _groups({n: p for n, p in others.items() if n not in inner}, recipe, 0.0)
    if groups:
        engine = torch.optim.AdamW(groups, lr=0.0, betas=adamw.betas, eps=adamw.eps, fused=True)
        yield _ready(engine, "exp_avg", "exp_avg_sq")


def _ready(engine: torch.optim.Optimizer, *moments: str) -> torch.optim.Optimizer:
    """Give every tensor its moments before the first step, so that a checkpoint always has the same names."""
    for group in engine.param_groups:
        for master in group["params"]:
            held = {name: torch.zeros_like(master, requires_grad=False) for name in moments}
            engine.state[master] = held | ({"step": torch.tensor(0.0)} if "exp_avg" in held else {})
    return engine


def _groups(tensors: Mapping[str, Tensor], recipe: Recipe, weight_decay: float) -> list[dict[str, object]]:
    """Parameters with the same factor on the learning rate together."""
    alike: dict[float, list[Tensor]] = {}
    for name, tensor in tensors.items():
        alike.setdefault(factor_of(name, recipe), []).append(tensor)
    return [{"params": held, "scale": factor, "weight_decay": weight_decay} for factor, held in alike.items()]
