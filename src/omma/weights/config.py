"""config.json and generation_config.json: read in both public spellings, written in the official one."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import Any

from omma.errors import BadFolder
from omma.prep.dialects import DIALECTS
from omma.spec import DecoderSpec, ModelSpec, SwiGLU, TokenIds, VisionSpec
from omma.weights import config_qwen
from omma.weights.fields import DEEPEST, WIDEST_PATCH, Fields, read_json, write_json

CONFIG, GENERATION = "config.json", "generation_config.json"
_MODEL_TYPE = "qwen2_5_vl"
_OURS = {"boxes", "turn_start"}  # what we say beside the public fields


def read_spec(folder: Path) -> ModelSpec:
    """The model a folder's config.json describes.

    Reads the official flat spelling and the nested one of transformers ≥ 5 (facts §4.4); an absent field has
    transformers' class default (facts §1.3). Raises BadFolder for a file that is missing, broken,
    contradicts itself, or asks for something that is not built here.
    """
    path = folder / CONFIG
    config = Fields(read_json(path), path)
    if config.raw.get("model_type") == config_qwen.MODEL_TYPE:
        return _read_qwen(config, folder)
    if (kind := config.raw.get("model_type")) != _MODEL_TYPE:
        raise BadFolder(f"{path}: model_type is {kind!r}; wanted {_MODEL_TYPE!r}")
    text = config.inner("text_config") if "text_config" in config.raw else config
    _check_common(config)
    decoder = _decoder(config, text)
    spec = ModelSpec(
        vision=_vision(config.inner("vision_config")),
        decoder=decoder,
        ids=_ids(config, text),
        tokens_per_second=config.inner("vision_config").number("tokens_per_second", 4.0),
        boxes=str(config.inner("omma").raw.get("boxes", "pixels")),
    )
    if wrong := _contradiction(spec):
        raise BadFolder(f"{path}: {wrong}")
    return spec


def write_config(spec: ModelSpec, folder: Path, *, dtype: str) -> None:
    """Write config.json in the official flat spelling, and a greedy generation_config.json beside it.

    `dtype` is the name of the weights' dtype, such as "bfloat16". A generation_config.json that is there is
    kept. Raises BadFolder if `spec` says something the public format cannot.
    """
    check_writable(spec)
    if spec.family == config_qwen.FAMILY:
        _write_qwen(spec, folder, dtype)
        return
    write_json(folder / CONFIG, _public(spec, dtype))
    if not (folder / GENERATION).exists():
        ends = {"eos_token_id": [spec.ids.turn_end, spec.ids.end_of_text]}
        begins = {"bos_token_id": spec.ids.end_of_text, "pad_token_id": spec.ids.end_of_text}
        write_json(folder / GENERATION, {"do_sample": False} | begins | ends)


def check_writable(spec: ModelSpec) -> None:
    """Raise BadFolder if `spec` says something the public format cannot."""
    wrong = config_qwen.wrong_with(spec) if spec.family == config_qwen.FAMILY else _contradiction(spec)
    if wrong:
        raise BadFolder(f"the model cannot be written: {wrong}, and the public format knows no other value")


def read_generation(folder: Path) -> dict[str, Any]:
    """What generation_config.json says; nothing where there is none."""
    path = folder / GENERATION
    return read_json(path) if path.exists() else {}


def _check_common(config: Fields) -> None:
    """Refuse what no family's folder may say."""
    if config.raw.get("quantization_config") is not None:
        raise BadFolder(
            f"{config.where}: quantization_config is not read here; wanted the weights as they were trained"
        )
    if unread := sorted(config.inner("omma").raw.keys() - _OURS):
        raise BadFolder(f"{config.where}: omma has {', '.join(unread)}, which nobody reads; take it out")


def _read_qwen(config: Fields, folder: Path) -> ModelSpec:
    """The spec of a folder of 2023, whose generation_config.json says how one talks to it."""
    _check_common(config)
    boxes = str(config.inner("omma").raw.get("boxes", "tags"))
    generation = Fields(read_generation(folder), folder / GENERATION)
    spec = config_qwen.read_qwen(config, generation, boxes)
    if wrong := config_qwen.wrong_with(spec):
        raise BadFolder(f"{config.where}: {wrong}")
    return spec


