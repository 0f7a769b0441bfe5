"""Adapters on a built model: put on, merged, unmerged, written and read; what does not fit is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import omma
from bench.toys import cases, write_toy
from omma.engine.engine import score
from omma.engine.packed import widen
from omma.errors import BadFolder, BadModel, TensorMismatch, UnsafeFile
from omma.loading import Loaded, load_folder
from omma.model.vlm import Vlm
from omma.presets import GENERATIONS, tiny
from omma.weights import write_folder
from omma.weights.adapters import CONFIG, WEIGHTS, read_adapter, write_adapter
from omma.weights.lora import (
    Adapter,
    LoraLinear,
    Pair,
    fresh,
    linears,
    mark_of,
    merge,
    put_on,
    spec_of,
    take_off,
    unmerge,
)

SAID = next(case.said for case in cases() if case.name == "one picture")


@pytest.fixture(scope="module", params=GENERATIONS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("toy"), tiny(request.param))


def drawn(model: Vlm, rank: int = 3, but: tuple[str, ...] = (), std: float = 0.05) -> dict[str, Pair]:
    """A pair for every linear layer, which changes what the model says."""
    dice = torch.Generator().manual_seed(1)
    pairs = {}
    for name, layer in linears(model).items():
        if not name.startswith(but):
            blank = fresh(layer, rank, 2.0, dice)
            pairs[name] = blank._replace(up=torch.empty_like(blank.up).normal_(0, std, generator=dice))
    return pairs


def logits(loaded: Loaded) -> Tensor:
    return score(loaded.model, loaded.processor.sample(SAID))


def opened(folder: Path, dtype: str = "float32") -> Loaded:
    return load_folder(folder, device="cpu", dtype=dtype)


def written(folder: Path, out: Path, **how: Any) -> dict[str, Pair]:
    plain = opened(folder)
    pairs = drawn(plain.model, **how)
    write_adapter(pairs, plain.model, out, base=str(folder), mark=mark_of(plain.model))
    return pairs


def of_a_pair(name: str) -> bool:
    """Whether a parameter is an adapter's; experts have matrices that are called alike."""
    return name.endswith((".down", ".up")) and ".experts." not in name


def test_a_fresh_adapter_changes_nothing_and_only_it_learns(folder: Path) -> None:
    loaded = opened(folder)
    before, dice = logits(loaded), torch.Generator().manual_seed(0)
    put_on(loaded.model, Adapter({n: fresh(x, 4, 2.0, dice) for n, x in linears(loaded.model).items()}))
    assert torch.equal(logits(loaded), before)
    learning = {name for name, p in loaded.model.named_parameters() if p.requires_grad}
    assert learning == {name for name, _ in loaded.model.named_parameters() if of_a_pair(name)}


def test_gradients_reach_the_adapter_and_nothing_else(folder: Path) -> None:
    loaded = opened(folder)
    put_on(loaded.model, Adapter(drawn(loaded.model)), dropout=0.1)
    with torch.enable_grad():
        score.__wrapped__(loaded.model, loaded.processor.sample(SAID)).square().mean().backward()  # type: ignore[attr-defined]
    for name, parameter in loaded.model.named_parameters():
        assert (parameter.grad is not None) == of_a_pair(name), name
        assert parameter.grad is None or parameter.grad.any(), name


def test_dropout_is_for_learning_only(folder: Path) -> None:
    loaded = opened(folder)
    put_on(loaded.model, Adapter(drawn(loaded.model)), dropout=0.5)
    told = [logits(loaded._replace(model=loaded.model.train(learning))) for learning in (True, False, False)]
    assert not torch.equal(told[0], told[1])
    assert torch.equal(told[1], told[2])


