"""The held-out check: losses, and for every task how many answers come out right to the letter.

Under teacher forcing an answer's tokens are all the most likely ones exactly when greedy decoding would write
that very answer, so one forward pass scores every turn of a dialogue.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import torch

from omma.model.vlm import Vlm
from omma.sample import Pack
from omma.train.lesson import Batch
from omma.train.marks import MarksHead
from omma.train.passes import answer_logits, see


@torch.no_grad()
def check(model: Vlm, head: MarksHead | None, batches: Iterable[Batch], *, words: bool) -> dict[str, float]:
    """Figures by name: "marks/…" means, and per task "exact/TASK" and "tokens/TASK", shares in [0, 1]."""
    told: dict[str, list[float]] = defaultdict(list)
    for batch in batches:
        seen = see(model, batch.pack)
        if head is not None and seen is not None and batch.marks is not None:
            for name, value in head(seen, batch.marks)[1].items():
                told[f"marks/{name}"].append(value)
        if words:
            logits_AV, truth_A, _ = answer_logits(model, batch, seen)
            right_A = (logits_AV.argmax(-1) == truth_A).cpu().numpy()
            tasks = [task for lesson in batch.tasks for task in lesson]
            for task, answer in zip(tasks, answers(batch.pack, right_A), strict=True):
                told[f"exact/{task}"].append(float(answer.all()))
                told[f"tokens/{task}"].append(float(answer.mean()))
    return {name: round(float(np.nanmean(values)), 4) for name, values in sorted(told.items())}


def answers(pack: Pack, right_A: np.ndarray) -> list[np.ndarray]:
    """Cut what was said of the weighted tokens into runs: one for each answer, in order."""
    at_A = np.flatnonzero(pack.weights_T)
    return np.split(right_A, np.flatnonzero(np.diff(at_A) > 1) + 1)
