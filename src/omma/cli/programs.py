"""A person's own program: run as Python runs one; what goes wrong in it is said as theirs, with the line."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from omma.errors import OmmaError


def program(path: Path, called: str, refused: type[OmmaError]) -> ModuleType:
    """Run a person's file: what lies beside it can be imported. Raises `refused` where it does not run.

    `called` says what the file is for; it is part of the module's name.
    """
    spec = importlib.util.spec_from_file_location(f"omma_{called}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise refused(f"{path} cannot be read as a Python program")
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    beside = str(path.resolve().parent)
    sys.path.insert(0, beside)
    try:
        with their_own(str(path), path, refused):
            spec.loader.exec_module(made)
    finally:
        sys.path.remove(beside)
    return made


@contextmanager
def their_own(what: str, path: Path, refused: type[OmmaError]) -> Iterator[None]:
    """Raise `refused` for whatever the program at `path` raises in `what`, with its file and line."""
    try:
        yield
    except (OmmaError, MemoryError):
        raise
    except (Exception, SystemExit) as wrong:
        said = f"{type(wrong).__name__}: {wrong}" if str(wrong) else type(wrong).__name__
        at = "" if isinstance(wrong, SyntaxError) else _at(wrong, path.resolve().parent)
        raise refused(f"{what} does not run: {said}{at}") from None


def _at(wrong: BaseException, folder: Path) -> str:
    """Where it went wrong: the last line of the person's own, though a library may have raised it."""
    lines = traceback.extract_tb(wrong.__traceback__)
    own = [line for line in lines if folder in Path(line.filename).resolve().parents]
    last = [line for line in own or lines if "site-packages" not in line.filename] or lines
    return f" ({Path(last[-1].filename).name} line {last[-1].lineno})"
