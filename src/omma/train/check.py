"""The held-out check: losses, and for every task how many answers come out right to the letter.

Under teacher forcing an answer's tokens are all the most likely ones exactly when greedy decoding would write
that very answer, so one forward pass scores every turn of a dialogue.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import torch

from omma.sample import Pack
from omma.train.lesson import Batch
from omma.train.passes import Pupil


@torch.no_grad()
def check(pupil: Pupil, batches: Iterable[Batch], *, words: bool) -> dict[str, float]:
    """Figures by name: "marks/…" means, and per task "exact/TASK" and "tokens/TASK", shares in [0, 1]."""
    told: dict[str, list[float]] = defaultdict(list)
    for batch in batches:
        right_A, pieces = pupil.examine(batch, words=words)
        for name, value in pieces.items():
            told[f"marks/{name}"].append(value)
        if right_A is not None:
            tasks = [task for lesson in batch.tasks for task in lesson]
            for task, answer in zip(tasks, answers(batch.pack, right_A.cpu().numpy()), strict=True):
                told[f"exact/{task}"].append(float(answer.all()))
                told[f"tokens/{task}"].append(float(answer.mean()))
    return {name: round(float(np.nanmean(values)), 4) for name, values in sorted(told.items())}


def answers(pack: Pack, right_A: np.ndarray) -> list[np.ndarray]:
    """Cut what was said of the weighted tokens into runs: one for each answer, in order."""
    at_A = np.flatnonzero(pack.weights_T)
    return np.split(right_A, np.flatnonzero(np.diff(at_A) > 1) + 1)
