"""The verbs around data: draw pictures that know their truth, with questions and answers beside them."""

from __future__ import annotations

import json as form
from pathlib import Path
from typing import Annotated, Literal

import typer

from omma.cli import options as given
from omma.cli.options import examples
from omma.cli.progress import Steps
from omma.cli.say import say, say_json
from omma.errors import MissingFile, UnknownOption
from omma.sample import Size

TEACH = "Teach"
LINES = "data.jsonl"

data = typer.Typer(
    name="data",
    help="Make data to learn from.",
    rich_markup_mode="rich",
    no_args_is_help=False,
    epilog=examples("omma data make scenes --count 1000 --out runs/data/scenes"),
)


def enrol(app: typer.Typer) -> None:
    """Put this room's verbs on the program."""
    app.add_typer(data, rich_help_panel=TEACH)


@data.command(
    epilog=examples(
        "omma data make scenes --count 1000 --out runs/data/scenes",
        "omma data make words --count 50 --level 1 --size 448x336 --out runs/data/words",
    )
)
def make(
    world: Annotated[
        str, typer.Argument(metavar="WORLD", help="scenes, words or screens.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="A new folder to write into.", show_default=False)
    ],
    count: Annotated[int, typer.Option(help="Pictures to draw.", min=1)] = 100,
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
    json: given.Json = False,
) -> None:
    """Draw pictures and write what can be asked about them.

    data.jsonl holds a conversation a line, in OpenAI's form, with the
    pictures beside it. The same words always make the same files.
    """
    from omma.synth import WORLDS, draw
    from omma.synth.dialogue import json_line

    if world not in WORLDS:
        raise UnknownOption(f"no world is called {world!r}; known: {', '.join(WORLDS)}")
    sides = None if size is None else read_size(size)
    _prepare(out)
    with (
        Steps(f"drawing {world}", count, quiet=json) as shown,
        (out / LINES).open("w", encoding="utf-8") as lines,
    ):
        for number in range(count):
            exercise = draw(world, [seed, number], split=split, level=level, size=sides, maps=False)
            name = f"pictures/{number:06}.png"
            exercise.drawing.picture.save(out / name)
            lines.write(form.dumps(json_line(exercise, name), ensure_ascii=False) + "\n")
            shown.take({"step": number + 1})
    if json:
        say_json({"lines": str(out / LINES), "count": count})
    else:
        say(f"{count} conversations are in {out / LINES}")


def read_size(text: str) -> Size:
    """Sides from "WIDTHxHEIGHT". Raises UnknownOption."""
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()) or not (28 <= int(width) <= 4096 >= int(height) >= 28):
        raise UnknownOption(
            f"--size {text}: wanted WIDTHxHEIGHT such as 448x336, each side from 28 to 4096 pixels"
        )
    return Size(int(width), int(height))


def _prepare(out: Path) -> None:
    """Make the folder. Another run's files are never mixed with this one's."""
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UnknownOption(f"--out {out} is there already and not empty; name a new folder")
        (out / "pictures").mkdir(parents=True)
    except OSError as wrong:
        raise MissingFile(f"--out {out} cannot be made: {wrong.strerror or wrong}") from None
