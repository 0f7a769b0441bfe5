"""config.json says what a model is: both spellings, defaults, contradictions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from omma.errors import BadFolder
from omma.presets import DESCRIBED, GENERATIONS, PRESETS, preset, tiny
from omma.spec import ModelSpec, TokenIds
from omma.weights import read_generation, read_spec
from omma.weights.config import write_config

SPECS = {name: preset(name) for name in PRESETS}
SPECS |= {f"tiny {name}": tiny(name) for name in [*GENERATIONS, *DESCRIBED, "qwen-vl"]}


def written(spec: ModelSpec, folder: Path) -> dict[str, Any]:
    write_config(spec, folder, dtype="bfloat16")
    content: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return content


def rewritten(folder: Path, **changes: Any) -> Path:
    """A folder whose config says something else; None takes a field away."""
    config = written(tiny("qwen2.5-vl"), folder) | changes
    kept = {name: value for name, value in config.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(kept))
    return folder


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_what_is_written_is_read(spec: ModelSpec, tmp_path: Path) -> None:
    written(spec, tmp_path)
    assert read_spec(tmp_path) == spec


def test_a_dialect_and_marks_of_ones_own_are_kept(tmp_path: Path) -> None:
    spec = replace(tiny("qwen2.5-vl"), boxes="grid", ids=TokenIds(9, 8, 7, 6, 5, 4, 3))
    written(spec, tmp_path)
    assert read_spec(tmp_path) == spec


def test_the_official_flat_spelling_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        json.dumps(
            {
                "architectures": ["Qwen2_5_VLForConditionalGeneration"],
                "attention_dropout": 0.0,
                "bos_token_id": 151643,
                "eos_token_id": 151645,
                "vision_start_token_id": 151652,
                "vision_end_token_id": 151653,
                "vision_token_id": 151654,
                "image_token_id": 151655,
                "video_token_id": 151656,
                "hidden_act": "silu",
                "hidden_size": 2048,
                "initializer_range": 0.02,
                "intermediate_size": 11008,
                "max_position_embeddings": 128000,
                "max_window_layers": 70,
                "model_type": "qwen2_5_vl",
                "num_attention_heads": 16,
                "num_hidden_layers": 36,
                "num_key_value_heads": 2,
                "rms_norm_eps": 1e-06,
                "rope_theta": 1000000.0,
                "sliding_window": 32768,
                "tie_word_embeddings": True,
                "torch_dtype": "bfloat16",
                "use_cache": True,
                "use_sliding_window": False,
                "vision_config": {
                    "depth": 32,
                    "hidden_act": "silu",
                    "hidden_size": 1280,
                    "intermediate_size": 3420,
                    "num_heads": 16,
                    "in_chans": 3,
                    "out_hidden_size": 2048,
                    "patch_size": 14,
                    "spatial_merge_size": 2,
                    "spatial_patch_size": 14,
                    "window_size": 112,
                    "fullatt_block_indexes": [7, 15, 23, 31],
                    "tokens_per_second": 2,
                    "temporal_patch_size": 2,
                },
                "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]},
                "vocab_size": 151936,
            }
        )
    )
    assert read_spec(tmp_path) == preset("qwen2.5-vl-3b")


def test_the_official_config_of_qwen2_vl_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        json.dumps(
            {
                "architectures": ["Qwen2VLForConditionalGeneration"],
                "attention_dropout": 0.0,
                "bos_token_id": 151643,
                "eos_token_id": 151645,
                "vision_start_token_id": 151652,
                "vision_end_token_id": 151653,
                "vision_token_id": 151654,
                "image_token_id": 151655,
                "video_token_id": 151656,
                "hidden_act": "silu",
                "hidden_size": 1536,
                "initializer_range": 0.02,
                "intermediate_size": 8960,
                "max_position_embeddings": 32768,
                "max_window_layers": 28,
                "model_type": "qwen2_vl",
                "num_attention_heads": 12,
                "num_hidden_layers": 28,
                "num_key_value_heads": 2,
                "rms_norm_eps": 1e-06,
                "rope_theta": 1000000.0,
                "sliding_window": 32768,
                "tie_word_embeddings": True,
                "torch_dtype": "bfloat16",
                "use_cache": True,
                "use_sliding_window": False,
                "vision_config": {
                    "depth": 32,
                    "embed_dim": 1280,
                    "mlp_ratio": 4,
                    "num_heads": 16,
                    "in_chans": 3,
                    "hidden_size": 1536,
                    "patch_size": 14,
                    "spatial_merge_size": 2,
                    "spatial_patch_size": 14,
                    "temporal_patch_size": 2,
                },
                "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]},
                "vocab_size": 151936,
            }
        )
    )
    assert read_spec(tmp_path) == preset("qwen2-vl-2b")


QWEN3_VL_4B: dict[str, Any] = {
    "architectures": ["Qwen3VLForConditionalGeneration"],
    "image_token_id": 151655,
    "model_type": "qwen3_vl",
    "text_config": {
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 151643,
        "dtype": "bfloat16",
        "eos_token_id": 151645,
        "head_dim": 128,
        "hidden_act": "silu",
        "hidden_size": 2560,
        "initializer_range": 0.02,
        "intermediate_size": 9728,
        "max_position_embeddings": 262144,
        "model_type": "qwen3_vl_text",
        "num_attention_heads": 32,
        "num_hidden_layers": 36,
        "num_key_value_heads": 8,
        "rms_norm_eps": 1e-06,
        "rope_scaling": {
            "mrope_interleaved": True,
            "mrope_section": [24, 20, 20],
            "rope_type": "default",
        },
        "rope_theta": 5000000,
        "tie_word_embeddings": True,
        "use_cache": True,
        "vocab_size": 151936,
    },
    "tie_word_embeddings": True,
    "video_token_id": 151656,
    "vision_config": {
        "deepstack_visual_indexes": [5, 11, 17],
        "depth": 24,
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_size": 1024,
        "in_channels": 3,
        "initializer_range": 0.02,
        "intermediate_size": 4096,
        "model_type": "qwen3_vl",
        "num_heads": 16,
        "num_position_embeddings": 2304,
        "out_hidden_size": 2560,
        "patch_size": 16,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
    },
    "vision_end_token_id": 151653,
    "vision_start_token_id": 151652,
}


def nested(folder: Path, part: str | None = None, **changes: Any) -> Path:
    """A folder with Qwen3-VL-4B's config, changed at its top or in one of its parts."""
    config = dict(QWEN3_VL_4B)
    if part is None:
        config |= changes
    else:
        config[part] = config[part] | changes
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_the_official_config_of_qwen3_vl_is_read(tmp_path: Path) -> None:
    assert read_spec(nested(tmp_path)) == preset("qwen3-vl-4b")


