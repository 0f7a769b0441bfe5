"""What routers of experts are taught beside the answers: to spread tokens evenly, with scores kept small.

The balance loss wants each expert's share of all choices of a step, which is known only after its last pass.
So the shares are those of the step before, of all its passes and ranks: every token's part of the loss is
its own, and a step is the same however it is cut. The first step takes shares as even, which pushes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from omma.errors import BadCheckpoint
from omma.model.experts import Router, Routing
from omma.ops.router import balance_loss, z_loss


class Heard(NamedTuple):
    """What a router decided in this pass."""

    name: str
    routing: Routing


class Routers:
    """The routers of a model that learn, what was counted of them in this step, and their losses.

    They are heard only inside `listening`: a check does not count, nor does a blank picture, nor do layers
    that run again in the backward pass. `balance` and `z` weigh the two losses, each a mean over routers.
    """

    def __init__(self, model: nn.Module, *, balance: float = 0.0, z: float = 0.0) -> None:
        self.balance, self.z = balance, z
        found = [(name, module) for name, module in model.named_modules() if isinstance(module, Router)]
        self.shares: dict[str, Tensor] = {}
        self._heard: list[Heard] | None = None
        for name, router in found:
            if router.weight.requires_grad:
                experts = len(router.weight)
                self.shares[name] = torch.full((experts,), 1 / experts)
                router.register_forward_hook(partial(self._hear, name))
        self._last: dict[str, list[int]] = {}
        self._tallies = self._nothing()

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.shares)

    def _nothing(self) -> dict[str, Tensor]:
        """For each router the choices and the sums of probabilities of every expert, squares and rows."""
        return {name: torch.zeros(2 * len(e) + 2, dtype=torch.float64) for name, e in self.shares.items()}

    def _hear(self, name: str, router: nn.Module, inputs: Any, routing: Routing) -> None:
        if self._heard is not None:
            self._heard.append(Heard(name, routing))

    @contextmanager
    def listening(self) -> Iterator[list[Heard]]:
        """Gives what the routers decide inside the block."""
        heard: list[Heard] = []
        self._heard = heard
        try:
            yield heard
        finally:
            self._heard = None

    def losses(self, heard: Sequence[Heard], tokens: float, patches: float) -> Tensor | None:
        """What a pass adds to the step's losses, weighed; None if no router was heard.

        `tokens` and `patches` are how many rows all passes and ranks of the step send through a router of
        the decoder and of the tower.
        """
        parts = []
        for name, (logits_TE, _, chosen_TC) in heard:
            share_E = self.shares[name].to(logits_TE.device)
            even, small = balance_loss(logits_TE, chosen_TC, share_E), z_loss(logits_TE)
            self._count(name, logits_TE.detach(), chosen_TC, float(small.detach()))
            rows = patches if name.startswith("vision.") else tokens
            parts.append((self.balance * even + self.z * small) * (len(logits_TE) / max(rows, 1.0)))
        return torch.stack(parts).sum() / len(self.shares) if parts else None

    def _count(self, name: str, logits_TE: Tensor, chosen_TC: Tensor, square: float) -> None:
        counts_E = chosen_TC.flatten().bincount(minlength=logits_TE.shape[-1])
        chances_E = logits_TE.softmax(-1, dtype=torch.float32).sum(0)
        rows = torch.tensor([square * len(logits_TE), len(logits_TE)], dtype=torch.float64)
        self._tallies[name] += torch.cat([counts_E.double().cpu(), chances_E.double().cpu(), rows])

    def settle(self, added: Callable[[Sequence[float]], list[float]]) -> dict[str, float]:
        """End the step: its shares serve the next one. Gives its losses, unweighed, for the log.

        `added` adds numbers up over all ranks. "busiest" is the share of the expert with the most choices,
        in any layer, where 1 is an even share.
        """
        sizes = [len(tally) for tally in self._tallies.values()]
        flat = torch.tensor(added(torch.cat(list(self._tallies.values())).tolist()), dtype=torch.float64)
        told: list[tuple[float, float, float]] = []
        for name, tally in zip(self.shares, torch.split(flat, sizes), strict=True):
            (counts_E, chances_E), (square, rows) = tally[:-2].chunk(2), tally[-2:]
            if rows == 0:
                continue
            share_E = counts_E / counts_E.sum()
            even = len(share_E) * float((share_E * chances_E).sum() / rows)
            told.append((even, float(square / rows), len(share_E) * float(share_E.max())))
            self.shares[name], self._last[name] = share_E.float(), counts_E.long().tolist()
        self._tallies = self._nothing()
        if not told:
            return {}
        balance, z, busiest = zip(*told, strict=True)
        return {"balance": sum(balance) / len(told), "z": sum(z) / len(told), "busiest": max(busiest)}

    def state(self) -> dict[str, list[int]]:
        """How often each expert was chosen in the last step, by router: what the next step depends on."""
        return dict(self._last)

    def resume(self, state: Mapping[str, Sequence[int]]) -> None:
        """Go on from what `state` gave. Raises BadCheckpoint when it is of other routers."""
        for name, counts in state.items():
            if name not in self.shares or len(counts) != len(self.shares[name]) or not sum(counts):
                raise BadCheckpoint(f"the checkpoint counts choices of {name}, which is not so in this model")
            self._last[name] = list(counts)
            self.shares[name] = (torch.tensor(counts, dtype=torch.float64) / sum(counts)).float()
