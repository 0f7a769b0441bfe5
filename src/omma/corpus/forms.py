"""Which form a data file has, told by what is in it: its kind of file, and how its records are written."""

from __future__ import annotations

import codecs
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from omma.corpus.container import Container
from omma.corpus.gzipped import Gzipped
from omma.corpus.lines import LinesFile, read_object
from omma.corpus.lists import ListFile, starts_list
from omma.corpus.media import KEYS
from omma.corpus.native import read_messages
from omma.corpus.record import Loose, Record
from omma.corpus.shards import Shard
from omma.corpus.tables import Table
from omma.corpus.tagged import CAPTIONS, read_captions, read_llava, read_qwen
from omma.errors import BadData, MissingFile, UnknownOption
from omma.prep.sources import check_plain

GZIP = b"\x1f\x8b"
HEAD = 1 << 16  # bytes of a file that are looked at to tell its kind
WANTED = "JSON Lines, a JSON list, a WebDataset shard (.tar) or a parquet table"
SQUEEZED = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK": "zip",
}

Reader = Callable[[Loose, Path], Record]
READERS: dict[str, Reader] = {
    "native": read_messages,
    "llava": read_llava,
    "qwen": read_qwen,
    "captions": read_captions,
}
NAMES = {
    "native": "OpenAI-style messages",
    "llava": "LLaVA or ShareGPT conversations",
    "qwen": "Qwen conversations with <img> tags",
    "captions": "pictures with captions",
}


def reader(form: str) -> Reader:
    """The reader of a form by its name. Raises UnknownOption with those that are known."""
    try:
        return READERS[form]
    except KeyError:
        raise UnknownOption(f"no form of records is called {form!r}; known: {', '.join(READERS)}") from None


def _head(path: Path) -> bytes:
    """The first bytes of a file. Raises MissingFile where there is none in which records can be reached."""
    try:
        check_plain(path, str(path))
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as problem:
        raise MissingFile(f"{path} cannot be read: {(problem.strerror or str(problem)).lower()}") from None


def open_container(path: Path) -> Container:
    """The file, by what its first bytes show. Raises MissingFile, and BadData when it is no data file."""
    head = _head(path)
    if not head.strip():
        raise BadData(f"{path} has no records: it is empty")
    packed = None
    if head.startswith(GZIP):
        packed = Gzipped(path)
        with packed.open() as file:
            head = file.read(HEAD)
        if not head.strip():
            raise BadData(f"{path} has no records: {packed.problem() or 'nothing is packed in it'}")
    inside = "" if packed is None else "what is packed in "
    for begin, name in SQUEEZED.items():
        if head.startswith(begin):
            raise BadData(
                f"{inside}{path} is packed with {name}; unpack it first, or pack it with gzip: in that, "
                "records can be reached"
            )
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise BadData(
            f"{inside}{path} is text in UTF-16; wanted UTF-8: iconv -f UTF-16 -t UTF-8 writes it anew"
        )
    if head.startswith(b"PAR1"):
        if packed is not None:
            raise BadData(f"{inside}{path} is a parquet table, which is read as it is; unpack it first")
        return Table(path)
    if _is_tar(head):
        return Shard(path, packed)
    if starts_list(head):
        return ListFile(path, packed)
    if _is_lines(head):
        return LinesFile(path, packed)
    raise BadData(f"{inside}{path} is not a data file: it begins with {head[:24]!r}; wanted {WANTED}")


def _is_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def _is_lines(head: bytes) -> bool:
    """Whether one of the first lines is an object, or the first is one too long to be seen whole."""
    lines = [line.strip() for line in head.removeprefix(codecs.BOM_UTF8).splitlines()]
    filled = [line for line in lines if line]
    if len(filled) == 1 and len(head) == HEAD:
        return filled[0].startswith(b"{")
    return any(_is_object(line) for line in filled[:100])


def _is_object(line: bytes) -> bool:
    try:
        return line.startswith(b"{") and bool(read_object(line, "line"))
    except BadData:
        return False


def recognise(records: Iterable[Mapping[str, Any]]) -> str | None:
    """The form of records, by the first whose fields are known; None when none is."""
    found: str | None = None
    for record in records:
        if record.get("messages") is not None:
            return "native"
        if isinstance(turns := record.get("conversations"), list):
            said = [turn for turn in turns if isinstance(turn, Mapping)]
            if any("<img>" in f"{turn.get('value')}{turn.get('content')}" for turn in said):
                return "qwen"
            found = found or "llava"
        elif found is None and _is_caption(record):
            return "captions"
    return found


def form_of(record: Mapping[str, Any], usual: str) -> str:
    """The form of one record of data whose form is `usual`: another where its fields are another's."""
    found = recognise([record])
    if found is None or (found == "llava" and usual == "qwen"):  # Qwen's turns need not show anything
        return usual
    return found


def _is_caption(record: Mapping[str, Any]) -> bool:
    says = any(isinstance(record.get(key), (str, list)) for key in CAPTIONS)  # a list is told by the reader
    return says and (any(key in record for key in KEYS) or "question" in record)
