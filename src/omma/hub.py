"""Models from the hub: fetched into its cache file by file, gone on with when broken off, digests checked.

Only weights, settings and words are fetched: nothing that could run. Afterwards the cache answers alone.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from omma.errors import BadFolder, UnknownModel, UnknownOption, Unreachable, UnsafeFile

NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")
REVISION = re.compile(r"\w(?:[\w.+-]|/(?!\.|/)){0,199}")
COMMIT = re.compile(r"[0-9a-f]{40}")
WEIGHTS = re.compile(r"(model|adapter_model)(-\d{5}-of-\d{5})?\.safetensors")
WORDS = (".json", ".txt", ".tiktoken", ".jinja", ".md")
PLAIN = ("LICENSE", "LICENCE", "NOTICE")
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
LARGEST_WORDS = 200_000_000  # bytes of a file that is not weights
PIECE = 2**20

Listener = Callable[[int, int], object]


class Entry(NamedTuple):
    """A file on the hub: its size in bytes and its digest, sha256 of large files and git's sha1 of others."""

    name: str
    size: int
    digest: str


class Pulled(NamedTuple):
    """A model in the cache: its folder, its commit, its files, and the bytes that were fetched now."""

    folder: Path
    commit: str
    files: tuple[Entry, ...]
    fetched: int


def default_cache() -> Path:
    """The hub's cache folder, which other programs share."""
    return Path.home() / ".cache" / "huggingface" / "hub"


def pull(
    name: str,
    revision: str = "main",
    *,
    cache: Path | None = None,
    endpoint: str | None = None,
    listener: Listener = lambda *_: None,
) -> Pulled:
    """Fetch a model by its hub name into the cache, or what is lacking of it.

    A file that was broken off is gone on with; each is kept only if its digest is the one that the hub tells.
    A commit that is whole in the cache needs no network. `listener` hears bytes that are there, of how many.
    Raises UnknownOption, UnknownModel, UnsafeFile, BadFolder for digests that differ, and Unreachable.
    """
    if not NAME.fullmatch(name):
        raise UnknownOption(f"{name!r} is no hub name; wanted one such as Qwen/Qwen2.5-VL-3B-Instruct")
    if not REVISION.fullmatch(revision) or ".." in revision:
        raise UnknownOption(f"revision {revision!r}: wanted a branch, a tag or a commit")
    place = (cache or default_cache()) / f"models--{name.replace('/', '--')}"
    if (
        COMMIT.fullmatch(revision)
        and (known := _recorded(place, revision))
        and _whole(place, revision, known)
    ):
        return Pulled(place / "snapshots" / revision, revision, known, 0)
    with _asking(name, revision):
        commit, there = _listing(name, revision, endpoint)
    files = _wanted(there, name)
    _check_room(place, files)
    fetched, total = 0, sum(entry.size for entry in files)
    done = 0
    for entry in files:
        with _asking(name, revision), _Heard(listener, done, total) as heard:
            fetched += _fetch(place, name, commit, entry, endpoint, heard)
        done += entry.size
        listener(done, total)
    _record(place, commit, name, revision, files)
    return Pulled(place / "snapshots" / commit, commit, files, fetched)


def wrong_files(folder: Path) -> list[str] | None:
    """Names of a pulled folder's files that are not what the hub told; None for a folder not pulled by us.

    Every byte is read.
    """
    known = _recorded(folder.parent.parent, folder.name)
    if folder.parent.name != "snapshots" or known is None:
        return None
    return [entry.name for entry in known if not _is(folder / entry.name, entry)]


def _listing(name: str, revision: str, endpoint: str | None) -> tuple[str, list[Entry]]:
    """The commit a revision stands for, and all of its files."""
    from huggingface_hub import HfApi

    told = HfApi(endpoint=endpoint).model_info(name, revision=revision, files_metadata=True)
    if not COMMIT.fullmatch(str(told.sha)):
        raise Unreachable(f"the hub tells no commit of {name}@{revision}; try again later")
    entries = []
    for one in told.siblings or []:
        digest = one.lfs.sha256 if one.lfs is not None else one.blob_id
        size = one.size if one.lfs is None else one.lfs.size
        if isinstance(size, int) and re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", str(digest)):
            entries.append(Entry(one.rfilename, size, str(digest)))
    return str(told.sha), entries


def _wanted(there: Sequence[Entry], name: str) -> tuple[Entry, ...]:
    """The files that make a model, of all that are there."""
    top = [entry for entry in there if re.fullmatch(r"\w[\w.+-]*", entry.name)]
    weights = [entry for entry in top if WEIGHTS.fullmatch(entry.name)]
    words = [e for e in top if e.name.endswith(WORDS) or e.name.upper().startswith(PLAIN)]
    if not weights:
        if pickles := [entry.name for entry in there if entry.name.endswith(PICKLES)]:
            raise UnsafeFile(
                f"{name} holds {pickles[0]}, a pickle, which is never fetched; wanted safetensors"
            )
        raise UnknownModel(f"{name} holds no model.safetensors and no shards of one; name another")
    if large := [entry.name for entry in words if entry.size > LARGEST_WORDS]:
        raise BadFolder(
            f"{name}: {large[0]} is over {LARGEST_WORDS / 1e6:.0f} MB, which is no model's settings"
        )
    return (*words, *weights)


