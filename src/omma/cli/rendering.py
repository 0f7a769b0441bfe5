"""The verb that makes data of HTML pages: a browser without a network shows them, and tells what is where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from omma.cli import options as given
from omma.cli.data import Overwrite, data, read_size, writing
from omma.cli.options import examples
from omma.cli.progress import Steps
from omma.cli.say import say, say_json
from omma.errors import BadInput

if TYPE_CHECKING:
    from omma.synth.rendered import Harvest

Sources = Annotated[
    list[Path],
    typer.Argument(metavar="SOURCE", help="HTML files, or folders that hold some.", show_default=False),
]
Out = Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write to.", show_default=False)]
Program = Annotated[
    Path | None,
    typer.Option(
        "--browser", metavar="FILE", help="Chromium or Chrome; by default searched for.", show_default=False
    ),
]
Shots = Annotated[int, typer.Option(help="Windows of each page, at most.", min=1, max=100)]
Window = Annotated[
    str | None,
    typer.Option(metavar="WxH", help="The window in pixels; by default mixed.", show_default=False),
]
Split = Annotated[Literal["train", "test"], typer.Option(help="The test split has wordings of its own.")]
Seed = Annotated[int, typer.Option(help="Another seed looks elsewhere.")]
TOLD = 5  # pages that gave nothing are named one by one up to so many


def enrol(app: typer.Typer) -> None:
    """Put the verb into the group `data`, which stands on the program already."""
    data.command(
        epilog=examples(
            "omma data pages /usr/share/doc runs/data",
            "omma data pages index.html help.html runs/data --shots 4 --size 640x480",
        )
    )(pages)


def pages(
    sources: Sources,
    out: Out,
    shots: Shots = 2,
    size: Window = None,
    split: Split = "train",
    seed: Seed = 0,
    browser: Program = None,
    overwrite: Overwrite = False,
    json: given.Json = False,
) -> None:
    """Show HTML pages in a browser and write what can be asked about them.

    OUT/web.jsonl holds a conversation a line, OUT/web/ the pictures. Text and
    what can be clicked come from the page itself, to the pixel. No network is
    asked, no script runs, a page sees the files of its own folder alone. Exit
    code 2 if no page gave anything.
    """
    from omma.synth.browser import find_browser
    from omma.synth.rendered import pages_of, render_pages

    sides = None if size is None else read_size(size)
    program, count = find_browser(browser), len(pages_of(sources))
    with writing(out), Steps("showing pages", count, quiet=json) as shown:
        harvest = render_pages(
            sources,
            out,
            program,
            shots=shots,
            seed=seed,
            split=split,
            size=sides,
            overwrite=overwrite,
            progress=shown.count,
        )
    _tell(harvest, json=json)
    if not harvest.count:
        raise BadInput(f"nothing was written: none of the {count} pages gave anything to ask about")


def _tell(harvest: Harvest, *, json: bool) -> None:
    """What was written, and what gave nothing."""
    skipped = [{"page": str(page), "reason": reason} for page, reason in harvest.skipped]
    if json:
        say_json({"lines": str(harvest.lines), "count": harvest.count, "skipped": skipped})
        return
    say(f"{harvest.count} conversation{'' if harvest.count == 1 else 's'} in {harvest.lines}")
    for entry in skipped[:TOLD]:
        say(f"nothing from {entry['page']}: {entry['reason']}")
    if len(skipped) > TOLD:
        say(f"nothing from {len(skipped) - TOLD} further pages; --json names them all")
