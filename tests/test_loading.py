"""A name or a folder becomes a model; anything else is told what there is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import omma
from omma.errors import BadFolder, OutOfMemory, TensorMismatch, UnknownModel, UnknownOption
from omma.loading import BUNDLED, device_of, load_folder, resolve
from omma.model.vlm import Vlm
from omma.prep.processor import Processor
from omma.prep.rules import PictureRules
from omma.prep.vocabulary import train_tokenizer
from omma.presets import tiny
from omma.weights import write_folder

ROOT = Path(omma.__file__).parent
TOKENIZER = train_tokenizer(iter(["You are a helpful assistant. user assistant system"] * 4), 310)


def toy(folder: Path, dtype: torch.dtype = torch.float32) -> Path:
    spec = replace(tiny("qwen2.5-vl"), ids=TOKENIZER.token_ids, boxes="grid")
    model = Vlm(spec)
    model.initialise(torch.Generator().manual_seed(0))
    write_folder(model, spec, folder, dtype=dtype)
    Processor(TOKENIZER, spec, PictureRules()).save(folder)
    return folder


def test_a_folder_is_a_model(tmp_path: Path) -> None:
    loaded = load_folder(toy(tmp_path))
    assert loaded.spec.boxes == "grid"
    assert loaded.generation["eos_token_id"] == [loaded.spec.ids.turn_end, loaded.spec.ids.end_of_text]
    assert loaded.processor.spec == loaded.model.spec == loaded.spec
    assert loaded.name == str(tmp_path)


@pytest.mark.parametrize(
    ("kept", "wish", "got"),
    [
        (torch.float32, "auto", torch.float32),
        (torch.bfloat16, "auto", torch.bfloat16),
        (torch.float16, "auto", torch.bfloat16),
        (torch.float16, "float16", torch.float16),
        (torch.bfloat16, "float32", torch.float32),
    ],
)
def test_the_dtype_is_the_checkpoints_or_the_one_asked_for(
    kept: torch.dtype, wish: str, got: torch.dtype, tmp_path: Path
) -> None:
    model = load_folder(toy(tmp_path, kept), dtype=wish, device="cpu").model
    assert {weight.dtype for weight in model.parameters()} == {got}


def respelled(folder: Path, **changes: object) -> Path:
    """The toy as other programs write it: no word of ours, and ends that are whatever they are."""
    toy(folder)
    config = json.loads((folder / "config.json").read_text())
    del config["omma"]
    kept = {name: value for name, value in (config | changes).items() if value is not None}
    (folder / "config.json").write_text(json.dumps(kept))
    return folder


@pytest.mark.parametrize(
    "ends",
    [
        {},
        {"bos_token_id": None, "eos_token_id": None},
        {"bos_token_id": 151_643, "eos_token_id": 151_645},  # what transformers writes beside any vocabulary
        {"bos_token_id": TOKENIZER.token_ids.turn_start, "eos_token_id": TOKENIZER.token_ids.end_of_text},
    ],
    ids=str,
)
def test_ids_that_no_config_can_tell_are_those_of_the_vocabulary(
    ends: dict[str, int | None], tmp_path: Path
) -> None:
    assert load_folder(respelled(tmp_path, **ends)).spec.ids == TOKENIZER.token_ids


def test_an_end_that_is_some_word_of_the_vocabulary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match=r"turn_end=7.* both must say the same"):
        load_folder(respelled(tmp_path, eos_token_id=7))


def test_a_mark_beyond_the_vocabulary_is_named_with_its_id(tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match=r"id of video is 5000, .* end at 319"):
        load_folder(respelled(tmp_path, video_token_id=5000))


@pytest.mark.parametrize("content", [None, "", "{}", "<html>"], ids=repr)
def test_a_vocabulary_that_is_missing_or_broken_is_named(content: str | None, tmp_path: Path) -> None:
    vocabulary = respelled(tmp_path) / "tokenizer.json"
    vocabulary.unlink()
    if content is not None:
        vocabulary.write_text(content)
    with pytest.raises(BadFolder, match=r"tokenizer\.json"):
        load_folder(tmp_path)


def test_a_folder_whose_template_is_of_another_form_is_refused(tmp_path: Path) -> None:
    told = "{% for message in messages %}[INST] {{ message.content }} [/INST]{% endfor %}"
    (toy(tmp_path) / "chat_template.jinja").write_text(told)
    with pytest.raises(BadFolder, match=r"chat template has no <\|im_start\|>"):
        load_folder(tmp_path)


def test_a_folder_without_a_template_is_spoken_to_in_the_familys_form(tmp_path: Path) -> None:
    (toy(tmp_path) / "chat_template.jinja").unlink()
    (tmp_path / "tokenizer_config.json").unlink()
    assert not load_folder(tmp_path).processor.thinks


def test_a_hub_name_is_found_in_the_local_cache(tmp_path: Path) -> None:
    repository = tmp_path / "models--Some--Model"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc123\n")
    snapshot = repository / "snapshots" / "abc123"
    toy(snapshot)
    assert resolve("Some/Model", cache=tmp_path) == snapshot
    assert resolve("Some/Model", cache=tmp_path, revision="abc123") == snapshot
    with pytest.raises(UnknownModel, match="hub cache"):
        resolve("Some/Model", cache=tmp_path, revision="v2")


@pytest.mark.parametrize("name", ["gpt-4", "no/such-model", "./nowhere", "~nobody-here/model", ""])
def test_an_unknown_name_is_told_what_there_is(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="omma-nano"):
        resolve(name, cache=tmp_path)


@pytest.mark.parametrize("name", [5, None, b"omma-nano"], ids=str)
def test_a_name_that_is_no_text_is_refused(name: Any) -> None:
    with pytest.raises(UnknownModel, match="which is no text"):
        resolve(name)


def test_a_revision_of_what_has_none_is_refused(tmp_path: Path) -> None:
    for name in ("omma-nano", tmp_path):
        with pytest.raises(UnknownOption, match="revision"):
            resolve(name, revision="v2")


def test_the_bundled_model_has_a_place() -> None:
    assert resolve("omma-nano") == BUNDLED["omma-nano"]


@pytest.mark.parametrize("wish", ["toaster", "meta", "mps", "xpu", "cpu:1", "cuda:x", "cuda:-1", "", "CPU"])
def test_a_device_that_cannot_be_used_here_is_refused_in_one_sentence(wish: str) -> None:
    with pytest.raises(UnknownOption, match=r"wanted auto, cpu, cuda or cuda:N"):
        device_of(wish)


@pytest.mark.parametrize(
    ("count", "wish", "said"), [(0, "cuda", "no accelerator"), (2, "cuda:2", "end at cuda:1")]
)
def test_an_accelerator_that_is_not_there_is_refused(
    count: int, wish: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: count > 0)
    monkeypatch.setattr("torch.cuda.device_count", lambda: count)
    with pytest.raises(UnknownOption, match=said):
        device_of(wish)
    assert device_of("auto").type == ("cuda" if count else "cpu")


@pytest.mark.parametrize("option", [{"device": "toaster"}, {"dtype": "int3"}])
def test_an_unknown_wish_is_refused(option: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UnknownOption, match="wanted"):
        load_folder(toy(tmp_path), **option)  # type: ignore[arg-type]


def test_the_verb_stays_the_verb_whatever_is_imported() -> None:
    rooms = ["omma." + ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.rglob("*.py")]
    hidden = {room.split(".")[1] for room in rooms} & set(omma.__all__)
    assert not hidden, f"{hidden} would be overwritten when the room of that name is imported"


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match=r"config\.json"):
        load_folder(tmp_path)


def test_a_config_and_weights_that_differ_are_refused(tmp_path: Path) -> None:
    config = toy(tmp_path) / "config.json"
    config.write_text(config.read_text().replace('"num_hidden_layers": 3', '"num_hidden_layers": 4'))
    with pytest.raises(TensorMismatch, match=r"model\.layers\.3\..* missing"):
        load_folder(tmp_path)


def test_a_model_too_large_for_the_machine_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omma.loading.load_weights", lambda *_, **__: torch.empty(10**15))
    with pytest.raises(OutOfMemory, match=r"float32.*smaller model"):
        load_folder(toy(tmp_path))
