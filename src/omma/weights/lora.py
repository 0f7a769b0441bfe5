"""Adapters on a built model: low-rank pairs beside its linear layers, put on, merged and taken off again."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from omma.errors import BadModel, TensorMismatch
from omma.model.layers import Linear
from omma.model.vlm import Vlm
from omma.ops import linear
from omma.spec import ModelSpec
from omma.weights.names import EMBEDDING, HEAD, public_name

HEAD_LAYER = HEAD.removesuffix(".weight")


class Pair(NamedTuple):
    """What is added to one linear layer's weight (F, D): ``scale · up @ down``; up (F, R), down (R, D)."""

    down: Tensor
    up: Tensor
    scale: float


@dataclass(frozen=True)
class Adapter:
    """A change to a model, by our names.

    `pairs` belong to linear layers (``decoder.layers.0.attention.query``), `whole` replace parameters
    (``decoder.norm.weight``).
    """

    pairs: Mapping[str, Pair]
    whole: Mapping[str, Tensor] = field(default_factory=dict)


class LoraLinear(nn.Module):
    """A linear layer with its pair: ``base(x) + scale · up(down(dropout(x)))``. Only the pair learns.

    The pair is kept in the layer's dtype. Merged, it is one product again; the base's own weight stays
    beside it, so that unmerging gives it back to the bit.
    """

    _merged: Tensor | None

    def __init__(self, base: nn.Linear, pair: Pair, dropout: float = 0.0) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.down = nn.Parameter(pair.down.to(base.weight))
        self.up = nn.Parameter(pair.up.to(base.weight))
        self.scale, self.dropout = pair.scale, dropout
        self.register_buffer("_merged", None, persistent=False)
        self.register_state_dict_post_hook(_as_plain)  # type: ignore[no-untyped-call]

    @property
    def weight(self) -> Tensor:
        """The weight as the rest of the model sees it."""
        return self.base.weight if self._merged is None else self._merged

    @property
    def bias(self) -> Tensor | None:
        """The base's bias."""
        return self.base.bias

    def forward(self, x_TD: Tensor) -> Tensor:
        """(T, D) in, (T, F) out."""
        if self._merged is not None:
            return linear(x_TD, self._merged, self.base.bias, getattr(self.base, "wide_from", None))
        low_TR = F.linear(F.dropout(x_TD, self.dropout, self.training), self.down)
        y_TF: Tensor = self.base(x_TD) + F.linear(low_TR, self.up) * self.scale
        return y_TF

    @torch.no_grad()
    def merge(self) -> tuple[float, float]:
        """Become one product; the squares of the change, and of what rounding to the dtype took from it."""
        change = self.up.float() @ self.down.float() * self.scale
        wanted = self.base.weight.float() + change
        self._merged = wanted.to(self.base.weight.dtype)
        return float(change.square().sum()), float((self._merged.float() - wanted).square().sum())

    def unmerge(self) -> None:
        """Go back to the base's own weight with the pair beside it."""
        self._merged = None


def _as_plain(layer: nn.Module, state: dict[str, Any], prefix: str, _: object) -> None:
    """A merged layer is written as the plain one that it is; a pair is never part of a model's folder."""
    if not isinstance(layer, LoraLinear):
        raise TypeError(f"{type(layer).__name__} carries no adapter")
    if layer._merged is None:
        raise BadModel(
            f"{prefix[:-1]} carries an adapter, which a model's folder cannot hold; merge it first"
        )
    for name in ("base.weight", "base.bias", "down", "up"):
        state.pop(prefix + name, None)
    state[f"{prefix}weight"] = layer._merged
    if layer.base.bias is not None:
        state[f"{prefix}bias"] = layer.base.bias.detach()


def linears(model: Vlm) -> dict[str, nn.Linear]:
    """The linear layers of a model that carries no adapter, by our names, in its order."""
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Linear)}


def layers(model: Vlm) -> Iterator[tuple[str, LoraLinear]]:
    """The layers that carry a pair, by our names."""
    return ((name, layer) for name, layer in model.named_modules() if isinstance(layer, LoraLinear))


def fresh(layer: nn.Linear, rank: int, scale: float, dice: torch.Generator) -> Pair:
    """A pair that changes nothing yet: `down` drawn as a linear layer's weight is, `up` zero (fp32)."""
    bound = 1 / math.sqrt(layer.in_features)
    down = torch.empty(rank, layer.in_features).uniform_(-bound, bound, generator=dice)
    return Pair(down, torch.zeros(layer.out_features, rank), scale)


