"""Records that cannot be used: set aside with a reason, counted and reported; never dropped unsaid."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from omma.corpus.record import Place
from omma.errors import BadData, BadInput, BadMessage, BadPicture, BadVideo, MissingFile, PromptTooLong

LONGEST = 1 << 20  # letters of a report's first line
# What is wrong, in a word or two, where the error does not say it itself.
KINDS: dict[type[BadInput], str] = {
    MissingFile: "missing media",
    BadPicture: "broken picture",
    BadVideo: "broken video",
    BadMessage: "message",
    PromptTooLong: "too long",
}


class Aside(NamedTuple):
    """A record that was set aside: where it stands, what kind of thing is wrong, and the whole sentence."""

    place: Place
    kind: str
    reason: str

    def form(self) -> dict[str, Any]:
        """As a line of a report has it: file, line (or record, or row), key in a shard, kind, reason."""
        place = self.place
        key = {} if place.key is None else {"key": place.key}
        return {"file": place.file, place.unit: place.number, **key, "kind": self.kind, "reason": self.reason}


def aside(place: Place, problem: BadInput) -> Aside:
    """Set a record aside for this problem."""
    kind = problem.kind if isinstance(problem, BadData) else KINDS.get(type(problem), "option")
    return Aside(place, kind, str(problem))


class Report:
    """A file of what was set aside, a JSON object a line. A record is told once, however often it is met.

    The file is made when there is something to tell. An earlier run's lines are kept and counted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._told: set[Place] = set()
        if path.exists():
            kept = [line for line in path.read_text(encoding="utf-8").splitlines() if _place(line)]
            self._told = {place for line in kept if (place := _place(line))}
            self._write("w", kept)

    @property
    def count(self) -> int:
        """Records set aside so far."""
        return len(self._told)

    def take(self, found: Iterable[Aside]) -> int:
        """Tell those that are new; how many that were."""
        new = {entry.place: entry for entry in found if entry.place not in self._told}
        self._told |= set(new)
        if new:
            self._write("a", [json.dumps(entry.form()) for entry in new.values()])
        return len(new)

    def _write(self, mode: str, lines: list[str]) -> None:
        with self.path.open(mode, encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)


def is_report(path: Path) -> bool:
    """Whether a file is a report of ours, or empty: one that may be written anew."""
    try:
        with path.open(encoding="utf-8") as file:
            first = file.readline(LONGEST)
    except (OSError, UnicodeDecodeError):
        return False
    return not first or (_place(first) is not None and {"kind", "reason"} <= json.loads(first).keys())


def _place(line: str) -> Place | None:
    """The place that a report's line tells of; None for a line that a kill cut short."""
    try:
        told = json.loads(line)
        unit = next(name for name in ("line", "row", "record") if name in told)
        return Place(told["file"], told[unit], unit, told.get("key"))
    except (ValueError, KeyError, TypeError, StopIteration):
        return None
