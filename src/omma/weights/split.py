"""A built model cut over several ranks: each holds a share of every matrix, and together they are the model.

Tensor parallel, put on from outside by torch's DTensor. A matrix that leads into heads, hidden units or words
is cut by what comes out of it, the one that follows by what goes in; what the ranks make there is added up.
Attention between the two is over a rank's own heads: nothing of it knows that there are others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module
from torch.distributed.tensor.parallel.style import ParallelStyle

from omma.errors import BadModel
from omma.model.decoder import DecoderAttention, FusedAttention
from omma.model.experts import Bank, ExpertLayer, Routing
from omma.model.layers import GeluLayer, SwiGLULayer
from omma.model.resampler import PackedAttention
from omma.model.vision import Merger, VisionAttention
from omma.model.vlm import Vlm
from omma.ops.experts import mix_experts
from omma.spec import Experts


def split(model: Vlm, mesh: DeviceMesh) -> None:
    """Cut a model over the ranks of a mesh of one axis; each rank has loaded the same weights, and keeps its
    share. It answers then and does not learn; every rank must be asked the same at the same time.

    From then on ``model.spec.decoder`` counts a rank's own heads: whoever keeps keys and values keeps those.
    Norms, routers, a tower's first layer, learned places and 2023's bridge stay whole on each rank.
    Raises BadModel where heads or experts do not come out even, or layers were put in others' places.
    """
    ranks = mesh.size()
    _check(model, ranks)
    for module in list(model.modules()):
        match module:
            case FusedAttention():
                _deal(module.qkv, module.widths, ranks)
                module.widths = [width // ranks for width in module.widths]
                _cut(module, mesh, {"qkv": ColwiseParallel(), "out": RowwiseParallel()})
            case DecoderAttention():
                apart: dict[str, ParallelStyle] = {n: ColwiseParallel() for n in ("query", "key", "value")}
                _cut(module, mesh, apart | {"out": RowwiseParallel()})
            case VisionAttention() | PackedAttention():
                if isinstance(module, VisionAttention):  # the other lies head by head already
                    _deal(module.qkv, [module.qkv.out_features // 3] * 3, ranks)
                module.heads //= ranks
                _cut(module, mesh, {"qkv": ColwiseParallel(), "out": RowwiseParallel()})
            case SwiGLULayer():
                both: dict[str, ParallelStyle] = {"gate": ColwiseParallel(), "up": ColwiseParallel()}
                _cut(module, mesh, both | {"down": RowwiseParallel()})
            case GeluLayer():
                _cut(module, mesh, {"up": ColwiseParallel(), "down": RowwiseParallel()})
            case Merger():
                _cut(module, mesh, {"inner": ColwiseParallel(), "outer": RowwiseParallel()})
            case ExpertLayer():
                module.experts = SplitBank(module.experts, mesh)  # type: ignore[assignment]
    _cut_words(model, mesh)
    own = model.spec.decoder
    own = replace(own, heads=own.heads // ranks, key_heads=own.key_heads // ranks)
    model.spec = replace(model.spec, decoder=own)


class SplitBank(nn.Module):
    """Experts of which each rank holds some hidden units of every one; what the ranks make is added up."""

    def __init__(self, bank: Bank, mesh: DeviceMesh) -> None:
        super().__init__()
        pieces = (each.chunk(mesh.size(), -1) for each in bank.gate_up.detach().chunk(2, -1))
        dealt = torch.cat([piece for pair in zip(*pieces, strict=True) for piece in pair], -1)
        self.mesh = mesh
        self.gate_up = _share(dealt, mesh, 2)
        self.down = _share(bank.down, mesh, 1)

    def forward(self, x_TD: Tensor, routing: Routing) -> Tensor:
        """(T, D) in, (T, D) out."""
        own = local(self.gate_up), local(self.down)
        mixed_TD = mix_experts(x_TD, routing.chosen_TC, routing.weights_TC, *own)
        part: DTensor = DTensor.from_local(mixed_TD, self.mesh, [Partial()])
        return part.redistribute(placements=[Replicate()]).to_local()


class SplitHead(nn.Module):
    """A head of which each rank holds the rows of some words; every rank gets the scores of all."""

    def __init__(self, weight: nn.Parameter, mesh: DeviceMesh) -> None:
        super().__init__()
        self.mesh = mesh
        self.weight = weight  # where it is tied, the very parameter that is the table

    def forward(self, x_TD: Tensor) -> Tensor:
        """(T, D) in, (T, V) out."""
        scores = F.linear(DTensor.from_local(x_TD, self.mesh, [Replicate()]), self.weight)
        assert isinstance(scores, DTensor)
        return scores.full_tensor()


def bytes_here(model: nn.Module) -> int:
    """Memory of the parameters, or of this rank's share of them."""
    return sum(local(parameter).nbytes for parameter in model.parameters())


def local(tensor: Tensor) -> Tensor:
    """This rank's share of a tensor; all of one that is not cut."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def _check(model: Vlm, ranks: int) -> None:
    decoder, vision = model.spec.decoder, model.spec.vision
    counts = {"heads": decoder.heads, "key heads": decoder.key_heads, "heads of the tower": vision.heads}
    for feed, where in ((decoder.feed_forward, ""), (vision.feed_forward, " of the tower")):
        if isinstance(feed, Experts):
            counts[f"hidden units of an expert{where}"] = feed.width
    for noun, count in counts.items():
        if count % ranks:
            raise BadModel(
                f"the model has {count} {noun}, which {ranks} ranks cannot share evenly; take other ranks"
            )
    if isinstance(model.decoder.embedding.weight, DTensor):
        raise BadModel("the model is cut already; load it anew")
    made = [each.out for each in model.modules() if isinstance(each, DecoderAttention)]
    if not all(isinstance(each, nn.Linear) for each in made):
        raise BadModel(
            "the model's layers are laid out or quantised; cut one that is as load_folder gives it"
        )


def _cut(module: nn.Module, mesh: DeviceMesh, styles: dict[str, ParallelStyle]) -> None:
    """Cut a module's layers, each in its style. All ranks have the same weights: nothing is sent."""
    parallelize_module(module, mesh, styles, src_data_rank=None)
    for parameter in module.parameters():
        parameter.requires_grad_(False)


def _cut_words(model: Vlm, mesh: DeviceMesh) -> None:
    """Cut the table and the head by words; a tied head stays the table."""
    decoder = model.decoder
    words = RowwiseParallel(input_layouts=Replicate())
    own = None if decoder.head is None else _share(next(decoder.head.parameters()), mesh, 0)
    _cut(decoder, mesh, {"embedding": words})
    table = decoder.embedding.weight
    assert isinstance(table, nn.Parameter)
    decoder.head = SplitHead(table if own is None else own, mesh)


def _share(whole: Tensor, mesh: DeviceMesh, axis: int) -> nn.Parameter:
    """A tensor cut along an axis."""
    return nn.Parameter(
        distribute_tensor(whole.detach(), mesh, [Shard(axis)], src_data_rank=None), requires_grad=False
    )


def _deal(layer: nn.Linear, sizes: Sequence[int], ranks: int) -> None:
    """Put the rows of a layer that makes several things so that each rank's of all of them lie together."""
    for name, parameter in list(layer.named_parameters()):
        parts = [part.chunk(ranks) for part in torch.split(parameter.detach(), list(sizes))]
        dealt = torch.cat([part[rank] for rank in range(ranks) for part in parts])
        setattr(layer, name, nn.Parameter(dealt, requires_grad=False))
