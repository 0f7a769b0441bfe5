"""Tensor names: ours to the public ones and back, in every public spelling (facts §4.2)."""

from __future__ import annotations

import re

from omma.spec import ModelSpec

_SINGLES = {
    "vision.patches": "visual.patch_embed.proj",
    "vision.merger.norm": "visual.merger.ln_q",
    "vision.merger.inner": "visual.merger.mlp.0",
    "vision.merger.outer": "visual.merger.mlp.2",
    "decoder.embedding": "model.embed_tokens",
    "decoder.norm": "model.norm",
    "decoder.head": "lm_head",
}
_FEED = {"feed.gate": "mlp.gate_proj", "feed.up": "mlp.up_proj", "feed.down": "mlp.down_proj"}
_VISION_LAYER = {
    "attention_norm": "norm1",
    "attention.qkv": "attn.qkv",
    "attention.out": "attn.proj",
    "feed_norm": "norm2",
    **_FEED,
}
_DECODER_LAYER = {
    "attention_norm": "input_layernorm",
    "attention.query": "self_attn.q_proj",
    "attention.key": "self_attn.k_proj",
    "attention.value": "self_attn.v_proj",
    "attention.out": "self_attn.o_proj",
    "feed_norm": "post_attention_layernorm",
    **_FEED,
}
_LAYERS = (
    ("vision.layers", "visual.blocks", _VISION_LAYER),
    ("decoder.layers", "model.layers", _DECODER_LAYER),
)
_LAYER = re.compile(r"(?P<stack>.+?)\.(?P<number>\d+)\.(?P<part>.+)")
HEAD, EMBEDDING = "decoder.head.weight", "decoder.embedding.weight"


def public_name(ours: str) -> str:
    """The name our tensor has in official files. Raises KeyError for a name that is not ours."""
    return _translate(ours, _SINGLES, {a: (b, parts) for a, b, parts in _LAYERS})


def our_name(public: str) -> str | None:
    """Our name for a tensor of a file, in the official spelling or in transformers' own; None if unknown."""
    hub = re.sub(r"^model\.visual\.", "visual.", public)
    hub = re.sub(r"^model\.language_model\.", "model.", hub)
    singles = {b: a for a, b in _SINGLES.items()}
    stacks = {b: (a, {there: here for here, there in parts.items()}) for a, b, parts in _LAYERS}
    try:
        return _translate(hub, singles, stacks)
    except KeyError:
        return None


def public_shape(ours: str, shape: tuple[int, ...], spec: ModelSpec) -> tuple[int, ...]:
    """The shape our tensor has in files: the same, but the patch embedding is kept as a convolution's."""
    if ours != "vision.patches.weight":
        return shape
    vision = spec.vision
    return (shape[0], vision.channels, vision.temporal, vision.patch, vision.patch)


def _translate(name: str, singles: dict[str, str], stacks: dict[str, tuple[str, dict[str, str]]]) -> str:
    module, _, leaf = name.rpartition(".")
    if leaf not in ("weight", "bias"):
        raise KeyError(name)
    if module in singles:
        return f"{singles[module]}.{leaf}"
    found = _LAYER.fullmatch(module)
    if found is None or found["stack"] not in stacks:
        raise KeyError(name)
    stack, parts = stacks[found["stack"]]
    return f"{stack}.{found['number']}.{parts[found['part']]}.{leaf}"
