"""What fitting a model brought: losses and scores before and after, as JSON and as words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from omma.errors import BadCheckpoint
from omma.evals.figures import Figure
from omma.evals.replies import DRAWS, Row

REPORT = "report.json"


class Carried(NamedTuple):
    """Rank, scale and dropout of an adapter's pairs, and how many layers carry one."""

    rank: int
    alpha: float
    dropout: float
    layers: int


@dataclass(frozen=True)
class Report:
    """The whole story of one fitting. Losses are means over the test's dialogues, with 95 % intervals.

    `pairs` are the numbers of an adapter's; None where the weights themselves learned.
    """

    model: str
    method: str
    learns: tuple[str, ...]
    pairs: Carried | None
    rate: float
    parameters: int
    learned: int
    lessons: int
    checks: int
    tests: int
    aside: int
    steps: int
    planned: int
    best_step: int
    loss_before: Figure
    loss_after: Figure
    scores: tuple[Row, ...]
    folder: str

    def form(self) -> dict[str, Any]:
        """The report as JSON has it."""
        whole = asdict(self)
        loss = {name: _form(whole.pop(f"loss_{name}")) for name in ("before", "after")}
        whole["pairs"] = self.pairs and self.pairs._asdict()
        lists = {"learns": list(self.learns), "scores": [_row(row) for row in self.scores]}
        return whole | lists | {"loss": loss}


def of_losses(losses: NDArray[np.float64]) -> Figure:
    """The mean of dialogues' losses, with a bootstrap's interval."""
    drawn = np.random.default_rng(0).integers(0, len(losses), (DRAWS, len(losses)))
    low, high = np.quantile(losses[drawn].mean(1), (0.025, 0.975))
    return Figure(float(losses.mean()), float(low), float(high))


def write_report(report: Report, fingerprint: str, seconds: float, folder: Path) -> dict[str, Any]:
    """Write the report beside what was learned, with the run's fingerprint and how long it took; its form."""
    form = report.form() | {"seconds": round(seconds, 1), "fingerprint": fingerprint}
    passing = folder / f".writing-{REPORT}"
    passing.write_text(json.dumps(form, indent=1) + "\n", encoding="utf-8")
    passing.replace(folder / REPORT)
    return form


def read_report(folder: Path) -> dict[str, Any] | None:
    """The report of a fitting that has ended; None where there is none. Raises BadCheckpoint."""
    try:
        form: dict[str, Any] = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as problem:
        raise BadCheckpoint(f"{folder / REPORT} cannot be read: {problem}; remove it to go on") from None
    return form


def told(form: dict[str, Any]) -> tuple[str, Sequence[Sequence[str]]]:
    """The report in words, and its table."""
    moved = f"{form['learned']:,} of {form['parameters']:,} parameters learned ({form['method']}"
    if pairs := form.get("pairs"):
        moved += f", {pairs['layers']} pairs of rank {pairs['rank']}, alpha {pairs['alpha']:g}, "
        moved += f"dropout {pairs['dropout']:g}"
    moved += f", {' '.join(form['learns'])}, rate {form['rate']:.2g})"
    data = (
        f"{form['lessons']} dialogues to learn from, {form['checks']} to stop by, {form['tests']} to judge by"
    )
    if form["aside"]:
        data += f"; {form['aside']} set aside"
    ended = f"best after step {form['best_step']}; ended after {form['steps']} of {form['planned']}"
    head = ["", "before", "95 %", "after", "95 %", "blind", ""]
    lines = [head, ["loss", *_cells(form["loss"]["before"], 1), *_cells(form["loss"]["after"], 1), "", ""]]
    for row in form["scores"]:
        name = f"{row['answers']} {row['kind']}: {row['measure']}, %"
        blind = "" if row["blind"] is None else f"{100 * row['blind']:.1f}"
        lines.append([name, *_cells(row["before"], 100), *_cells(row["after"], 100), blind, row["verdict"]])
    return f"{moved}\n{data}\n{ended}", lines


def _cells(figure: dict[str, float], scale: int) -> list[str]:
    places = 1 if scale == 100 else 3
    value, low, high = (f"{scale * figure[name]:.{places}f}" for name in ("value", "low", "high"))
    return [value, f"{low} – {high}"]


def _row(row: Row) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "measure": row.measure.name,
        "less_is_better": row.measure.less,
        "answers": row.answers,
        "before": _form(row.before),
        "after": _form(row.after),
        "change": _form(row.change),
        "blind": row.blind,
        "verdict": row.verdict,
    }


def _form(figure: Sequence[float]) -> dict[str, float]:
    return {name: round(value, 5) for name, value in zip(Figure._fields, figure, strict=True)}
