"""Optimiser steps on fp32 masters, so that the model itself may compute in bfloat16."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from omma.errors import BadCheckpoint, BadRecipe
from omma.train.recipe import Muon, Recipe

# Matrices at the model's rim: their rows are tokens or classes, which are not mixed with one another.
OUTER = ("decoder.embedding.", "decoder.head.", "head.")

Named = list[tuple[str, nn.Parameter]]


def part_of(name: str) -> str:
    """The part of the model that a parameter belongs to: vision, bridge (the merger) or decoder."""
    if name.startswith("vision.merger."):
        return "bridge"
    return "vision" if name.startswith("vision.") else "decoder"


class Optimiser:
    """AdamW or Muon over fp32 copies of the parameters that learn.

    `named` are (name, parameter) pairs; names choose the part's rate and whether a tensor is an inner matrix.
    A head of the trainer's own (dense marks) learns with the bridge.
    """

    def __init__(self, named: Named, recipe: Recipe) -> None:
        self.clip = recipe.clip
        self.names = [name for name, _ in named]
        self.parameters = [parameter for _, parameter in named]
        self.masters = [p.detach().float().clone().requires_grad_() for p in self.parameters]
        self._engines = list(_engines(dict(zip(self.names, self.masters, strict=True)), recipe))

    def gather(self) -> None:
        """Add the model's gradients to the masters' in fp32 and clear them; after every backward pass."""
        for parameter, master in zip(self.parameters, self.masters, strict=True):
            if parameter.grad is None:
                continue
            gradient = parameter.grad.detach().float()
            master.grad = gradient if master.grad is None else master.grad + gradient
            parameter.grad = None

    def step(self, rate: float) -> float:
        """Clip, move the masters at learning rate `rate`, copy them into the model; the gradient's norm.

        Raises BadRecipe, and moves nothing, when the gradient is not finite.
        """
        for master in self.masters:
            if master.grad is None:
                master.grad = torch.zeros_like(master)
        norm = torch.nn.utils.clip_grad_norm_(self.masters, self.clip)
        if not norm.isfinite():
            raise BadRecipe(
                f"the gradient's norm is {norm.item()}; nothing was changed: go on from the last checkpoint "
                "with a lower rate or in float32"
            )
        for engine in self._engines:
            for group in engine.param_groups:
                group["lr"] = rate * group["scale"]
            engine.step()
        with torch.no_grad():
            for parameter, master in zip(self.parameters, self.masters, strict=True):
                parameter.copy_(master)
                master.grad = None
        return float(norm)

    def state(self) -> dict[str, Tensor]:
        """Masters and moments by name: all that the next step depends on."""
        held = {
            f"master/{name}": master.detach() for name, master in zip(self.names, self.masters, strict=True)
        }
        for name, master in zip(self.names, self.masters, strict=True):
            for engine in self._engines:
                for key, value in engine.state.get(master, {}).items():
                    held[f"{key}/{name}"] = torch.as_tensor(value)
        return held

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from `state`. Raises BadCheckpoint naming a tensor that is missing or misshapen."""
        with torch.no_grad():
            for name, master, parameter in zip(self.names, self.masters, self.parameters, strict=True):
                saved = state.get(f"master/{name}")
                if saved is None or saved.shape != master.shape:
                    got = "nothing" if saved is None else tuple(saved.shape)
                    raise BadCheckpoint(f"{name}: the checkpoint holds {got}, the run {tuple(master.shape)}")
                master.copy_(saved)
                parameter.copy_(master)
        moments: dict[str, dict[str, Tensor]] = {}
        for key, value in state.items():
            kind, name = key.split("/", 1)
            if kind != "master":
                moments.setdefault(name, {})[kind] = value.clone()
        for name, master in zip(self.names, self.masters, strict=True):
            for engine in self._engines:
                if name in moments and any(master is p for g in engine.param_groups for p in g["params"]):
                    engine.state[master] = moments[name]


def _engines(masters: Mapping[str, Tensor], recipe: Recipe) -> Iterable[torch.optim.Optimizer]:
    """One optimiser for the inner matrices and one for the rest, or one for all."""
    inner = {name for name, tensor in masters.items() if tensor.ndim == 2 and not name.startswith(OUTER)}
    if isinstance(recipe.optimiser, Muon):
        settings = recipe.optimiser
        turned = {name for name in inner if not name.startswith(settings.apart)}
        groups = _groups({n: p for n, p in masters.items() if n in turned}, recipe, settings.weight_decay)
        if groups:
            yield torch.optim.Muon(
                groups, lr=0.0, momentum=settings.momentum, adjust_lr_fn="match_rms_adamw", ns_steps=5
            )
        others, adamw = {n: p for n, p in masters.items() if n not in turned}, settings.others
    else:
        others, adamw = dict(masters), recipe.optimiser
    decayed = _groups({n: p for n, p in others.items() if n in inner}, recipe, adamw.weight_decay)
    groups = decayed + _groups({n: p for n, p in others.items() if n not in inner}, recipe, 0.0)
    if groups:
        yield torch.optim.AdamW(groups, lr=0.0, betas=adamw.betas, eps=adamw.eps)


def _groups(tensors: Mapping[str, Tensor], recipe: Recipe, weight_decay: float) -> list[dict[str, object]]:
    """Parameters with the same factor on the learning rate together."""
    alike: dict[float, list[Tensor]] = {}
    for name, tensor in tensors.items():
        alike.setdefault(factor_of(name, recipe.scale), []).append(tensor)
    return [{"params": held, "scale": factor, "weight_decay": weight_decay} for factor, held in alike.items()]


def factor_of(name: str, scale: Mapping[str, float]) -> float:
    """The factor of the longest start of `name` that `scale` knows; 1 where it knows none."""
    known = [start for start in scale if name.startswith(start)]
    return scale[max(known, key=len)] if known else 1.0
