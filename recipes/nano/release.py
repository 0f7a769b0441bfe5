"""Puts a trained model into the package as omma-nano, if the committed suites say that it is the better one.

    python -m recipes.nano.release runs/nano/second-answer/model
    python -m recipes.nano.release runs/nano/second-answer/model --only words lines find
    python -m recipes.nano.release --card     # the model card anew, from what make eval measured last
    python -m recipes.nano.release runs/nano/mean --mean runs/nano/one/model runs/nano/other/model

Both models answer every suite, or those that are named. The candidate goes in when its mean over them is
higher (for suites that count wrong letters, the share of right ones), and its model card is written from the
same figures. With `--mean` the candidate is made first, as the mean of the weights of models that came of one
another: where each is better at something, what lies between them is often good at both.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress

import omma
from bench.eval import PROMISES, SUITES, add_row, follow, goal_of
from bench.results import RESULTS, Table
from omma.evals.suites import SuiteScore, evaluate, read_suite
from omma.loading import BUNDLED
from omma.train import checkpoint
from omma.weights.files import write_tensors
from omma.weights.marks import mark, marked

PLACE = BUNDLED["omma-nano"]
HEAD = "marks.safetensors"  # the trainer's own; it stays here, for the school to go on with
CARD = Path(__file__).parent / "card.md"


def scores(model: str, only: Sequence[str]) -> list[SuiteScore]:
    """The model's scores on the committed suites, or on `only` these."""
    responder = omma.load(model)
    told = []
    with Progress(console=Console(stderr=True), transient=True) as bars:
        for path in sorted(SUITES.glob("*.jsonl")):
            if only and path.stem not in only:
                continue
            suite = read_suite(path)
            bar = bars.add_task(f"{model}: {suite.name}", total=len(suite.questions))
            told.append(evaluate(responder, suite, follow(bars, bar)))
    return told


def rightness(score: SuiteScore) -> float:
    """A suite's figure as a share of what is right."""
    return 1 - score.figure.value if score.suite.counts_errors else score.figure.value


def card(rows: Iterable[Mapping[str, Any]]) -> str:
    """The model card with its table of figures; `rows` are those of a table of `bench.eval`."""
    told = ["| suite | % | wanted | of it |", "|---|---|---|---|"]
    for row in rows:
        interval, chance, *_ = row["note"].split("; ")
        told.append(f"| {row['name']} | {row['value']} | {row['goal'] or ''} | {interval}; {chance} |")
    return CARD.read_text(encoding="utf-8").replace("{scores}", "\n".join(told))


def rows_of(told: Iterable[SuiteScore]) -> list[dict[str, Any]]:
    """The scores as `make eval` would write them, but for what peers read and how long it took."""
    table, reached = Table("eval", "release"), {score.suite.name: 100 * score.figure.value for score in told}
    for score in told:
        add_row(table, score, 0.0, goal_of(score.suite.name, reached))
    return [asdict(row) for row in table.rows]


def main() -> int:
    """Compare, and put the candidate in if it is better; 1 if it is not."""
    parser = argparse.ArgumentParser(prog="python -m recipes.nano.release", description=__doc__)
    parser.add_argument("candidate", type=Path, nargs="?", help="a finished model's folder")
    parser.add_argument("--only", nargs="+", default=[], choices=sorted(PROMISES), help="these suites only")
    parser.add_argument("--mean", nargs="+", type=Path, help="make the candidate of these models' weights")
    parser.add_argument("--card", action="store_true", help="write the card from docs/results/eval.json")
    wish = parser.parse_args()
    if wish.card == (wish.candidate is not None):
        parser.error("wanted a model's folder, or --card alone")
    if wish.card:
        rows = json.loads((RESULTS / "eval.json").read_text(encoding="utf-8"))["rows"]
        (PLACE / "README.md").write_text(card(rows), encoding="utf-8")
        return 0
    candidate: Path = wish.candidate
    if wish.mean:
        mean(wish.mean, candidate)
    new = scores(str(candidate), wish.only)
    better = statistics.mean(map(rightness, new))
    print(f"{candidate}: {100 * better:.2f} % right over {len(new)} suites")
    if (PLACE / "config.json").exists():
        old = statistics.mean(map(rightness, scores(str(PLACE), wish.only)))
        print(f"omma-nano: {100 * old:.2f} %")
        if better <= old:
            print("omma-nano stays as it is")
            return 1
    put(candidate)
    (PLACE / "README.md").write_text(card(rows_of(new)), encoding="utf-8")
    print(f"omma-nano is now {candidate}")
    return 0


def mean(models: Sequence[Path], out: Path) -> None:
    """Write the mean of these models' weights, and of their heads beside them, as a model of its own."""
    out.mkdir(parents=True)
    for file in models[0].iterdir():
        if file.suffix != ".safetensors":
            shutil.copy(file, out / file.name)
    for name in ("model.safetensors", HEAD):
        each = [checkpoint.read(model / name) for model in models]
        told = {
            key: torch.stack([one[key].float() for one in each]).mean(0).to(like.dtype)
            for key, like in each[0].items()
        }
        facts = None if name == HEAD else marked({key: mark(tensor) for key, tensor in told.items()})
        write_tensors(told, out / name, facts)


def put(candidate: Path) -> None:
    """Copy the model's folder into the package; the trainer's head stays beside the school."""
    PLACE.mkdir(parents=True, exist_ok=True)
    for file in candidate.iterdir():
        if file.is_file() and file.name != HEAD:
            shutil.copy(file, PLACE / file.name)
            (PLACE / file.name).chmod(0o644)
    if (candidate / HEAD).exists():
        head = {name: tensor.bfloat16() for name, tensor in checkpoint.read(candidate / HEAD).items()}
        checkpoint.write(head, CARD.parent / HEAD)


if __name__ == "__main__":
    raise SystemExit(main())
