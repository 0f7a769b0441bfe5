"""Keeps a run's log small enough to commit and draws the school: losses and held-out figures over the hours.

python recipes/nano/curves.py runs/nano/second-see   # keeps docs/results/nano/second-see.jsonl, redraws
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

FOLDER = Path("docs/results/nano")
PICTURE = Path("docs/results/nano.png")
# What the bundled weights went through.
STAGES = (
    *("see", "learn", "first-answer", "first-further", "second-answer", "second-further", "third-answer"),
    *("spell", "first-drill", "fourth-answer", "drill", "answer", "first-again", "second-again"),
    *("third-again", "again"),
)
LOSSES = ("answers", "names", "fine", "coarse", "places")
# What is drawn of a check: its name in the log and in the picture. Of long answers each token counts, short
# ones are right or wrong.
CHECKS = {
    "marks/kinds_right": "kinds of marks",
    "exact/colour": "colour",
    "exact/shape": "shape",
    "exact/count": "count",
    "exact/relation": "relation",
    "exact/place": "place",
    "tokens/read": "read, tokens",
    "tokens/find": "find, tokens",
}
SMOOTH = 7  # points in one of a noisy curve
PAUSE = 8  # times as long as the usual step: then the machine did something else in between
EVERY = 10  # one line in ten is kept, and every line with a held-out check


def keep(run: Path) -> Path:
    """Copy the log of `run` to the docs, thinned."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = FOLDER / f"{run.name}.jsonl"
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    usual = median(line["seconds"] for line in lines)
    seconds, thin = 0.0, []
    for line in lines:
        seconds += line["seconds"] if line["seconds"] < PAUSE * usual else usual
        if line["step"] % EVERY == 0 or "held_out" in line:
            thin.append({**line, "hours": round(seconds / 3600, 4)})
    kept.write_text("".join(json.dumps(line) + "\n" for line in thin))
    return kept


def draw() -> None:
    """Losses above, held-out shares below; the stages follow each other on one axis of hours."""
    figure, (above, below) = plt.subplots(2, 1, figsize=(11, 10), sharex=True)
    past = 0.0
    for stage in STAGES:
        lines = [json.loads(line) for line in (FOLDER / f"second-{stage}.jsonl").read_text().splitlines()]
        for number, name in enumerate(LOSSES):
            curve(above, [(past + line["hours"], line[name]) for line in lines if name in line], number, name)
        checks = [(past + line["hours"], line["held_out"]) for line in lines if "held_out" in line]
        for number, (name, title) in enumerate(CHECKS.items()):
            curve(below, [(hour, check[name]) for hour, check in checks if name in check], number, title)
        end = past + lines[-1]["hours"]
        for axes in (above, below):
            axes.axvspan(past, end, color="grey", alpha=0.1 * (STAGES.index(stage) % 2), linewidth=0)
        name = stage.rpartition("-")[2]
        place = above.get_xaxis_transform()
        above.text((past + end) / 2, 1.01, name, ha="left", fontsize=8, rotation=40, transform=place)
        past = end
    above.set(ylabel="loss in training", yscale="log", xlim=(0, past * 1.01))
    below.set(ylabel="held out: share right", xlabel="hours of training on two cores", ylim=(0, 1.02))
    for axes in (above, below):
        axes.grid(alpha=0.3)
        named = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        axes.legend(
            named.values(), named.keys(), loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False
        )
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=90)


def curve(axes: Any, points: list[tuple[float, float]], colour: int, name: str) -> None:
    """One stage's part of a curve; what is noisy is shown as the mean of a few neighbours."""
    near = SMOOTH if len(points) > 3 * SMOOTH else 1
    means = [
        tuple(sum(column) / near for column in zip(*points[at : at + near], strict=True))
        for at in range(len(points) - near + 1)
    ]
    if means:
        marker = "." if len(means) < 12 else None
        axes.plot(*zip(*means, strict=True), label=name, color=f"C{colour}", linewidth=1.2, marker=marker)


if __name__ == "__main__":
    for named in sys.argv[1:]:
        print(keep(Path(named)))
    draw()
    print(PICTURE)
