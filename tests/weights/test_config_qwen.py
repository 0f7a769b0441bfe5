"""Folders of 2023: the public config is the preset, names and numbers go both ways, wrong ones are named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.qwen_vl import write_toy
from omma.errors import BadFolder, TensorMismatch
from omma.loading import load_folder
from omma.model.vlm import Vlm
from omma.presets import preset, tiny
from omma.spec import ModelSpec, Stretch, TokenIds
from omma.weights import read_spec, write_folder
from omma.weights.config import write_config
from omma.weights.names import our_name, public_name

# As the public folder of Qwen-VL-Chat says it (facts §1.1).
CONFIG: dict[str, Any] = {
    "model_type": "qwen",
    "hidden_size": 4096,
    "intermediate_size": 22016,
    "kv_channels": 128,
    "layer_norm_epsilon": 1e-06,
    "max_position_embeddings": 8192,
    "no_bias": True,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "onnx_safe": None,
    "rotary_emb_base": 10000,
    "rotary_pct": 1.0,
    "scale_attn_weights": True,
    "seq_length": 2048,
    "tie_word_embeddings": False,
    "use_dynamic_ntk": True,
    "use_flash_attn": "auto",
    "use_logn_attn": True,
    "visual": {
        "heads": 16,
        "image_size": 448,
        "image_start_id": 151857,
        "layers": 48,
        "mlp_ratio": 4.9231,
        "output_dim": 4096,
        "patch_size": 14,
        "width": 1664,
    },
    "vocab_size": 151936,
}


def folder_of(place: Path, config: dict[str, Any], generation: dict[str, Any] | None = None) -> Path:
    (place / "config.json").write_text(json.dumps(config))
    if generation is not None:
        (place / "generation_config.json").write_text(json.dumps(generation))
    return place


@pytest.mark.parametrize(
    ("talk", "name"), [("chatml", "qwen-vl-chat"), ("raw", "qwen-vl"), (None, "qwen-vl-chat")]
)
def test_the_public_config_is_the_preset(talk: str | None, name: str, tmp_path: Path) -> None:
    generation = None if talk is None else {"chat_format": talk, "eos_token_id": 151643}
    assert read_spec(folder_of(tmp_path, CONFIG, generation)) == preset(name)


def toys() -> list[ModelSpec]:
    toy = tiny("qwen-vl")
    return [
        *(preset("qwen-vl"), preset("qwen-vl-chat"), toy, replace(toy, boxes="grid", turns=False)),
        replace(
            toy, decoder=replace(toy.decoder, stretch=Stretch(100, ntk=False), tied=True, rope_theta=1.5e4)
        ),
        replace(toy, vision=replace(toy.vision, side=224, merge=1, width=30, heads=3)),
        replace(toy, vision=replace(toy.vision, side=84, merge=2)),
    ]


@pytest.mark.parametrize("spec", toys(), ids=range(7))
def test_what_is_written_is_read_again(spec: ModelSpec, tmp_path: Path) -> None:
    write_config(spec, tmp_path, dtype="bfloat16")
    assert read_spec(tmp_path) == spec


def test_what_is_written_says_what_the_public_file_says(tmp_path: Path) -> None:
    write_config(preset("qwen-vl-chat"), tmp_path, dtype="bfloat16")
    written = json.loads((tmp_path / "config.json").read_text())
    assert {key: written[key] for key in CONFIG if key in written} == {
        key: value for key, value in CONFIG.items() if key in written
    }
    assert CONFIG.keys() - written.keys() == {"onnx_safe", "use_flash_attn"}


def test_a_generation_config_keeps_what_it_says_but_for_the_talk(tmp_path: Path) -> None:
    folder_of(tmp_path, {}, {"chat_format": "raw", "top_p": 0.5, "eos_token_id": 151643})
    write_config(preset("qwen-vl-chat"), tmp_path, dtype="bfloat16")
    said = json.loads((tmp_path / "generation_config.json").read_text())
    assert (said["chat_format"], said["top_p"]) == ("chatml", 0.5)
    assert read_spec(tmp_path).turns


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"visual": None}, "reads words alone"),
        ({"no_bias": False}, "no_bias is False"),
        ({"rotary_pct": 0.5}, "rotary_pct is 0.5"),
        ({"intermediate_size": 22015}, "wanted an even number"),
        ({"quantization_config": {"bits": 4}}, "quantization_config"),
        ({"kv_channels": 64}, "heads · head width"),
        ({"hidden_size": "wide"}, "hidden_size is 'wide'"),
        ({"use_logn_attn": "yes"}, "use_logn_attn is 'yes'"),
        ({"visual": CONFIG["visual"] | {"image_size": 450}}, "450 pixels"),
        ({"visual": CONFIG["visual"] | {"image_size": 10**6}}, "image_size is 1000000"),
        ({"visual": CONFIG["visual"] | {"n_queries": 250}}, "250 queries"),
        ({"visual": CONFIG["visual"] | {"output_dim": 2048}}, "out width is not the decoder's"),
        ({"visual": CONFIG["visual"] | {"heads": 15}}, "not a multiple of its heads"),
        ({"visual": CONFIG["visual"] | {"image_start_id": 3}}, "image_start_id is 3"),
        ({"visual": CONFIG["visual"] | {"image_start_id": 151936}}, "not in the vocabulary"),
        ({"omma": {"boxes": "spheres"}}, "spheres"),
        ({"omma": {"colour": 3}}, "colour"),
        ({"omma": {"turn_start": 3}}, "turn_start"),
    ],
    ids=str,
)
def test_a_config_that_cannot_be_is_refused(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match=told):
        read_spec(folder_of(tmp_path, CONFIG | changes))


def test_a_talk_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match="chat_format is 'alpaca'"):
        read_spec(folder_of(tmp_path, CONFIG, {"chat_format": "alpaca"}))


@pytest.mark.parametrize(
    "spec",
    [
        replace(tiny("qwen-vl"), ids=TokenIds()),
        replace(tiny("qwen2.5-vl"), family="qwen-vl"),
        replace(tiny("qwen-vl"), decoder=replace(tiny("qwen-vl").decoder, key_heads=2)),
        replace(tiny("qwen-vl"), vision=replace(tiny("qwen-vl").vision, places=8)),
    ],
    ids=["ids", "another's", "key heads", "places"],
)
def test_what_the_format_cannot_say_is_not_written(spec: ModelSpec, tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match="cannot be written"):
        write_config(spec, tmp_path, dtype="float32")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("ours", "public"),
    [
        ("vision.patches.weight", "transformer.visual.conv1.weight"),
        ("vision.places.weight", "transformer.visual.positional_embedding"),
        (
            "vision.layers.7.attention.qkv.bias",
            "transformer.visual.transformer.resblocks.7.attn.in_proj.bias",
        ),
        ("vision.layers.7.feed.up.weight", "transformer.visual.transformer.resblocks.7.mlp.c_fc.weight"),
        ("vision.merger.queries.weight", "transformer.visual.attn_pool.query"),
        ("vision.merger.attention.inner.bias", "transformer.visual.attn_pool.attn.in_proj_bias"),
        ("vision.merger.projection.weight", "transformer.visual.proj"),
        ("decoder.layers.31.feed.gate.weight", "transformer.h.31.mlp.w2.weight"),
        ("decoder.layers.31.feed.up.weight", "transformer.h.31.mlp.w1.weight"),
        ("decoder.layers.0.attention.qkv.bias", "transformer.h.0.attn.c_attn.bias"),
        ("decoder.head.weight", "lm_head.weight"),
    ],
)
def test_public_names_are_those_of_the_official_files(ours: str, public: str) -> None:
    assert public_name(ours, "qwen-vl") == public
    assert our_name(public, "qwen-vl") == ours


def test_every_name_goes_out_and_comes_back() -> None:
    with torch.device("meta"):
        names = [name for name, _ in Vlm(tiny("qwen-vl")).named_parameters()]
    assert [our_name(public_name(name, "qwen-vl"), "qwen-vl") for name in names] == names
    assert len({public_name(name, "qwen-vl") for name in names}) == len(names)


@pytest.mark.parametrize(
    "stranger", ["visual.patch_embed.proj.weight", "transformer.h.0.mlp.w3.weight", "proj"]
)
def test_a_stranger_has_no_name_of_ours(stranger: str) -> None:
    assert our_name(stranger, "qwen-vl") is None


def test_a_folder_is_loaded_and_written_again_as_it_was(tmp_path: Path) -> None:
    first = write_toy(tmp_path / "first")
    loaded = load_folder(first, device="cpu")
    write_folder(loaded.model, loaded.spec, tmp_path / "again", dtype=torch.float32)
    loaded.processor.save(tmp_path / "again")
    for path in first.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_vocabulary_of_another_size_is_refused(tmp_path: Path) -> None:
    folder = write_toy(tmp_path)
    lines = (folder / "qwen.tiktoken").read_bytes().splitlines(keepends=True)
    (folder / "qwen.tiktoken").write_bytes(b"".join(lines[:-1]))
    with pytest.raises(BadFolder, match=r"qwen\.tiktoken has .* both must say the same"):
        load_folder(folder, device="cpu")


def test_weights_of_another_size_are_refused_by_name(tmp_path: Path) -> None:
    folder = write_toy(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["intermediate_size"] += 2
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(TensorMismatch, match=r"transformer\.h\.0\.mlp"):
        load_folder(folder, device="cpu")
