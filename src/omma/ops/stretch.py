"""Positions beyond those a model was trained on: rotary tables whose base and queries grow (facts §3.1)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from omma.ops.rotary import Tables, _frequencies, _tables


class Turns(NamedTuple):
    """The tables that queries and keys are turned by; those of queries may also lengthen them."""

    query: Tables
    key: Tables


def stretched_turns(
    positions_T: Tensor,
    reach_T: Tensor,
    count: int,
    theta: float,
    *,
    trained: int,
    longest: int,
    ntk: bool,
    logn: bool,
) -> Turns:
    """Tables of `count` frequencies for rows at `positions_T` that belong to prompts of `reach_T` tokens.

    With `ntk` the base of a row is ``theta · alpha^(count / (count - 1))``, where alpha is 1 for prompts of
    up to `trained` tokens, 3 up to twice as many, 7 up to four times as many and so on. It goes by the
    prompt, so what is written after it turns as the prompt did. With `logn` the query at 0-based position p
    beyond them is ``log(p + 1) / log(trained)`` times as long. No prompt is over `longest` tokens.
    """
    most = max(math.ceil(math.log2(longest / trained)), 0) if ntk else 0
    doublings_T = torch.log2(reach_T.double().clamp(min=1) / trained)
    step_T = doublings_T.ceil().clamp(0, most).long()
    bases = [stretched_base(theta, count, step) for step in range(most + 1)]
    frequencies = torch.stack([_frequencies(count, base, positions_T.device) for base in bases])
    keys = _tables(positions_T.float()[:, None] * frequencies[step_T])
    if not logn:
        return Turns(keys, keys)
    length_T = (positions_T.double() + 1).clamp(min=trained).log() / math.log(trained)
    length_T11 = length_T.float()[:, None, None]
    return Turns(Tables(keys.cos_T1K * length_T11, keys.sin_T1K * length_T11), keys)


def stretched_base(theta: float, count: int, step: int) -> float:
    """The rotary base after so many doublings of the trained length."""
    alpha = 2.0 ** (step + 1) - 1.0
    return theta * math.pow(alpha, count / (count - 1))
