"""config.json of Qwen2-VL and Qwen2.5-VL, read to a spec and written from one (facts §1.2, §1.3, §4.4)."""

from __future__ import annotations

from typing import Any

from omma.errors import BadFolder
from omma.spec import DecoderSpec, Gelu, ModelSpec, SwiGLU, VisionSpec
from omma.weights.config_parts import possible, public_ids, read_ids, told_beside
from omma.weights.fields import DEEPEST, WIDEST_PATCH, Fields

FAMILIES = {"qwen2_vl": "qwen2-vl", "qwen2_5_vl": "qwen2.5-vl"}
_TYPES = {family: kind for kind, family in FAMILIES.items()}
_CLASSES = {
    "qwen2-vl": "Qwen2VLForConditionalGeneration",
    "qwen2.5-vl": "Qwen2_5_VLForConditionalGeneration",
}
_BOXES = {"qwen2-vl": "marks", "qwen2.5-vl": "pixels"}


def read(config: Fields) -> ModelSpec:
    """The spec of a config, flat or nested; an absent field has transformers' class default.

    Raises BadFolder naming the field.
    """
    text = config.inner("text_config") if "text_config" in config.raw else config
    vision, family = config.inner("vision_config"), FAMILIES[config.raw["model_type"]]
    first = family == "qwen2-vl"
    decoder = _decoder(config, text)
    return ModelSpec(
        vision=_first_vision(vision) if first else _vision(vision),
        decoder=decoder,
        ids=read_ids(config, text),
        tokens_per_second=None if first else vision.number("tokens_per_second", 4.0),
        boxes=str(config.inner("omma").raw.get("boxes", _BOXES[family])),
        family=family,
    )


def checks(spec: ModelSpec) -> dict[str, bool]:
    """What would be wrong with a spec in this format, in words, and whether it is not so."""
    vision, decoder = spec.vision, spec.decoder
    plain = (vision.patch_bias, vision.places, vision.deepstack, vision.resampler, spec.written_times)
    head = decoder.heads * decoder.head_width
    return (
        {"the decoder's width is not heads · head width": head == decoder.width}
        | possible(spec)
        | (_first_checks(spec) if spec.family == "qwen2-vl" else _checks(spec))
        | {
            "the decoder's attention has no biases": decoder.attention_bias,
            "the decoder's feed-forward is not a gated one without biases": decoder.feed_forward
            == SwiGLU(decoder.feed_forward.width),
            "the decoder's heads are normed, fused, or cut otherwise": not (
                decoder.head_norm or decoder.interleaved or decoder.fused or decoder.stretch
            ),
            "the tower has parts of another generation": not any(plain),
            "there is no default system message": spec.default_system,
            "the tower's norm eps is not 1e-6": vision.norm_eps == 1e-6,
            "the tower's rope theta is not 10000": vision.rope_theta == 10_000.0,
        }
    )


def _checks(spec: ModelSpec) -> dict[str, bool]:
    vision, rate = spec.vision, spec.tokens_per_second
    return {
        "the tower's feed-forward is not a gated one with biases": vision.feed_forward
        == SwiGLU(vision.feed_forward.width, bias=True),
        "the tower has no windows, or norms of another kind": vision.window is not None
        and vision.norm == "rms",
        "tokens_per_second is not whole": rate is not None and float(rate).is_integer(),
    }


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
    width = fields.whole("embed_dim", 1280)
    return VisionSpec(
        depth=fields.whole("depth", 32, most=DEEPEST),
        width=width,
        heads=fields.whole("num_heads", 16),
        feed_forward=Gelu(width * fields.whole("mlp_ratio", 4, most=DEEPEST), "quick"),
        out_width=fields.whole("hidden_size", 3584),
        patch=fields.whole("patch_size", 14, most=WIDEST_PATCH),
        temporal=fields.whole("temporal_patch_size", 2, most=WIDEST_PATCH),
        merge=fields.whole("spatial_merge_size", 2, most=WIDEST_PATCH),
        channels=fields.whole("in_channels", 3, most=WIDEST_PATCH),
        window=None,
        full_layers=(),
        rope_theta=fields.inner("rope_parameters").number("rope_theta", 10_000.0),
        norm="layer",
    )


