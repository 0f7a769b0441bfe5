"""One reader for every form: files are opened, their form is told, and each record becomes a conversation."""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from collections.abc import Iterator
from glob import glob, has_magic
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from omma.corpus.container import Container
from omma.corpus.forms import NAMES, form_of, open_container, reader, recognise
from omma.corpus.media import KEYS
from omma.corpus.record import Loose, Raw, Record
from omma.errors import BadData, BadInput, MissingFile

LOOKED_AT = 64  # records that a form is told by
BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")
MOST_NUMBERS = 1_000_000  # files that one pair of braces may name
ENDINGS = (".jsonl", ".ndjson", ".json", ".tar", ".parquet", ".jsonl.gz", ".tar.gz")
KINDS = ("jsonl", "ndjson", "json", "tar")
DATA = re.compile(rf"\.(?P<kind>{'|'.join(KINDS)}|parquet|tgz)\Z|\.(?P<packed>{'|'.join(KINDS)})\.gz\Z", re.I)
NOTES = ("json",)  # one in a folder's folder may be a picture's notes
# What a folder may hold that is data and cannot be read as it stands.
PACKED = re.compile(r"\.(?:jsonl|ndjson|json|tar|parquet)\.(?:bz2|xz|zst|zip)\Z|\.parquet\.gz\Z", re.I)


class Share(NamedTuple):
    """One of `of` parts that many readers take of the same data: rank 0 … of - 1."""

    rank: int = 0
    of: int = 1


WHOLE = Share()


class Corpus:
    """Records of one file, or of shards that belong together, in their order.

    `form` is how the records are written (see `omma.corpus.forms`): when it is told by looking, a record
    among others of another form is read as what it is. `folder` is where media of relative paths are looked
    for: by default beside each file.
    """

    def __init__(self, path: Path | str, form: str | None = None, folder: Path | None = None) -> None:
        """Open what `path` names: a file, a folder of shards, or a pattern such as "part-{000..012}.tar".

        Raises MissingFile, and BadData when it is no data file or its records' form is not known.
        """
        self.files: tuple[Container, ...] = tuple(open_container(file) for file in files_of(path))
        self.folder = folder
        self.name = str(path)
        self.form = form if form is not None else self._recognise()
        self._named = None if form is None else reader(form)

    @functools.cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(len(file) for file in self.files))

    def __len__(self) -> int:
        """Records, broken ones among them. The first call looks through the files once."""
        return self._ends[-1]

    @property
    def what(self) -> str:
        """What was recognised, in words: "JSON Lines of OpenAI-style messages"."""
        kinds = dict.fromkeys(file.what for file in self.files)
        return f"{' and '.join(kinds)} of {NAMES[self.form]}"

    def scan(self, start: int = 0, share: Share = WHOLE) -> Iterator[Raw]:
        """Records of this share, from its number `start` on.

        Whole files are dealt where there are enough for all, else records in turn. All shares together are
        everything, once.
        """
        if len(self.files) >= share.of > 1:
            return _scan(self.files[share.rank :: share.of], start)
        first = start * share.of + share.rank
        return islice(_scan(self.files, first), 0, None, share.of)

    def at(self, index: int) -> Raw:
        """Record `index`, 0-based, over all files. Raises IndexError past the end."""
        if not 0 <= index < len(self):
            raise IndexError(f"{self.name} has {len(self)} records, and number {index} was wanted")
        file = bisect_right(self._ends, index)
        return self.files[file].at(index - (self._ends[file - 1] if file else 0))

    def blocks(self) -> tuple[int, ...]:
        """Lengths of stretches that are read best as a whole; none where records are reached one by one."""
        return tuple(chain.from_iterable(file.blocks() for file in self.files))

    def record(self, raw: Raw) -> Record:
        """What a record says. Raises BadInput naming what is wrong with it."""
        return self.say(raw.read(), raw)

    def say(self, loose: Loose, raw: Raw) -> Record:
        """The same of a record that was read already."""
        read = self._named or reader(form_of(_fields(loose), self.form))
        return read(loose, self.folder or Path(raw.place.file).parent)

    def _recognise(self) -> str:
        seen: list[Any] = []
        why = ""
        for raw in islice(_scan(self.files, 0), LOOKED_AT):
            try:
                seen.append(_fields(raw.read()))
            except BadInput as problem:
                why = why or str(problem)
        if (form := recognise(seen)) is not None:
            return form
        if not seen:
            raise BadData(f"{self.name} holds no record that can be read{f'; {why}' if why else ''}")
        fields = ", ".join(map(str, seen[0])) or "no field"
        raise BadData(
            f"{self.name} has records of {fields}; wanted messages, conversations, or a caption or an answer "
            f"beside one of {', '.join(KEYS)}"
        )


