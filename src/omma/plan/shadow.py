"""A model runs without numbers and every byte that it would hold is counted: peaks without formulas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from weakref import finalize

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from omma.model.experts import Bank, Routing

SKEWED = 4  # the busiest expert's rows beside the mean

Arguments = Sequence[Any]
Named = Mapping[str, Any] | None


class Ledger(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of the tensors that are made inside of it, for as long as they live.

    `held` is what lives now, `peak` the most since it was last set.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held = self.peak = 0
        self._known: set[int] = set()

    def bear(self, tensors: Iterator[Tensor]) -> None:
        """Leave these tensors, which were there before, out of the count."""
        self._known |= {tensor.untyped_storage()._cdata for tensor in tensors}

    def add(self, size: int) -> None:
        """Count bytes that are no tensor's; a negative number lets go of them."""
        self.held += size
        self.peak = max(self.peak, self.held)

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: object, args: Arguments = (), kwargs: Named = None
    ) -> Any:
        """Run an operation and note what it made."""
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._note(tensor)
        return made

    def _note(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self.add(size)
        finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.held -= size


class _FusedAttention(TorchFunctionMode):
    """Attention as the fused kernels hold it: the output and a number a query, and never all scores.

    On the meta device torch would write the scores out.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: Arguments = (), kwargs: Named = None
    ) -> Any:
        if func is not F.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        q, _, v = args[:3]
        sums = torch.empty(q.shape[:-1], dtype=torch.float32, device=q.device)
        rows = q.transpose(-2, -3)
        out = torch.empty(*rows.shape[:-1], v.shape[-1], dtype=q.dtype, device=q.device)
        del sums
        return out.transpose(-2, -3)


def _mixed(bank: Bank, x_TD: Tensor, routing: Routing, *, at_once: bool) -> Tensor:
    """What a mixture holds: where tokens go depends on numbers, of which there are none here.

    One product takes all pairs of a token and an expert `at_once`, or an expert's share of them, which may
    be SKEWED times the mean.
    """
    tokens, pairs = len(x_TD), routing.chosen_TC.numel()
    count, dim, gates = bank.gate_up.shape
    order = torch.empty(3, pairs, dtype=torch.int64, device=x_TD.device)
    rows = pairs if at_once else min(tokens, -(-SKEWED * pairs // count))
    mixed_TD = x_TD.new_empty(tokens, dim, dtype=torch.float32)
    inner = x_TD.new_empty(rows, dim + gates)
    hidden = x_TD.new_empty(rows, gates // 2)
    del inner
    out = x_TD.new_empty(rows, dim), x_TD.new_empty(rows, dim, dtype=torch.float32)
    del hidden, out, order
    return mixed_TD.to(x_TD.dtype)


@contextmanager
def counted(model: torch.nn.Module, *, at_once: bool = False) -> Iterator[Ledger]:
    """Run what is inside as an answering model would, counting all but the model's own weights.

    The model is spent afterwards: its mixtures of experts only count from now on.
    """
    for module in model.modules():
        if isinstance(module, Bank):
            module.forward = partial(_mixed, module, at_once=at_once)  # type: ignore[method-assign]
    ledger = Ledger()
    ledger.bear(model.parameters())
    with torch.no_grad(), _FusedAttention(), ledger:
        yield ledger
