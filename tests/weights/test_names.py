"""Names out = names in, in every public spelling (facts §4.2)."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from omma.model.vlm import Vlm
from omma.presets import DESCRIBED, GENERATIONS, tiny
from omma.weights.names import SPELLINGS, in_memory, our_name, public_name

every_generation = pytest.mark.parametrize("generation", [*GENERATIONS, *DESCRIBED])


def names(generation: str) -> list[str]:
    spec = tiny(generation)
    with torch.device("meta"):
        model = Vlm(replace(spec, decoder=replace(spec.decoder, tied=False)))
    return [name for name, _ in model.named_parameters()]


@every_generation
def test_names_out_are_names_in(generation: str) -> None:
    ours, family = names(generation), tiny(generation).family
    assert [our_name(public_name(name, family), family) for name in ours] == ours
    assert len({public_name(name, family) for name in ours}) == len(ours)


@every_generation
def test_the_spelling_of_transformers_is_read_too(generation: str) -> None:
    ours, family = names(generation), tiny(generation).family
    assert [our_name(in_memory(public_name(name, family)), family) for name in ours] == ours


@pytest.mark.parametrize(
    ("ours", "public"),
    [
        ("vision.patches.weight", "visual.patch_embed.proj.weight"),
        ("vision.layers.31.attention.qkv.bias", "visual.blocks.31.attn.qkv.bias"),
        ("vision.merger.outer.weight", "visual.merger.mlp.2.weight"),
        ("decoder.embedding.weight", "model.embed_tokens.weight"),
        ("decoder.layers.7.feed_norm.weight", "model.layers.7.post_attention_layernorm.weight"),
        ("decoder.head.weight", "lm_head.weight"),
    ],
)
def test_public_names_are_those_of_the_official_files(ours: str, public: str) -> None:
    assert public_name(ours, "qwen2.5-vl") == public


@pytest.mark.parametrize(
    ("ours", "public"),
    [
        ("vision.patches.bias", "model.visual.patch_embed.proj.bias"),
        ("vision.places.weight", "model.visual.pos_embed.weight"),
        ("vision.layers.26.feed.up.bias", "model.visual.blocks.26.mlp.linear_fc1.bias"),
        ("vision.merger.norm.bias", "model.visual.merger.norm.bias"),
        ("vision.deep.2.inner.weight", "model.visual.deepstack_merger_list.2.linear_fc1.weight"),
        ("decoder.embedding.weight", "model.language_model.embed_tokens.weight"),
        (
            "decoder.layers.7.attention.query_norm.weight",
            "model.language_model.layers.7.self_attn.q_norm.weight",
        ),
        ("decoder.head.weight", "lm_head.weight"),
    ],
)
def test_public_names_are_those_of_qwen3_vls_files(ours: str, public: str) -> None:
    assert public_name(ours, "qwen3-vl") == public


def test_a_name_of_another_generation_is_not_ours() -> None:
    assert our_name("visual.blocks.0.mlp.fc1.weight", "qwen2-vl") == "vision.layers.0.feed.up.weight"
    assert our_name("visual.blocks.0.mlp.fc1.weight", "qwen2.5-vl") is None
    assert our_name("model.visual.merger.ln_q.weight", "qwen3-vl") is None


@pytest.mark.parametrize("family", SPELLINGS)
@pytest.mark.parametrize(
    "stranger",
    [
        "model.layers.0.self_attn.rotary_emb.inv_freq",
        "visual.blocks.0.norm3.weight",
        "model.layers.x.mlp.up_proj.weight",
        "lm_head",
        "",
    ],
)
def test_a_strangers_name_is_not_ours(stranger: str, family: str) -> None:
    assert our_name(stranger, family) is None


def test_a_name_that_is_not_ours_is_not_published() -> None:
    with pytest.raises(KeyError):
        public_name("vision.layers.0.feed.sideways.weight", "qwen2.5-vl")
