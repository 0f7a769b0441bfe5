"""A folder written anew holds the same model, tensor by tensor, and a killed conversion holds none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from omma.errors import BadFolder, TensorMismatch
from omma.model.vlm import Vlm
from omma.presets import GENERATIONS, tiny
from omma.spec import Experts, ModelSpec
from omma.weights import convert, load_weights, read_dtype, read_spec, write_folder
from omma.weights.convert import Change, convert_folder

every_generation = pytest.mark.parametrize("generation", GENERATIONS)
SINGLE = "model.safetensors"


def drawn(spec: ModelSpec) -> Vlm:
    model = Vlm(spec)
    model.initialise(torch.Generator().manual_seed(1))
    return model


def loaded(folder: Path, dtype: torch.dtype | None = None) -> Vlm:
    with torch.device("meta"):
        model = Vlm(read_spec(folder))
    load_weights(model, folder, dtype=dtype)
    return model


def assert_same(one: Vlm, two: Vlm) -> None:
    pairs = zip(one.named_parameters(), two.named_parameters(), strict=True)
    assert all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(drawn(tiny("qwen2.5-vl")), tiny("qwen2.5-vl"), tmp_path / "a", dtype=torch.float32)
    (tmp_path / "a" / "tokenizer.json").write_text("{}")
    (tmp_path / "a" / "modeling.py").write_text("raise SystemExit")
    (tmp_path / "a" / "training.bin").write_bytes(b"\x80\x04.")
    return tmp_path / "a"


@every_generation
@pytest.mark.parametrize("names", ["official", "memory"])
def test_every_generation_goes_there_and_back(generation: str, names: str, tmp_path: Path) -> None:
    spec = tiny(generation)
    write_folder(drawn(spec), spec, tmp_path / "a", dtype=torch.float32)
    convert_folder(tmp_path / "a", tmp_path / "b", Change(shard_bytes=30_000, names=names))  # type: ignore[arg-type]
    convert_folder(tmp_path / "b", tmp_path / "c", Change())
    assert len(list((tmp_path / "b").glob("*.safetensors"))) > 2
    assert_same(loaded(tmp_path / "b"), drawn(spec))
    there, back = (tmp_path / name / SINGLE for name in "ac")
    with safe_open(there, "pt") as one, safe_open(back, "pt") as two:
        assert sorted(one.keys()) == sorted(two.keys())
        assert json.loads(one.metadata()["omma.marks"]) == json.loads(two.metadata()["omma.marks"])
    assert (tmp_path / "a" / "config.json").read_text() == (tmp_path / "c" / "config.json").read_text()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_numbers_become_the_dtype_asked_for(dtype: torch.dtype, folder: Path) -> None:
    target = folder.with_name("b")
    convert_folder(folder, target, Change(dtype))
    assert read_dtype(target) == dtype
    assert json.loads((target / "config.json").read_text())["torch_dtype"] == str(dtype)[6:]
    assert_same(loaded(target), drawn(tiny("qwen2.5-vl")).to(dtype))


def test_a_stretch_at_a_time_makes_the_same_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    convert_folder(folder, folder.with_name("b"), Change(torch.bfloat16))
    monkeypatch.setattr(convert, "STRETCH", 700)
    heard: list[tuple[int, int]] = []
    told = convert_folder(
        folder, folder.with_name("c"), Change(torch.bfloat16), listener=lambda *x: heard.append(x)
    )
    one, two = (folder.with_name(name) / SINGLE for name in "bc")
    assert one.read_bytes() == two.read_bytes()
    assert heard[-1] == (told.bytes, told.bytes)
    assert len(heard) > 10 * told.tensors


def test_settings_go_along_and_programs_do_not(folder: Path) -> None:
    told = convert_folder(folder, folder.with_name("b"), Change())
    kept = {path.name for path in folder.with_name("b").iterdir()}
    assert kept == {"config.json", "generation_config.json", "tokenizer.json", SINGLE}
    assert told.left_behind == ("modeling.py", "training.bin")


def test_a_tied_heads_copy_is_left_out_and_another_head_is_refused(folder: Path) -> None:
    tensors = load_file(folder / SINGLE)
    head = tensors["model.embed_tokens.weight"].clone()
    save_file(tensors | {"lm_head.weight": head}, folder / SINGLE)
    convert_folder(folder, folder.with_name("b"), Change())
    assert "lm_head.weight" not in load_file(folder.with_name("b") / SINGLE)
    save_file(tensors | {"lm_head.weight": head + 1}, folder / SINGLE)
    with pytest.raises(TensorMismatch, match=r"lm_head\.weight differs"):
        convert_folder(folder, folder.with_name("c"), Change())


@pytest.mark.parametrize("wrong", ["missing", "left over"])
def test_what_is_missing_or_left_over_is_named_before_anything_is_written(wrong: str, folder: Path) -> None:
    tensors = load_file(folder / SINGLE)
    if wrong == "missing":
        del tensors["model.norm.weight"]
    else:
        tensors["model.norm.extra.weight"] = torch.zeros(1)
    save_file(tensors, folder / SINGLE)
    with pytest.raises(TensorMismatch, match=rf"model\.norm.*{wrong}"):
        convert_folder(folder, folder.with_name("b"), Change())
    assert [path.name for path in folder.parent.iterdir()] == ["a"]


def test_numbers_too_large_for_half_precision_are_named(folder: Path) -> None:
    tensors = load_file(folder / SINGLE)
    save_file(tensors | {"model.norm.weight": torch.full((64,), 1e6)}, folder / SINGLE)
    with pytest.raises(TensorMismatch, match=r"model\.norm\.weight has numbers beyond 65,504"):
        convert_folder(folder, folder.with_name("b"), Change(torch.float16))
    assert [path.name for path in folder.parent.iterdir()] == ["a"]


def test_a_folder_that_is_there_is_left_alone(folder: Path) -> None:
    target = folder.with_name("b")
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    for taken in (target, folder):
        with pytest.raises(BadFolder, match="is there already"):
            convert_folder(folder, taken, Change())
    with pytest.raises(BadFolder, match="lies inside"):
        convert_folder(folder, folder / "new", Change())
    (target / "mine.txt").unlink()
    convert_folder(folder, target, Change())
    assert_same(loaded(target), loaded(folder))


def test_a_full_disk_is_said_before_it_is_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: replace_free(usage, 1000))
    with pytest.raises(BadFolder, match="make room"):
        convert_folder(folder, folder.with_name("b"), Change())


def replace_free(usage: object, free: int) -> object:
    return usage._replace(free=free)  # type: ignore[attr-defined]


@pytest.mark.parametrize("moment", ["begun", "middle", "written"])
def test_stopped_at_any_moment_there_is_no_model(
    moment: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = folder.with_name("b")

    def stop(done: int, total: int) -> None:
        if moment == "begun" or (moment == "middle" and done > total // 2):
            raise KeyboardInterrupt

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    if moment == "written":
        monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        convert_folder(folder, target, Change(), listener=stop)
    assert [path.name for path in folder.parent.iterdir()] == ["a"]


KILLED = """
import sys, time
from pathlib import Path
from omma.weights import convert
convert.STRETCH = 700
def slow(done, total):
    print(done, flush=True)
    time.sleep(0.01)
