"""The verb that looks through a data file before anyone trains on it: what it holds, what cannot be used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omma.cli import options as given
from omma.cli.data import data
from omma.cli.options import DEFAULT_MODEL, examples
from omma.cli.progress import Steps
from omma.cli.say import aside, rows, say, say_json
from omma.cli.target import check_target
from omma.errors import BadData, BadInput, MissingFile

if TYPE_CHECKING:
    from omma.corpus.aside import Aside
    from omma.corpus.spread import Spread
    from omma.corpus.survey import Survey
    from omma.prep.processor import Processor

WIDE = 40  # blocks of the longest bar
EIGHTHS = " ▏▎▍▌▋▊▉"

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="JSON Lines, a JSON list, a WebDataset shard (also as .gz) or a parquet table; a folder of "
        "shards, or a pattern such as part-{000..012}.tar.",
        show_default=False,
    ),
]
Form = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="How its records are written: native, llava, qwen or captions; by default told by looking.",
        show_default=False,
    ),
]
Media = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Where pictures of relative paths are; by default beside the data.",
        show_default=False,
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.jsonl",
        help="Write every record that is set aside, with its reason, a line each. Replaces an earlier "
        "report, and nothing else.",
        rich_help_panel=given.OUTPUT,
        show_default=False,
    ),
]


def enrol(app: typer.Typer) -> None:
    """Put this room's verb beside the others on data."""
    data.command(
        name="doctor",
        epilog=examples(
            "omma data doctor train.jsonl",
            "omma data doctor llava.json --media coco --report set-aside.jsonl",
        ),
    )(doctor)


def doctor(
    file: File,
    model: given.ModelName = DEFAULT_MODEL,
    form: Form = None,
    media: Media = None,
    report: Report = None,
    json: given.Json = False,
) -> None:
    """Look through data before training on it.

    Every picture is opened. Says what the records hold, how long they are for
    the model, which are repeated, and which cannot be used and why. Exit code 2
    if it is no data file, or if nothing in it can be used.
    """
    from omma.corpus.reading import Corpus
    from omma.corpus.survey import survey

    if media is not None and not media.is_dir():
        raise MissingFile(f"--media {media}: there is no such folder")
    corpus = Corpus(file, form, media)
    if report is not None:
        _check_report(report, file, [container.path for container in corpus.files])
    processor = processor_of(model)
    with ExitStack() as stack:
        tell = None if report is None else _writer(report, stack)
        whole = sum(container.extent for container in corpus.files)
        shown = stack.enter_context(Steps(f"looking through {Path(file).name}", whole, quiet=json))
        told = survey(corpus, processor, tell, shown.count)
    if json:
        say_json({"model": model, **told.form()})
    else:
        say(page(told, model))
    if not told.usable:
        first = next((found for examples in told.examples.values() for found in examples), None)
        raise BadData(
            f"{file} has no record that can be used{f'; {first.place}: {first.reason}' if first else ''}"
        )


def processor_of(model: str) -> Processor:
    """The model's processor alone: no weights are read."""
    from omma.loading import resolve
    from omma.prep.processor import Processor
    from omma.weights.config import read_spec

    folder = resolve(model)
    return Processor.from_folder(folder, read_spec(folder))


def _check_report(report: Path, source: str, read: Sequence[Path]) -> None:
    """Raise BadInput where writing the report would overwrite what is no report, or become data itself."""
    from omma.corpus.aside import is_report
    from omma.corpus.reading import is_data

    check_target("--report", report, read, "read as data", ("a report", is_report))
    inside = Path(source).is_dir() and Path(source).resolve() in report.resolve().parents
    if inside and is_data(report):
        raise BadInput(
            f"--report {report} lies in {source}, and would be read as data the next time; name a file "
            "outside it"
        )


def _writer(report: Path, stack: ExitStack) -> Callable[..., object]:
    """Writes what is set aside into the file, anew."""
    from omma.corpus.aside import Report as Told

    try:
        report.write_text("", encoding="utf-8")
    except OSError as wrong:
        raise MissingFile(f"--report {report} cannot be written: {wrong.strerror or wrong}") from None
    told = Told(report)
    stack.callback(lambda: aside(f"wrote {report}"))

    def tell(found: Aside) -> None:
        told.take([found])

    return tell


