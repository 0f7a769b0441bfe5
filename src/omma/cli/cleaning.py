"""The verb that cleans pairs from the web: rules, copies, evaluation sets, a table of what each one did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from omma.cli import options as given
from omma.cli.data import Overwrite, data
from omma.cli.options import examples
from omma.cli.programs import program, their_own
from omma.cli.progress import Steps
from omma.cli.say import aside, rows, say, say_json
from omma.errors import BadInput, MissingFile, UnknownOption

if TYPE_CHECKING:
    from omma.corpus.clean import Rule
    from omma.corpus.clean_report import Report
    from omma.corpus.clean_workers import Workers
    from omma.corpus.near_suites import HeldOut

In = Annotated[
    str,
    typer.Argument(
        metavar="IN",
        help="Pairs: a data file, a folder of them, or a pattern such as 'part-{000..012}.tar'.",
        show_default=False,
    ),
]
Out = Annotated[
    Path, typer.Argument(metavar="OUT", help="A folder, new or empty, to write to.", show_default=False)
]
RulesName = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="web, academic, grounded or pages; or FILE.py:NAME, a function of your own that returns rules.",
    ),
]
NearBy = Annotated[
    Literal["both", "picture", "text", "either", "off"],
    typer.Option(help="What must be near for two pairs to be copies, of which one is kept."),
]
Against = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="SUITE",
        help="An evaluation set, or a folder of them or of pictures: what is near goes. May be given again.",
        show_default=False,
    ),
]
WorkerCount = Annotated[
    int | None,
    typer.Option(help="Processes that work; by default one a core.", min=1, max=1024, show_default=False),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Work on a Ray cluster: its address, or 'local' for one on this machine.",
        show_default=False,
    ),
]


def enrol(app: typer.Typer) -> None:
    """Put the verb into the group `data`, which stands on the program already."""
    data.command(
        epilog=examples(
            "omma data clean pairs.jsonl cleaned",
            "omma data clean 'shards/part-{000..012}.tar' cleaned --workers 8",
            "omma data clean cc12m.jsonl cleaned --rules academic --near off",
            "omma data clean pairs.jsonl cleaned --against data/nano-eval",
            "omma data clean laion.parquet cleaned --rules examples/likeness.py:rules",
        )
    )(clean)


def clean(
    source: In,
    out: Out,
    rules: RulesName = "web",
    near: NearBy = "both",
    against: Against = None,
    workers: WorkerCount = None,
    ray: Cluster = None,
    overwrite: Overwrite = False,
    json: given.Json = False,
) -> None:
    """Clean pairs of pictures and texts by the rules of the first generation's paper.

    OUT/pairs.jsonl are those that are kept, dropped.jsonl the others with rule
    and reason, changed.jsonl what was rewritten, report.json the table. Pictures
    stay where they are. A run can be stopped; the same command goes on.
    """
    from omma.corpus.clean_pairs import count_pairs, read_pairs
    from omma.corpus.clean_run import Plan, clean_corpus
    from omma.corpus.near_groups import Near
    from omma.corpus.near_suites import held_out

    _check_apart(source, out)
    line_up = LineUp(rules, held_out(against, aside) if against else None)
    line_up()  # refuse before anything is read
    plan = Plan(line_up, None if near == "off" else Near(near))
    total = count_pairs(source)
    with _going_on(out), Steps("cleaning", total, quiet=json) as shown:
        report = clean_corpus(
            read_pairs(source),
            out,
            plan,
            _workers(workers, ray, total, plan.shard),
            overwrite=overwrite,
            progress=lambda done: shown.count(done, total),
        )
    _tell(report, out, json=json)


@contextmanager
def _going_on(out: Path) -> Iterator[None]:
    """A stop is said to be none for good."""
    try:
        yield
    except KeyboardInterrupt:
        aside(f"stopped; what is done lies in {out}, and the same command goes on")
        raise


def _tell(report: Report, out: Path, *, json: bool) -> None:
    if json:
        say_json({"out": str(out), **report.form()})
    else:
        say(rows(report.table()))
        say(f"{report.kept:,} of {report.pairs:,} pairs are in {out / 'pairs.jsonl'}")


def _workers(count: int | None, ray: str | None, total: int, shard: int) -> Workers:
    """Who does the work. More processes than shards would only wait."""
    from omma.corpus.clean_workers import Alone, Processes, cores

    if ray is not None:
        from omma.scale.clean_ray import RayWorkers

        return RayWorkers(None if ray == "local" else ray)
    wanted = min(cores() if count is None else count, -(-total // shard))
    return Processes(wanted) if wanted > 1 else Alone()


def _check_apart(source: str, out: Path) -> None:
    """Raise BadInput when the data, or a file of it, lies in the very folder that is written."""
    from omma.corpus.reading import files_of

    for path in (Path(source), *files_of(source)):
        inside = path.resolve()
        if out.resolve() in (inside, *inside.parents):
            raise BadInput(f"{path} lies in {out}, which is written to; name a folder beside it")


@dataclass(frozen=True)
class LineUp:
    """The rules a command names. Each worker makes them for itself, and reads a person's own file there."""

    name: str
    held: HeldOut | None = None

    def __call__(self) -> tuple[Rule, ...]:
        """Rules in their order, those against evaluation sets last. Raises MissingFile, UnknownOption."""
        from omma.corpus.clean import Rule
        from omma.corpus.clean_rules import LINE_UPS

        if self.name in LINE_UPS:
            rules = LINE_UPS[self.name]()
        else:
            made = _own(self.name, list(LINE_UPS))
            if not isinstance(made, (tuple, list)) or not all(isinstance(rule, Rule) for rule in made):
                raise UnknownOption(f"--rules {self.name} returns {made!r:.80}; wanted a list of rules")
            rules = tuple(made)
        return rules if self.held is None else (*rules, self.held)


def _own(name: str, known: list[str]) -> object:
    """What a function in a person's own file returns."""
    file, _, function = name.rpartition(":")
    path = Path(file)
    if path.suffix != ".py" or not function:
        raise UnknownOption(f"--rules {name}: wanted {', '.join(known)}, or FILE.py:NAME")
    if not path.is_file():
        raise MissingFile(f"--rules {name}: there is no file {file}")
    make = getattr(program(path, "rules", UnknownOption), function, None)
    if not callable(make):
        raise UnknownOption(f"--rules {name}: {file} has no function {function}")
    with their_own(f"--rules {name}", path, UnknownOption):
        made: object = make()
    return made
