"""Keeps a run's log small enough to commit and draws it: losses and held-out figures over the steps.

python recipes/nano/curves.py runs/nano/tell      # adds docs/results/nano/tell.jsonl, redraws nano.png
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

FOLDER = Path("docs/results/nano")
PICTURE = Path("docs/results/nano.png")
LOSSES = ("answers", "fine", "coarse", "kinds", "colours", "places")
STAGES = (
    *("see", "talk", "tell-first", "tell", "spell", "learn", "study", "match", "name", "answer", "widen"),
)
SMOOTH = 7  # points in one of a noisy curve
EVERY = 10  # one line in ten is kept, and every line with a held-out check


def keep(run: Path) -> Path:
    """Copy the log of `run` to the docs, thinned."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = FOLDER / f"{run.name}.jsonl"
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    thin = [line for line in lines if line["step"] % EVERY == 0 or "held_out" in line]
    seconds = 0.0
    for line in lines:
        seconds += line["seconds"]
        line["hours"] = round(seconds / 3600, 4)
    kept.write_text("".join(json.dumps(line) + "\n" for line in thin))
    return kept


def draw(logs: list[Path]) -> None:
    """One row a stage: training losses on the left, held-out shares on the right, over hours of compute."""
    figure, rows = plt.subplots(len(logs), 2, figsize=(13, 4 * len(logs)), squeeze=False)
    for (left, right), log in zip(rows, logs, strict=True):
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        for name in LOSSES:
            _line(left, [(line["hours"], line[name]) for line in lines if name in line], name)
        held_out = [line for line in lines if "held_out" in line]
        names = sorted({name for line in held_out for name in line["held_out"]})
        for name in names:
            if name.startswith("exact/") or name == "marks/kinds_right":
                points = [
                    (line["hours"], line["held_out"][name]) for line in held_out if name in line["held_out"]
                ]
                _line(right, points, name.removeprefix("exact/"))
        left.set(title=f"{log.stem}: loss", xlabel="hours of training", yscale="log")
        right.set(
            title=f"{log.stem}: held out, share right to the letter", xlabel="hours of training", ylim=(0, 1)
        )
        for axes in (left, right):
            axes.grid(alpha=0.3)
            axes.legend(fontsize=7, ncols=2)
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=80)


def _line(axes: Any, points: list[tuple[float, float]], name: str) -> None:
    """One curve; what is noisy is shown as the mean of a few neighbours."""
    if not points:
        return
    near = SMOOTH if len(points) > 3 * SMOOTH else 1
    means = [
        tuple(sum(column) / near for column in zip(*points[at : at + near], strict=True))
        for at in range(len(points) - near + 1)
    ]
    axes.plot(*zip(*means, strict=True), label=name, linewidth=1, marker="." if len(means) < 9 else None)


if __name__ == "__main__":
    for named in sys.argv[1:]:
        print(keep(Path(named)))
    order = {name: place for place, name in enumerate(STAGES)}
    found = sorted(
        FOLDER.glob("*.jsonl"), key=lambda path: (order.get(path.stem.split("-")[0], 9), path.stem)
    )
    draw(found)
    print(PICTURE)
