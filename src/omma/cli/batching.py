"""The verb that answers a file of questions: each row once, however often it is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omma.cli import options as given
from omma.cli.bring import key_of
from omma.cli.bring import model as bring_model
from omma.cli.options import DEFAULT_MODEL, examples
from omma.cli.outcome import LATER
from omma.cli.progress import Steps
from omma.cli.say import aside, say, say_json

if TYPE_CHECKING:
    from omma.scale.batch import Report, Workers

SERVE = "Serve"
FAILED = 1  # exit code: all rows have their line, and some of those are errors

In = Annotated[
    Path,
    typer.Argument(
        metavar="IN.jsonl",
        help="Rows of OpenAI's batch form, or messages with options, one a line.",
        show_default=False,
    ),
]
Out = Annotated[
    Path,
    typer.Argument(
        metavar="OUT.jsonl", help="Where answers are added; a run goes on in its own.", show_default=False
    ),
]
Rows = Annotated[int, typer.Option(help="Rows that are answered side by side.", min=1, max=4096)]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Work on a Ray cluster: its address, or 'local' for one on this machine.",
        show_default=False,
    ),
]
Replicas = Annotated[int, typer.Option(help="Models on the cluster, each in a process.", min=1, max=4096)]


def enrol(app: typer.Typer) -> None:
    """Put this room's verb on the program."""
    app.command(
        rich_help_panel=SERVE,
        epilog=examples(
            "omma batch questions.jsonl answers.jsonl",
            "omma batch in.jsonl out.jsonl --connect http://localhost:8000/v1 --rows 64",
            "omma batch in.jsonl out.jsonl --ray local --replicas 4 --json",
        ),
    )(batch)


def batch(
    source: In,
    out: Out,
    model: given.ModelName = DEFAULT_MODEL,
    device: given.Device = "auto",
    dtype: given.Dtype = "auto",
    connect: given.Connect = None,
    rows: Rows = 32,
    ray: Cluster = None,
    replicas: Replicas = 1,
    json: given.Json = False,
) -> int:
    """Answer every row of a file, each exactly once.

    Answers are added to OUT as they come, with the row's custom_id. A run that
    was stopped or killed goes on by the same command: rows with a line are not
    asked again. A row that cannot be answered, or read, gets a line with its
    error, and then the exit code is 1; it is 75 where rows wait for a server
    to come back. A file without a single row that can be read is refused.

    Rows of messages have their answer as text, and where they bring tools the
    calls, each a name and its arguments, beside the words.
    """
    from omma.scale.batch import Alone, run_batch

    workers: Workers
    if ray is not None:
        cluster = None if ray == "local" else ray
        workers = _on_ray(source, model, device, dtype, connect, cluster, replicas, rows)
    else:
        responder = bring_model(model, device, dtype, connect)
        workers = Alone(responder, getattr(responder, "name", model), rows)
    with Steps("answering", 0, quiet=json) as shown:
        report = run_batch(source, out, workers, shown.count)
    _tell(report, out, json=json)
    return LATER if report.waiting else FAILED if report.failed else 0


def _on_ray(
    source: Path,
    model: str,
    device: str,
    dtype: str,
    connect: str | None,
    cluster: str | None,
    replicas: int,
    rows: int,
) -> Workers:
    """Models on a cluster, or connections from there to a server."""
    from omma.scale.batch_ray import RayAnswering, Source

    where = Source(model, device, dtype)
    if connect is not None:
        there = bring_model(model, device, dtype, connect)
        where = Source(getattr(there, "name", model), connect=connect, key=key_of())
    return RayAnswering(where, source, cluster, replicas, rows)


def _tell(report: Report, out: Path, *, json: bool) -> None:
    if report.torn:
        aside(f"the last line of {out} was torn when a run died; it was taken off and its row asked again")
    if json:
        say_json({"out": str(out), **report.form()})
    else:
        done = report.skipped + report.answered
        say(f"{report.rows:,} rows: {report.answered:,} answered now, {report.skipped:,} before")
        if report.failed:
            say(f"{report.failed:,} lines of {out} are errors")
        aside(f"answers are in {out}") if done else None
    if report.waiting:
        aside(f"{report.waiting:,} rows wait: {report.why}; the same command goes on")
