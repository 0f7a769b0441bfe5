"""The whole plan of a model: what it is, what a conversation comes to, what it takes, and what holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch

from omma.plan.machines import Accelerator, Memory, how_many
from omma.plan.parameters import Parameters, blueprint, count
from omma.plan.peak import RESERVE, Lying, Phase, kv_bytes, phases
from omma.plan.showing import Talk, Wish, talk_of
from omma.prep.rules import PictureRules
from omma.spec import ModelSpec

BITS = {"float32": 32, "bfloat16": 16, "float16": 16, "int8": 8, "int4": 4}
RUNS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
PROGRAM = 450_000_000  # bytes of Python and torch themselves, before there is a model


@dataclass(frozen=True)
class Kept:
    """A model on paper or in a folder: its spec, how it looks at pictures, and its files' dtype."""

    spec: ModelSpec
    rules: PictureRules
    dtype: str = "bfloat16"


class Count(NamedTuple):
    """How many of an accelerator hold the model in a precision; None where no number does."""

    accelerator: Accelerator
    number: int | None


class Precision(NamedTuple):
    """What one precision takes, in bytes: the weights' numbers, the peak, and who holds it.

    `peak` is None for a precision that only numbers are kept in, and then nobody is asked.
    """

    name: str
    weights: int
    peak: int | None
    phases: tuple[Phase, ...]
    here: bool | None
    counts: tuple[Count, ...]


class Plan(NamedTuple):
    """A plan. Bytes throughout; `kv` is of one token in bfloat16, `dtype` what the files hold."""

    parameters: Parameters
    talk: Talk
    batch: int
    kv: int
    dtype: str
    machine: Memory
    precisions: tuple[Precision, ...]


def estimate(
    kept: Kept, wish: Wish, accelerators: Sequence[Accelerator], machine: Memory, *, packs: bool
) -> Plan:
    """Plan for a model. `packs` says that this machine's processor lays bfloat16 weights out anew.

    Raises what `talk_of` raises.
    """
    talk = talk_of(wish, kept.rules, context=kept.spec.decoder.context)
    model = blueprint(kept.spec)
    parameters = count(model)
    found = []
    for name, bits in BITS.items():
        weights = parameters.total * bits // 8
        if name not in RUNS:
            found.append(Precision(name, weights, None, (), None, ()))
            continue
        lying = Lying(RUNS[name], mapped=name == kept.dtype, packs=packs and name == "bfloat16")
        here = phases(model, parameters, talk, wish.batch, lying)
        peak = max(phase.total for phase in here) + PROGRAM
        there = phases(model, parameters, talk, wish.batch, replace(lying, accelerator=True))
        counts = tuple(Count(one, _count(one, there)) for one in accelerators)
        found.append(Precision(name, weights, peak, here, peak <= machine.free, counts))
    kv = kv_bytes(model, torch.bfloat16)
    return Plan(parameters, talk, wish.batch, kv, kept.dtype, machine, tuple(found))


def _count(one: Accelerator, there: Sequence[Phase]) -> int | None:
    """The worst of the phases that run on the accelerator; pictures wait in the machine's own memory."""
    counts = [
        how_many(one, divided=phase.weights + phase.remembered, whole=phase.passing + RESERVE)
        for phase in there
        if phase.name != "pictures"
    ]
    known = [count for count in counts if count is not None]
    return max(known) if len(known) == len(counts) else None
