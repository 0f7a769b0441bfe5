"""Puts a trained model into the package as omma-nano, if the committed suites say that it is the better one.

    python -m recipes.nano.release runs/nano/second-answer/model
    python -m recipes.nano.release runs/nano/second-answer/model --only words lines find

Both models answer every suite, or those that are named. The candidate goes in when its mean over them is
higher (for suites that count wrong letters, the share of right ones), and its model card is written from the
same figures.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

import omma
from bench.eval import PROMISES, SUITES, follow, goal_of
from omma.evals.suites import SuiteScore, evaluate, read_suite
from omma.loading import BUNDLED
from omma.train import checkpoint

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


def card(told: list[SuiteScore]) -> str:
    """The model card with its table of figures."""
    reached = {score.suite.name: 100 * score.figure.value for score in told}
    rows = ["| suite | % | 95 % | chance | floor | goal |", "|---|---|---|---|---|---|"]
    for score in told:
        value, low, high = (f"{100 * share:.1f}" for share in score.figure)
        promise, sign = PROMISES[score.suite.name], "≤" if score.suite.counts_errors else "≥"
        limits = (
            "" if limit is None else f"{sign} {limit:g}"
            for limit in (promise.floor, goal_of(score.suite.name, reached))
        )
        rows.append(
            f"| {promise.title} | {value} | {low} to {high} | {100 * score.suite.chance:.1f} "
            f"| {' | '.join(limits)} |"
        )
    return CARD.read_text(encoding="utf-8").replace("{scores}", "\n".join(rows))


def main() -> int:
    """Compare, and put the candidate in if it is better; 1 if it is not."""
    parser = argparse.ArgumentParser(prog="python -m recipes.nano.release", description=__doc__)
    parser.add_argument("candidate", type=Path, help="a finished model's folder")
    parser.add_argument("--only", nargs="+", default=[], choices=sorted(PROMISES), help="these suites only")
    wish = parser.parse_args()
    candidate: Path = wish.candidate
    new = scores(str(candidate), wish.only)
    better = statistics.mean(map(rightness, new))
    print(f"{candidate}: {100 * better:.2f} % right over {len(new)} suites")
    if (PLACE / "config.json").exists():
        old = statistics.mean(map(rightness, scores(str(PLACE), wish.only)))
        print(f"omma-nano: {100 * old:.2f} %")
        if better <= old:
            print("omma-nano stays as it is")
            return 1
    PLACE.mkdir(parents=True, exist_ok=True)
    for file in candidate.iterdir():
        if file.is_file() and file.name != HEAD:
            shutil.copy(file, PLACE / file.name)
            (PLACE / file.name).chmod(0o644)
    if (candidate / HEAD).exists():
        head = {name: tensor.bfloat16() for name, tensor in checkpoint.read(candidate / HEAD).items()}
        checkpoint.write(head, CARD.parent / HEAD)
    (PLACE / "README.md").write_text(card(new), encoding="utf-8")
    print(f"omma-nano is now {candidate}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
