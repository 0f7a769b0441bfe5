"""The network says what transformers says of the same folder, and each reads what the other saved."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, Qwen2_5_VLForConditionalGeneration

from bench.oracle import Oracle
from bench.parity import CLOSE, cases, greedy_both, logits_apart, resaved, respelled, variants, write_toy
from omma.loading import load_folder
from omma.presets import tiny
from omma.spec import ModelSpec
from omma.weights import read_spec, write_folder

CASES = {case.name: case.said for case in cases()}
VARIANTS = dict(variants())
PICTURES = CASES["two pictures"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("toy"), tiny("qwen2.5-vl"))


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Oracle:
    return Oracle(folder)


@pytest.mark.parametrize("name", CASES)
def test_logits_are_those_of_transformers(name: str, folder: Path, theirs: Oracle) -> None:
    gap, largest = logits_apart(load_folder(folder, device="cpu"), theirs, CASES[name])
    assert gap <= CLOSE
    assert largest > 1


@pytest.mark.parametrize("name", VARIANTS)
def test_every_shape_has_the_logits_of_transformers(name: str, tmp_path: Path) -> None:
    folder = write_toy(tmp_path, VARIANTS[name])
    gap, _ = logits_apart(load_folder(folder, device="cpu"), Oracle(folder), PICTURES)
    assert gap <= CLOSE


def test_greedy_tokens_after_a_video_are_those_of_transformers_at_our_positions(
    folder: Path, theirs: Oracle
) -> None:
    ours = load_folder(folder, device="cpu")
    wrote, wanted = greedy_both(ours, theirs, ours.processor.sample(CASES["a video at 1 fps"]))
    assert wrote == wanted


def test_transformers_finds_every_tensor_of_our_shards_and_no_other(folder: Path, tmp_path: Path) -> None:
    ours = load_folder(folder, device="cpu")
    write_folder(ours.model, ours.spec, tmp_path, dtype=torch.bfloat16, shard_bytes=50_000)
    told: dict[str, object]
    _, told = Qwen2_5_VLForConditionalGeneration.from_pretrained(tmp_path, output_loading_info=True)  # type: ignore[misc]
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