def _check_room(place: Path, files: Sequence[Entry]) -> None:
    lacking = sum(entry.size for entry in files if not (place / "blobs" / entry.digest).exists())
    here = next(folder for folder in place.absolute().parents if folder.exists())
    if (free := shutil.disk_usage(here).free) < lacking:
        raise BadFolder(
            f"{here} has {free / 1e9:.1f} GB free, and {lacking / 1e9:.1f} GB are to come; make room there"
        )


def _fetch(place: Path, name: str, commit: str, entry: Entry, endpoint: str | None, heard: _Heard) -> int:
    """Bring one file into its place; the bytes that were fetched for it."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    blob = place / "blobs" / entry.digest
    blob.parent.mkdir(parents=True, exist_ok=True)
    fetched = 0
    if not _is(blob, entry):
        part = blob.with_name(f"{entry.digest}.part")
        at = part.stat().st_size if part.exists() else 0
        at = at if at <= entry.size else 0
        with part.open("r+b" if part.exists() else "w+b") as file:
            file.truncate(at)
            file.seek(at)
            heard.update(at)
            url = hf_hub_url(name, entry.name, revision=commit, endpoint=endpoint)
            http_get(
                url,
                file,
                resume_size=at,
                headers=build_hf_headers(),
                expected_size=entry.size,
                tqdm_class=lambda *_, **__: heard,  # type: ignore[arg-type]
            )
            file.flush()
            os.fsync(file.fileno())
        fetched = entry.size - at
        if not _is(part, entry):
            part.unlink()
            raise BadFolder(
                f"{name}: {entry.name} came with another digest than the hub tells and is dropped; pull again"
            )
        part.replace(blob)
    _point(place / "snapshots" / commit / entry.name, blob)
    return fetched


def _point(path: Path, blob: Path) -> None:
    """Let a snapshot's name stand for a blob; where links are not possible, by a copy."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    try:
        path.symlink_to(os.path.relpath(blob, path.parent))
    except OSError:
        shutil.copyfile(blob, path)


def _is(path: Path, entry: Entry) -> bool:
    """Whether a file is there and has the size and the digest that the hub tells."""
    if not path.is_file() or path.stat().st_size != entry.size:
        return False
    digest = hashlib.sha256() if len(entry.digest) == 64 else hashlib.sha1(usedforsecurity=False)
    if len(entry.digest) == 40:  # as git counts: a header stands before the bytes
        digest.update(f"blob {entry.size}\0".encode())
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest() == entry.digest


def _record(place: Path, commit: str, name: str, revision: str, files: Sequence[Entry]) -> None:
    """Write down what was verified, then what the revision stands for: only what is whole has a name."""
    told: dict[str, Any] = {"name": name, "revision": revision, "commit": commit}
    told["files"] = [entry._asdict() for entry in files]
    _put(place / "omma" / f"{commit}.json", json.dumps(told, indent=2) + "\n")
    if revision != commit:
        _put(place / "refs" / revision, commit)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    passing = path.with_name(f".{path.name}.new")
    passing.write_text(text, encoding="utf-8")
    passing.replace(path)


def _recorded(place: Path, commit: str) -> tuple[Entry, ...] | None:
    """What was verified of a commit; None if nothing was."""
    path = place / "omma" / f"{commit}.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return tuple(Entry(str(e["name"]), int(e["size"]), str(e["digest"])) for e in told["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _whole(place: Path, commit: str, files: Sequence[Entry]) -> bool:
    folder = place / "snapshots" / commit
    return all(
        (folder / entry.name).is_file() and (folder / entry.name).stat().st_size == entry.size
        for entry in files
    )


@contextmanager
def _asking(name: str, revision: str) -> Iterator[None]:
    """What the hub or the network refuses, in a sentence. The library's own remarks are not shown."""
    from huggingface_hub.errors import (  # type: ignore[attr-defined]
        GatedRepoError,
        HTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    remarks = logging.getLogger("huggingface_hub")
    before = remarks.level
    remarks.setLevel(logging.ERROR)
    try:
        yield
    except GatedRepoError:
        raise Unreachable(
            f"{name} is given only to those who asked its owners; ask there, then log in"
        ) from None
    except RevisionNotFoundError:
        raise UnknownModel(f"{name} has no revision {revision!r} on the hub; leave it out for main") from None
    except RepositoryNotFoundError:
        raise UnknownModel(
            f"the hub has no model {name}, or shows it only to others; see its spelling"
        ) from None
    except (HTTPError, OfflineModeIsEnabled, OSError) as wrong:
        first = (str(wrong).strip() or type(wrong).__name__).splitlines()[0]
        raise Unreachable(
            f"{name} could not be fetched: {first}; what has come is kept, so the same words go on with it"
        ) from None
    finally:
        remarks.setLevel(before)


class _Heard:
    """Stands in the place of the library's progress bar, and tells a listener."""

    def __init__(self, listener: Listener, done: int, total: int) -> None:
        self._listener, self._done, self._total = listener, done, total

    def __enter__(self) -> _Heard:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is to be closed."""

    def close(self) -> None:
        """Nothing is to be closed."""

    def update(self, more: float = 1) -> None:
        """Count bytes."""
        self._done += int(more)
        self._listener(min(self._done, self._total), self._total)
