"""Quality of a model on the committed suites: figure, interval, chance, and what was promised of it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import Progress, TaskID

import omma
from bench.results import ROOT, Table
from omma.evals.sheet import sheet
from omma.evals.suites import SuiteScore, evaluate, read_suite

SUITES = ROOT / "data" / "nano-eval"


class Promise(NamedTuple):
    """What is promised of a suite in per cent: the floor it must hold, the goal it is to reach."""

    title: str
    floor: float
    goal: float


# Where letters are counted (the titles that say "letters wrong") less is better.
PROMISES: dict[str, Promise] = {
    "scene_questions": Promise("questions about scenes", 70, 88),
    "counting": Promise("counting 1 to 6", 60, 80),
    "relations": Promise("relations", 55, 80),
    "find": Promise("find, overlap of half or more", 40, 75),
    "words": Promise("printed words, letters wrong", 40, 8),
    "lines": Promise("printed lines, letters wrong", 60, 10),
    "widgets": Promise("pointing at widgets", 40, 75),
}


def add_row(table: Table, score: SuiteScore, seconds: float) -> None:
    """One suite as one row, in per cent."""
    suite, (value, low, high) = score.suite, score.figure
    promise = PROMISES.get(suite.name)
    note = (
        f"95 %: {100 * low:.1f} to {100 * high:.1f}; chance {100 * suite.chance:.1f}; "
        f"{len(score.records)} questions, {seconds:.0f} s"
    )
    percent = round(100 * value, 2)
    if promise is None:
        table.row(suite.name, percent, "%", note=f"{note}; nothing was promised")
        return
    sign, held, reached = (
        ("≤", percent <= promise.floor, percent <= promise.goal)
        if suite.counts_errors
        else ("≥", percent >= promise.floor, percent >= promise.goal)
    )
    goal = f"{sign} {promise.floor:g}, hoped {sign} {promise.goal:g}"
    note += "; the hoped-for is reached" if reached else ""
    table.row(promise.title, percent, "%", goal=goal, met=held, note=note)


def _follow(bars: Progress, bar: TaskID) -> Callable[[int, int], None]:
    return lambda done, _: bars.update(bar, completed=done)


def run(name: str, paths: Sequence[Path], table: Table) -> list[SuiteScore]:
    """Ask the model every suite; one row each, and one for every promised suite that is not there."""
    model = omma.load(name)
    scores = []
    with Progress(console=Console(stderr=True), transient=True) as bars:
        for path in paths:
            suite = read_suite(path)
            bar = bars.add_task(suite.name, total=len(suite.questions))
            began = time.monotonic()
            score = evaluate(model, suite, _follow(bars, bar))
            add_row(table, score, time.monotonic() - began)
            scores.append(score)
    return scores


def main() -> int:
    """Read the command line, run, print, write docs/results/eval.json; 1 when a promise is not held."""
    parser = argparse.ArgumentParser(prog="python -m bench.eval", description=__doc__)
    parser.add_argument("--model", default="omma-nano", help="a bundled name or a folder")
    parser.add_argument("--suites", type=Path, default=SUITES, help="a folder of .jsonl suites")
    parser.add_argument("--only", nargs="*", default=[], metavar="SUITE", help="these suites only")
    parser.add_argument("--sheet", type=Path, help="write the failures to this HTML file, to look at them")
    parser.add_argument("--dry", action="store_true", help="print the table, write no result")
    wish = parser.parse_args()
    table = Table("eval", "make eval" if wish.model == "omma-nano" else f"make eval, {wish.model}")
    paths = [path for path in sorted(wish.suites.glob("*.jsonl")) if not wish.only or path.stem in wish.only]
    scores = run(wish.model, paths, table)
    for name in PROMISES.keys() - {path.stem for path in paths} if not wish.only else ():
        table.row(PROMISES[name].title, None, "%", met=False, note=f"{wish.suites / name}.jsonl is not there")
    if wish.sheet is not None:
        wish.sheet.write_text(sheet(scores), encoding="utf-8")
    if wish.dry or wish.only:
        table.show()
        return table.exit_code
    return table.publish()


if __name__ == "__main__":
    raise SystemExit(main())
