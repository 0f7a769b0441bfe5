"""What the engine writes greedily after prompts: one loop for every judge."""

from __future__ import annotations

from collections.abc import Sequence

from omma.engine.engine import Engine, Failed
from omma.engine.request import Request, Sampling
from omma.loading import Loaded
from omma.sample import Sample

TOKENS = 32


def greedy(ours: Loaded, samples: Sequence[Sample], stop: Sequence[int]) -> list[list[int]]:
    """Up to TOKENS ids after each of the prompts, all of them answered at once. Raises what ends one."""
    engine = Engine(ours.model)
    wrote = {engine.add(Request(one, Sampling(), frozenset(stop), TOKENS)): list[int]() for one in samples}
    while not engine.idle:
        for step in engine.step():
            if isinstance(step, Failed):
                raise step.error
            wrote[step.ticket].append(step.token)
    return list(wrote.values())