def _fields(loose: Loose) -> dict[str, Any]:
    """A record's fields, with those that stand for the media beside it in a shard."""
    return {**loose.value, **{kind: kind for kind, found in loose.beside.items() if found}}


def _scan(files: tuple[Container, ...], start: int) -> Iterator[Raw]:
    for file in files:
        if start and start >= (count := len(file)):
            start -= count
            continue
        yield from file.scan(start)
        start = 0


def files_of(path: Path | str) -> list[Path]:
    """The files that a name means, in order: a file, a folder's, or a pattern's with {000..012}, * or **.

    Raises MissingFile when there are none, and BadData for a folder of which a part would go unread.
    """
    name = str(path)
    if Path(name).is_dir():
        found = _inside(Path(name))
    else:
        found = [file for one in _numbered(name) for file in _matching(one)]
    if not found:
        raise MissingFile(f"{name} names no file; wanted one that ends in {', '.join(ENDINGS)}")
    return found


def _inside(folder: Path) -> list[Path]:
    """The data files of a folder. Raises BadData when there are others that would be passed over."""
    entries = sorted(folder.iterdir())
    found = [file for file in entries if _kind(file) is not None]
    if len(kinds := {_kind(file) for file in found}) > 1:
        known = ", ".join(sorted(kind for kind in kinds if kind))
        raise BadData(
            f"{folder} holds files of several kinds, {known}; name one, or a pattern such as {folder}/*.tar"
        )
    if packed := next((file for file in entries if is_packed(file)), None):
        raise BadData(f"{packed} is packed; unpack it first, or name the other files by a pattern")
    for deeper in (entry for entry in entries if entry.is_dir()):
        left = next((file for file in sorted(deeper.iterdir()) if _kind(file) not in (None, *NOTES)), None)
        if left is not None:
            raise BadData(
                f"{folder} has data in a folder of its own, {left}; name all of it by a pattern such as "
                f"{folder}/**/*{left.suffix}, or the one file that is meant"
            )
    return found


def _kind(file: Path) -> str | None:
    """Which kind of data file the name says it is: jsonl, json.gz, …; None for none."""
    named = DATA.search(file.name)
    if named is None:
        return None
    kind = (named["kind"] or f"{named['packed']}.gz").lower()
    return "tar.gz" if kind == "tgz" else kind


def is_data(file: Path) -> bool:
    """Whether a folder that holds this file has it as data, by its name."""
    return _kind(file) is not None


def is_packed(file: Path) -> bool:
    """Whether the name is of data that is packed so that it cannot be read as it stands."""
    return PACKED.search(file.name) is not None


def _numbered(name: str) -> Iterator[str]:
    """The name with every {000..012} in it counted out."""
    braces = BRACES.search(name)
    if braces is None or Path(name).exists():
        yield name
        return
    first, last = int(braces[1]), int(braces[2])
    if last - first >= MOST_NUMBERS:
        raise BadData(f"{name} names {last - first + 1:,} files; wanted at most {MOST_NUMBERS:,}")
    for number in range(first, last + 1):
        yield from _numbered(
            f"{name[: braces.start()]}{str(number).zfill(len(braces[1]))}{name[braces.end() :]}"
        )


def _matching(name: str) -> list[Path]:
    """The files that a name with signs such as * stands for, in order; a name without them is itself."""
    if not has_magic(name) or Path(name).exists():
        return [Path(name)]
    return sorted(file for file in map(Path, glob(name, recursive=True)) if file.is_file())
