"""A model's tensors in a folder: written in shards, read from a memory map straight into place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from omma.errors import BadFolder, TensorMismatch, UnsafeFile
from omma.model.vlm import Vlm
from omma.spec import ModelSpec
from omma.weights.config import check_writable, write_config
from omma.weights.fields import read_json, write_json
from omma.weights.files import write_tensors
from omma.weights.marks import MARKS, mark, marked, read_marks
from omma.weights.names import EMBEDDING, HEAD, is_bank, our_name, public_name, public_shape

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
_OURS = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?")
_MAPPED_TOGETHER = 200_000_000  # bytes
_SMALL = 1_000_000  # bytes; such tensors are copied, or each would keep its neighbours' mapping alive
_KINDS = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def write_folder(
    model: Vlm, spec: ModelSpec, folder: Path, *, dtype: torch.dtype, shard_bytes: int = 5_000_000_000
) -> None:
    """Write config.json, generation_config.json and the weights in `dtype`, shards of at most `shard_bytes`.

    transformers loads the folder unchanged. Files are replaced whole, so a model that is still mapped from
    the same folder keeps its weights. Raises BadFolder if `spec` cannot be said in the public format, before
    anything is written.
    """
    check_writable(spec)
    folder.mkdir(parents=True, exist_ok=True)
    shards = _shards(model.state_dict(), dtype, shard_bytes)
    names = [SINGLE] if len(shards) == 1 else [_shard(i, len(shards)) for i in range(len(shards))]
    half_made = [folder / f".{name}.new" for name in names]
    for path, shard in zip(half_made, shards, strict=True):
        tensors = {
            public_name(ours, spec.family): tensor.to("cpu", dtype)
            .reshape(public_shape(ours, tuple(tensor.shape), spec))
            .contiguous()
            for ours, tensor in shard.items()
        }
        _save(tensors, path, half_made)
    # Stopped from here on, the folder has no index or two forms: it is refused, not loaded with mixed shards.
    if len(shards) > 1:
        (folder / INDEX).unlink(missing_ok=True)
    for name, path in zip(names, half_made, strict=True):
        path.replace(folder / name)
    kept = set(names)
    if len(shards) > 1:
        write_json(folder / INDEX, _index(shards, names, dtype, spec.family))
        kept.add(INDEX)
    write_config(spec, folder, dtype=str(dtype).removeprefix("torch."))
    for stale in folder.iterdir():
        if _OURS.fullmatch(stale.name.removeprefix(".").removesuffix(".new")) and stale.name not in kept:
            stale.unlink()


def _index(
    shards: list[dict[str, Tensor]], names: list[str], dtype: torch.dtype, family: str
) -> dict[str, Any]:
    """Which file holds which tensor, as the public index says it."""
    total = sum(t.numel() for shard in shards for t in shard.values()) * dtype.itemsize
    dealt = zip(names, shards, strict=True)
    where = {public_name(ours, family): name for name, shard in dealt for ours in shard}
    return {"metadata": {"total_size": total}, "weight_map": where}


def _save(tensors: dict[str, Tensor], path: Path, half_made: list[Path]) -> None:
    try:
        write_tensors(tensors, path, marked({name: mark(t) for name, t in tensors.items()}))
    except (BadFolder, OSError):
        for left in half_made:
            left.unlink(missing_ok=True)
        raise


def _shard(number: int, count: int) -> str:
    return f"model-{number + 1:05d}-of-{count:05d}.safetensors"


def _shards(tensors: dict[str, Tensor], dtype: torch.dtype, limit: int) -> list[dict[str, Tensor]]:
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, tensor in tensors.items():
        more = tensor.numel() * dtype.itemsize
        if size + more > limit and shards[-1]:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += more
    return shards


def load_weights(
    model: Vlm, folder: Path, *, dtype: torch.dtype | None = None, device: str | torch.device = "cpu"
) -> None:
    """Fill every parameter of `model` (best built on the meta device) from the folder's safetensors.

    `dtype` None keeps the files'. Weights that need no conversion stay mapped: nothing is read before it is
    used, and writing to them never reaches the file. Raises TensorMismatch naming a tensor that is missing,
    left over, doubled, or of the wrong shape or kind; BadFolder naming a file that is missing or broken;
    UnsafeFile if there are only pickles.
    """
    dtype = dtype or read_dtype(folder)
    wanted = {ours: parameter.shape for ours, parameter in model.named_parameters()}
    head: Tensor | None = None
    for ours, _, _, tensor in accounted(_tensors(folder), folder, model):
        if ours not in wanted:
            head = tensor
            continue
        tensor = tensor.reshape(wanted[ours]).to(device, dtype)
        _place(model, ours, tensor.clone() if tensor.nbytes < _SMALL else tensor)
    if head is not None:
        _check_tied(folder, head, model)


def accounted(
    tensors: Iterable[tuple[Path, str, Tensor]], folder: Path, model: Vlm
) -> Iterator[tuple[str, Path, str, Tensor]]:
    """Each tensor of a folder with our name for it before its file and its public name.

    Experts that a tool turned the other way round, all of them, are turned back (`experts_turned`).
    A head beside tied embeddings is given too, though the model has none; whether it is a copy is the
    caller's to see. Raises TensorMismatch naming a tensor that is left over, doubled, or of a wrong shape or
    kind; at the end, one that is missing.
    """
    wanted = {ours: tuple(parameter.shape) for ours, parameter in model.named_parameters()}
    family = model.spec.family
    turned = experts_turned(folder, model)
    seen: dict[str, str] = {}
    for path, public, tensor in tensors:
        ours = our_name(public, family)
        spare = ours == HEAD and model.decoder.head is None
        if ours is None or not (spare or ours in wanted):
            raise TensorMismatch(
                f"{path}: {_called(public)} is left over; the config describes no such tensor"
            )
        if ours in seen:
            raise TensorMismatch(f"{path}: {public} is the same tensor as {seen[ours]}; keep one of them")
        seen[ours] = public
        back = turned and is_bank(ours)
        if not spare:
            shape = public_shape(ours, wanted[ours], model.spec)
            _check(path, public, tensor, (shape[0], shape[2], shape[1]) if back else shape)
        yield ours, path, public, tensor.mT if back else tensor
    if missing := [public_name(ours, family) for ours in wanted if ours not in seen]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise TensorMismatch(f"{folder}: {missing[0]}{more} missing; the config describes it")


def experts_turned(folder: Path, model: Vlm) -> bool:
    """Whether a folder's experts lie output-major, as transformers has them in memory and since 5 saves them.

    Official files hold them input-major (facts §4.3), and where a matrix is as high as it is wide only the
    other matrices can tell. What most of them are is what all of them have to be.
    """
    wanted = {ours: tuple(p.shape) for ours, p in model.named_parameters() if is_bank(ours)}
    votes = 0
    for _, public, tensor in headers(folder) if wanted else ():
        shape, ours = tuple(tensor.shape), our_name(public, model.spec.family)
        if ours in wanted and len(shape) == 3 and shape[1] != shape[2]:
            usual = wanted[ours]
            votes += (shape == (usual[0], usual[2], usual[1])) - (shape == usual)
    return votes > 0


def read_dtype(folder: Path) -> torch.dtype:
    """The one dtype the checkpoint is kept in, as official files are.

    Raises TensorMismatch naming a tensor that is kept in another than most are.
    """
    sizes: dict[torch.dtype, int] = {}
    first: dict[torch.dtype, tuple[Path, str]] = {}
    for path, public, tensor in headers(folder):
        sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.nbytes
        first.setdefault(tensor.dtype, (path, public))
    if not sizes:
        raise BadFolder(f"{folder} holds no tensors; fetch it again")
    usual = max(sizes, key=lambda dtype: sizes[dtype])
    if odd := next((dtype for dtype in sizes if dtype != usual), None):
        path, public = first[odd]
        raise TensorMismatch(
            f"{path}: {_called(public)} is {odd}, and most tensors are {usual}; fetch it again, or say in "
            f"which dtype to load all of them, such as dtype='{str(usual).removeprefix('torch.')}'"
        )
    return usual


def _check(path: Path, public: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(tensor.shape) != shape:
        raise TensorMismatch(f"{path}: {public} is {tuple(tensor.shape)}; the config wants {shape}")
    if tensor.dtype not in (torch.float32, torch.bfloat16, torch.float16):
        raise TensorMismatch(f"{path}: {public} is {tensor.dtype}; wanted float32, bfloat16 or float16")


def _check_mark(path: Path, public: str, tensor: Tensor, written: str | None) -> None:
    if written is not None and mark(tensor) != written:
        raise TensorMismatch(
            f"{path}: {_called(public)} is not what was written there: it was changed or broken since; "
            f"fetch or write it again (a changed file on purpose is one without {MARKS} in its metadata)"
        )


def _place(model: nn.Module, name: str, tensor: Tensor) -> None:
    module_name, _, leaf = name.rpartition(".")
    module = model.get_submodule(module_name)
    learns = module.get_parameter(leaf).requires_grad
    setattr(module, leaf, nn.Parameter(tensor, requires_grad=learns))


def _check_tied(folder: Path, head: Tensor, model: Vlm) -> None:
    """A head beside tied embeddings is borne only as the copy some tools write: the same numbers."""
    table = model.get_parameter(EMBEDDING)
    if head.shape != table.shape or not torch.equal(head.to(table.device, table.dtype), table):
        raise TensorMismatch(
            f"{folder}: the config ties the head to the embeddings, but "
            f"{public_name(HEAD, model.spec.family)} differs; "
            "set tie_word_embeddings to false, or take the head out"
        )


def _tensors(folder: Path) -> Iterator[tuple[Path, str, Tensor]]:
    """Every tensor, mapped, layer by layer.

    A file is mapped anew every now and then: what was read leaves memory once no tensor of its mapping is
    used any more, be it converted here or replaced later.
    """
    for path, promised in _files(folder).items():
        try:
            with safe_open(path, "pt") as file:
                names = _named(path, file.keys(), promised)[::-1]
                marks = read_marks(file.metadata())
            while names:
                held = 0
                with safe_open(path, "pt") as file:
                    while names and held < _MAPPED_TOGETHER:
                        tensor = file.get_tensor(name := names.pop())
                        held += tensor.nbytes
                        _check_mark(path, name, tensor, marks.get(name))
                        yield path, name, tensor
        except (SafetensorError, OSError) as error:
            raise BadFolder(f"{path} cannot be read: {error}; fetch it again") from None


def headers(folder: Path) -> Iterator[tuple[Path, str, Tensor]]:
    """Every tensor as an empty one on the meta device, layer by layer: only the files' headers are read.

    Raises BadFolder for a broken file and TensorMismatch for a kind of number that torch does not know.
    """
    for path, promised in _files(folder).items():
        try:
            with safe_open(path, "pt") as file:
                for name in _named(path, file.keys(), promised):
                    kept = file.get_slice(name)
                    if (kind := _KINDS.get(kept.get_dtype())) is None:
                        raise TensorMismatch(f"{path}: {_called(name)} is {kept.get_dtype()}; wanted BF16")
                    yield path, name, torch.empty(kept.get_shape(), dtype=kind, device="meta")
        except (SafetensorError, OSError) as error:
            raise BadFolder(f"{path} cannot be read: {error}; fetch it again") from None


def _named(path: Path, names: Iterable[str], promised: frozenset[str]) -> list[str]:
    """A file's tensors, layer by layer. Raises TensorMismatch for one that the index says it holds."""
    held = sorted(names, key=_layer_by_layer)
    if lacking := sorted(promised - set(held), key=_layer_by_layer):
        raise TensorMismatch(
            f"{path}: {_called(lacking[0])} is not in it, though {INDEX} says so; fetch both again"
        )
    return held


