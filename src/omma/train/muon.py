"""Muon's steps, for matrices that lie whole in one process or by rows in several.

Orthogonalising needs a whole matrix. Where several ranks hold its rows, matrices of one shape are dealt out:
one exchange turns rows of many matrices into whole ones, each rank orthogonalises its own, one exchange back.
Gathering every matrix on every rank would move as much, and have each rank do all of the work.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor, Shard

from omma.ops.orthogonal import orthogonalise


class MuonSteps(torch.optim.Optimizer):
    """Orthogonalised Nesterov momentum with decoupled decay, as large as AdamW's steps (Liu et al. 2025).

    A tensor of many matrices, a mixture's experts, is turned matrix by matrix; ranks hold whole ones of them.
    `groups` are as torch's optimisers take them, of matrices with a gradient each; a group's `lr` and
    `weight_decay` are its own. With whole matrices it does what ``torch.optim.Muon`` does, on a processor in
    float32.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], *, momentum: float) -> None:
        super().__init__(groups, {"lr": 0.0, "momentum": momentum, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every matrix once."""
        for group in self.param_groups:
            for alike in _alike(group["params"]):
                wanted = (self._direction(matrix, group["momentum"]) for matrix in alike.matrices)
                turned = whole(wanted) if alike.spread is None else _dealt(list(wanted), alike)
                for matrix, update in zip(alike.matrices, turned, strict=True):
                    rows = local(matrix)
                    rows.mul_(1 - group["lr"] * group["weight_decay"])
                    rows.add_(update, alpha=-group["lr"] * 0.2 * math.sqrt(max(matrix.shape[-2:])))

    def _direction(self, matrix: Tensor, momentum: float) -> Tensor:
        """Where the momentum points after this gradient: the rows that lie here."""
        gradient, held = local(matrix.grad), local(self.state[matrix]["momentum_buffer"])
        held.lerp_(gradient, 1 - momentum)
        return gradient.lerp(held, momentum)


class Alike(NamedTuple):
    """Matrices of one shape that are moved together; `spread` is the one whose rows lie on several ranks."""

    matrices: list[Tensor]
    spread: DTensor | None


def local(tensor: Tensor | None) -> Tensor:
    """The rows of a tensor that lie in this process."""
    assert tensor is not None, "every matrix has a gradient, if only zeros"
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def whole(directions: Iterable[Tensor]) -> Iterator[Tensor]:
    """Orthogonalise one after another."""
    return (_turned(direction) for direction in directions)


def _turned(direction: Tensor) -> Tensor:
    if direction.ndim == 2:
        return orthogonalise(direction)
    return torch.stack([orthogonalise(matrix) for matrix in direction])


def _alike(matrices: Sequence[Tensor]) -> Iterator[Alike]:
    """Whole matrices one by one; matrices in rows by shape, as many at a time as there are ranks."""
    by_shape: dict[torch.Size, list[DTensor]] = {}
    for matrix in matrices:
        if isinstance(matrix, DTensor) and matrix.ndim == 2:
            by_shape.setdefault(matrix.shape, []).append(matrix)
        else:
            yield Alike([matrix], None)
    for same in by_shape.values():
        ranks = same[0].device_mesh.size()
        for at in range(0, len(same), ranks):
            yield Alike(list(same[at : at + ranks]), same[0])


def _dealt(rows: list[Tensor], alike: Alike) -> list[Tensor]:
    """Orthogonalise matrices whose rows lie on several ranks, each rank its share of them."""
    assert alike.spread is not None
    mesh, (height, width) = alike.spread.device_mesh, alike.spread.shape
    shape = torch.Size((len(rows), height, width))
    stride = (height * width, width, 1)
    moved = torch.stack(rows)
    if moved.device.type != "cpu":
        moved = moved.bfloat16()  # as the iteration takes them there: half as much is moved
    here = DTensor.from_local(moved, mesh, [Shard(1)], run_check=False, shape=shape, stride=stride)
    mine = here.redistribute(placements=[Shard(0)]).to_local()
    turned = torch.stack(list(whole(mine))) if len(mine) else mine
    there = DTensor.from_local(turned, mesh, [Shard(0)], run_check=False, shape=shape, stride=stride)
    return list(there.redistribute(placements=[Shard(1)]).to_local())