def put_on(model: Vlm, adapter: Adapter, *, dropout: float = 0.0) -> None:
    """Put an adapter on a built model: from now on only its pairs learn.

    A tied head becomes a layer of its own when the adapter changes it or the table that it shared.
    Raises TensorMismatch, before anything is changed, naming a tensor that the model has no place for.
    """
    if any(True for _ in layers(model)):
        raise BadModel("the model carries an adapter already; take it off, or load the model anew")
    known, tables = linears(model), dict(model.named_parameters())
    if model.decoder.head is None:
        known[HEAD_LAYER] = _head_of(model)
        tables[HEAD] = tables[EMBEDDING]
    for name, pair in adapter.pairs.items():
        _fits(known.get(name), name, pair)
    for name, tensor in adapter.whole.items():
        if name not in tables or tables[name].shape != tensor.shape:
            there = tuple(tables[name].shape) if name in tables else "nothing"
            raise TensorMismatch(
                f"the adapter's {name} is {tuple(tensor.shape)}; the model has {there} there"
            )
    model.requires_grad_(False)
    if model.decoder.head is None and ({HEAD, EMBEDDING} & set(adapter.whole) or HEAD_LAYER in adapter.pairs):
        model.decoder.head = known[HEAD_LAYER]
    for name, tensor in adapter.whole.items():
        holder, _, leaf = name.rpartition(".")
        kept = nn.Parameter(tensor.detach().to(tables[name]), requires_grad=False)
        setattr(model.get_submodule(holder), leaf, kept)
    for name, pair in adapter.pairs.items():
        holder, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(holder), leaf, LoraLinear(known[name], pair, dropout))


def take_off(model: Vlm) -> Adapter:
    """Give the linear layers back as they were; the pairs that they carried. Whole parameters stay."""
    worn = dict(layers(model))
    for name, layer in worn.items():
        holder, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(holder), leaf, layer.base)
    return Adapter({name: Pair(x.down.detach(), x.up.detach(), x.scale) for name, x in worn.items()})


def merge(model: Vlm) -> float:
    """Merge every pair into its layer; the share of the change that rounding took, in [0, 1].

    The model may then be written by `write_folder`, with the spec of `spec_of`.
    """
    changes, losses = zip(*[layer.merge() for _, layer in layers(model)], strict=True) or ((), ())
    return math.sqrt(sum(losses) / sum(changes)) if sum(changes) else 0.0


def unmerge(model: Vlm) -> None:
    """Undo `merge`, to the bit."""
    for _, layer in layers(model):
        layer.unmerge()


def spec_of(model: Vlm) -> ModelSpec:
    """What the model is now: an adapter may have untied its head."""
    tied = model.decoder.head is None
    return replace(model.spec, decoder=replace(model.spec.decoder, tied=tied))


def mark_of(model: Vlm) -> str:
    """Tells one model's weights from another's: a hash of every tensor's name, shape and first numbers.

    The same in every dtype that the weights are loaded in.
    """
    digest = hashlib.sha256()
    for name, parameter in sorted(model.named_parameters()):
        first = parameter.detach().flatten()[:64].to("cpu", torch.bfloat16).view(torch.int16)
        called = f"{public_name(name, model.spec.family)} {tuple(parameter.shape)}"
        digest.update(called.encode() + first.numpy().tobytes())
    return digest.hexdigest()[:16]


def _head_of(model: Vlm) -> nn.Linear:
    """A head of its own with the numbers of the embedding table that it was tied to."""
    table = model.decoder.embedding.weight
    with torch.device("meta"):
        head = Linear(table.shape[1], table.shape[0], False)
    head.weight = nn.Parameter(table.detach(), requires_grad=False)
    return head


def _fits(layer: nn.Linear | None, name: str, pair: Pair) -> None:
    if layer is None:
        raise TensorMismatch(f"the adapter changes {name}, and the model has no such linear layer")
    rank = pair.down.shape[0]
    if pair.down.shape != (rank, layer.in_features) or pair.up.shape != (layer.out_features, rank):
        raise TensorMismatch(
            f"{name}: the adapter's pair is {tuple(pair.down.shape)} and {tuple(pair.up.shape)}; the layer "
            f"wants {(rank, layer.in_features)} and {(layer.out_features, rank)}: it has another base"
        )