def _layer_by_layer(name: str) -> list[tuple[int, str]]:
    """Layer 2 before layer 10: a shorter number is a smaller one."""
    return [(len(part) if i % 2 else 0, part) for i, part in enumerate(re.split(r"([0-9]+)", name))]


def _called(name: str) -> str:
    """A tensor's name in a sentence: a file may call it anything, at any length."""
    return name if len(name) <= 200 else f"{name[:200]}…"


def _files(folder: Path) -> dict[Path, frozenset[str]]:
    """The folder's safetensors, each with the tensors that its index says it holds."""
    single, index = folder / SINGLE, folder / INDEX
    if index.is_file() and single.is_file():
        raise BadFolder(f"{folder} holds both {SINGLE} and {INDEX}; take one of them away")
    if single.is_file():
        return {single: frozenset()}
    if not index.is_file():
        pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
        if pickles:
            raise UnsafeFile(f"{folder} holds {pickles[0]}, a pickle, which is never opened; wanted {SINGLE}")
        raise BadFolder(f"{folder} holds neither {SINGLE} nor {INDEX}; a model's folder has one")
    weight_map: Any = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise BadFolder(f"{index}: weight_map is {type(weight_map).__name__}; wanted tensor names and files")
    files: dict[Path, frozenset[str]] = {}
    for name in sorted(set(map(str, weight_map.values()))):
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise BadFolder(f"{index} names {name}, which is not in {folder}; fetch it again")
        files[path] = frozenset(tensor for tensor, where in weight_map.items() if str(where) == name)
    return files
