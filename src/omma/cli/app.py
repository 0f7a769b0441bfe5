"""The program ``omma``: its verbs, and the way in for the shell."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from io import UnsupportedOperation
from typing import Annotated

import typer

import omma
from omma.cli import (
    asking,
    batching,
    cleaning,
    converting,
    data,
    doctor,
    examining,
    hubs,
    looking,
    measuring,
    planning,
    rendering,
    serving,
    teaching,
)
from omma.cli.outcome import ending
from omma.cli.pages import keep_pages
from omma.errors import UnknownOption

app = typer.Typer(
    name="omma",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
    help="Ask pictures and videos, teach a model to see, and measure how well it does. "
    "The bundled model omma-nano answers offline.",
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"omma {omma.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


for _room in (
    asking,
    looking,
    serving,
    batching,
    teaching,
    data,
    cleaning,
    rendering,
    examining,
    hubs,
    measuring,
    converting,
    planning,
    doctor,
):
    _room.enrol(app)


def verbs() -> list[str]:
    """The names of all verbs."""
    own = [
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    ]
    groups = [group.typer_instance.info.name for group in app.registered_groups if group.typer_instance]
    return [*own, *(name for name in groups if isinstance(name, str))]


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. `words` are those after ``omma``, by default the shell's.

    The shell's own ``omma train`` starts anew once, in a process that keeps its memory (`omma.cli.pages`).
    """
    if words is None and sys.argv[1:2] == ["train"]:
        # Threads that spin while they wait starve the process that draws: steps take up to ten times as long.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        keep_pages()
    for stream, errors in (
        (sys.stdin, "replace"),
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
    ):
        with suppress(AttributeError, UnsupportedOperation):  # something simpler there, or already read from
            stream.reconfigure(errors=errors)  # type: ignore[union-attr]
    given = list(sys.argv[1:] if words is None else words)
    return ending(partial(_run, given))


def _run(words: list[str]) -> object:
    if words and not words[0].startswith("-") and words[0] not in verbs():
        close = difflib.get_close_matches(words[0], verbs(), n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(verbs())};"
        raise UnknownOption(f"no verb is called {words[0]!r}; {hint} see omma --help")
    return app(words, prog_name="omma", standalone_mode=False)
