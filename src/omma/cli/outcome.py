"""How a command ends: an exit code and, when it failed, one sentence on stderr; never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from traceback import print_exc

import typer

from omma.cli.say import sentence
from omma.errors import Busy, Interrupted, NotStarted, OmmaError, OutOfMemory

REFUSED = 2  # what was asked for cannot be done
OUR_MISTAKE = 70
NO_MEMORY = 71
LATER = 75  # as sysexits counts a failure that passes
STOPPED = 130  # as shells count ctrl-C
NOBODY_LISTENS = 141  # as shells count a closed pipe

DEBUG = "OMMA_TRACEBACK"
_CODES: tuple[tuple[type[OmmaError], int], ...] = (
    (OutOfMemory, NO_MEMORY),
    (Busy, LATER),
    (Interrupted, LATER),
    (NotStarted, OUR_MISTAKE),
)


def ending(work: Callable[[], object]) -> int:
    """Do the work; return the exit code. Whatever it raises becomes a code and a sentence."""
    try:
        code = work()
        sys.stdout.flush()
        if code == STOPPED:  # typer makes this of ctrl-C while a verb works, and tells nobody
            return _fail("stopped", STOPPED)
        return code if isinstance(code, int) and not isinstance(code, bool) else 0
    except BrokenPipeError:
        _close_stdout()
        return NOBODY_LISTENS
    except SystemExit as wish:  # typer and rich end so when the pipe they write to was closed
        if isinstance(wish.__context__, BrokenPipeError):
            _close_stdout()
            return NOBODY_LISTENS
        raise
    except KeyboardInterrupt:
        return _fail("stopped", STOPPED)
    except typer.Exit as wish:
        return wish.exit_code
    except typer.Abort:
        return _fail("stopped", STOPPED)
    except typer.TyperException as problem:
        return _fail(_usage(problem), REFUSED)
    except OmmaError as problem:
        codes = (code for kind, code in _CODES if isinstance(problem, kind))
        return _fail(str(problem), next(codes, REFUSED))
    except OSError as problem:  # the system's no, to a file that the command named
        return _fail(f"{problem.filename or 'writing'}: {problem.strerror or problem}", REFUSED)
    except Exception as problem:
        return _unforeseen(problem)


def _unforeseen(problem: Exception) -> int:
    """A package or memory that this machine lacks, or a mistake of ours."""
    if isinstance(problem, ModuleNotFoundError) and not str(problem.name).startswith("omma"):
        return _fail(f"{problem.name} is not installed; omma doctor says what is missing", REFUSED)
    if isinstance(problem, MemoryError) or "allocate memory" in str(problem):  # numpy's and torch's words
        return _fail(
            "this machine has not enough memory for that; take a smaller model or picture", NO_MEMORY
        )
    if os.environ.get(DEBUG):
        print_exc()
    return _fail(
        f"this is a mistake of omma's, not yours: {type(problem).__name__}: {problem} "
        f"(set {DEBUG}=1 to see where, and tell us)",
        OUR_MISTAKE,
    )


def _fail(words: str, code: int) -> int:
    try:
        print(f"omma: {sentence(words)}", file=sys.stderr, flush=True)
    except BrokenPipeError:
        _close_stdout()
    return code


def _usage(problem: typer.TyperException) -> str:
    """What is wrong with the command's words, and where its help is."""
    words = problem.format_message().replace("Value error, ", "").strip().rstrip(".")
    context = getattr(problem, "ctx", None)
    path = context.command_path if context is not None else "omma"
    return f"{words[:1].lower()}{words[1:]}; see {path} --help"


def _close_stdout() -> None:
    """Send what Python still wants to flush at its end where it disturbs nobody."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
