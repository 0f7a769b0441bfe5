"""A model's folder from another: another dtype, other shards or names; tensor by tensor, whole or not at all.

Files are written from their headers on, so that never more than a stretch of one tensor is held.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from omma.errors import BadFolder, TensorMismatch
from omma.model.vlm import Vlm
from omma.weights.adapters import is_adapter
from omma.weights.config import CONFIG, read_spec
from omma.weights.fields import read_json, write_json
from omma.weights.folder import INDEX, SINGLE, accounted, headers
from omma.weights.marks import mark, marked
from omma.weights.names import EMBEDDING, HEAD, in_memory, public_name

STRETCH = 2**26  # bytes of a tensor that are read, changed and written at a time
FEW = 1024  # numbers at an end of a tensor, more than a mark is made of
CODES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}
# What goes along: settings, words, templates and what people wrote. Programs and pickles never do.
ALONG = (".json", ".txt", ".jinja", ".tiktoken", ".md")
PLAIN = ("LICENSE", "NOTICE", "README", "LICENCE")
_DTYPES = ("torch_dtype", "dtype")
Names = Literal["official", "memory"]


@dataclass(frozen=True)
class Change:
    """What is to change. `dtype` None keeps each tensor's; `shard_bytes` is the most that one file holds.

    `names` are those of the family's official files, or those that transformers has in memory.
    """

    dtype: torch.dtype | None = None
    shard_bytes: int = 5_000_000_000
    names: Names = "official"


class Converted(NamedTuple):
    """What was written: tensors, bytes of them, files; and what of the folder was left behind."""

    tensors: int
    bytes: int
    files: int
    left_behind: tuple[str, ...]


class _Entry(NamedTuple):
    """A tensor on its way: where it lies, what it is called there and here, and what it becomes.

    `turned` says that its matrices lie the other way round in the source.
    """

    path: Path
    public: str
    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    turned: bool

    @property
    def bytes(self) -> int:
        return self.dtype.itemsize * torch.Size(self.shape).numel()


def convert_folder(
    source: Path, target: Path, change: Change, *, listener: Callable[[int, int], object] = lambda *_: None
) -> Converted:
    """Write the model in `source` anew as `target`, which must not be there yet or be an empty folder.

    Everything is made in a hidden folder beside it, which takes its place at the end: killed at any moment,
    there is no `target`. `listener` hears bytes written, of how many. Raises BadFolder and TensorMismatch
    before anything is written, and when a number does not fit into float16.
    """
    if is_adapter(source):
        raise BadFolder(f"{source} is an adapter; omma train merge makes a model of it and its base")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadFolder(f"{target} is there already; name a folder that is not, or take it away first")
    if target.resolve().is_relative_to(source.resolve()):
        raise BadFolder(f"{target} lies inside {source}, which is read; name a folder beside it")
    spec = read_spec(source)
    with torch.device("meta"):
        model = Vlm(spec)
    entries = list(_entries(source, model, change))
    shards = _dealt(entries, change.shard_bytes)
    _check_room(target, sum(entry.bytes for entry in entries))
    making = target.parent / f".{target.name}.making"
    with suppress(FileNotFoundError):  # of a run that was killed
        shutil.rmtree(making)
    making.mkdir(parents=True)
    try:
        left = _write(source, making, shards, change, listener)
        if target.is_dir():
            target.rmdir()
        making.rename(target)
    except OSError as wrong:
        raise BadFolder(f"{target} cannot be written: {wrong.strerror or wrong}") from None
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return Converted(len(entries), sum(entry.bytes for entry in entries), len(shards), left)


def _entries(source: Path, model: Vlm, change: Change) -> Iterator[_Entry]:
    """Every tensor that is to be written, all of them accounted for. A tied head's copy is not."""
    family = model.spec.family
    tied: tuple[Path, str] | None = None
    table: tuple[Path, str] | None = None
    for ours, path, public, tensor in accounted(headers(source), source, model):
        if ours == EMBEDDING:
            table = path, public
        if ours == HEAD and model.decoder.head is None:
            tied = path, public
            continue
        official = public_name(ours, family)
        name = official if change.names == "official" else in_memory(official)
        turned = not tensor.is_contiguous()  # of experts, which `accounted` turns back
        yield _Entry(path, public, name, tuple(tensor.shape), change.dtype or tensor.dtype, turned)
    if tied and table and not _same(tied, table):
        raise TensorMismatch(
            f"{tied[0]}: the config ties the head to the embeddings, but {tied[1]} differs; set "
            "tie_word_embeddings to false, or take the head out"
        )


def _same(one: tuple[Path, str], two: tuple[Path, str]) -> bool:
    pairs = zip(_stretches(*one), _stretches(*two), strict=False)
    return all(a.shape == b.shape and torch.equal(a, b) for a, b in pairs)


