"""The verb that teaches: run a recipe, show how it goes, go on where it stopped."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from omma.cli import options as given
from omma.cli import tuning
from omma.cli.options import examples
from omma.cli.programs import program, their_own
from omma.cli.progress import Steps
from omma.cli.say import say, say_json
from omma.errors import BadRecipe, MissingFile

if TYPE_CHECKING:
    from omma.train.recipe import Recipe

TEACH = "Teach"

RecipeName = Annotated[
    str,
    typer.Argument(
        metavar="FILE.py:STAGE",
        help="A recipe: a function that takes nothing and returns an omma.train.recipe.Recipe.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        help="The run's folder; by default runs/NAME. A run in it goes on where it stopped.",
        metavar="FOLDER",
        show_default=False,
    ),
]
Workers = Annotated[
    int, typer.Option(help="Processes that draw pictures ahead; 0 draws in this one.", min=0, max=256)
]
StopAfter = Annotated[
    float | None,
    typer.Option(
        help="Save and stop after this many minutes; the same command goes on.",
        metavar="MINUTES",
        min=0.0,
        show_default=False,
    ),
]


class RecipeOrVerb(TyperGroup):
    """The first word is a verb of this group, or else all words are those of `recipe`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the verb in front that a recipe's own words leave out."""
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["recipe", *args]
        return super().parse_args(ctx, args)


def enrol(app: typer.Typer) -> None:
    """Put this room's verbs on the program."""
    verbs = typer.Typer(
        name="train",
        cls=RecipeOrVerb,
        help="Train a model: by a recipe (omma train FILE.py:STAGE), or fitted to your own data.",
        rich_markup_mode="rich",
        epilog=examples(
            "omma train recipes/nano/school.py:see --out runs/nano/second-see",
            "omma train tune --data mine.jsonl --out runs/mine",
        ),
    )
    verbs.command(
        name="recipe",
        epilog=examples(
            "omma train recipes/nano/school.py:see --out runs/nano/second-see",
            "omma train recipes/nano/school.py:see --out runs/nano/second-see --stop-after 60",
        ),
    )(train)
    tuning.enrol(verbs)
    app.add_typer(verbs, rich_help_panel=TEACH)


def train(
    recipe: RecipeName,
    out: Out = None,
    device: given.Device = "auto",
    workers: Workers = 1,
    stop_after: StopAfter = None,
    json: given.Json = False,
) -> None:
    """Train a model by a recipe; the word "recipe" may be left out.

    A run can be killed at any moment; the same command goes on exactly.
    """
    wanted = read_recipe(recipe)
    folder = out or Path("runs") / wanted.name
    from omma.loading import device_of
    from omma.train.loop import train as run
    from omma.train.shard import leave

    silent = json or os.environ.get("RANK", "0") != "0"  # of several ranks, one speaks
    with Steps(wanted.name, wanted.steps, quiet=silent) as shown:
        model = run(
            wanted,
            folder,
            device=str(device_of(device)),
            workers=workers,
            tell=say_json if json else shown.take,
            stop_after=None if stop_after is None else stop_after * 60,
        )
    if not silent:
        say(f"the model is in {model}" if model else f"saved in {folder}; the same command goes on")
    leave()


def read_recipe(name: str) -> Recipe:
    """The recipe a command names. Raises MissingFile and BadRecipe."""
    file, _, stage = name.partition(":")
    path = Path(file)
    if not path.is_file():
        raise MissingFile(f"{file}: no such file; wanted a recipe as FILE.py:STAGE")
    if path.suffix != ".py":
        raise BadRecipe(f"{file} is not a Python file; wanted a recipe as FILE.py:STAGE")
    from omma.train.recipe import Recipe

    made = program(path, "recipe", BadRecipe)
    function = getattr(made, stage, None) if stage else None
    if not inspect.isfunction(function):
        said = f"has no stage {stage!r}" if stage else "was named without a stage"
        known = ", ".join(f"{file}:{known}" for known in _stages(made))
        raise BadRecipe(f"{file} {said}; known: {known or 'none: write a function that returns one'}")
    with their_own(f"{file}:{stage}", path, BadRecipe):
        recipe = function()
    if not isinstance(recipe, Recipe):
        raise BadRecipe(f"{file}:{stage} returns {recipe!r:.80}; wanted an omma.train.recipe.Recipe")
    recipe.check()
    return recipe


def _stages(program: ModuleType) -> dict[str, Callable[[], Recipe]]:
    """The program's own functions that take nothing and return a Recipe, or do not say what they return."""
    return {
        name: function
        for name, function in inspect.getmembers(program, inspect.isfunction)
        if function.__module__ == program.__name__
        and not name.startswith("_")
        and not inspect.signature(function).parameters
        and _returns(function) in ("Recipe", None)
    }


def _returns(function: Callable[..., object]) -> str | None:
    """The name of what a function says that it returns; None where it does not say."""
    said = inspect.signature(function).return_annotation
    return None if said is inspect.Signature.empty else str(said).split(".")[-1].strip("'>")
