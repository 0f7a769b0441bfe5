"""A recipe by name: a function without arguments in a Python file, as in ``recipes/nano/school.py:see``."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path

from omma.errors import BadRecipe, MissingFile
from omma.train.recipe import Recipe


def recipe_from(name: str) -> Recipe:
    """Call the recipe function `name` ("FILE.py:FUNCTION") and check what comes back.

    The file is a program of the user's own and is run. Raises MissingFile and BadRecipe.
    """
    file, _, function = name.partition(":")
    path = Path(file)
    if not path.is_file():
        raise MissingFile(f"no recipe file {file}; wanted FILE.py:FUNCTION, as recipes/nano/school.py:see")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise BadRecipe(f"{file} is not a Python file; wanted FILE.py:FUNCTION")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    known = [
        n
        for n, f in vars(module).items()
        if inspect.isfunction(f) and f.__annotations__.get("return") in ("Recipe", Recipe)
    ]
    if function not in known:
        raise BadRecipe(f"{file} has no recipe {function!r}; it has {', '.join(known) or 'none'}")
    recipe = getattr(module, function)()
    if not isinstance(recipe, Recipe):
        raise BadRecipe(f"{name} gives {type(recipe).__name__}; wanted an omma.train.recipe.Recipe")
    recipe.check()
    return recipe
