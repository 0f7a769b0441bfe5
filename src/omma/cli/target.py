"""The file that an option names to be written, looked at before any work: nothing else is overwritten."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from omma.errors import BadInput, MissingFile
from omma.prep.sources import check_plain, same_file


def check_target(
    option: str,
    file: Path,
    read: Iterable[str | Path],
    what: str,
    ours: tuple[str, Callable[[Path], bool]] | None = None,
) -> None:
    """Raise MissingFile where the file cannot be written, and BadInput where it would overwrite another.

    `read` are files that the command reads, each `what`, whatever links to them. `ours` is what an earlier
    run wrote, and knows it: that may be written anew, and nothing else; with None anything else may.
    """
    named = f"{option} {file}"
    if not os.path.isdir(file.parent):
        raise MissingFile(f"{named} cannot be written: there is no folder {file.parent}; make it first")
    check_plain(file, named)
    if any(same_file(file, Path(path)) for path in read):
        raise BadInput(f"{named} is {what}, and would be overwritten; name another file")
    if ours is not None and os.path.exists(file) and not ours[1](file):
        raise BadInput(f"{named} holds other things than {ours[0]}; name another file")
