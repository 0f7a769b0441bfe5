"""config.json of Qwen3-VL, dense or of experts, read to a spec and written from one (facts §1.4, §4.4)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from omma.errors import BadFolder
from omma.spec import DecoderSpec, Experts, FeedForward, Gelu, ModelSpec, SwiGLU, VisionSpec, Written
from omma.weights.config_parts import (
    possible,
    public_decoder,
    public_ids,
    public_tower,
    read_decoder,
    read_ids,
    read_rope,
    read_tower,
    told_beside,
)
from omma.weights.fields import Fields

FAMILIES = {"qwen3_vl": "qwen3-vl", "qwen3_vl_moe": "qwen3-vl-moe"}  # model_type → family
ARCHITECTURES = {
    "qwen3-vl": "Qwen3VLForConditionalGeneration",
    "qwen3-vl-moe": "Qwen3VLMoeForConditionalGeneration",
}
BOXES = "relative"
# What the format has no field for, or only one value of: transformers reads no other.
_TOWER: dict[str, Any] = {
    "window": None,
    "full_layers": (),
    "norm": "layer",
    "patch_bias": True,
    "norm_eps": 1e-6,
    "rope_theta": 10_000.0,
}
_DECODER = {"attention_bias": False, "head_norm": True, "interleaved": True}
_USUAL_FEED = SwiGLU(22_016)
# What transformers' classes hold where a config is silent.
_USUAL_TOWER = VisionSpec(
    depth=27,
    width=1152,
    heads=16,
    feed_forward=Gelu(4304, "tanh"),
    out_width=3584,
    patch=16,
    deepstack=(8, 16, 24),
    **_TOWER,
)
_USUAL_DECODER = DecoderSpec(
    depth=32,
    width=4096,
    heads=32,
    key_heads=32,
    head_width=128,
    feed_forward=_USUAL_FEED,
    vocabulary=151_936,
    tied=False,
    sections=(24, 20, 20),
    rope_theta=500_000.0,
    context=128_000,
    attention_bias=False,
    interleaved=True,
    head_norm=True,
)
_USUAL_EXPERTS = replace(_USUAL_DECODER, depth=24, width=2048, heads=16, key_heads=16)


def read(config: Fields) -> ModelSpec:
    """The spec of a config; an absent field has transformers' class default. Raises BadFolder naming it."""
    text, vision = config.inner("text_config"), config.inner("vision_config")
    family = FAMILIES[config.raw["model_type"]]
    return ModelSpec(
        vision=_vision(vision),
        decoder=_decoder(config, text, _experts(text) if family == "qwen3-vl-moe" else _dense(text)),
        ids=read_ids(config, text),
        tokens_per_second=None,
        boxes=str(config.inner("omma").raw.get("boxes", BOXES)),
        family=family,
        written_times=Written(),
        default_system=False,
    )


def checks(spec: ModelSpec) -> dict[str, bool]:
    """What would be wrong with a spec in this format, in words, and whether it is not so."""
    vision, decoder = spec.vision, spec.decoder
    return possible(spec) | {
        "the tower's feed-forward is not a tanh Gelu": vision.feed_forward
        == Gelu(vision.feed_forward.width, "tanh"),
        "the tower has no learned grid of positions": bool(vision.places),
        f"deepstack names no layers of the tower, each once and in order: {list(vision.deepstack)}, and the "
        f"layers are 0 to {vision.depth - 1}": _sound_levels(vision),
        "there are more levels of deepstack than layers": len(vision.deepstack) <= decoder.depth,
        **_checks_feed(spec.family, decoder.feed_forward),
        "slices are placed by their times, or other words than their seconds are written": (
            spec.tokens_per_second is None and spec.written_times == Written()
        ),
        "there is a default system message": not spec.default_system,
        **{
            f"the tower's {name} is not {value}": getattr(vision, name) == value
            for name, value in _TOWER.items()
        },
        **{
            f"the decoder's {name} is not {value}": getattr(decoder, name) == value
            for name, value in _DECODER.items()
        },
    }


def public(spec: ModelSpec, dtype: str) -> dict[str, Any]:
    """config.json as the public folders have it, nested."""
    return {
        "architectures": [ARCHITECTURES[spec.family]],
        "model_type": _model_type(spec),
        **public_ids(spec.ids),
        "text_config": _public_text(spec, dtype),
        "vision_config": _public_vision(spec),
        "tie_word_embeddings": spec.decoder.tied,
        **told_beside(spec, BOXES),
    }


def _sound_levels(vision: VisionSpec) -> bool:
    levels = vision.deepstack
    return list(levels) == sorted(set(levels)) and all(level < vision.depth for level in levels)


