"""Tensor names: ours to the public ones and back, in every public spelling (facts §4.2, §4.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from omma.spec import ModelSpec


@dataclass(frozen=True)
class Spelling:
    """What a family's official files call our modules: single ones, and the parts of a layer of each stack.

    Written as files did at first, ``visual.…`` and ``model.…``; with `inside` the family's files say
    ``model.visual.…`` and ``model.language_model.…``, as transformers does in memory.
    """

    singles: Mapping[str, str]
    vision: Mapping[str, str]
    decoder: Mapping[str, str]
    inside: bool = False
    stacks: tuple[str, str, str] = ("visual.blocks", "visual.deepstack_merger_list", "model.layers")
    bare: Mapping[str, str] = field(default_factory=dict)  # whole names of tensors that no module holds
    parts: Mapping[str, str] = field(default_factory=dict)  # parts of a layer that are tensors themselves


_FEED = {"feed.gate": "mlp.gate_proj", "feed.up": "mlp.up_proj", "feed.down": "mlp.down_proj"}
_ENDS = {
    "vision.patches": "visual.patch_embed.proj",
    "decoder.embedding": "model.embed_tokens",
    "decoder.norm": "model.norm",
    "decoder.head": "lm_head",
}
_MERGER = {
    "vision.merger.norm": "visual.merger.ln_q",
    "vision.merger.inner": "visual.merger.mlp.0",
    "vision.merger.outer": "visual.merger.mlp.2",
}
_BLOCK = {
    "attention_norm": "norm1",
    "attention.qkv": "attn.qkv",
    "attention.out": "attn.proj",
    "feed_norm": "norm2",
}
_LAYER = {
    "attention_norm": "input_layernorm",
    "attention.query": "self_attn.q_proj",
    "attention.key": "self_attn.k_proj",
    "attention.value": "self_attn.v_proj",
    "attention.out": "self_attn.o_proj",
    "feed_norm": "post_attention_layernorm",
    **_FEED,
}
# Qwen-VL and Qwen-VL-Chat of 2023 (facts §4.1): their own code's names.
QWEN = Spelling(
    singles={
        "vision.patches": "transformer.visual.conv1",
        "vision.entry_norm": "transformer.visual.ln_pre",
        "vision.merger.keys": "transformer.visual.attn_pool.kv_proj",
        "vision.merger.query_norm": "transformer.visual.attn_pool.ln_q",
        "vision.merger.key_norm": "transformer.visual.attn_pool.ln_kv",
        "vision.merger.attention.out": "transformer.visual.attn_pool.attn.out_proj",
        "vision.merger.out_norm": "transformer.visual.ln_post",
        "decoder.embedding": "transformer.wte",
        "decoder.norm": "transformer.ln_f",
        "decoder.head": "lm_head",
    },
    vision={
        "attention_norm": "ln_1",
        "attention.qkv": "attn.in_proj",
        "attention.out": "attn.out_proj",
        "feed_norm": "ln_2",
        "feed.up": "mlp.c_fc",
        "feed.down": "mlp.c_proj",
    },
    decoder={
        "attention_norm": "ln_1",
        "attention.qkv": "attn.c_attn",
        "attention.out": "attn.c_proj",
        "feed_norm": "ln_2",
        "feed.up": "mlp.w1",
        "feed.gate": "mlp.w2",
        "feed.down": "mlp.c_proj",
    },
    stacks=("transformer.visual.transformer.resblocks", "", "transformer.h"),
    bare={
        "vision.places.weight": "transformer.visual.positional_embedding",
        "vision.merger.queries.weight": "transformer.visual.attn_pool.query",
        "vision.merger.places.weight": "transformer.visual.attn_pool.pos_embed",
        "vision.merger.attention.inner.weight": "transformer.visual.attn_pool.attn.in_proj_weight",
        "vision.merger.attention.inner.bias": "transformer.visual.attn_pool.attn.in_proj_bias",
        "vision.merger.projection.weight": "transformer.visual.proj",
    },
)
# A mixture's tensors have no ending of their own; experts in the tower are called as those of the decoder.
_ROUTER = {"feed.router": "mlp.gate"}
_BANK = {"feed.experts.gate_up": "mlp.experts.gate_up_proj", "feed.experts.down": "mlp.experts.down_proj"}
_NEW_MERGER = {"norm": "norm", "inner": "linear_fc1", "outer": "linear_fc2"}

SPELLINGS: dict[str, Spelling] = {
    "qwen2-vl": Spelling(_ENDS | _MERGER, _BLOCK | {"feed.up": "mlp.fc1", "feed.down": "mlp.fc2"}, _LAYER),
    "qwen2.5-vl": Spelling(_ENDS | _MERGER, _BLOCK | _FEED, _LAYER),
    "qwen3-vl": Spelling(
        _ENDS
        | {"vision.places": "visual.pos_embed"}
        | {f"vision.merger.{ours}": f"visual.merger.{public}" for ours, public in _NEW_MERGER.items()},
        _BLOCK | {"feed.up": "mlp.linear_fc1", "feed.down": "mlp.linear_fc2"},
        _LAYER | {"attention.query_norm": "self_attn.q_norm", "attention.key_norm": "self_attn.k_norm"},
        inside=True,
    ),
    "qwen-vl": QWEN,
}
_NUMBERED = re.compile(r"(?P<stack>.+?)\.(?P<number>\d+)\.(?P<part>.+)")
SPELLINGS["qwen3-vl-moe"] = replace(
    SPELLINGS["qwen3-vl"],
    vision={**SPELLINGS["qwen3-vl"].vision, **_ROUTER},
    decoder={ours: public for ours, public in SPELLINGS["qwen3-vl"].decoder.items() if ours not in _FEED}
    | _ROUTER,
    parts=_BANK,
)
# Described models: Qwen2.5-VL's names, and experts in the tower called as Qwen3-VL's are in the decoder.
SPELLINGS["described"] = replace(
    SPELLINGS["qwen2.5-vl"], vision={**SPELLINGS["qwen2.5-vl"].vision, **_ROUTER}, parts=_BANK
)
HEAD, EMBEDDING = "decoder.head.weight", "decoder.embedding.weight"


def public_name(ours: str, family: str) -> str:
    """The name our tensor has in a family's official files. Raises KeyError for a name that is not ours."""
    spelling = SPELLINGS[family]
    stacks = {ours: (public, parts) for ours, public, parts in _stacks(spelling)}
    if ours in spelling.bare:
        return spelling.bare[ours]
    name = _translate(ours, spelling.singles, stacks, spelling.parts)
    return in_memory(name) if spelling.inside else name