def test_a_head_is_tied_by_the_field_at_the_top(tmp_path: Path) -> None:
    assert not read_spec(nested(tmp_path, tie_word_embeddings=False)).decoder.tied


@pytest.mark.parametrize(
    ("part", "changes", "said"),
    [
        ("text_config", {"attention_bias": True}, "attention_bias"),
        ("text_config", {"rope_scaling": {"mrope_interleaved": False}}, "mrope_interleaved"),
        ("text_config", {"rope_scaling": {"rope_type": "yarn", "factor": 3.0}}, "yarn"),
        ("text_config", {"head_dim": 97}, "half a head"),
        ("vision_config", {"hidden_act": "gelu"}, "hidden_act"),
        ("vision_config", {"num_position_embeddings": 2300}, "square"),
        ("vision_config", {"deepstack_visual_indexes": [5, 24]}, "deepstack"),
        ("vision_config", {"deepstack_visual_indexes": [11, 5]}, "deepstack"),
        ("vision_config", {"deepstack_visual_indexes": [5, 5]}, "deepstack"),
        (None, {"image_token_id": 151936}, "not in the vocabulary"),
        (None, {"omma": {"boxes": "polar"}}, "polar"),
    ],
)
def test_what_is_not_built_of_qwen3_vl_is_refused(
    part: str | None, changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(BadFolder, match=said):
        read_spec(nested(tmp_path, part, **changes))


def test_absent_fields_have_the_class_defaults(tmp_path: Path) -> None:
    vision = {"hidden_size": 1280, "out_hidden_size": 8192}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen2_5_vl", "vision_config": vision}))
    spec = read_spec(tmp_path)
    assert spec.tokens_per_second == 4.0
    assert (spec.decoder.width, spec.decoder.depth, spec.decoder.key_heads) == (8192, 80, 8)
    assert (spec.decoder.norm_eps, spec.decoder.context, spec.decoder.tied) == (1e-5, 32_768, False)
    assert spec.vision.full_layers == (7, 15, 23, 31)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model_type": "qwen9_vl"}, "qwen9_vl"),
        ({"hidden_act": "gelu"}, "gelu"),
        ({"use_sliding_window": True}, "use_sliding_window"),
        ({"rope_scaling": {"type": "yarn", "factor": 4.0}}, "yarn"),
        ({"rope_scaling": {"type": "mrope", "mrope_section": [2, 3]}}, "three numbers"),
        ({"rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 4]}}, "half a head"),
        ({"num_key_value_heads": 3}, "key heads"),
        ({"num_attention_heads": 5}, "head width"),
        ({"hidden_size": 128}, "decoder's width"),
        ({"hidden_size": "64"}, "whole number"),
        ({"rms_norm_eps": "tiny"}, "wanted a number"),
        ({"tie_word_embeddings": "yes"}, "true or false"),
        ({"vision_config": [1]}, "wanted an object"),
        ({"omma": {"boxes": "polar"}}, "polar"),
        ({"omma": {"box": "grid"}}, "box, which nobody reads"),
        ({"num_attention_heads": 0}, "num_attention_heads"),
        ({"num_hidden_layers": 10**6}, "num_hidden_layers"),
        ({"hidden_size": 10**20}, "hidden_size"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps"),
        ({"rope_theta": 10**400}, "rope_theta"),
        ({"rope_scaling": {"type": "mrope", "mrope_section": [2, -3, 9]}}, "mrope_section"),
        ({"eos_token_id": "end"}, "eos_token_id"),
        ({"eos_token_id": [True]}, "eos_token_id"),
        ({"image_token_id": 320}, "not in the vocabulary"),
        ({"layer_types": ["full_attention", "sliding_attention"]}, "sliding"),
        ({"quantization_config": {"quant_method": "awq"}}, "quantization_config"),
        ({"tie_word_embeddings": []}, "true or false"),
    ],
)
def test_what_is_not_built_or_cannot_be_is_refused(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(BadFolder, match=said):
        read_spec(rewritten(tmp_path, **changes))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_broken_config_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(BadFolder, match=r"config\.json"):
        read_spec(tmp_path)


@pytest.mark.parametrize("field", ["depth", "hidden_size", "num_heads", "patch_size", "spatial_merge_size"])
@pytest.mark.parametrize("value", [0, -1, 10**9, 1.5, float("inf"), True, "1", [1]])
def test_a_tower_that_cannot_be_built_is_refused(field: str, value: object, tmp_path: Path) -> None:
    vision = written(tiny("qwen2.5-vl"), tmp_path)["vision_config"]
    with pytest.raises(BadFolder, match=field):
        read_spec(rewritten(tmp_path, vision_config=vision | {field: value}))


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' + b"1" * 5000 + b"}", b"\xff", b"null", b""])
def test_a_config_that_is_no_object_is_named(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(raw)
    with pytest.raises(BadFolder, match=r"config\.json"):
        read_spec(tmp_path)


def test_of_several_ends_the_first_is_that_of_a_turn(tmp_path: Path) -> None:
    assert read_spec(rewritten(tmp_path, eos_token_id=[302, 300])).ids.turn_end == 302


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match=r"config\.json is missing"):
        read_spec(tmp_path)


def test_a_spec_the_public_format_cannot_say_is_not_written(tmp_path: Path) -> None:
    spec = tiny("qwen2.5-vl")
    with pytest.raises(BadFolder, match="norm eps"):
        written(replace(spec, vision=replace(spec.vision, norm_eps=1e-5)), tmp_path)


@pytest.mark.parametrize("family", ["qwen2-vl", "qwen2.5-vl", "qwen3-vl"])
@pytest.mark.parametrize("other", ["qwen2-vl", "qwen2.5-vl", "qwen3-vl"])
def test_the_parts_of_one_generation_are_not_written_in_the_form_of_another(
    family: str, other: str, tmp_path: Path
) -> None:
    spec = replace(tiny(other), family=family)
    if family == other:
        written(spec, tmp_path)
        return
    with pytest.raises(BadFolder, match="cannot be written"):
        written(spec, tmp_path)


def test_a_generation_config_is_greedy_and_knows_both_ends(tmp_path: Path) -> None:
    spec = tiny("qwen2.5-vl")
    written(spec, tmp_path)
    generation = read_generation(tmp_path)
    assert generation["eos_token_id"] == [spec.ids.turn_end, spec.ids.end_of_text]
    assert generation["do_sample"] is False


def test_a_generation_config_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "generation_config.json").write_text('{"temperature": 0.7}')
    written(tiny("qwen2.5-vl"), tmp_path)
    assert read_generation(tmp_path) == {"temperature": 0.7}


def test_a_folder_without_generation_config_says_nothing(tmp_path: Path) -> None:
    assert read_generation(tmp_path) == {}
