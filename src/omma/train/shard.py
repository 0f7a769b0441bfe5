"""Many processes as one trainer: who they are, and the model's weights spread over them.

``torchrun --nproc-per-node N -m omma train …`` starts N ranks. Each holds some rows of every tensor, gathers
a layer's weights when the layer runs, and adds its gradients to the others' afterwards: torch's FSDP2.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import (
    FSDPModule,
    MixedPrecisionPolicy,
    fully_shard,
    register_fsdp_forward_method,
)

from omma.errors import BadCheckpoint
from omma.train.passes import Pupil


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this is. `saving` is the group in which checkpoints are written."""

    rank: int = 0
    count: int = 1
    mesh: DeviceMesh | None = None
    saving: dist.ProcessGroup | None = None

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes and speaks."""
        return self.rank == 0

    def added(self, numbers: Sequence[float]) -> list[float]:
        """The numbers of all ranks added up, the same on each."""
        if self.mesh is None:
            return list(numbers)
        total = torch.tensor(numbers, dtype=torch.float64, device=self.mesh.device_type)
        dist.all_reduce(total, group=self.mesh.get_group())
        return [float(number) for number in total.cpu()]

    def wait(self) -> None:
        """Until every rank is here."""
        if self.mesh is not None:
            dist.barrier(group=self.saving)

    def agree(self, facts: dict[str, str], what: str) -> None:
        """Raise BadCheckpoint where a rank has other facts than the first."""
        if self.mesh is None:
            return
        told: list[dict[str, str]] = [{} for _ in range(self.count)]
        dist.all_gather_object(told, facts, group=self.saving)
        for rank, other in enumerate(told):
            if strange := [name for name in facts if other.get(name) != told[0].get(name)]:
                raise BadCheckpoint(
                    f"rank {rank} has other {what} than rank 0: {', '.join(strange)}; give all the same"
                )


ALONE = Ranks()


@contextmanager
def together(device: str) -> Iterator[Ranks]:
    """The ranks that torchrun started, for as long as the block runs; ALONE when it did not."""
    if dist.is_initialized():
        yield _ranks(device)
        return
    if not dist.is_torchelastic_launched():
        yield ALONE
        return
    if torch.device(device).type == "cuda":
        torch.cuda.set_device(dist.get_node_local_rank())
        dist.init_process_group("cpu:gloo,cuda:nccl")
    else:
        dist.init_process_group("gloo")
    try:
        yield _ranks(device)
    finally:
        dist.destroy_process_group()


def leave() -> None:
    """End a rank that torchrun started, its work done, without taking the interpreter apart.

    Threads of gloo may outlive their group, and one that asks for the interpreter while it is taken apart
    ends the process by SIGABRT: torchrun then calls a good run failed. Any other process is left as it is.
    """
    if dist.is_torchelastic_launched():
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _ranks(device: str) -> Ranks:
    count = dist.get_world_size()
    if count == 1:
        return ALONE
    mesh = init_device_mesh(torch.device(device).type, (count,))
    return Ranks(dist.get_rank(), count, mesh, dist.new_group(backend="gloo"))


def shard(pupil: Pupil, ranks: Ranks, dtype: torch.dtype) -> None:
    """Spread the fp32 weights of a pupil over the ranks; it computes in `dtype` and adds gradients in fp32.

    Gradients are added up, not averaged: the loss of a step is already a mean over all ranks.
    """
    policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32, cast_forward_inputs=False)
    for parameter in pupil.parameters():
        parameter.data = parameter.data.contiguous()  # experts may be a turned view of their file
    for layer in (*pupil.model.vision.layers, *pupil.model.decoder.layers):
        fully_shard(layer.float(), mesh=ranks.mesh, mp_policy=policy)
    for parameter in pupil.parameters():
        parameter.data = parameter.data.float()
    fully_shard(pupil, mesh=ranks.mesh, mp_policy=policy)
    register_fsdp_forward_method(pupil, "examine")
    for module in pupil.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)  # gloo knows no scaled sum
            module.set_reduce_scatter_unused_params(True)  # a rank may have met no picture
