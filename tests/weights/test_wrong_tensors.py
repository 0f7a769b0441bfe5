"""One wrong tensor in a folder, whichever it is and whatever is wrong with it: refused, and named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from omma.errors import TensorMismatch
from omma.model.vlm import Vlm
from omma.presets import GENERATIONS, tiny
from omma.spec import ModelSpec
from omma.weights import load_weights, read_dtype, write_folder
from omma.weights.marks import MARKS

SINGLE = "model.safetensors"
Tensors = dict[str, Tensor]


@pytest.fixture(scope="module", params=[*GENERATIONS, "qwen-vl", "described-72b"])
def toy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelSpec, Path]:
    spec, folder = tiny(request.param), tmp_path_factory.mktemp("toy")
    model = Vlm(spec)
    model.initialise(torch.Generator().manual_seed(1))
    with torch.no_grad():  # a bias of zeros is its own double, a symmetric matrix its own transpose
        for number, weight in enumerate(model.parameters()):
            weight.copy_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(number)))
    write_folder(model, spec, folder, dtype=torch.float32)
    return spec, folder


def contents(folder: Path) -> tuple[Tensors, dict[str, str]]:
    with safe_open(folder / SINGLE, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


def removed(tensors: Tensors) -> Iterator[tuple[str, Tensors]]:
    for name in tensors:
        yield name, {other: t for other, t in tensors.items() if other != name}


def added(tensors: Tensors) -> Iterator[tuple[str, Tensors]]:
    for name, tensor in tensors.items():
        new = name.replace(".weight", ".extra.weight") if ".weight" in name else f"{name}.extra"
        yield new, tensors | {new: tensor.clone()}


def renamed(tensors: Tensors) -> Iterator[tuple[str, Tensors]]:
    for name in tensors:
        yield f"{name}x", {f"{other}x" if other == name else other: t for other, t in tensors.items()}


def transposed(tensors: Tensors) -> Iterator[tuple[str, Tensors]]:
    for name, tensor in tensors.items():
        if tensor.dim() > 1:
            yield name, tensors | {name: tensor.transpose(0, 1).contiguous()}
        if tensor.dim() > 2:
            yield name, tensors | {name: tensor.mT.contiguous()}


def exchanged(tensors: Tensors) -> Iterator[tuple[str, Tensors]]:
    """Two of one shape in each other's place: nothing but their numbers can tell."""
    kinds: dict[tuple[torch.Size, torch.dtype], str] = {}
    for name, tensor in tensors.items():
        other = kinds.setdefault((tensor.shape, tensor.dtype), name)
        if other != name:
            yield name, tensors | {name: tensors[other], other: tensor}


def of_wrong_dtype(tensors: Tensors) -> Iterator[tuple[str, Tensors]]:
    others = (torch.float16, torch.bfloat16, torch.float64, torch.int32, torch.float8_e4m3fn)
    for (name, tensor), dtype in zip(tensors.items(), cycle(others), strict=False):
        yield name, tensors | {name: tensor.to(dtype)}


def empty(spec: ModelSpec) -> Vlm:
    with torch.device("meta"):
        return Vlm(spec)


@pytest.mark.parametrize("wrong", [removed, added, renamed, transposed, exchanged, of_wrong_dtype])
def test_every_wrong_tensor_is_refused_by_name(
    wrong: Callable[[Tensors], Iterator[tuple[str, Tensors]]], toy: tuple[ModelSpec, Path], tmp_path: Path
) -> None:
    spec, folder = toy
    tensors, metadata = contents(folder)
    model, cases = empty(spec), list(wrong(tensors))
    for name, changed in cases:
        save_file(changed, tmp_path / SINGLE, metadata=metadata)
        with pytest.raises(TensorMismatch) as refused:
            load_weights(model, tmp_path)
        told = str(refused.value)
        assert name in told or any(changed[other] is tensors.get(name) for other in changed if other in told)
    assert len(cases) > 10


@pytest.mark.parametrize("wrong", [removed, added, renamed, of_wrong_dtype])
def test_no_mark_is_needed_for_that(
    wrong: Callable[[Tensors], Iterator[tuple[str, Tensors]]], toy: tuple[ModelSpec, Path], tmp_path: Path
) -> None:
    spec, folder = toy
    tensors, _ = contents(folder)
    model = empty(spec)
    for name, changed in list(wrong(tensors))[::5]:
        save_file(changed, tmp_path / SINGLE)
        with pytest.raises(TensorMismatch) as refused:
            load_weights(model, tmp_path)
        assert name in str(refused.value)


def test_a_matrix_that_is_not_square_needs_no_mark(toy: tuple[ModelSpec, Path], tmp_path: Path) -> None:
    spec, folder = toy
    tensors, _ = contents(folder)
    for name, changed in transposed(tensors):
        if changed[name].shape != tensors[name].shape:
            save_file(changed, tmp_path / SINGLE)
            with pytest.raises(TensorMismatch) as refused:
                load_weights(empty(spec), tmp_path)
            assert name in str(refused.value)


def test_a_square_that_was_turned_over_is_seen_by_its_mark_alone(
    toy: tuple[ModelSpec, Path], tmp_path: Path
) -> None:
    """A file without marks, such as an official one, says nothing of it: its digest on the hub does."""
    spec, folder = toy
    tensors, metadata = contents(folder)
    for name, changed in transposed(tensors):
        if changed[name].shape == tensors[name].shape:
            save_file(changed, tmp_path / SINGLE, metadata=metadata)
            with pytest.raises(TensorMismatch, match=re.escape(name)):
                load_weights(empty(spec), tmp_path)
            save_file(changed, tmp_path / SINGLE)
            load_weights(empty(spec), tmp_path)


def test_numbers_that_were_changed_are_noticed(toy: tuple[ModelSpec, Path], tmp_path: Path) -> None:
    spec, folder = toy
    tensors, metadata = contents(folder)
    name = next(name for name, tensor in tensors.items() if tensor.dim() > 1)
    save_file(tensors | {name: -tensors[name]}, tmp_path / SINGLE, metadata=metadata)
    with pytest.raises(TensorMismatch, match=MARKS):
        load_weights(empty(spec), tmp_path)


def test_one_dtype_asked_for_bears_a_mixture(toy: tuple[ModelSpec, Path], tmp_path: Path) -> None:
    spec, folder = toy
    tensors, _ = contents(folder)
    name = next(iter(tensors))
    save_file(tensors | {name: tensors[name].half()}, tmp_path / SINGLE)
    load_weights(empty(spec), tmp_path, dtype=torch.bfloat16)
    with pytest.raises(TensorMismatch, match="dtype='float32'"):
        read_dtype(tmp_path)