source, target = map(Path, sys.argv[1:])
convert.convert_folder(source, target, convert.Change(shard_bytes=50_000), listener=slow)
"""


def test_killed_it_leaves_nothing_that_loads_and_the_next_run_finishes(folder: Path) -> None:
    target = folder.with_name("b")
    running = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder), str(target)], stdout=subprocess.PIPE
    )
    assert running.stdout is not None
    for _ in range(50):
        running.stdout.readline()
    running.kill()
    running.wait()
    running.stdout.close()
    time.sleep(0.1)
    assert not target.exists()
    for left in folder.parent.iterdir():
        if left != folder:
            with pytest.raises(BadFolder):
                loaded(left)
    convert_folder(folder, target, Change())
    assert_same(loaded(target), drawn(tiny("qwen2.5-vl")))
    assert {path.name for path in folder.parent.iterdir()} == {"a", "b"}


def test_experts_that_lie_the_other_way_round_are_turned_back(tmp_path: Path) -> None:
    generations = [name for name in GENERATIONS if isinstance(tiny(name).decoder.feed_forward, Experts)]
    for generation in generations:
        spec, source = tiny(generation), tmp_path / generation
        write_folder(drawn(spec), spec, source, dtype=torch.float32)
        tensors = load_file(source / SINGLE)
        turned = {name: t.mT.contiguous() if ".experts." in name else t for name, t in tensors.items()}
        save_file(turned, source / SINGLE)
        convert_folder(source, tmp_path / "b" / generation, Change())
        back = load_file(tmp_path / "b" / generation / SINGLE)
        assert all(torch.equal(back[name], tensors[name]) for name in tensors)
    assert generations


def test_an_untied_head_goes_along(tmp_path: Path) -> None:
    spec = tiny("qwen2.5-vl")
    spec = replace(spec, decoder=replace(spec.decoder, tied=False))
    write_folder(drawn(spec), spec, tmp_path / "a", dtype=torch.bfloat16)
    convert_folder(tmp_path / "a", tmp_path / "b", Change())
    assert_same(loaded(tmp_path / "b"), loaded(tmp_path / "a"))
