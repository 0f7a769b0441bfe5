"""The verb that fetches a model from the hub into the local cache."""

from __future__ import annotations

from typing import Annotated

import typer

from omma.cli import options as given
from omma.cli.options import examples
from omma.cli.progress import Steps
from omma.cli.say import say, say_json

HOUSE = "House"
THOUSANDTHS = 1000  # of the whole: steps of the bar

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME[@REVISION]",
        help="A hub name such as Qwen/Qwen2.5-VL-3B-Instruct, with a branch, tag or commit.",
        show_default=False,
    ),
]
Endpoint = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Another hub of the same kind.", show_default=False),
]


def enrol(app: typer.Typer) -> None:
    """Put this room's verb on the program."""
    app.command(
        rich_help_panel=HOUSE,
        epilog=examples(
            "omma pull Qwen/Qwen2.5-VL-3B-Instruct",
            'omma ask photo.jpg "What is this?" --model Qwen/Qwen2.5-VL-3B-Instruct',
        ),
    )(pull)


def pull(name: Name, endpoint: Endpoint = None, json: given.Json = False) -> None:
    """Fetch a model from the hub into the local cache.

    Weights in safetensors, settings and words come, and no program. What was
    broken off is gone on with, every digest is checked, and afterwards all
    verbs take the name without a network.
    """
    from omma.hub import pull as fetch

    repository, _, revision = name.partition("@")
    with Steps("fetching", THOUSANDTHS, quiet=json) as shown:
        told = fetch(
            repository,
            revision or "main",
            endpoint=endpoint,
            listener=lambda done, total: shown.count(THOUSANDTHS * done // max(total, 1), THOUSANDTHS),
        )
    size = sum(entry.size for entry in told.files)
    if json:
        say_json(
            {
                "model": repository,
                "folder": str(told.folder),
                "commit": told.commit,
                "bytes": size,
                "fetched": told.fetched,
                "files": [entry._asdict() for entry in told.files],
            }
        )
        return
    news = f"{told.fetched / 1e9:.3f} GB fetched" if told.fetched else "nothing was lacking"
    files = f"{len(told.files)} files, {size / 1e9:.3f} GB, every digest right"
    say(f"{repository} at {told.commit[:12]}: {files}; {news}")
    say(f"--model {repository} takes it from {told.folder}")