def _vision(fields: Fields) -> VisionSpec:
    fields.fixed("hidden_act", "silu")
    return VisionSpec(
        depth=fields.whole("depth", 32, most=DEEPEST),
        width=fields.whole("hidden_size", 3584),
        heads=fields.whole("num_heads", 16),
        feed_forward=SwiGLU(fields.whole("intermediate_size", 3420), bias=True),
        out_width=fields.whole("out_hidden_size", 3584),
        patch=fields.whole("patch_size", 14, most=WIDEST_PATCH),
        temporal=fields.whole("temporal_patch_size", 2, most=WIDEST_PATCH),
        merge=fields.whole("spatial_merge_size", 2, most=WIDEST_PATCH),
        channels=fields.whole("in_channels", 3, most=WIDEST_PATCH),
        window=fields.whole("window_size", 112),
        full_layers=fields.wholes("fullatt_block_indexes", (7, 15, 23, 31)),
        rope_theta=fields.inner("rope_parameters").number("rope_theta", 10_000.0),
    )


def _decoder(config: Fields, text: Fields) -> DecoderSpec:
    text.fixed("hidden_act", "silu")
    kinds = text.raw.get("layer_types")
    if text.flag("use_sliding_window") or (isinstance(kinds, list) and "sliding_attention" in kinds):
        raise BadFolder(f"{text.where}: use_sliding_window is not built here; wanted false")
    rope = text.inner("rope_parameters" if text.raw.get("rope_parameters") else "rope_scaling")
    if (kind := rope.raw.get("rope_type", rope.raw.get("type", "default"))) not in ("default", "mrope"):
        raise BadFolder(f"{rope.where}: type is {kind!r}, which is not built here; wanted 'mrope'")
    heads = text.whole("num_attention_heads", 64)
    width = text.whole("hidden_size", 8192)
    sections = rope.wholes("mrope_section", (16, 24, 24))
    if len(sections) != 3:
        raise BadFolder(f"{rope.where}: mrope_section is {list(sections)}; wanted three numbers")
    shared = text.raw.get("num_key_value_heads", 8)
    return DecoderSpec(
        depth=text.whole("num_hidden_layers", 80, most=DEEPEST),
        width=width,
        heads=heads,
        key_heads=heads if shared is None else text.whole("num_key_value_heads", 8),
        head_width=width // heads,
        feed_forward=SwiGLU(text.whole("intermediate_size", 29_568)),
        vocabulary=text.whole("vocab_size", 152_064),
        tied=config.flag("tie_word_embeddings") or text.flag("tie_word_embeddings"),
        sections=sections,
        rope_theta=rope.number("rope_theta", text.number("rope_theta", 1_000_000.0)),
        norm_eps=text.number("rms_norm_eps", 1e-5),
        context=text.whole("max_position_embeddings", 32_768, most=2**40),
    )


def public(spec: ModelSpec, dtype: str) -> dict[str, Any]:
    """config.json as the public folders have it, flat."""
    decoder, ids = spec.decoder, spec.ids
    return {
        "architectures": [_CLASSES[spec.family]],
        "model_type": _TYPES[spec.family],
        "torch_dtype": dtype,
        "bos_token_id": ids.end_of_text,
        "eos_token_id": ids.turn_end,
        **public_ids(ids),
        "vocab_size": decoder.vocabulary,
        "hidden_size": decoder.width,
        "intermediate_size": decoder.feed_forward.width,
        "num_hidden_layers": decoder.depth,
        "num_attention_heads": decoder.heads,
        "num_key_value_heads": decoder.key_heads,
        "hidden_act": "silu",
        "max_position_embeddings": decoder.context,
        "rms_norm_eps": decoder.norm_eps,
        "rope_theta": decoder.rope_theta,
        "rope_scaling": {"type": "mrope", "mrope_section": list(decoder.sections)},
        "tie_word_embeddings": decoder.tied,
        "attention_dropout": 0.0,
        "use_cache": True,
        "use_sliding_window": False,
        "vision_config": _public_vision(spec),
        **told_beside(spec, _BOXES[spec.family]),
    }


def _public_vision(spec: ModelSpec) -> dict[str, Any]:
    vision = spec.vision
    shared = {
        "model_type": _TYPES[spec.family],
        "depth": vision.depth,
        "num_heads": vision.heads,
        "in_channels": vision.channels,
        "in_chans": vision.channels,
        "patch_size": vision.patch,
        "spatial_patch_size": vision.patch,
        "spatial_merge_size": vision.merge,
        "temporal_patch_size": vision.temporal,
    }
    if spec.family == "qwen2-vl":
        return shared | {
            "embed_dim": vision.width,
            "hidden_size": vision.out_width,
            "hidden_act": "quick_gelu",
            "mlp_ratio": vision.feed_forward.width // vision.width,
        }
    return shared | {
        "hidden_size": vision.width,
        "hidden_act": "silu",
        "intermediate_size": vision.feed_forward.width,
        "out_hidden_size": vision.out_width,
        "window_size": vision.window,
        "fullatt_block_indexes": list(vision.full_layers),
        "tokens_per_second": int(spec.tokens_per_second or 0),
    }