def test_merged_weights_say_the_same_and_unmerging_is_exact(folder: Path) -> None:
    loaded = opened(folder)
    plain = {name: layer.weight for name, layer in linears(loaded.model).items()}
    before = logits(loaded)
    put_on(loaded.model, Adapter(drawn(loaded.model)))
    worn = logits(loaded)
    assert merge(loaded.model) < 1e-6
    torch.testing.assert_close(logits(loaded), worn, atol=1e-4, rtol=0)
    assert (worn - before).abs().max() > 0.1
    unmerge(loaded.model)
    assert torch.equal(logits(loaded), worn)
    take_off(loaded.model)
    assert torch.equal(logits(loaded), before)
    assert all(layer.weight is plain[name] for name, layer in linears(loaded.model).items())


def test_merging_in_bfloat16_says_what_rounding_took(folder: Path) -> None:
    shares = []
    for std in (0.1, 0.0005):
        loaded = opened(folder, "bfloat16")
        put_on(loaded.model, Adapter(drawn(loaded.model, std=std)))
        shares.append(merge(loaded.model))
    assert 0 < shares[0] < 0.1 < shares[1]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_adapter_comes_back_as_it_was_written(folder: Path, dtype: str, tmp_path: Path) -> None:
    pairs = written(folder, tmp_path / "adapter")
    loaded = opened(folder, dtype)
    put_on(loaded.model, Adapter(pairs))
    wanted = logits(loaded)
    for named in (
        {"name_or_path": folder, "adapter": tmp_path / "adapter"},
        {"name_or_path": tmp_path / "adapter"},
    ):
        assert torch.equal(logits(load_folder(**named, device="cpu", dtype=dtype)), wanted)  # type: ignore[arg-type]


def test_a_loaded_model_answers_with_its_adapter_packed_or_not(folder: Path, tmp_path: Path) -> None:
    written(folder, tmp_path / "adapter")
    model = omma.load(folder, device="cpu", dtype="bfloat16", adapter=tmp_path / "adapter")
    loaded = load_folder(folder, device="cpu", dtype="bfloat16", adapter=tmp_path / "adapter")
    widen(loaded.model)  # as `omma.load` does, where the processor is faster so
    assert torch.equal(model.logits(SAID), logits(loaded))


def test_a_merged_model_is_written_as_a_plain_folder(folder: Path, tmp_path: Path) -> None:
    loaded = opened(folder)
    put_on(loaded.model, Adapter(drawn(loaded.model)))
    with pytest.raises(BadModel, match="merge it first"):
        write_folder(loaded.model, loaded.spec, tmp_path, dtype=torch.float32)
    merge(loaded.model)
    write_folder(loaded.model, spec_of(loaded.model), tmp_path, dtype=torch.float32)
    loaded.processor.save(tmp_path)
    assert torch.equal(logits(opened(tmp_path)), logits(loaded))


def test_a_tied_head_becomes_its_own_when_the_table_is_replaced(folder: Path, tmp_path: Path) -> None:
    loaded = opened(folder)
    if loaded.model.decoder.head is not None:
        pytest.skip("this generation's head is its own from the start")
    table = loaded.model.decoder.embedding.weight
    put_on(loaded.model, Adapter({}, {"decoder.embedding.weight": table.detach() + 0.1}))
    assert loaded.model.decoder.head is not None
    assert torch.equal(loaded.model.decoder.head.weight, table)  # type: ignore[arg-type]
    write_folder(loaded.model, spec_of(loaded.model), tmp_path, dtype=torch.float32)
    loaded.processor.save(tmp_path)
    assert torch.equal(logits(opened(tmp_path)), logits(loaded))


def test_pairs_of_some_layers_and_of_other_ranks_come_back(folder: Path, tmp_path: Path) -> None:
    plain = opened(folder)
    few = drawn(plain.model, rank=2, but=("vision", "decoder.layers.1"))
    name = next(iter(few))
    few[name] = fresh(linears(plain.model)[name], 5, 0.5, torch.Generator().manual_seed(2))
    write_adapter(few, plain.model, tmp_path, base="x", mark=mark_of(plain.model))
    read = read_adapter(tmp_path, opened(folder).model).pairs
    assert set(read) == set(few)
    assert all(read[n].scale == few[n].scale and torch.equal(read[n].up, few[n].up) for n in few)


