"""A name or a folder in, a model and its processor out."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import torch

from omma.errors import UnknownModel, UnknownOption
from omma.model.memory import memory_for
from omma.model.vlm import Vlm
from omma.prep.processor import Processor
from omma.spec import ModelSpec
from omma.weights import load_weights, read_dtype, read_generation, read_spec
from omma.weights.adapters import base_of, is_adapter, read_adapter
from omma.weights.lora import put_on

BUNDLED: dict[str, Path] = {"omma-nano": Path(__file__).parent / "assets" / "omma-nano"}
_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_DEVICE = re.compile(r"cpu|cuda(:(?P<number>\d{1,3}))?")
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Loaded(NamedTuple):
    """A model ready to run. `generation` is what its generation_config.json says."""

    model: Vlm
    processor: Processor
    spec: ModelSpec
    generation: dict[str, Any]
    name: str


def load_folder(
    name_or_path: str | Path,
    *,
    device: str = "auto",
    dtype: str = "auto",
    adapter: str | Path | None = None,
    revision: str | None = None,
    cache: Path | None = None,
) -> Loaded:
    """Load a model by the name of a bundled one, a folder, or a hub name that is in the local hub cache.

    `adapter` is a folder in PEFT's layout (or a hub name) to put on it. An adapter's folder may also be named
    alone: then the model that it was made for is loaded under it.
    `device` "auto" is the accelerator if there is one. `dtype` "auto" is the checkpoint's own, with float16
    taken as bfloat16 on a CPU, which has no fast half products (and some layers overflow in them); other
    values are float32, bfloat16 and float16. Raises UnknownModel, BadFolder, TensorMismatch, UnsafeFile,
    UnknownOption, OutOfMemory.
    """
    folder = resolve(name_or_path, revision=revision, cache=cache)
    worn = None if adapter is None else resolve(adapter, cache=cache)
    if worn is None and is_adapter(folder):
        worn, folder = folder, resolve(base_of(folder), cache=cache)
    spec = read_spec(folder)
    place = device_of(device)
    kind = _dtype(dtype, folder, place)
    processor = Processor.from_folder(folder, spec)
    with torch.device("meta"):
        model = Vlm(spec)
    with memory_for(
        f"{name_or_path} in {str(kind).removeprefix('torch.')}", "take dtype='bfloat16', or a smaller model"
    ):
        load_weights(model, folder, dtype=kind, device=place)
    if worn is not None:
        put_on(model, read_adapter(worn, model))
    return Loaded(model, processor, spec, read_generation(folder), str(name_or_path))


def resolve(name_or_path: str | Path, *, revision: str | None = None, cache: Path | None = None) -> Path:
    """The folder a name stands for. Nothing is fetched: a hub name is looked up in the local hub cache.

    `cache` is the hub's cache folder, by default ``~/.cache/huggingface/hub``; `revision` a branch, tag or
    commit of the hub's, by default "main". Raises UnknownModel saying which names there are and what to do,
    and UnknownOption for a revision of what has none.
    """
    if not isinstance(name_or_path, (str, Path)):
        raise UnknownModel(
            f"a model is called {name_or_path!r:.80}, which is no text; name {', '.join(BUNDLED)}, the path "
            "of a model's folder, or a hub name"
        )
    name = str(name_or_path)
    path = Path(os.path.expanduser(name))
    bundled = BUNDLED.get(name) if isinstance(name_or_path, str) else None
    if here := bundled or (path if name and path.is_dir() else None):
        if revision is not None:
            raise UnknownOption(
                f"revision is {revision!r}, but {name} is a folder and has none; leave it None"
            )
        return here
    if path.is_file():
        raise UnknownModel(f"{name} is a file; name the folder of a model's files, or {', '.join(BUNDLED)}")
    cache = cache or Path.home() / ".cache" / "huggingface" / "hub"
    if _HUB_NAME.fullmatch(name):
        if found := _cached(name, revision or "main", cache):
            return found
        raise UnknownModel(
            f"{name!r} is neither a folder nor in the hub cache {cache}; fetch it by omma pull {name}, or "
            f"name {', '.join(BUNDLED)} or a model's folder"
        )
    raise UnknownModel(
        f"no model is called {name!r}; known: {', '.join(BUNDLED)}, the path of a model's folder, or a hub "
        "name such as Qwen/Qwen2.5-VL-3B-Instruct that is in the local cache"
    )


def _cached(name: str, revision: str, cache: Path) -> Path | None:
    """A snapshot in the hub cache's layout: refs hold commits, snapshots are called by them."""
    repository = cache / f"models--{name.replace('/', '--')}"
    reference = repository / "refs" / revision
    commit = reference.read_text(encoding="utf-8").strip() if reference.is_file() else revision
    snapshot = repository / "snapshots" / commit
    return snapshot if snapshot.is_dir() else None


def device_of(wish: str) -> torch.device:
    """The device a person names; "auto" is the accelerator if there is one. Raises UnknownOption."""
    wish = str(wish)
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wish == "auto":
        return torch.device("cuda" if count else "cpu")
    named = _DEVICE.fullmatch(wish)
    if named is None:
        raise UnknownOption(f"device is {wish!r}; wanted auto, cpu, cuda or cuda:N")
    if wish != "cpu" and not count:
        raise UnknownOption(f"device is {wish!r}, but torch finds no accelerator here; say cpu or auto")
    if int(named["number"] or 0) >= max(count, 1):
        raise UnknownOption(f"device is {wish!r}, but the accelerators here end at cuda:{count - 1}; say one")
    return torch.device(wish)


def _dtype(wish: str, folder: Path, device: torch.device) -> torch.dtype:
    if wish == "auto":
        own = read_dtype(folder)
        return torch.bfloat16 if own == torch.float16 and device.type == "cpu" else own
    if wish not in _DTYPES:
        raise UnknownOption(f"dtype is {wish!r}; wanted auto, {', '.join(_DTYPES)}")
    return _DTYPES[wish]
