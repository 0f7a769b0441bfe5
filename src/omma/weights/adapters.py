"""Adapters on disk in PEFT's layout: read onto our names, written under the public ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open
from torch import Tensor

from omma.errors import BadFolder, TensorMismatch, UnsafeFile
from omma.model.vlm import Vlm
from omma.weights.adapters_config import CONFIG, AdapterConfig, read_config
from omma.weights.fields import read_json, write_json
from omma.weights.files import write_tensors
from omma.weights.lora import HEAD_LAYER, Adapter, Pair, linears, mark_of
from omma.weights.names import in_memory, our_name, public_name, public_shape

WEIGHTS, PICKLE = "adapter_model.safetensors", "adapter_model.bin"
ROOT = "base_model.model."
PATCHES = "vision.patches"  # in public a convolution, and its pair with it
_PAIR = re.compile(r"(?P<module>.+)\.lora_(?P<half>[AB])(?:\.\w+)?\.weight")
_DRESS = re.compile(r"\.(?:base_layer|modules_to_save(?:\.\w+)?)(?=\.(?:weight|bias)$)")
_BASE = "omma_base"  # in the file's metadata: a hash of the weights that the adapter was trained on


def is_adapter(folder: Path) -> bool:
    """Whether the folder holds an adapter, and no model of its own."""
    return (folder / CONFIG).is_file() and not (folder / "config.json").exists()


def base_of(folder: Path) -> str:
    """The name or folder of the model that an adapter was made for. Raises BadFolder if it is not told."""
    name = read_json(folder / CONFIG).get("base_model_name_or_path")
    if not isinstance(name, str) or not name:
        raise BadFolder(
            f"{folder / CONFIG} does not name its base; load the model, with adapter={str(folder)!r}"
        )
    return name


def read_adapter(folder: Path, model: Vlm) -> Adapter:
    """The adapter in a folder, for a model that carries none.

    Raises BadFolder for a kind that is not built here, UnsafeFile for a pickle, and TensorMismatch naming a
    tensor that is left over, missing or misshapen, or a base that is not the one it was trained on.
    """
    config = read_config(folder)
    tensors, metadata = _read(folder)
    file = _File(folder / WEIGHTS, config, model, _spelling(tensors))
    halves: dict[str, dict[str, Tensor]] = {}
    whole: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        if found := _PAIR.fullmatch(key):
            module = file.ours(key, f"{found['module']}.weight").removesuffix(".weight")
            halves.setdefault(module, {})[found["half"]] = tensor
        else:
            whole[file.ours(key, _DRESS.sub("", key))] = tensor
    pairs = {name: file.pair(name, found) for name, found in halves.items()}
    adapter = Adapter(pairs, {name: file.whole(name, tensor) for name, tensor in whole.items()})
    file.check_complete(adapter)
    if (mark := metadata.get(_BASE)) is not None and mark != (own := mark_of(model)):
        raise TensorMismatch(
            f"{folder} was trained on other weights of this shape ({config.base}, hash {mark}; these have "
            f"{own}); load it with the model that it was made for"
        )
    return adapter


def write_adapter(
    pairs: Mapping[str, Pair], model: Vlm, folder: Path, *, base: str, mark: str, dropout: float = 0.0
) -> None:
    """Write pairs, by our names, in fp32: `peft` puts them on the same model in transformers unchanged.

    `base` is how the model was called, `mark` what `lora.mark_of` said of it before it carried them, and
    `dropout` what they were trained with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    family = model.spec.family
    for name, pair in pairs.items():
        down, up = pair.down, pair.up
        if name == PATCHES:
            down = down.reshape(public_shape(f"{name}.weight", tuple(down.shape), model.spec))
            up = up.reshape(*up.shape, *(1 for _ in down.shape[2:]))
        for half, tensor in (("A", down), ("B", up)):
            tensors[f"{ROOT}{_memory(name, family)}.lora_{half}.weight"] = tensor.float()
    passing = folder / f".{WEIGHTS}.new"
    write_tensors(tensors, passing, {"format": "pt", _BASE: mark})
    passing.replace(folder / WEIGHTS)
    named = {_memory(name, family): pair for name, pair in pairs.items()}
    write_json(folder / CONFIG, _settings(named, base, dropout, _target(list(named), model)))


def _settings(
    pairs: Mapping[str, Pair], base: str, dropout: float, target: str | list[str]
) -> dict[str, Any]:
    """What adapter_config.json says of pairs by public names: the usual rank and scale, then the others'."""
    (rank, scale), _ = Counter((pair.down.shape[0], pair.scale) for pair in pairs.values()).most_common(1)[0]
    others = {name: p for name, p in pairs.items() if (p.down.shape[0], p.scale) != (rank, scale)}
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": _plain(rank * scale),
        "lora_dropout": dropout,
        "bias": "none",
        "target_modules": target,
        "rank_pattern": {re.escape(name): pair.down.shape[0] for name, pair in others.items()},
        "alpha_pattern": {
            re.escape(name): _plain(pair.down.shape[0] * pair.scale) for name, pair in others.items()
        },
        "use_rslora": False,
        "use_dora": False,
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "modules_to_save": None,
        "inference_mode": True,
    }


