"""The verbs around data: draw pictures that know their truth, with questions and answers beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from omma.cli import options as given
from omma.cli.options import examples
from omma.cli.progress import Steps
from omma.cli.say import say, say_json
from omma.errors import MissingFile, UnknownOption

if TYPE_CHECKING:
    from omma.sample import Size

TEACH = "Teach"

Out = Annotated[Path, typer.Option(metavar="FOLDER", help="Where to write.", show_default=False)]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what an earlier run wrote there.")]

_KNOWN = "What to draw: scenes, words, screens, named, clips … An unknown name is answered with all of them."
World = Annotated[str, typer.Argument(metavar="WORLD", help=_KNOWN, show_default=False)]

data = typer.Typer(
    name="data",
    help="Make, clean and look through data to learn from.",
    rich_markup_mode="rich",
    no_args_is_help=False,
    epilog=examples(
        "omma data make scenes --count 1000 --out runs/data",
        "omma data suite find --out runs/data/suites",
    ),
)


def enrol(app: typer.Typer) -> None:
    """Put this room's verbs on the program."""
    app.add_typer(data, rich_help_panel=TEACH)


@data.command(
    epilog=examples(
        "omma data make scenes --count 1000 --out runs/data",
        "omma data make words --count 50 --level 1 --size 448x336 --out runs/data",
        "omma data make clips --count 20 --out runs/data",
    )
)
def make(
    world: World,
    out: Out,
    count: Annotated[int, typer.Option(help="Conversations to make.", min=1)] = 100,
    level: Annotated[int, typer.Option(help="0 is easy, 3 is hard.", min=0, max=3)] = 3,
    size: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="Sides in pixels; by default mixed.", show_default=False),
    ] = None,
    split: Annotated[
        Literal["train", "test"],
        typer.Option(help="The test split has fonts and wordings of its own, which training never sees."),
    ] = "train",
    seed: Annotated[int, typer.Option(help="Another seed draws other pictures.")] = 0,
    overwrite: Overwrite = False,
    json: given.Json = False,
) -> None:
    """Draw pictures and write what can be asked about them.

    WORLD.jsonl holds a conversation a line, in OpenAI's form, and WORLD/ the
    pictures. Clips are MP4 films, or animated WebP where PyAV is absent. The
    same words always make the same files.
    """
    from omma.synth.suites import make_data

    sides = None if size is None else read_size(size)
    with writing(out), Steps(f"drawing {world}", count, quiet=json) as shown:
        lines = make_data(
            world,
            count,
            out,
            seed=seed,
            split=split,
            level=level,
            size=sides,
            overwrite=overwrite,
            progress=shown.count,
        )
    _done(lines, count, "conversation", json=json)


@data.command(
    epilog=examples(
        "omma data suite find --out runs/data/suites",
        "omma data suite counting --count 1000 --out runs/data/suites",
    )
)
def suite(
    name: Annotated[str, typer.Argument(metavar="NAME", help="One of omma's suites.", show_default=False)],
    out: Out,
    count: Annotated[int, typer.Option(help="Questions to ask.", min=1)] = 300,
    overwrite: Overwrite = False,
    json: given.Json = False,
) -> None:
    """Write a suite of questions with truths for `omma eval`.

    Everything comes from the test split: fonts, wordings and seeds that
    training never sees. A name that is not known is answered with those that are.
    """
    from omma.synth.suites import make_suite

    with writing(out):
        lines = make_suite(name, count, out, overwrite=overwrite)
    _done(lines, count, "question", json=json)


def read_size(text: str) -> Size:
    """Sides from "WIDTHxHEIGHT". Raises UnknownOption."""
    from omma.sample import Size
    from omma.synth.exercise import NARROWEST, WIDEST

    sides = re.fullmatch(r"([0-9]{2,4})x([0-9]{2,4})", text)
    size = Size(int(sides[1]), int(sides[2])) if sides else None
    if size is None or not NARROWEST <= min(size) <= max(size) <= WIDEST:
        raise UnknownOption(
            f"--size {text}: wanted WIDTHxHEIGHT such as 448x336, each side from {NARROWEST} to {WIDEST} "
            "pixels"
        )
    return size


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """A folder or file that cannot be written is said so."""
    try:
        yield
    except OSError as wrong:
        raise MissingFile(
            f"{out} cannot be written: {wrong.strerror or wrong}; name another folder"
        ) from None


def _done(lines: Path, count: int, what: str, *, json: bool) -> None:
    if json:
        say_json({"lines": str(lines), "count": count})
    else:
        say(f"{count} {what}{'' if count == 1 else 's'} in {lines}")
