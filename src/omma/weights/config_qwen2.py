"""config.json of Qwen2-VL and Qwen2.5-VL, read to a spec and written from one (facts §1.2, §1.3, §4.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from omma.errors import BadFolder
from omma.spec import DecoderSpec, Gelu, ModelSpec, SwiGLU, VisionSpec
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
from omma.weights.fields import DEEPEST, Fields

FAMILIES = {"qwen2_vl": "qwen2-vl", "qwen2_5_vl": "qwen2.5-vl"}
_TYPES = {family: kind for kind, family in FAMILIES.items()}
_CLASSES = {
    "qwen2-vl": "Qwen2VLForConditionalGeneration",
    "qwen2.5-vl": "Qwen2_5_VLForConditionalGeneration",
}
_BOXES = {"qwen2-vl": "marks", "qwen2.5-vl": "pixels"}
# What transformers' classes hold where a config is silent.
_FIRST_TOWER = VisionSpec(
    depth=32,
    width=1280,
    heads=16,
    feed_forward=Gelu(4 * 1280, "quick"),
    out_width=3584,
    window=None,
    full_layers=(),
    norm="layer",
)
_TOWER = VisionSpec(depth=32, width=3584, heads=16, feed_forward=SwiGLU(3420, bias=True), out_width=3584)
_DECODER = DecoderSpec(
    depth=80,
    width=8192,
    heads=64,
    key_heads=8,
    head_width=128,
    feed_forward=SwiGLU(29_568),
    vocabulary=152_064,
    tied=False,
    norm_eps=1e-5,
    context=32_768,
)


def read(config: Fields) -> ModelSpec:
    """The spec of a config, flat or nested; an absent field has transformers' class default.

    Raises BadFolder naming the field.
    """
    text = config.inner("text_config") if "text_config" in config.raw else config
    vision, family = config.inner("vision_config"), FAMILIES[config.raw["model_type"]]
    first = family == "qwen2-vl"
    decoder = plain_decoder(config, text)
    return ModelSpec(
        vision=_first_vision(vision) if first else windowed_tower(vision),
        decoder=decoder,
        ids=read_ids(config, text),
        tokens_per_second=None if first else vision.number("tokens_per_second", 4.0),
        boxes=str(config.inner("omma").raw.get("boxes", _BOXES[family])),
        family=family,
    )


def checks(spec: ModelSpec) -> dict[str, bool]:
    """What would be wrong with a spec in this format, in words, and whether it is not so."""
    return (
        plain_checks(spec)
        | (_first_checks(spec) if spec.family == "qwen2-vl" else _checks(spec))
        | {"times are written before a video's slices": spec.written_times is None}
    )


def plain_checks(spec: ModelSpec) -> dict[str, bool]:
    """What would be wrong with a decoder of Qwen2's and a tower that has nothing of other generations."""
    vision, decoder = spec.vision, spec.decoder
    others = (vision.patch_bias, vision.places, vision.deepstack, vision.resampler)
    head = decoder.heads * decoder.head_width
    return {
        f"the decoder's width is not heads · head width: {decoder.width} and {decoder.heads} heads": head
        == decoder.width,
        **possible(spec),
        "the decoder's attention has no biases": decoder.attention_bias,
        "the decoder's feed-forward is not a gated one without biases": decoder.feed_forward
        == SwiGLU(decoder.feed_forward.width),
        "the decoder's heads are normed, fused, or cut otherwise": not (
            decoder.head_norm or decoder.interleaved or decoder.fused or decoder.stretch
        ),
        "the tower has parts of another generation": not any(others),
        "there is no default system message": spec.default_system,
        "the tower's norm eps is not 1e-6": vision.norm_eps == 1e-6,
        "the tower's rope theta is not 10000": vision.rope_theta == 10_000.0,
    }


def _checks(spec: ModelSpec) -> dict[str, bool]:
    vision, rate = spec.vision, spec.tokens_per_second
    return {
        "the tower's feed-forward is not a gated one with biases": vision.feed_forward
        == SwiGLU(vision.feed_forward.width, bias=True),
        "the tower has no windows, or norms of another kind": windowed(vision),
        "tokens_per_second is not whole": rate is not None and float(rate).is_integer(),
    }


def windowed(vision: VisionSpec) -> bool:
    """Whether a tower has windows, and Qwen2.5-VL's norms."""
    return vision.window is not None and vision.norm == "rms"