def _write_qwen(spec: ModelSpec, folder: Path, dtype: str) -> None:
    ours = {} if spec.boxes == "tags" else {"omma": {"boxes": spec.boxes}}
    write_json(folder / CONFIG, config_qwen.public_qwen(spec, dtype) | ours)
    asked = config_qwen.public_generation(spec)
    kept = read_generation(folder)
    if kept.get("chat_format") != asked["chat_format"]:
        write_json(folder / GENERATION, asked | kept | {"chat_format": asked["chat_format"]})


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


def _ids(config: Fields, text: Fields) -> TokenIds:
    """Ids with a meaning of their own; of several ends the first is that of a turn (facts §5.3)."""
    usual, end = TokenIds(), text.raw.get("eos_token_id")
    ends = text.wholes("eos_token_id", ()) if isinstance(end, list) else ()
    begin = text.raw.get("bos_token_id")
    return TokenIds(
        end_of_text=usual.end_of_text if begin is None else text.whole("bos_token_id", 0, least=0),
        turn_start=config.inner("omma").whole("turn_start", usual.turn_start, least=0),
        turn_end=ends[0]
        if ends
        else usual.turn_end
        if end in (None, [])
        else text.whole("eos_token_id", 0, 0),
        vision_start=config.whole("vision_start_token_id", usual.vision_start, least=0),
        vision_end=config.whole("vision_end_token_id", usual.vision_end, least=0),
        image=config.whole("image_token_id", usual.image, least=0),
        video=config.whole("video_token_id", usual.video, least=0),
    )


def _contradiction(spec: ModelSpec) -> str | None:
    """What of a spec cannot be, or cannot be said in the public format; None if all is well."""
    vision, decoder = spec.vision, spec.decoder
    checks = {
        "the tower's out width is not the decoder's width": vision.out_width == decoder.width,
        "the tower's width is not a multiple of 4 · heads": vision.width % (4 * vision.heads) == 0,
        "a window is not a multiple of a merged cell": vision.window % (vision.patch * vision.merge) == 0,
        "the decoder's width is not heads · head width": decoder.heads * decoder.head_width == decoder.width,
        "key heads do not divide the heads": decoder.heads % decoder.key_heads == 0,
        "mrope_section does not sum to half a head": 2 * sum(decoder.sections) == decoder.head_width,
        "the decoder's attention has no biases": decoder.attention_bias,
        "the decoder's feed-forward has biases": not decoder.feed_forward.bias,
        "the tower's feed-forward has no biases": vision.feed_forward.bias,
        "the tower's norm eps is not 1e-6": vision.norm_eps == 1e-6,
        "the tower's rope theta is not 10000": vision.rope_theta == 10_000.0,
        "tokens_per_second is not whole": float(spec.tokens_per_second).is_integer(),
        f"boxes is {spec.boxes!r}": spec.boxes in DIALECTS,
        "the id of a mark is not in the vocabulary": max(astuple(spec.ids)) < decoder.vocabulary,
    }
    return next((wrong for wrong, holds in checks.items() if not holds), None)


def _public(spec: ModelSpec, dtype: str) -> dict[str, Any]:
    decoder, ids = spec.decoder, spec.ids
    config: dict[str, Any] = {
        "architectures": ["Qwen2_5_VLForConditionalGeneration"],
        "model_type": _MODEL_TYPE,
        "torch_dtype": dtype,
        "bos_token_id": ids.end_of_text,
        "eos_token_id": ids.turn_end,
        "vision_start_token_id": ids.vision_start,
        "vision_end_token_id": ids.vision_end,
        "image_token_id": ids.image,
        "video_token_id": ids.video,
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
    }
    ours: dict[str, Any] = {}
    if spec.boxes != "pixels":
        ours["boxes"] = spec.boxes
    if ids.turn_start != TokenIds().turn_start:
        ours["turn_start"] = ids.turn_start
    return config | ({"omma": ours} if ours else {})


def _public_vision(spec: ModelSpec) -> dict[str, Any]:
    vision = spec.vision
    return {
        "model_type": _MODEL_TYPE,
        "depth": vision.depth,
        "hidden_size": vision.width,
        "hidden_act": "silu",
        "intermediate_size": vision.feed_forward.width,
        "num_heads": vision.heads,
        "in_channels": vision.channels,
        "in_chans": vision.channels,
        "out_hidden_size": vision.out_width,
        "patch_size": vision.patch,
        "spatial_patch_size": vision.patch,
        "spatial_merge_size": vision.merge,
        "temporal_patch_size": vision.temporal,
        "window_size": vision.window,
        "fullatt_block_indexes": list(vision.full_layers),
        "tokens_per_second": int(spec.tokens_per_second),
    }