def _stretches(path: Path, public: str) -> Iterator[Tensor]:
    """A tensor's numbers in order, a stretch at a time; the file is mapped anew for each."""
    try:
        with safe_open(path, "pt") as file:
            kept = file.get_slice(public)
            shape = kept.get_shape()
        rows = shape[0] if shape else 1
        size = torch.Size(shape).numel() * 4 // max(rows, 1)
        step = max(1, STRETCH // max(size, 1))
        for start in range(0, rows, step):
            with safe_open(path, "pt") as file:
                yield file.get_slice(public)[start : start + step] if shape else file.get_tensor(public)
    except (SafetensorError, OSError) as wrong:
        raise BadFolder(f"{path} cannot be read: {wrong}; fetch it again") from None


def _dealt(entries: list[_Entry], limit: int) -> list[list[_Entry]]:
    """Tensors to files, in order, as many to each as it holds; one that is larger has a file alone."""
    shards: list[list[_Entry]] = [[]]
    size = 0
    for entry in entries:
        if shards[-1] and size + entry.bytes > limit:
            shards.append([])
            size = 0
        shards[-1].append(entry)
        size += entry.bytes
    return shards


def _check_room(target: Path, size: int) -> None:
    here = next(folder for folder in target.absolute().parents if folder.exists())
    if (free := shutil.disk_usage(here).free) < size:
        raise BadFolder(
            f"{target} would take {size / 1e9:.3g} GB, and {free / 1e9:.3g} GB are free there; make room"
        )


def _write(
    source: Path,
    making: Path,
    shards: list[list[_Entry]],
    change: Change,
    listener: Callable[[int, int], object],
) -> tuple[str, ...]:
    total = sum(entry.bytes for shard in shards for entry in shard)
    done = 0
    where: dict[str, str] = {}
    for number, shard in enumerate(shards):
        name = SINGLE if len(shards) == 1 else f"model-{number + 1:05d}-of-{len(shards):05d}.safetensors"
        for size in _write_shard(making / name, shard):
            done += size
            listener(done, total)
        where |= {entry.name: name for entry in shard}
    if len(shards) > 1:
        write_json(making / INDEX, {"metadata": {"total_size": total}, "weight_map": where})
    left = tuple(_take_along(source, making))
    config = read_json(source / CONFIG)
    if change.dtype is not None:
        config = _redtyped(config, str(change.dtype).removeprefix("torch."))
    write_json(making / CONFIG, config)  # last: without it nothing here is a model
    return left


def _write_shard(path: Path, shard: list[_Entry]) -> Iterator[int]:
    """Write one file; the bytes of each stretch as it is written."""
    marks = {entry.name: _mark(entry) for entry in shard}
    header: dict[str, object] = {"__metadata__": marked(marks)}
    at = 0
    for entry in shard:
        header[entry.name] = {
            "dtype": CODES[entry.dtype],
            "shape": entry.shape,
            "data_offsets": [at, at + entry.bytes],
        }
        at += entry.bytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for entry in shard:
            for part in _stretches(entry.path, entry.public):
                yield _put(file, _changed(part, entry))
        file.flush()
        os.fsync(file.fileno())


def _put(file: IO[bytes], tensor: Tensor) -> int:
    flat = tensor.contiguous().reshape(-1).view(torch.uint8).numpy()
    return file.write(flat.data)


def _changed(part: Tensor, entry: _Entry) -> Tensor:
    changed = (part.mT if entry.turned else part).to(entry.dtype)
    if entry.dtype == torch.float16 and part.dtype != torch.float16 and not changed.isfinite().all():
        raise TensorMismatch(
            f"{entry.path}: {entry.public} has numbers beyond 65,504, the largest of float16; take bfloat16"
        )
    return changed


def _mark(entry: _Entry) -> str:
    """The mark of what will be written, made of its two ends only."""
    with safe_open(entry.path, "pt") as file:
        if torch.Size(entry.shape).numel() <= 2 * FEW:
            return mark(_changed(file.get_tensor(entry.public), entry))
        kept, rows = file.get_slice(entry.public), entry.shape[0]
        few = min(rows, -(-FEW // max(1, torch.Size(entry.shape[1:]).numel())))
        ends = (kept[0:few], kept[rows - few : rows])
        return mark(torch.cat([_changed(end, entry).reshape(-1) for end in ends]))


def _take_along(source: Path, making: Path) -> Iterator[str]:
    """Copy what a model's folder has beside its weights; the names of what is left behind."""
    for path in sorted(source.iterdir()):
        if path.name in (CONFIG, INDEX) or path.suffix == ".safetensors" or path.name.startswith("."):
            continue
        goes = path.suffix in ALONG or path.name.upper().startswith(PLAIN)
        if path.is_file() and goes and not path.name.endswith(".index.json"):
            shutil.copyfile(path, making / path.name)
        else:
            yield path.name


def _redtyped(config: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    """A config that says another dtype, wherever it says one."""
    changed = {
        name: _redtyped(value, dtype) if isinstance(value, dict) else value for name, value in config.items()
    }
    changed |= {name: dtype for name in _DTYPES if isinstance(config.get(name), str)}
    return changed