def our_name(public: str, family: str) -> str | None:
    """Our name for a tensor of a file, in the official spelling or in transformers' own; None if unknown."""
    spelling = SPELLINGS[family]
    if public in (bare := {public: ours for ours, public in spelling.bare.items()}):
        return bare[public]
    plain = re.sub(r"^model\.visual\.", "visual.", public)
    plain = re.sub(r"^model\.language_model\.", "model.", plain)
    singles = {public: ours for ours, public in spelling.singles.items()}
    stacks = {
        public: (ours, {there: here for here, there in parts.items()})
        for ours, public, parts in _stacks(spelling)
    }
    try:
        return _translate(plain, singles, stacks, {there: here for here, there in spelling.parts.items()})
    except KeyError:
        return None


def is_bank(ours: str) -> bool:
    """Whether our tensor holds the matrices of all experts of a layer: (experts, in, out)."""
    return ours.endswith(tuple(_BANK))


def in_memory(public: str) -> str:
    """A public name as transformers has it in memory, which is what PEFT counts by (facts §4.2)."""
    inside = re.sub(r"^visual\.", "model.visual.", public)
    return re.sub(r"^model\.(?!visual\.|language_model\.)", "model.language_model.", inside)


def public_shape(ours: str, shape: tuple[int, ...], spec: ModelSpec) -> tuple[int, ...]:
    """The shape our tensor has in files: the same, but the patch embedding is kept as a convolution's."""
    if ours != "vision.patches.weight":
        return shape
    vision = spec.vision
    deep = () if vision.side else (vision.temporal,)  # 2023's convolution knows no time
    return (shape[0], vision.channels, *deep, vision.patch, vision.patch)


def _stacks(spelling: Spelling) -> tuple[tuple[str, str, Mapping[str, str]], ...]:
    blocks, mergers, layers = spelling.stacks
    return (
        ("vision.layers", blocks, spelling.vision),
        ("vision.deep", mergers, _NEW_MERGER),
        ("decoder.layers", layers, spelling.decoder),
    )


def _translate(
    name: str,
    singles: Mapping[str, str],
    stacks: Mapping[str, tuple[str, Mapping[str, str]]],
    tensors: Mapping[str, str],
) -> str:
    whole = _NUMBERED.fullmatch(name)
    if whole is not None and whole["stack"] in stacks and whole["part"] in tensors:
        return f"{stacks[whole['stack']][0]}.{whole['number']}.{tensors[whole['part']]}"
    module, _, leaf = name.rpartition(".")
    if leaf not in ("weight", "bias"):
        raise KeyError(name)
    if module in singles:
        return f"{singles[module]}.{leaf}"
    found = _NUMBERED.fullmatch(module)
    if found is None or found["stack"] not in stacks:
        raise KeyError(name)
    stack, parts = stacks[found["stack"]]
    return f"{stack}.{found['number']}.{parts[found['part']]}.{leaf}"