def _vision(fields: Fields) -> VisionSpec:
    fields.fixed("hidden_act", "gelu_pytorch_tanh")
    places = fields.whole("num_position_embeddings", 2304)
    if math.isqrt(places) ** 2 != places:
        raise BadFolder(
            f"{fields.where}: num_position_embeddings is {places}; wanted a square number, such as 2304"
        )
    usual = _USUAL_TOWER
    return replace(
        read_tower(fields, usual),
        width=fields.whole("hidden_size", usual.width),
        feed_forward=Gelu(fields.whole("intermediate_size", usual.feed_forward.width), "tanh"),
        out_width=fields.whole("out_hidden_size", usual.out_width),
        places=math.isqrt(places),
        deepstack=fields.wholes("deepstack_visual_indexes", usual.deepstack),
    )


def _dense(text: Fields) -> SwiGLU:
    return SwiGLU(text.whole("intermediate_size", _USUAL_FEED.width))


def _experts(text: Fields) -> Experts:
    """The mixture of every layer; a model with other layers between them is not built here."""
    text.fixed("decoder_sparse_step", 1)
    text.fixed("norm_topk_prob", True)
    if text.raw.get("mlp_only_layers") is not None:
        text.fixed("mlp_only_layers", [])
    name = "num_experts" if "num_experts" in text.raw else "num_local_experts"
    return Experts(
        width=text.whole("moe_intermediate_size", 1408),
        count=text.whole(name, 60),
        chosen=text.whole("num_experts_per_tok", 4),
    )


def _checks_feed(family: str, feed: FeedForward) -> dict[str, bool]:
    match family, feed:
        case "qwen3-vl", SwiGLU(bias=False):
            return {}
        case "qwen3-vl-moe", Experts(_, count, chosen):
            return {f"{chosen} experts of {count} are chosen": 1 <= chosen <= count}
        case "qwen3-vl-moe", _:
            return {"the decoder's feed-forward is not a mixture of experts": False}
        case _:
            return {"the decoder's feed-forward is not a plain gated one": False}


def _model_type(spec: ModelSpec) -> str:
    return next(kind for kind, family in FAMILIES.items() if family == spec.family)


def _decoder(config: Fields, text: Fields, feed: FeedForward) -> DecoderSpec:
    text.fixed("attention_bias", False)
    rope = read_rope(text, ("default",))
    rope.fixed("mrope_interleaved", True)
    sparse = isinstance(feed, Experts)
    decoder = read_decoder(text, rope, _USUAL_EXPERTS if sparse else _USUAL_DECODER)
    usual = decoder.width // decoder.heads if sparse else _USUAL_DECODER.head_width
    alone = sparse and text.raw.get("head_dim", 0) is None
    head_width = usual if alone else text.whole("head_dim", usual)
    return replace(
        decoder,
        head_width=head_width,
        sections=_interleaved(decoder.sections, head_width // 2),
        feed_forward=feed,
        tied=config.flag("tie_word_embeddings"),
    )


def _interleaved(sections: tuple[int, int, int], frequencies: int) -> tuple[int, int, int]:
    """How many of a head's frequencies go by time, row and column.

    Every third from the second goes by row and every third from the third by column, so many as sections
    say and as there are; the others go by time (facts §3.4).
    """
    row, column = (len(range(axis, min(3 * sections[axis], frequencies), 3)) for axis in (1, 2))
    return frequencies - row - column, row, column


def _public_text(spec: ModelSpec, dtype: str) -> dict[str, Any]:
    decoder = spec.decoder
    return {
        "model_type": f"{_model_type(spec)}_text",
        "dtype": dtype,
        **public_decoder(spec),
        **_public_feed(decoder.feed_forward),
        "head_dim": decoder.head_width,
        "attention_bias": False,
        "rope_scaling": {
            "rope_type": "default",
            "mrope_section": list(decoder.sections),
            "mrope_interleaved": True,
        },
    }


def _public_feed(feed: FeedForward) -> dict[str, Any]:
    match feed:
        case Experts(width, count, chosen):
            return {
                "intermediate_size": 8 * width,  # of dense layers, of which there are none (facts §1.4)
                "moe_intermediate_size": width,
                "num_experts": count,
                "num_experts_per_tok": chosen,
                "decoder_sparse_step": 1,
                "mlp_only_layers": [],
                "norm_topk_prob": True,
                "router_aux_loss_coef": 0.001,
            }
        case _:
            return {"intermediate_size": feed.width}


def _public_vision(spec: ModelSpec) -> dict[str, Any]:
    vision = spec.vision
    return public_tower(vision, _model_type(spec)) | {
        "hidden_size": vision.width,
        "hidden_act": "gelu_pytorch_tanh",
        "intermediate_size": vision.feed_forward.width,
        "out_hidden_size": vision.out_width,
        "num_position_embeddings": (vision.places or 0) ** 2,
        "deepstack_visual_indexes": list(vision.deepstack),
    }