Change = Callable[[dict[str, Tensor], dict[str, Any]], None]
FIRST = "base_model.model.model.language_model.layers.0.self_attn.q_proj.lora_A.weight"


def renamed(tensors: dict[str, Tensor], _: object) -> None:
    tensors[FIRST.replace("layers.0", "layers.99")] = tensors[FIRST].clone()
    tensors[FIRST.replace("layers.0", "layers.99").replace("lora_A", "lora_B")] = torch.zeros(64, 3)


def cut(tensors: dict[str, Tensor], _: object) -> None:
    tensors[FIRST] = tensors[FIRST][:, 1:].contiguous()


def half(tensors: dict[str, Tensor], _: object) -> None:
    del tensors[FIRST]


def layer(tensors: dict[str, Tensor], _: object) -> None:
    del tensors[FIRST], tensors[FIRST.replace("lora_A", "lora_B")]


def unnamed(_: object, config: dict[str, Any]) -> None:
    config["target_modules"] = ["k_proj"]


def promised(_: object, config: dict[str, Any]) -> None:
    config["modules_to_save"] = ["embed_tokens"]


def rank(_: object, config: dict[str, Any]) -> None:
    config["r"] = 7


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (renamed, "layers.99.*left over"),
        (cut, r"layers.0.self_attn.q_proj.lora_A is \(3, 63\)"),
        (half, "layers.0.self_attn.q_proj.lora_A is missing"),
        (layer, "layers.0.self_attn.q_proj.lora_A is missing"),
        (unnamed, "target_modules"),
        (promised, "modules_to_save names embed_tokens"),
        (rank, "rank 7"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(
    change: Change, named: str, folder: Path, tmp_path: Path
) -> None:
    written(folder, tmp_path)
    tensors, config = load_file(tmp_path / WEIGHTS), json.loads((tmp_path / CONFIG).read_text())
    change(tensors, config)
    save_file(tensors, tmp_path / WEIGHTS)
    (tmp_path / CONFIG).write_text(json.dumps(config))
    with pytest.raises(TensorMismatch, match=named):
        read_adapter(tmp_path, opened(folder).model)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("use_dora", True),
        ("peft_type", "IA3"),
        ("init_lora_weights", "pissa_niter_4"),
        ("target_parameters", ["experts.down_proj"]),
        ("something_new", 3),
        ("r", "many"),
        ("rank_pattern", {"(": 3}),
    ],
)
def test_a_kind_that_is_not_built_is_refused_by_name(
    setting: str, value: object, folder: Path, tmp_path: Path
) -> None:
    written(folder, tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text()) | {setting: value}
    (tmp_path / CONFIG).write_text(json.dumps(config))
    with pytest.raises(BadFolder, match=CONFIG):
        read_adapter(tmp_path, opened(folder).model)


def test_other_weights_of_the_same_shape_are_told_apart(folder: Path, tmp_path: Path) -> None:
    written(folder, tmp_path)
    other = opened(folder, "bfloat16")
    read_adapter(tmp_path, other.model)  # the same weights in another dtype
    with torch.no_grad():
        other.model.decoder.norm.weight[3] += 0.5
    with pytest.raises(TensorMismatch, match="trained on other weights"):
        read_adapter(tmp_path, other.model)


def test_a_pickled_adapter_is_never_opened(folder: Path, tmp_path: Path) -> None:
    written(folder, tmp_path)
    (tmp_path / WEIGHTS).rename(tmp_path / "adapter_model.bin")
    with pytest.raises(UnsafeFile):
        read_adapter(tmp_path, opened(folder).model)


def test_one_adapter_at_a_time(folder: Path) -> None:
    loaded = opened(folder)
    put_on(loaded.model, Adapter(drawn(loaded.model)))
    with pytest.raises(BadModel, match="already"):
        put_on(loaded.model, Adapter({}))
    assert sum(isinstance(layer, LoraLinear) for layer in loaded.model.modules()) > 1
