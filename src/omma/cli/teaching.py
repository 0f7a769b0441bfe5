"""The verb that teaches: run a recipe, show how it goes, go on where it stopped."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from omma.cli import options as given
from omma.cli import tuning
from omma.cli.options import examples
from omma.cli.progress import Steps
from omma.cli.say import say, say_json
from omma.errors import BadRecipe, MissingFile, OmmaError

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

    program = _program(path)
    function = getattr(program, stage, None) if stage else None
    if not inspect.isfunction(function):
        said = f"has no stage {stage!r}" if stage else "was named without a stage"
        known = ", ".join(f"{file}:{known}" for known in _stages(program))
        raise BadRecipe(f"{file} {said}; known: {known or 'none: write a function that returns one'}")
    with _their_own(f"{file}:{stage}"):
        made = function()
    if not isinstance(made, Recipe):
        raise BadRecipe(f"{file}:{stage} returns {made!r:.80}; wanted an omma.train.recipe.Recipe")
    made.check()
    return made


@contextmanager
def _their_own(what: str) -> Iterator[None]:
    """What goes wrong in a person's own program is said so, with the line."""
    try:
        yield
    except OmmaError:
        raise
    except (SyntaxError, ImportError, NameError, AttributeError, TypeError, ValueError, LookupError,
            ArithmeticError, OSError, RuntimeError, AssertionError) as wrong:  # fmt: skip
        last = traceback.extract_tb(wrong.__traceback__)[-1]
        at = "" if isinstance(wrong, SyntaxError) else f" ({Path(last.filename).name} line {last.lineno})"
        raise BadRecipe(f"{what} does not run: {type(wrong).__name__}: {wrong}{at}") from None


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


def _program(path: Path) -> ModuleType:
    """Run a recipe file as Python runs a program: what lies beside it can be imported."""
    spec = importlib.util.spec_from_file_location(f"omma_recipe_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise BadRecipe(f"{path} cannot be read as a Python program")
    program = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = program
    beside = str(path.resolve().parent)
    sys.path.insert(0, beside)
    try:
        with _their_own(str(path)):
            spec.loader.exec_module(program)
    finally:
        sys.path.remove(beside)
    return program
