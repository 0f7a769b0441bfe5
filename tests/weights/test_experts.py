"""Experts lie input-major in files; all of them turned by a tool are turned back, one of them is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from omma.errors import TensorMismatch
from omma.model.vlm import Vlm
from omma.presets import tiny
from omma.weights import load_weights, read_spec, write_folder
from omma.weights.folder import experts_turned

SPEC = tiny("qwen3-vl-moe")
SINGLE = "model.safetensors"
BANK = "model.language_model.layers.2.mlp.experts"


def drawn() -> Vlm:
    model = Vlm(SPEC)
    model.initialise(torch.Generator().manual_seed(1))
    return model


def empty() -> Vlm:
    with torch.device("meta"):
        return Vlm(SPEC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(drawn(), SPEC, tmp_path, dtype=torch.float32)
    return tmp_path


def turn(folder: Path, *names: str) -> None:
    """Turn tensors whose names end so, as a tool would that writes no marks."""
    tensors = load_file(folder / SINGLE)
    for name in tensors:
        if name.endswith(names):
            tensors[name] = tensors[name].mT.contiguous()
    save_file(tensors, folder / SINGLE)


def test_experts_are_written_as_official_files_hold_them(folder: Path) -> None:
    tensors, layer = load_file(folder / SINGLE), drawn().decoder.layers[2]
    assert tensors[f"{BANK}.gate_up_proj"].shape == (8, 64, 48)
    assert tensors[f"{BANK}.down_proj"].shape == (8, 24, 64)
    assert torch.equal(tensors[f"{BANK}.gate_up_proj"], layer.get_parameter("feed.experts.gate_up"))
    assert read_spec(folder) == SPEC


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_experts_that_were_all_turned_are_turned_back(folder: Path, dtype: torch.dtype) -> None:
    turn(folder, "gate_up_proj", "down_proj")
    model = empty()
    assert experts_turned(folder, model)
    load_weights(model, folder, dtype=dtype)
    for (name, got), wanted in zip(model.named_parameters(), drawn().to(dtype).parameters(), strict=True):
        assert torch.equal(got, wanted), name


@pytest.mark.parametrize("one", ["gate_up_proj", "down_proj"])
@pytest.mark.parametrize("all_others", [False, True])
def test_one_expert_tensor_that_lies_otherwise_is_refused_by_name(
    folder: Path, one: str, all_others: bool
) -> None:
    if all_others:
        turn(folder, "gate_up_proj", "down_proj")
    turn(folder, f"{BANK}.{one}")
    with pytest.raises(TensorMismatch, match=rf"layers\.2\.mlp\.experts\.{one} is "):
        load_weights(empty(), folder)
