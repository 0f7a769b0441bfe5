"""Quality of a model on the committed suites: figure, interval, chance, and what was promised of it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import Progress, TaskID

import omma
from bench.results import ROOT, Table
from bench.tesseract import read_by_tesseract
from omma.evals.sheet import sheet
from omma.evals.suites import MORE, TIMES, SuiteScore, evaluate, read_suite

SUITES = ROOT / "data" / "nano-eval"


class Promise(NamedTuple):
    """What is promised of a suite in per cent: the floor it must hold, if any, and the goal it is to reach.

    The goal of a suite that is to be `like` another is five points from that one's figure.
    """

    title: str
    floor: float | None = None
    goal: float | None = None
    like: str | None = None


NEAR = 5.0  # points between a language and English
LANGUAGES = {"zh": "Chinese", "es": "Spanish", "de": "German", "fr": "French", "ja": "Japanese"}
# Where letters are counted (the titles that say "letters wrong") less is better.
PROMISES: dict[str, Promise] = {
    "scene_questions": Promise("questions about scenes", 70, 92),
    "counting": Promise("counting 1 to 6", 60, 80),
    "relations": Promise("relations", 55, 80),
    "find": Promise("find, overlap of half or more", 40, 85),
    "words": Promise("printed words, letters wrong", 40, 8),
    "lines": Promise("printed lines, letters wrong", 60, 3),
    "widgets": Promise("pointing at widgets", 40, 90),
    "pages": Promise("pages, letters wrong", goal=8),
    "rotated": Promise("turned and bent lines, letters wrong", goal=10),
    "chinese_lines": Promise("Chinese lines, letters wrong", goal=15),
    "tables": Promise("tables as HTML (TEDS)", goal=92),
    "table_questions": Promise("questions about tables"),
    "charts": Promise("questions about charts", goal=87),
    "chart_tables": Promise("charts as JSON, fields"),
    "invoices": Promise("invoices as JSON, fields (F1)", goal=90),
    "receipts": Promise("receipts as JSON, fields (F1)"),
    "forms": Promise("forms as JSON, fields (F1)"),
    "named": Promise("questions about named drawings"),
    "named_find": Promise("find named drawings, overlap of half or more"),
    "sums": Promise("sums over what is seen"),
    "comparisons": Promise("several pictures compared"),
    "references": Promise("turns that follow on others"),
    "browsed": Promise("pictures drawn by a browser"),
    "browsed_lines": Promise("lines drawn by a browser, letters wrong"),
    "clips": Promise("questions about clips", goal=85),
    "clip_times": Promise("when it happened, overlap in time"),
    "clip_order": Promise("in what order it happened"),
    "clip_find": Promise("find at a moment, overlap of half or more"),
    "scenes_en": Promise("scenes asked about in English"),
    **{
        f"scenes_{name}": Promise(f"the same in {language}", like="scenes_en")
        for name, language in LANGUAGES.items()
    },
}


def add_row(
    table: Table,
    score: SuiteScore,
    seconds: float,
    goal: float | None = None,
    peer: tuple[float | None, str] = (None, ""),
) -> None:
    """One suite as one row, in per cent. `goal` is what its promise comes to, `peer` what another reads."""
    suite, (value, low, high) = score.suite, score.figure
    promise = PROMISES.get(suite.name, Promise(suite.name))
    sign = "≤" if suite.counts_errors else "≥"
    told = [
        f"95 %: {100 * low:.1f} to {100 * high:.1f}",
        f"chance {100 * suite.chance:.1f}",
        f"{len(score.records)} questions, {seconds:.0f} s",
        f"answers of {score.longest} tokens at most: {TIMES} times the longest truth and {MORE}",
    ]
    percent = round(100 * value, 2)

    def reached(wanted: float) -> bool:
        return percent <= wanted if suite.counts_errors else percent >= wanted

    wished = [] if promise.floor is None else [f"{sign} {promise.floor:g}"]
    if goal is not None:
        wished.append(f"hoped {sign} {goal:g}")
        told.append("the hoped-for is reached" if reached(goal) else "the hoped-for is not reached")
    else:
        told.append(f"measured against {promise.like}" if promise.like else "nothing was promised")
    told += [peer[1]] if peer[1] else []
    met = None if promise.floor is None else reached(promise.floor)
    shown = None if peer[0] is None else round(100 * peer[0], 2)
    table.row(
        promise.title, percent, "%", goal=", ".join(wished) or None, met=met, peer=shown, note="; ".join(told)
    )


def goal_of(name: str, reached: Mapping[str, float]) -> float | None:
    """What a suite is hoped to reach, in per cent; `reached` are the figures of suites asked before."""
    promise = PROMISES.get(name, Promise(name))
    if promise.like is None:
        return promise.goal
    return None if promise.like not in reached else round(reached[promise.like] - NEAR, 2)


def in_order(paths: Iterable[Path]) -> list[Path]:
    """The suites by name, those last that are compared with others."""
    return sorted(paths, key=lambda path: (PROMISES.get(path.stem, Promise("")).like is not None, path.stem))


def follow(bars: Progress, bar: TaskID) -> Callable[[int, int], None]:
    """What hears how far a suite is and shows it."""
    return lambda done, _: bars.update(bar, completed=done)


def run(name: str, paths: Iterable[Path], table: Table, first: int | None = None) -> list[SuiteScore]:
    """Ask the model every suite, or the `first` questions of each; a row each, with what a peer reads."""
    model = omma.load(name)
    scores: list[SuiteScore] = []
    reached: dict[str, float] = {}
    with Progress(console=Console(stderr=True), transient=True) as bars:
        for path in in_order(paths):
            suite = read_suite(path)
            suite = replace(suite, questions=suite.questions[:first])
            bar = bars.add_task(suite.name, total=len(suite.questions))
            began = time.monotonic()
            score = evaluate(model, suite, follow(bars, bar))
            seconds = time.monotonic() - began
            reached[suite.name] = 100 * score.figure.value
            add_row(table, score, seconds, goal_of(suite.name, reached), read_by_tesseract(suite))
            scores.append(score)
    return scores


def main() -> int:
    """Read the command line, run, print, write docs/results/eval.json; 1 when a promise is not held."""
    parser = argparse.ArgumentParser(prog="python -m bench.eval", description=__doc__)
    parser.add_argument("--model", default="omma-nano", help="a bundled name or a folder")
    parser.add_argument("--suites", type=Path, default=SUITES, help="a folder of .jsonl suites")
    parser.add_argument("--only", nargs="*", default=[], metavar="SUITE", help="these suites only")
    parser.add_argument(
        "--first", type=int, metavar="N", help="only so many questions of each; writes no result"
    )
    parser.add_argument("--sheet", type=Path, help="write the failures to this HTML file, to look at them")
    parser.add_argument("--dry", action="store_true", help="print the table, write no result")
    wish = parser.parse_args()
    if wish.first is not None and wish.first < 1:
        parser.error(f"--first {wish.first}: wanted at least 1 question")
    table = Table("eval", "make eval" if wish.model == "omma-nano" else f"make eval, {wish.model}")
    paths = [path for path in sorted(wish.suites.glob("*.jsonl")) if not wish.only or path.stem in wish.only]
    scores = run(wish.model, paths, table, wish.first)
    for name in PROMISES.keys() - {path.stem for path in paths} if not wish.only else ():
        table.row(PROMISES[name].title, None, "%", met=False, note=f"{wish.suites / name}.jsonl is not there")
    if wish.sheet is not None:
        wish.sheet.write_text(sheet(scores), encoding="utf-8")
    if wish.dry or wish.only or wish.first:
        table.show()
        return table.exit_code
    return table.publish()


if __name__ == "__main__":
    raise SystemExit(main())
