"""adapter_config.json in PEFT's layout: which modules an adapter is for, with which rank and scale."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omma.errors import BadFolder
from omma.weights.fields import read_json

CONFIG = "adapter_config.json"

# What would change the numbers and is not built here, with the words to say so.
_REFUSED = {
    "use_dora": "DoRA rescales every row of the weight; merge it into its base with peft and load the folder",
    "use_qalora": "QALoRA pools its input; merge it into its base with peft and load the folder",
    "fan_in_fan_out": "the model's linear layers keep their weights as (out, in)",
    "lora_bias": "biases beside the pairs are not built here; merge it with peft and load the folder",
    "target_parameters": "pairs on bare parameters are not built here; merge it with peft",
    "trainable_token_indices": "single rows of the table are not built here; merge it with peft",
    "layer_replication": "it repeats layers of its base, which makes another model",
    "alora_invocation_tokens": "it is on for part of the tokens only",
}
# Inits after which the base's own weights are no longer those that were trained on.
_MOVES_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")
_READ = {
    *("peft_type", "r", "lora_alpha", "target_modules", "exclude_modules", "modules_to_save", "use_rslora"),
    *("rank_pattern", "alpha_pattern", "layers_to_transform", "layers_pattern", "bias"),
    *("base_model_name_or_path", "init_lora_weights", "lora_dropout"),
}
# Of training, of bookkeeping, or defaults that stand beside a switch which is off.
_NO_MATTER = {
    *("auto_mapping", "peft_version", "task_type", "inference_mode", "revision", "loftq_config"),
    *("eva_config", "corda_config", "lora_ga_config", "megatron_config", "megatron_core", "runtime_config"),
    *("qalora_group_size", "ensure_weight_tying", "velora_config"),
}


@dataclass(frozen=True)
class AdapterConfig:
    """What an adapter_config.json says, for modules called as the adapter's file calls them."""

    rank: int
    alpha: float
    target: str | Sequence[str]
    exclude: str | Sequence[str] = ()
    whole: Sequence[str] = ()
    layers: Sequence[int] | None = None
    layers_pattern: Sequence[str] = ()
    root: bool = False
    ranks: Mapping[str, int] | None = None
    alphas: Mapping[str, float] | None = None
    base: str | None = None

    def rank_of(self, module: str) -> int:
        """The rank of this module's pair."""
        return int(_by_pattern(self.ranks or {}, module, self.rank))

    def scale_of(self, module: str) -> float:
        """What the product of the pair is multiplied by: alpha by the rank, or by its root."""
        rank = self.rank_of(module)
        return _by_pattern(self.alphas or {}, module, self.alpha) / (rank**0.5 if self.root else rank)

    def targets(self, module: str) -> bool:
        """Whether the adapter is for this linear layer."""
        if self.exclude and _named(self.exclude, module):
            return False
        if any(re.match(rf"(^|.*\.){name}($|\..*)", module) for name in self.whole):
            return False
        if self.target == "all-linear":
            return module != "lm_head" and not module.endswith("patch_embed.proj")
        return _named(self.target, module) and (isinstance(self.target, str) or self._in_layers(module))

    def _in_layers(self, module: str) -> bool:
        if not self.layers:
            return True
        for pattern in self.layers_pattern or (r"[^.]*",):
            start = r".*?\." if not self.layers_pattern else r"(?:^|.*?\.)"
            if found := re.match(rf"{start}{pattern}\.(\d+)\.", module):
                return int(found[1]) in self.layers
        return False


def read_config(folder: Path) -> AdapterConfig:
    """Read adapter_config.json. Raises BadFolder for a kind of adapter that is not built here, naming it."""
    path = folder / CONFIG
    raw = read_json(path)
    _refuse(raw, path)
    try:
        layers, pattern = raw.get("layers_to_transform"), raw.get("layers_pattern")
        config = AdapterConfig(
            rank=int(raw.get("r", 8)),
            alpha=float(raw.get("lora_alpha", 8)),
            target=_names(raw.get("target_modules")),
            exclude=_names(raw.get("exclude_modules")),
            whole=tuple(raw.get("modules_to_save") or ()),
            layers=[layers] if isinstance(layers, int) else layers,
            layers_pattern=(pattern,) if isinstance(pattern, str) else tuple(pattern or ()),
            root=bool(raw.get("use_rslora")),
            ranks={str(key): int(value) for key, value in (raw.get("rank_pattern") or {}).items()},
            alphas={str(key): float(value) for key, value in (raw.get("alpha_pattern") or {}).items()},
            base=raw.get("base_model_name_or_path"),
        )
        for expression in _expressions(config):
            re.compile(expression)
    except (TypeError, ValueError, AttributeError, re.error) as problem:
        raise BadFolder(f"{path} is not an adapter's config: {problem}; write it with peft") from None
    if config.rank < 1 or any(rank < 1 for rank in (config.ranks or {}).values()):
        raise BadFolder(f"{path}: a rank is below 1; wanted whole numbers from 1")
    return config


def _refuse(raw: Mapping[str, Any], path: Path) -> None:
    """Raise BadFolder for what would change the numbers and is not built here."""
    if (kind := raw.get("peft_type")) != "LORA":
        raise BadFolder(f"{path}: peft_type is {kind!r}; wanted 'LORA'")
    for name, why in _REFUSED.items():
        if raw.get(name):
            raise BadFolder(f"{path}: {name} is {raw[name]!r}; {why}")
    start = str(raw.get("init_lora_weights", True)).lower()
    if start.startswith(_MOVES_BASE):
        raise BadFolder(
            f"{path}: init_lora_weights is {start!r}, which changed the base's own weights before training; "
            "save it with peft's path_initial_model_for_weight_conversion, which makes it a plain adapter"
        )
    unread = [name for name, value in raw.items() if name not in _READ | _NO_MATTER | set(_REFUSED) and value]
    if unread:
        raise BadFolder(
            f"{path}: {', '.join(unread)} is set, which nobody here reads; "
            "merge the adapter into its base with peft and load that folder"
        )


def _names(value: Any) -> str | Sequence[str]:
    """A pattern, or names."""
    return value if isinstance(value, str) else tuple(str(name) for name in value or ())


def _expressions(config: AdapterConfig) -> Iterable[str]:
    yield from (value for value in (config.target, config.exclude) if isinstance(value, str))
    yield from (*(config.ranks or {}), *(config.alphas or {}), *config.whole, *config.layers_pattern)


def _named(wanted: str | Sequence[str], module: str) -> bool:
    """By a pattern that spans the whole name, or by the name or its end."""
    if isinstance(wanted, str):
        return re.fullmatch(wanted, module) is not None
    return any(module == name or module.endswith(f".{name}") for name in wanted)


def _by_pattern(patterns: Mapping[str, float], module: str, usual: float) -> float:
    """The value of the first pattern that matches the end of the module's name."""
    found = (value for key, value in patterns.items() if re.match(rf"(.*\.)?({key})$", module))
    return next(found, usual)
