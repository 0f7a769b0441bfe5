"""Tensors into a folder and out again; whatever is wrong with a folder is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from omma.engine.packed import lay_out, packable
from omma.errors import BadFolder, BadModel, TensorMismatch, UnsafeFile
from omma.model.vlm import Vlm
from omma.presets import GENERATIONS, tiny
from omma.spec import ModelSpec
from omma.weights import load_weights, read_dtype, write_folder

every_generation = pytest.mark.parametrize("generation", GENERATIONS)
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"


def drawn(spec: ModelSpec) -> Vlm:
    model = Vlm(spec)
    model.initialise(torch.Generator().manual_seed(1))
    return model


def empty(spec: ModelSpec) -> Vlm:
    with torch.device("meta"):
        return Vlm(spec)


def loaded(folder: Path, spec: ModelSpec, dtype: torch.dtype | None = None) -> Vlm:
    model = empty(spec)
    load_weights(model, folder, dtype=dtype)
    return model


def assert_same(one: Vlm, two: Vlm) -> None:
    pairs = zip(one.named_parameters(), two.named_parameters(), strict=True)
    assert all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


@pytest.fixture
def spec() -> ModelSpec:
    return tiny("qwen2.5-vl")


@pytest.fixture
def folder(spec: ModelSpec, tmp_path: Path) -> Path:
    write_folder(drawn(spec), spec, tmp_path, dtype=torch.float32)
    return tmp_path


def change(folder: Path, edit: Callable[[dict[str, Tensor]], object]) -> None:
    tensors = {name: tensor.clone() for name, tensor in load_file(folder / SINGLE).items()}
    edit(tensors)
    save_file(tensors, folder / SINGLE)


@every_generation
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("shard_bytes", [5_000_000_000, 100_000, 1])
def test_what_is_written_is_loaded(generation: str, tied: bool, shard_bytes: int, tmp_path: Path) -> None:
    spec = tiny(generation)
    spec = replace(spec, decoder=replace(spec.decoder, tied=tied))
    model = drawn(spec)
    write_folder(model, spec, tmp_path, dtype=torch.float32, shard_bytes=shard_bytes)
    assert_same(loaded(tmp_path, spec), model)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_weights_are_kept_and_loaded_in_the_dtype_asked_for(
    dtype: torch.dtype, spec: ModelSpec, tmp_path: Path
) -> None:
    write_folder(drawn(spec), spec, tmp_path, dtype=dtype)
    assert read_dtype(tmp_path) == dtype
    assert_same(loaded(tmp_path, spec, torch.float32), drawn(spec).to(dtype).float())


def test_fewer_shards_leave_no_old_ones(spec: ModelSpec, tmp_path: Path) -> None:
    write_folder(drawn(spec), spec, tmp_path, dtype=torch.float32, shard_bytes=100_000)
    write_folder(drawn(spec), spec, tmp_path, dtype=torch.float32)
    assert [path.name for path in tmp_path.glob("*safetensors*")] == [SINGLE]


def test_writing_over_a_mapped_folder_leaves_the_loaded_model_alone(folder: Path, spec: ModelSpec) -> None:
    model = loaded(folder, spec)
    other = Vlm(spec)
    other.initialise(torch.Generator().manual_seed(2))
    write_folder(other, spec, folder, dtype=torch.float32)
    assert_same(model, drawn(spec))


def test_learning_never_writes_to_the_file(folder: Path, spec: ModelSpec) -> None:
    model = loaded(folder, spec)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(1)
    assert_same(loaded(folder, spec), drawn(spec))


def test_a_model_that_cannot_be_said_in_public_is_not_written(spec: ModelSpec, tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match="cannot be written"):
        write_folder(drawn(spec), replace(spec, tokens_per_second=1.5), tmp_path, dtype=torch.float32)
    assert not list(tmp_path.iterdir())


def test_a_model_laid_out_for_answering_is_not_written_by_halves(spec: ModelSpec, tmp_path: Path) -> None:
    model = drawn(spec).bfloat16()
    if not packable(model):
        pytest.skip("this processor packs no weights")
    lay_out(model)
    with pytest.raises(BadModel, match="answering"):
        write_folder(model, spec, tmp_path, dtype=torch.bfloat16)


def test_the_spelling_of_transformers_is_loaded(folder: Path, spec: ModelSpec) -> None:
    def respell(tensors: dict[str, Tensor]) -> None:
        for name in list(tensors):
            new = (
                f"model.{name}"
                if name.startswith("visual.")
                else name.replace("model.", "model.language_model.")
            )
            tensors[new] = tensors.pop(name)

    change(folder, respell)
    assert_same(loaded(folder, spec), drawn(spec))


NORM = "model.norm.weight"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda t: t.pop(NORM), f"{NORM} missing"),
        (lambda t: t.update({"visual.extra.weight": torch.zeros(1)}), r"visual\.extra\.weight is left over"),
        (lambda t: t.update({NORM: torch.zeros(3)}), rf"{NORM} is \(3,\)"),
        (lambda t: t.update({NORM: t[NORM].to(torch.int32)}), rf"{NORM} is torch\.int32"),
        (lambda t: t.update({NORM: t[NORM].to(torch.float8_e4m3fn)}), rf"{NORM} is torch\.float8"),
        (lambda t: t.update({NORM: t[NORM].double()}), rf"{NORM} is torch\.float64"),
        (lambda t: t.update({f"model.layers.{'9' * 5000}.x": torch.zeros(1)}), r"9… is left over"),
        (lambda t: t.update({"5²5": torch.zeros(1)}), "5²5 is left over"),
        (lambda t: t.update({"model.language_model.norm.weight": t[NORM].clone()}), "the same tensor as"),
        (lambda t: t.update({"lm_head.weight": torch.zeros(320, 64)}), r"lm_head\.weight differs"),
    ],
    ids=[
        "missing",
        "left over",
        "shape",
        "whole",
        "quarter",
        "double",
        "long name",
        "odd name",
        "twice",
        "another head",
    ],
)
def test_a_wrong_tensor_is_named(
    edit: Callable[[dict[str, Tensor]], object], said: str, folder: Path, spec: ModelSpec
) -> None:
    change(folder, edit)
    with pytest.raises(TensorMismatch, match=said):
        loaded(folder, spec)


def test_a_tied_head_that_is_a_copy_of_the_embeddings_is_borne(folder: Path, spec: ModelSpec) -> None:
    change(folder, lambda t: t.update({"lm_head.weight": t["model.embed_tokens.weight"].clone()}))
    assert_same(loaded(folder, spec), drawn(spec))


def test_an_untied_head_must_be_there(folder: Path, spec: ModelSpec) -> None:
    with pytest.raises(TensorMismatch, match=r"lm_head\.weight missing"):
        loaded(folder, replace(spec, decoder=replace(spec.decoder, tied=False)))


def test_a_truncated_file_is_named(folder: Path, spec: ModelSpec) -> None:
    whole = (folder / SINGLE).read_bytes()
    for keep in (0, 4, 100, len(whole) - 1):
        (folder / SINGLE).write_bytes(whole[:keep])
        with pytest.raises(BadFolder, match=r"model\.safetensors cannot be read"):
            loaded(folder, spec)


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ('{"weight_map": {"a": "model-00001-of-00002.safetensors"}}', "names model-00001"),
        ('{"weight_map": {"a": "../elsewhere.safetensors"}}', "names ../elsewhere"),
        ('{"weight_map": {}}', "weight_map"),
        ('{"weight_map": ["a"]}', "weight_map"),
        ("{}", "weight_map"),
        ("nonsense", "cannot be read"),
    ],
)
def test_an_index_that_misleads_is_named(index: str, said: str, spec: ModelSpec, tmp_path: Path) -> None:
    (tmp_path / INDEX).write_text(index)
    with pytest.raises(BadFolder, match=said):
        loaded(tmp_path, spec)


def test_a_missing_shard_is_named(spec: ModelSpec, tmp_path: Path) -> None:
    write_folder(drawn(spec), spec, tmp_path, dtype=torch.float32, shard_bytes=100_000)
    gone = sorted(tmp_path.glob("*.safetensors"))[2]
    gone.unlink()
    with pytest.raises(BadFolder, match=gone.name):
        loaded(tmp_path, spec)


@pytest.mark.parametrize("before", [5_000_000_000, 100_000], ids=["one file", "shards"])
@pytest.mark.parametrize("after", [5_000_000_000, 100_000], ids=["one file", "shards"])
@pytest.mark.parametrize("moment", range(4))
def test_a_write_that_is_stopped_leaves_one_model_or_none(
    before: int, after: int, moment: int, spec: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(drawn(spec), spec, tmp_path, dtype=torch.float32, shard_bytes=before)
    other = Vlm(spec)
    other.initialise(torch.Generator().manual_seed(2))
    replace_file, left = Path.replace, iter(range(moment))

    def replaced(path: Path, target: Path) -> Path:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return replace_file(path, target)

    with monkeypatch.context() as patched, suppress(KeyboardInterrupt):
        patched.setattr(Path, "replace", replaced)
        write_folder(other, spec, tmp_path, dtype=torch.float32, shard_bytes=after)
    with suppress(BadFolder):
        found = list(loaded(tmp_path, spec).parameters())
        assert any(all(map(torch.equal, found, whole.parameters())) for whole in (drawn(spec), other))
    write_folder(other, spec, tmp_path, dtype=torch.float32, shard_bytes=after)
    assert_same(loaded(tmp_path, spec), other)
    assert not list(tmp_path.glob(".*"))


def test_a_full_disk_is_said(spec: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise SafetensorError("No space left on device")

    write_folder(drawn(spec), spec, tmp_path, dtype=torch.float32)
    monkeypatch.setattr("omma.weights.files.save_file", full)
    with pytest.raises(BadFolder, match="No space left"):
        write_folder(drawn(spec), spec, tmp_path, dtype=torch.float32)
    assert_same(loaded(tmp_path, spec), drawn(spec))
    assert not list(tmp_path.glob(".*"))


def test_an_index_agrees_with_its_shards(spec: ModelSpec, tmp_path: Path) -> None:
    write_folder(drawn(spec), spec, tmp_path, dtype=torch.bfloat16, shard_bytes=100_000)
    index = json.loads((tmp_path / INDEX).read_text())
    held = {name: p.name for p in tmp_path.glob("*.safetensors") for name in load_file(p)}
    assert index["weight_map"] == held
    assert index["metadata"]["total_size"] == sum(2 * p.numel() for p in drawn(spec).parameters())


def test_a_tensor_that_only_the_index_knows_is_named(spec: ModelSpec, tmp_path: Path) -> None:
    write_folder(drawn(spec), spec, tmp_path, dtype=torch.float32, shard_bytes=100_000)
    index = json.loads((tmp_path / INDEX).read_text())
    where = index["weight_map"]["ghost.weight"] = min(index["weight_map"].values())
    (tmp_path / INDEX).write_text(json.dumps(index))
    with pytest.raises(TensorMismatch, match=f"{where}: ghost.weight is not in it"):
        loaded(tmp_path, spec)
    with pytest.raises(TensorMismatch, match=f"{where}: ghost.weight is not in it"):
        read_dtype(tmp_path)


def test_a_folder_with_both_forms_is_refused(folder: Path, spec: ModelSpec) -> None:
    (folder / INDEX).write_text('{"weight_map": {}}')
    with pytest.raises(BadFolder, match="holds both"):
        loaded(folder, spec)


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "model.pt", "x.pth"]
)
def test_a_pickle_is_never_opened(name: str, spec: ModelSpec, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04.")
    with pytest.raises(UnsafeFile, match=name):
        loaded(tmp_path, spec)


def test_an_empty_folder_says_what_it_lacks(spec: ModelSpec, tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match="neither"):
        loaded(tmp_path, spec)
