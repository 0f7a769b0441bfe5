"""The network says what transformers says of the same folder, and each reads what the other saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForImageTextToText

from bench.chunks import logits_in_chunks
from bench.greedy import greedy
from bench.oracle import Oracle
from bench.parity import (
    CLOSE,
    NEAR,
    greedy_theirs,
    logits_apart,
    resaved,
    respelled,
    stops,
    video_rows_apart,
)
from bench.toys import JUDGED, cases, variants, write_toy
from omma.loading import Loaded, load_folder
from omma.presets import tiny
from omma.spec import Experts, ModelSpec
from omma.weights import read_spec, write_folder

CASES = {case.name: case.said for case in cases()}
VARIANTS = {f"{generation}, {name}": spec for generation in JUDGED for name, spec in variants(generation)}
PICTURES = CASES["two pictures"]


@pytest.fixture(scope="module", params=JUDGED)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("toy"), tiny(request.param))


@pytest.fixture(scope="module")
def ours(folder: Path) -> Loaded:
    return load_folder(folder, device="cpu")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Oracle:
    return Oracle(folder)


@pytest.mark.parametrize("name", CASES)
def test_logits_are_those_of_transformers(name: str, ours: Loaded, theirs: Oracle) -> None:
    gap, largest = logits_apart(ours, theirs, CASES[name])
    assert gap <= CLOSE
    assert largest > 1


@pytest.mark.parametrize("name", CASES)
def test_prompts_have_the_ids_of_transformers(name: str, ours: Loaded, theirs: Oracle) -> None:
    sample = ours.processor.sample(CASES[name])
    assert theirs.ids(CASES[name], sample) == sample.ids_T.tolist()


def test_what_is_read_in_chunks_has_the_logits_of_transformers(ours: Loaded, theirs: Oracle) -> None:
    sample = ours.processor.sample(CASES["a picture and a video"])
    wanted = theirs.logits(sample)
    for size in (1, 13, sample.length - 1):
        assert (logits_in_chunks(ours.model, sample, size) - wanted).abs().max() <= CLOSE


@pytest.mark.parametrize("name", VARIANTS)
def test_every_shape_has_the_logits_of_transformers(name: str, tmp_path: Path) -> None:
    folder = write_toy(tmp_path, VARIANTS[name])
    gap, _ = logits_apart(load_folder(folder, device="cpu"), Oracle(folder), PICTURES)
    assert gap <= CLOSE


@pytest.mark.parametrize("sections", [[16, 8, 8], [0, 1, 40], [30, 2, 1], [9, 0, 3]], ids=str)
@pytest.mark.parametrize("generation", ["qwen3-vl", "qwen3-vl-moe"])
def test_interleaved_sections_of_any_sum_are_read_as_transformers_reads_them(
    generation: str, sections: list[int], tmp_path: Path
) -> None:
    folder = write_toy(tmp_path, tiny(generation))
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["rope_scaling"]["mrope_section"] = sections
    (folder / "config.json").write_text(json.dumps(config))
    gap, _ = logits_apart(load_folder(folder, device="cpu"), Oracle(folder), PICTURES)
    assert gap <= CLOSE


@pytest.mark.parametrize("head_dim", [{}, {"head_dim": None}], ids=["silent", "null"])
def test_a_silent_config_of_experts_has_the_defaults_of_transformers(
    head_dim: dict[str, None], tmp_path: Path
) -> None:
    theirs: Any = AutoConfig.for_model("qwen3_vl_moe").text_config
    said = {"model_type": "qwen3_vl_moe", "text_config": head_dim}
    said["vision_config"] = {"out_hidden_size": theirs.hidden_size}
    (tmp_path / "config.json").write_text(json.dumps(said))
    ours = read_spec(tmp_path).decoder
    assert isinstance(ours.feed_forward, Experts)
    assert (ours.depth, ours.width) == (theirs.num_hidden_layers, theirs.hidden_size)
    assert (ours.heads, ours.key_heads) == (theirs.num_attention_heads, theirs.num_key_value_heads)
    assert ours.head_width == theirs.head_dim
    assert ours.feed_forward.width == theirs.moe_intermediate_size
    assert (ours.feed_forward.count, ours.feed_forward.chosen) == (60, theirs.num_experts_per_tok)


def test_rows_of_a_video_are_those_of_its_frames(ours: Loaded, theirs: Oracle) -> None:
    assert video_rows_apart(ours, theirs) <= NEAR


def test_conversations_answered_together_are_answered_as_transformers_answers_each(
    ours: Loaded, theirs: Oracle
) -> None:
    samples = [
        ours.processor.sample(CASES[name]) for name in ("text only", "a video at 1 fps", "two pictures")
    ]
    wanted = [greedy_theirs(ours, theirs, sample) for sample in samples]
    assert greedy(ours, samples, stops(ours)) == wanted


def test_transformers_finds_every_tensor_of_our_shards_and_no_other(ours: Loaded, tmp_path: Path) -> None:
    write_folder(ours.model, ours.spec, tmp_path, dtype=torch.bfloat16, shard_bytes=50_000)
    told: dict[str, object]
    _, told = AutoModelForImageTextToText.from_pretrained(tmp_path, output_loading_info=True)  # type: ignore[misc]
    assert not any(told.values())


@pytest.mark.parametrize("save", [resaved, respelled])
def test_a_folder_that_transformers_saved_is_the_same_model(
    save: object, folder: Path, theirs: Oracle, tmp_path: Path
) -> None:
    assert callable(save)
    saved = save(theirs, folder, tmp_path / "saved")
    assert read_spec(saved) == read_spec(folder)
    gap, _ = logits_apart(load_folder(saved, device="cpu"), theirs, PICTURES)
    assert gap <= CLOSE


@pytest.mark.parametrize("spec", VARIANTS.values(), ids=VARIANTS.keys())
def test_transformers_reads_our_config_as_it_reads_its_own(spec: ModelSpec, tmp_path: Path) -> None:
    write_toy(tmp_path / "ours", spec)
    config = AutoConfig.from_pretrained(tmp_path / "ours")
    config.save_pretrained(tmp_path / "theirs")
    assert read_spec(tmp_path / "theirs") == read_spec(tmp_path / "ours")
