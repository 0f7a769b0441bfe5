"""The verb that measures: put suites of questions to a model and say how many it gets right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omma.cli import options as given
from omma.cli.bring import model as bring_model
from omma.cli.options import DEFAULT_MODEL, examples
from omma.cli.progress import Steps
from omma.cli.say import aside, rows, say, say_json
from omma.cli.target import check_target
from omma.errors import MissingFile

if TYPE_CHECKING:
    from omma.evals.suites import SuiteScore

TEACH = "Teach"
UNANSWERED = 1  # exit code: nothing of a suite could be answered
MOST = 20  # unanswered questions of a suite that are said one by one

Suites = Annotated[
    list[Path],
    typer.Argument(
        metavar="SUITE...",
        help="Files of questions with truths (.jsonl), or folders of them.",
        show_default=False,
    ),
]
Sheet = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.html",
        help="Write the failures with their pictures, to look at. Replaces an earlier sheet, and nothing "
        "else.",
        rich_help_panel=given.OUTPUT,
        show_default=False,
    ),
]


def enrol(app: typer.Typer) -> None:
    """Put this room's verb on the program."""
    app.command(
        name="eval",
        rich_help_panel=TEACH,
        epilog=examples(
            "omma eval data/nano-eval",
            "omma eval data/nano-eval/find.jsonl --model runs/nano/second-answer/model --sheet failures.html",
        ),
    )(evaluate)


def evaluate(
    suites: Suites,
    model: given.ModelName = DEFAULT_MODEL,
    device: given.Device = "auto",
    dtype: given.Dtype = "auto",
    connect: given.Connect = None,
    sheet: Sheet = None,
    json: given.Json = False,
) -> int:
    """Measure a model on suites of questions.

    The figure is the share of right answers, or of letters read wrongly, in
    per cent, with its 95 % interval; chance is what one gets who never looks.
    A question that cannot be answered is said and counts as wrong. Exit code 1
    if nothing of a suite can be.
    """
    from omma.evals.sheet import is_sheet
    from omma.evals.suites import evaluate as put
    from omma.evals.suites import read_suite

    named = files(suites)
    if sheet is not None:
        check_target("--sheet", sheet, named, "a suite", ("a sheet of failures", is_sheet))
    read = [read_suite(path) for path in named]
    responder = bring_model(model, device, dtype, connect)
    scores = []
    for suite in read:
        with Steps(suite.name, len(suite.questions), quiet=json) as shown:
            scores.append(put(responder, suite, shown.count))
        tell_unanswered(scores[-1])
    tell(model if connect is None else getattr(responder, "name", model), scores, json=json)
    if sheet is not None:  # last: the figures are told even where the disk is full
        write_sheet(scores, sheet)
    empty = [score.suite.name for score in scores if len(score.unanswered) == len(score.records)]
    for name in empty:
        aside(f"no question of {name} could be answered: its figure says nothing about the model")
    return UNANSWERED if empty else 0


def write_sheet(scores: Sequence[SuiteScore], path: Path) -> None:
    """Write the failures. Raises MissingFile."""
    from omma.evals.sheet import sheet

    try:
        path.write_text(sheet(scores), encoding="utf-8")
    except OSError as wrong:
        raise MissingFile(f"--sheet {path} cannot be written: {wrong.strerror or wrong}") from None
    aside(f"wrote {path}")


def tell(model: str, scores: Sequence[SuiteScore], *, json: bool) -> None:
    """The figures of all suites, for a person or for a machine."""
    if json:
        say_json({"model": model, "suites": [score_form(score) for score in scores]})
        return
    head = ["suite", "%", "95 %", "chance", "questions", "counted"]
    say(rows([head, *(score_line(score) for score in scores)]))


def tell_unanswered(score: SuiteScore) -> None:
    """Say which questions could not be answered, and why."""
    for number, record in score.unanswered[:MOST]:
        aside(f"{score.suite.name}, question {number}: {record.answer}")
    if (more := len(score.unanswered) - MOST) > 0:
        aside(f"{score.suite.name}: {more} more questions could not be answered")


def files(named: list[Path]) -> list[Path]:
    """The suite files among what was named. Raises MissingFile."""
    found: list[Path] = []
    for path in named:
        inside = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        if not inside:
            raise MissingFile(f"{path} holds no suite; wanted .jsonl files of questions")
        found += inside
    return found


def score_form(score: SuiteScore) -> dict[str, Any]:
    """A suite's figure as JSON has it, as shares from 0 to 1."""
    return {
        "suite": score.suite.name,
        "counts": _counted(score),
        **{name: round(value, 4) for name, value in score.figure._asdict().items()},
        "chance": round(score.suite.chance, 4),
        "questions": len(score.records),
        "unanswered": [
            {"question": number, "picture": str(record.question.picture), "error": str(record.answer)}
            for number, record in score.unanswered
        ],
    }


def score_line(score: SuiteScore) -> list[str]:
    """A suite's figure as a line of a table, in per cent."""
    value, low, high = (f"{100 * share:.1f}" for share in score.figure)
    chance = f"{100 * score.suite.chance:.1f}"
    return [score.suite.name, value, f"{low} – {high}", chance, str(len(score.records)), _counted(score)]


def _counted(score: SuiteScore) -> str:
    return "letters wrong" if score.suite.counts_errors else "right"