def _first_checks(spec: ModelSpec) -> dict[str, bool]:
    vision = spec.vision
    return {
        "the tower's feed-forward is not a quick Gelu": vision.feed_forward
        == Gelu(vision.feed_forward.width, "quick"),
        "the tower's feed-forward is not so many times its width": vision.feed_forward.width % vision.width
        == 0,
        "the tower has windows, or norms of another kind": vision.window is None
        and not vision.full_layers
        and vision.norm == "layer",
        "slices are placed by their times": spec.tokens_per_second is None,
    }


def _first_vision(fields: Fields) -> VisionSpec:
    fields.fixed("hidden_act", "quick_gelu")
    width = fields.whole("embed_dim", _FIRST_TOWER.width)
    return replace(
        read_tower(fields, _FIRST_TOWER),
        width=width,
        feed_forward=Gelu(width * fields.whole("mlp_ratio", 4, most=DEEPEST), "quick"),
        out_width=fields.whole("hidden_size", _FIRST_TOWER.out_width),
    )


def windowed_tower(fields: Fields) -> VisionSpec:
    """The tower of Qwen2.5-VL; an absent field has transformers' class default."""
    fields.fixed("hidden_act", "silu")
    return replace(
        read_tower(fields, _TOWER),
        width=fields.whole("hidden_size", _TOWER.width),
        feed_forward=SwiGLU(fields.whole("intermediate_size", _TOWER.feed_forward.width), bias=True),
        out_width=fields.whole("out_hidden_size", _TOWER.out_width),
        window=fields.whole("window_size", _TOWER.window or 0),
        full_layers=fields.wholes("fullatt_block_indexes", _TOWER.full_layers),
    )


def plain_decoder(config: Fields, text: Fields) -> DecoderSpec:
    """The decoder of Qwen2-VL and Qwen2.5-VL; an absent field has transformers' class default."""
    kinds = text.raw.get("layer_types")
    if text.flag("use_sliding_window") or (isinstance(kinds, list) and "sliding_attention" in kinds):
        raise BadFolder(f"{text.where}: use_sliding_window is not built here; wanted false")
    decoder = read_decoder(text, read_rope(text, ("default", "mrope")), _DECODER)
    return replace(
        decoder,
        head_width=decoder.width // decoder.heads,
        feed_forward=SwiGLU(text.whole("intermediate_size", _DECODER.feed_forward.width)),
        tied=config.flag("tie_word_embeddings") or text.flag("tie_word_embeddings"),
    )


def public(spec: ModelSpec, dtype: str) -> dict[str, Any]:
    """config.json as the public folders have it, flat."""
    return {
        "architectures": [_CLASSES[spec.family]],
        "model_type": _TYPES[spec.family],
        **public_plain_decoder(spec, dtype),
        "vision_config": _public_vision(spec),
        **told_beside(spec, _BOXES[spec.family]),
    }


def public_plain_decoder(spec: ModelSpec, dtype: str) -> dict[str, Any]:
    """The decoder of Qwen2-VL and Qwen2.5-VL with the ids of marks, as their files have it at their top."""
    decoder = spec.decoder
    return {
        "torch_dtype": dtype,
        **public_ids(spec.ids),
        **public_decoder(spec),
        "intermediate_size": decoder.feed_forward.width,
        "rope_scaling": {"type": "mrope", "mrope_section": list(decoder.sections)},
        "tie_word_embeddings": decoder.tied,
        "use_sliding_window": False,
    }


def public_windowed_tower(vision: VisionSpec, model_type: str) -> dict[str, Any]:
    """The tower of Qwen2.5-VL as files have it."""
    return public_tower(vision, model_type) | {
        "in_chans": vision.channels,
        "spatial_patch_size": vision.patch,
        "hidden_size": vision.width,
        "hidden_act": "silu",
        "intermediate_size": vision.feed_forward.width,
        "out_hidden_size": vision.out_width,
        "window_size": vision.window,
        "fullatt_block_indexes": list(vision.full_layers),
    }


def _public_vision(spec: ModelSpec) -> dict[str, Any]:
    vision, kind = spec.vision, _TYPES[spec.family]
    if spec.family == "qwen2-vl":
        return public_tower(vision, kind) | {
            "in_chans": vision.channels,
            "spatial_patch_size": vision.patch,
            "embed_dim": vision.width,
            "hidden_size": vision.out_width,
            "hidden_act": "quick_gelu",
            "mlp_ratio": vision.feed_forward.width // vision.width,
        }
    rate = {"tokens_per_second": int(spec.tokens_per_second or 0)}
    return public_windowed_tower(vision, kind) | rate
