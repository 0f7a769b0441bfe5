"""A run's folder is held by one run: two in one folder would take away each other's files."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from omma.errors import BadCheckpoint
from omma.train.shard import ALONE, Ranks

LOCK = ".lock"


@contextmanager
def held(folder: Path, ranks: Ranks = ALONE) -> Iterator[None]:
    """Make the folder and hold it for as long as the block runs; of several ranks the first one holds it.

    The system lets go of it when the process ends, however it ends. A folder that was made for nothing is
    taken away again. Raises BadCheckpoint where it cannot be made, and on every rank where another run holds
    it.
    """
    new = ranks.first and not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise BadCheckpoint(
            f"{folder} cannot be made: {problem.strerror}; name a folder where files can be written"
        ) from None
    # Where nothing can be written no run can go on either: a finished one may still give its report.
    wanted = ranks.first and writable(folder)
    lock = _lock(folder / LOCK) if wanted else None
    try:
        if any(ranks.added([float(wanted and lock is None)])):
            raise BadCheckpoint(f"{folder} is held by another run; wait for its end, or name another folder")
        yield
    finally:
        if lock is not None:
            _let_go(lock, folder, new=new)


def writable(folder: Path) -> bool:
    """Whether files can be written in a folder: the disk and its owner let this process."""
    return os.access(folder, os.W_OK | os.X_OK)


def check_writable(folder: Path) -> None:
    """Raise BadCheckpoint for a folder in which no run can go on."""
    if not writable(folder):
        raise BadCheckpoint(
            f"{folder} cannot be written to: its disk is read-only, or it is another's; make it writable, or "
            "copy it elsewhere and name that folder"
        )


def _lock(path: Path) -> int | None:
    """The file, open and locked; None where another process has it."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        except OSError:
            return file  # a filesystem without locks: then nobody can tell, and the run is not refused for it
        if os.fstat(file).st_nlink:
            return file
        os.close(file)  # who held it took it away just now: lock the next one


def _let_go(lock: int, folder: Path, *, new: bool) -> None:
    """Take the lock's file away while it is still held, and the folder where nothing else came into it."""
    with suppress(OSError):
        (folder / LOCK).unlink()
        if new:
            folder.rmdir()
    os.close(lock)