class _File(NamedTuple):
    """An adapter's file as it is read: what its config says, and the model that it is to fit."""

    path: Path
    config: AdapterConfig
    model: Vlm
    hub: bool  # modules are called as in the hub's files, not as in transformers' memory

    def ours(self, key: str, public: str) -> str:
        """Our name for a tensor. Raises TensorMismatch when the model has none like it."""
        ours = our_name(public.removeprefix(ROOT), self.model.spec.family)
        if ours is None:
            raise TensorMismatch(f"{self.path}: {key} is left over; the model has no place for it")
        return ours

    def pair(self, name: str, halves: Mapping[str, Tensor]) -> Pair:
        """Both halves of a module's pair, as matrices. Raises TensorMismatch."""
        public = self.public(name)
        if missing := {"A", "B"} - set(halves):
            raise TensorMismatch(f"{self.path}: {public}.lora_{missing.pop()} is missing; fetch it again")
        if not self.config.targets(public):
            raise TensorMismatch(
                f"{self.path}: {public}.lora_A is left over; target_modules in {CONFIG} does not name it"
            )
        layer = linears(self.model).get(name)
        if layer is None and name != HEAD_LAYER:
            raise TensorMismatch(f"{self.path}: {public}.lora_A is left over; the model has no such layer")
        down, up = halves["A"], halves["B"]
        if name == PATCHES:
            down, up = down.flatten(1), up.flatten(1)
        rank = self.config.rank_of(public)
        table = self.model.decoder.embedding.weight
        out, into = table.shape if layer is None else (layer.out_features, layer.in_features)
        for half, tensor, wanted in (("A", down, (rank, into)), ("B", up, (out, rank))):
            if tuple(tensor.shape) != wanted or not tensor.is_floating_point():
                raise TensorMismatch(
                    f"{self.path}: {public}.lora_{half} is {tuple(tensor.shape)}; this model and rank {rank} "
                    f"want {wanted}: it was made for another base"
                )
        return Pair(down, up, self.config.scale_of(public))

    def whole(self, name: str, tensor: Tensor) -> Tensor:
        """A parameter that is replaced, in our shape. Raises TensorMismatch."""
        parameters = dict(self.model.named_parameters())
        head = self.model.decoder.embedding.weight if name == f"{HEAD_LAYER}.weight" else None
        parameter = parameters.get(name, head)
        public = public_name(name, self.model.spec.family)
        if parameter is None:
            raise TensorMismatch(f"{self.path}: {public} is left over; the model has no such tensor")
        wanted = public_shape(name, tuple(parameter.shape), self.model.spec)
        if tuple(tensor.shape) != wanted:
            raise TensorMismatch(
                f"{self.path}: {public} is {tuple(tensor.shape)}; this model wants {wanted}: "
                "it was made for another base"
            )
        return tensor.reshape(parameter.shape)

    def public(self, module: str) -> str:
        """What the file calls one of our modules."""
        family = self.model.spec.family
        return _hub(module, family) if self.hub else _memory(module, family)

    def check_complete(self, adapter: Adapter) -> None:
        """Raise TensorMismatch naming what the config promises and the file does not hold."""
        for name in {*linears(self.model), HEAD_LAYER}:
            if name not in adapter.pairs and self.config.targets(self.public(name)):
                raise TensorMismatch(
                    f"{self.path}: {self.public(name)}.lora_A is missing, and {CONFIG} promises it; "
                    "fetch it again"
                )
        held = {self.public(name.rpartition(".")[0]) for name in adapter.whole}
        for promised in self.config.whole:
            if not any(name == promised or name.endswith(f".{promised}") for name in held):
                raise TensorMismatch(
                    f"{self.path}: modules_to_save names {promised}, of which no tensor is there; "
                    "fetch it again"
                )
        if not adapter.pairs and not adapter.whole:
            raise BadFolder(f"{self.path} holds no tensor; wanted an adapter's")


def _read(folder: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors of the file, and what its metadata says."""
    path = folder / WEIGHTS
    if not path.exists():
        if (folder / PICKLE).exists():
            raise UnsafeFile(f"{folder} holds {PICKLE}, a pickle, which is never opened; wanted {WEIGHTS}")
        raise BadFolder(f"{path} is missing; an adapter's folder has one")
    try:
        with safe_open(path, "pt") as file:
            keys = list(file.keys())
            return {key: file.get_tensor(key) for key in keys}, dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise BadFolder(f"{path} cannot be read: {error}; fetch it again") from None


def _spelling(keys: Mapping[str, Tensor]) -> bool:
    """Whether modules are called as in the hub's files: before transformers 4.52 the two were one."""
    new = (f"{ROOT}model.language_model.", f"{ROOT}model.visual.")
    return not any(key.startswith(new) for key in keys)


def _hub(module: str, family: str) -> str:
    """Our module's name in the hub's files."""
    return public_name(f"{module}.weight", family).removesuffix(".weight")


def _memory(module: str, family: str) -> str:
    """Our module's name in transformers' memory."""
    return in_memory(_hub(module, family))


def _target(names: list[str], model: Vlm) -> str | list[str]:
    """A pattern for exactly these modules of the model; where there is none, every name."""
    kinds = dict.fromkeys(re.sub(r"\.(layers|blocks)\.\d+\.", r".\1.N.", name) for name in names)
    pattern = "|".join(re.escape(kind).replace(r"\.N\.", r"\.\d+\.") for kind in kinds)
    everything = [_memory(name.removesuffix(".base"), model.spec.family) for name in linears(model)]
    caught = {name for name in everything if re.fullmatch(pattern, name)}
    return pattern if caught == set(names) else names


def _plain(number: float) -> float | int:
    """A whole number without its point, as PEFT writes it."""
    return int(number) if float(number).is_integer() else number
