"""The output of a batch, line by line on the disk: what stands in it is done, whenever the run was ended."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from omma.errors import BadData, Interrupted, MissingFile, unread

BEGINNINGS = (b'{"id": "batch_req_', b'{"custom_id": "')  # of every line that a batch writes


class Ledger:
    """Lines that are only ever added, each on the disk before the next. One process at a time holds it.

    A last line that was torn when a run died is taken off; any other line that is no answer, and an end that
    no line of ours begins like, is an error: the file is someone else's. `done` are the names of the rows
    that have their line, with what it is of.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[str, Mapping[str, Any]] = {}
        self.failed = 0
        self.torn = 0
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
        except OSError as wrong:
            raise MissingFile(f"{path} cannot be written: {(wrong.strerror or '').lower()}") from wrong
        try:
            if not stat.S_ISREG(os.fstat(self._file).st_mode):
                raise MissingFile(f"{path} is no plain file; name one that answers can be added to")
            self._hold()
            self._read()
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def add(self, line: Mapping[str, Any]) -> None:
        """Put a line on the disk. Raises BadData for a row that has its line already."""
        name = line["custom_id"]
        if name in self.done:
            raise BadData(f"{self.path}: {name!r} is answered already")
        self.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
        self._note(line)

    def write(self, raw: bytes) -> None:
        """Append bytes and wait for the disk. Half a line is left only where this process dies in here.

        Raises Interrupted where the disk does not take them; the file is as it was before then.
        """
        left, before = memoryview(raw), os.lseek(self._file, 0, os.SEEK_CUR)
        try:
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)
        except OSError as wrong:
            os.ftruncate(self._file, before)
            os.lseek(self._file, before, os.SEEK_SET)
            raise Interrupted(
                f"{self.path} takes no more: {(wrong.strerror or str(wrong)).lower()}; all that is in it "
                "stays, and the same command goes on when there is room"
            ) from wrong

    def _hold(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadData(
                f"{self.path} is being written by another run; wait for it, or name another"
            ) from None

    def _read(self) -> None:
        """Take in what was done before, and take off what was torn."""
        certain, number = 0, 0
        with open(self._file, "rb", closefd=False) as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    self._check_torn(line, number)
                    self.torn = len(line)
                    break
                self._take(line, number)
                certain += len(line)
        if self.torn:
            os.ftruncate(self._file, certain)
            os.fsync(self._file)
        os.lseek(self._file, certain, os.SEEK_SET)
        self._keep_name()

    def _check_torn(self, line: bytes, number: int) -> None:
        """Nothing is taken off a file that is not ours."""
        if not any(line.startswith(begun) or begun.startswith(line) for begun in BEGINNINGS):
            raise BadData(
                f"{self.path}, line {number} is not the beginning of an answer; name a file that is new, "
                "or one that an earlier run wrote"
            )

    def _take(self, line: bytes, number: int) -> None:
        try:
            told = json.loads(line)
        except (ValueError, RecursionError) as wrong:
            raise self._foreign(number, unread(wrong)) from None
        match told:
            case {"custom_id": str(name), "of": dict()}:
                pass
            case _:
                raise self._foreign(number, "it does not say which row of which input it answers")
        if name in self.done:
            raise BadData(f"{self.path}, line {number}: {name!r} is answered twice; name another file")
        self._note(told)

    def _foreign(self, number: int, why: str) -> BadData:
        return BadData(
            f"{self.path}, line {number} is no answer of a batch: {why}; name a file that is new, or one "
            "that an earlier run wrote"
        )

    def _note(self, line: Mapping[str, Any]) -> None:
        self.done[line["custom_id"]] = line["of"]
        self.failed += line.get("error") is not None

    def _keep_name(self) -> None:
        """Put the file's name on the disk too, where it is new."""
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