def page(told: Survey, model: str) -> str:
    """The survey as a person reads it."""
    bad = told.records - told.usable
    files = f", {len(told.corpus.files)} files" if len(told.corpus.files) > 1 else ""
    parts = [
        f"{told.corpus.name}: {told.corpus.what}{files}",
        f"{told.records:,} records, {told.usable:,} of them usable by {model}, {bad:,} set aside",
        "",
        rows(_facts(told)),
    ]
    context = told.processor.spec.decoder.context
    if len(told.tokens):
        parts += ["", f"tokens in a record (the model holds {context:,})", *bars(told.tokens)]
    if len(told.visual.bars()) > 1:
        parts += ["", "of these from pictures and videos", *bars(told.visual)]
    if bad:
        parts += ["", "set aside"]
    for kind, count in told.kinds.most_common():
        parts.append(f"  {kind}: {count:,}")
        parts += [f"    {_sentence(found)}" for found in told.examples[kind]]
    return "\n".join(parts)


def _sentence(found: Aside) -> str:
    """Where a record stands and what is wrong with it; the place once, where the reason begins with it."""
    place = str(found.place)
    return found.reason if found.reason.startswith(place) else f"{place}: {found.reason}"


def _facts(told: Survey) -> list[tuple[str, str]]:
    """One line each of what the records hold."""
    facts = [
        ("roles", ", ".join(f"{role} {count:,}" for role, count in told.roles.most_common()) or "none"),
        ("turns", _range(told.turns, "a record")),
        ("answers", f"{told.answers:,}, {told.learned.total:,} tokens to learn from"),
        ("tokens", f"{told.whole:,} in all, {_range(told.tokens, 'a record')}"),
    ]
    if len(told.pixels):
        common = ", ".join(
            f"{size.width}×{size.height} ({count:,})" for size, count in told.sizes.most_common(3)
        )
        facts += [
            ("pictures", f"{len(told.pixels):,}, {_range(told.pixels, 'pixels each')}"),
            ("sizes", f"most often {common}"),
            ("for this model", f"{told.shrunk:,} are made smaller, {told.grown:,} larger"),
        ]
    if told.videos:
        facts.append(("videos", f"{told.videos:,} shown"))
    if told.media.seen:
        each = ", ".join(f"{number} in {count:,}" for number, count in sorted(told.shown.items())[:6])
        facts += [
            ("media a record", each),
            ("visual tokens", f"{told.seen:,} in all, {_range(told.visual, 'a record')}"),
            ("same media", f"{told.media.different:,} different ones are shown {told.media.seen:,} times; "
             f"{told.media.copies:,} are copies of another file"),
        ]  # fmt: skip
    if told.boxed:
        facts.append(("boxes", f"in {told.boxed:,} records, written for this model"))
    repeated = "".join(f"; {again} is {first}" for first, again in told.places(told.sayings.pairs(2)))
    facts.append(("same records", f"{told.repeats:,} repeat another{repeated}"))
    if told.unread:
        unread = ", ".join(f"{name} ({count:,})" for name, count in told.unread.most_common(6))
        facts.append(("fields nobody reads", unread))
    return facts


def _range(spread: Spread, what: str) -> str:
    if not len(spread):
        return "none"
    least, middle, most = (f"{spread.at(share):,}" for share in (0.0, 0.5, 1.0))
    return f"{most} {what}" if least == most else f"{least} to {most} {what}, {middle} in the middle"


def bars(spread: Spread) -> list[str]:
    """A picture of how many lie where, in a terminal's letters."""
    told = spread.bars()
    most = max(bar.holds for bar in told)
    ends = [(f"{bar.low:,}", f"{bar.high - 1:,}", f"{bar.holds:,}") for bar in told]
    low, high, _ = (max(map(len, column)) for column in zip(*ends, strict=True))
    return [
        f"  {first:>{low}} – {last:>{high}}  {_blocks(bar.holds / most)} {count}".rstrip()
        for bar, (first, last, count) in zip(told, ends, strict=True)
    ]


def _blocks(share: float) -> str:
    """A bar of this share of the width; never nothing for something."""
    if "utf" not in (getattr(sys.stdout, "encoding", None) or "").lower():
        return "#" * (max(1, round(share * WIDE)) if share else 0)
    eighths = max(1, round(share * WIDE * 8)) if share else 0
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
