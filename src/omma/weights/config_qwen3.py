"""config.json of Qwen3-VL, read to a spec and written from one (facts §1.4, §4.4)."""

from __future__ import annotations

import math
from typing import Any

from omma.errors import BadFolder
from omma.spec import DecoderSpec, Gelu, ModelSpec, SwiGLU, VisionSpec
from omma.weights.config_parts import possible, public_ids, read_ids, told_beside
from omma.weights.fields import DEEPEST, WIDEST_PATCH, Fields

MODEL_TYPE, FAMILY, BOXES = "qwen3_vl", "qwen3-vl", "relative"
# What the format has no field for, or only one value of: transformers reads no other.
_TOWER = {
    "window": None,
    "full_layers": (),
    "norm": "layer",
    "patch_bias": True,
    "norm_eps": 1e-6,
    "rope_theta": 10_000.0,
}
_DECODER = {"attention_bias": False, "head_norm": True, "interleaved": True}


def read(config: Fields) -> ModelSpec:
    """The spec of a config; an absent field has transformers' class default. Raises BadFolder naming it."""
    text, vision = config.inner("text_config"), config.inner("vision_config")
    return ModelSpec(
        vision=_vision(vision),
        decoder=_decoder(config, text),
        ids=read_ids(config, text),
        tokens_per_second=None,
        boxes=str(config.inner("omma").raw.get("boxes", BOXES)),
        family=FAMILY,
        written_times=True,
    )


def checks(spec: ModelSpec) -> dict[str, bool]:
    """What would be wrong with a spec in this format, in words, and whether it is not so."""
    vision, decoder = spec.vision, spec.decoder
    return possible(spec) | {
        "the tower's feed-forward is not a tanh Gelu": vision.feed_forward
        == Gelu(vision.feed_forward.width, "tanh"),
        "the tower has no learned grid of positions": bool(vision.places),
        "a layer of deepstack is not in the tower, or named twice": _sound_levels(vision),
        "there are more levels of deepstack than layers": len(vision.deepstack) <= decoder.depth,
        "the decoder's feed-forward is not a plain gated one": decoder.feed_forward
        == SwiGLU(decoder.feed_forward.width),
        "slices are placed by their times": spec.tokens_per_second is None and spec.written_times,
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
        "architectures": ["Qwen3VLForConditionalGeneration"],
        "model_type": MODEL_TYPE,
        **public_ids(spec.ids),
        "text_config": _public_text(spec, dtype),
        "vision_config": _public_vision(spec),
        "tie_word_embeddings": spec.decoder.tied,
        **told_beside(spec, BOXES),
    }


def _sound_levels(vision: VisionSpec) -> bool:
    levels = vision.deepstack
    return len(set(levels)) == len(levels) and all(level < vision.depth for level in levels)


def _vision(fields: Fields) -> VisionSpec:
    fields.fixed("hidden_act", "gelu_pytorch_tanh")
    places = fields.whole("num_position_embeddings", 2304)
    if math.isqrt(places) ** 2 != places:
        raise BadFolder(
            f"{fields.where}: num_position_embeddings is {places}; wanted a square number, such as 2304"
        )
    return VisionSpec(
        depth=fields.whole("depth", 27, most=DEEPEST),
        width=fields.whole("hidden_size", 1152),
        heads=fields.whole("num_heads", 16),
        feed_forward=Gelu(fields.whole("intermediate_size", 4304), "tanh"),
        out_width=fields.whole("out_hidden_size", 3584),
        patch=fields.whole("patch_size", 16, most=WIDEST_PATCH),
        temporal=fields.whole("temporal_patch_size", 2, most=WIDEST_PATCH),
        merge=fields.whole("spatial_merge_size", 2, most=WIDEST_PATCH),
        channels=fields.whole("in_channels", 3, most=WIDEST_PATCH),
        window=None,
        full_layers=(),
        rope_theta=fields.inner("rope_parameters").number("rope_theta", 10_000.0),
        norm="layer",
        patch_bias=True,
        places=math.isqrt(places),
        deepstack=fields.wholes("deepstack_visual_indexes", (8, 16, 24)),
    )


def _decoder(config: Fields, text: Fields) -> DecoderSpec:
    text.fixed("hidden_act", "silu")
    text.fixed("attention_bias", False)
    rope = text.inner("rope_parameters" if text.raw.get("rope_parameters") else "rope_scaling")
    rope.fixed("mrope_interleaved", True)
    if (kind := rope.raw.get("rope_type", rope.raw.get("type", "default"))) != "default":
        raise BadFolder(f"{rope.where}: type is {kind!r}, which is not built here; wanted 'default'")
    sections = rope.wholes("mrope_section", (24, 20, 20))
    if len(sections) != 3:
        raise BadFolder(f"{rope.where}: mrope_section is {list(sections)}; wanted three numbers")
    heads = text.whole("num_attention_heads", 32)
    alone = text.raw.get("num_key_value_heads", heads) is None
    return DecoderSpec(
        depth=text.whole("num_hidden_layers", 32, most=DEEPEST),
        width=text.whole("hidden_size", 4096),
        heads=heads,
        key_heads=heads if alone else text.whole("num_key_value_heads", 32),
        head_width=text.whole("head_dim", 128),
        feed_forward=SwiGLU(text.whole("intermediate_size", 22_016)),
        vocabulary=text.whole("vocab_size", 151_936),
        tied=config.flag("tie_word_embeddings"),
        sections=sections,
        rope_theta=rope.number("rope_theta", text.number("rope_theta", 500_000.0)),
        norm_eps=text.number("rms_norm_eps", 1e-6),
        context=text.whole("max_position_embeddings", 128_000, most=2**40),
        attention_bias=False,
        interleaved=True,
        head_norm=True,
    )


def _public_text(spec: ModelSpec, dtype: str) -> dict[str, Any]:
    decoder = spec.decoder
    return {
        "model_type": f"{MODEL_TYPE}_text",
        "dtype": dtype,
        "bos_token_id": spec.ids.end_of_text,
        "eos_token_id": spec.ids.turn_end,
        "vocab_size": decoder.vocabulary,
        "hidden_size": decoder.width,
        "intermediate_size": decoder.feed_forward.width,
        "num_hidden_layers": decoder.depth,
        "num_attention_heads": decoder.heads,
        "num_key_value_heads": decoder.key_heads,
        "head_dim": decoder.head_width,
        "hidden_act": "silu",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "max_position_embeddings": decoder.context,
        "rms_norm_eps": decoder.norm_eps,
        "rope_theta": decoder.rope_theta,
        "rope_scaling": {
            "rope_type": "default",
            "mrope_section": list(decoder.sections),
            "mrope_interleaved": True,
        },
        "use_cache": True,
    }


def _public_vision(spec: ModelSpec) -> dict[str, Any]:
    vision = spec.vision
    return {
        "model_type": MODEL_TYPE,
        "depth": vision.depth,
        "hidden_size": vision.width,
        "hidden_act": "gelu_pytorch_tanh",
        "intermediate_size": vision.feed_forward.width,
        "num_heads": vision.heads,
        "in_channels": vision.channels,
        "out_hidden_size": vision.out_width,
        "patch_size": vision.patch,
        "spatial_merge_size": vision.merge,
        "temporal_patch_size": vision.temporal,
        "num_position_embeddings": (vision.places or 0) ** 2,
        "deepstack_visual_indexes": list(vision.deepstack),
    }
