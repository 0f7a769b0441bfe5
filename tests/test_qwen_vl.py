"""The whole house with Qwen-VL of 2023 in it: asked, streamed, many at once, trained, adapted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import omma
from bench.qwen_vl import write_toy
from omma.chat import Image, message
from omma.engine.request import read_defaults
from omma.loading import load_folder
from omma.model.attend import Segments
from omma.presets import tiny
from omma.respond import Model
from omma.sample import pack
from omma.train.loop import train
from omma.train.recipe import Lines, Rate, Recipe
from omma.weights.adapters import read_adapter, write_adapter
from omma.weights.lora import fresh, linears, mark_of
from tests.train.school import write_dialogues

PICTURE = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
WORDS = "Picture 1: a red circle over a blue square (12,34). été 日本語 1234. " * 25


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("qwen-vl"))


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return omma.load(folder, device="cpu")


def test_a_stream_joined_is_the_whole_answer(model: Model) -> None:
    said = [message("user", Image(PICTURE), "What is this?")]
    answer = model.chat(said, max_tokens=12)
    assert "".join(delta.text for delta in model.chat(said, stream=True, max_tokens=12)) == answer.text
    assert (answer.usage.visual_tokens, answer.seen[0].boxes) == (256, "tags")


def test_many_at_once_are_each_as_alone_however_far_they_reach(model: Model) -> None:
    asked = [
        [message("user", "What?")],
        [message("user", Image(PICTURE), "What?")],
        [message("user", WORDS)],  # beyond the trained length
        [message("user", Image(PICTURE), Image(PICTURE), "What?")],  # and so are two pictures
    ]
    together = model.generate(asked, max_tokens=10)
    assert [answer.text for answer in together] == [model.chat(one, max_tokens=10).text for one in asked]


def test_skills_take_its_answers_as_they_are(model: Model) -> None:
    assert isinstance(model.find(PICTURE, "a circle", max_tokens=4), list)
    assert model.read(PICTURE, max_tokens=4).size == (90, 70)
    assert isinstance(model.describe(PICTURE, max_tokens=4), str)


@pytest.mark.parametrize(
    ("talk", "names"), [("chatml", ("end_of_text", "turn_start", "turn_end")), ("raw", ("end_of_text",))]
)
def test_an_answer_ends_as_its_talk_has_it(talk: str, names: tuple[str, ...]) -> None:
    ids = tiny("qwen-vl").ids
    said = {
        "chat_format": talk,
        "eos_token_id": ids.end_of_text,
        "max_new_tokens": 512,
        "max_window_size": 6144,
    }
    defaults = read_defaults(said, ids)
    assert defaults.stop_ids == {getattr(ids, name) for name in names}
    assert defaults.max_tokens == 512


def test_a_base_model_s_folder_is_asked_in_running_text(tmp_path: Path) -> None:
    folder = write_toy(tmp_path, replace(tiny("qwen-vl"), turns=False))
    base = omma.load(folder, device="cpu")
    prompt = base.processor.sample([message("user", "Generate: ")])
    assert base.processor.tokenizer.decode(prompt.ids_T) == "Generate: "
    assert json.loads((folder / "generation_config.json").read_text())["chat_format"] == "raw"


def test_learning_does_not_stretch_and_scoring_does(folder: Path) -> None:
    loaded = load_folder(folder, device="cpu")
    one = pack([loaded.processor.sample([message("user", WORDS)])])
    attend = Segments(one.starts)
    with torch.inference_mode():
        learning, reading = (loaded.model.read(one, attend, learning=how) for how in (True, False))
    assert one.starts[1] > 512
    assert not torch.allclose(learning, reading, atol=1e-3)


def test_a_run_teaches_all_but_the_waves_and_leaves_a_folder(folder: Path, tmp_path: Path) -> None:
    before = load_folder(folder, device="cpu")
    recipe = Recipe(
        name="toy",
        model=before.spec,
        start=folder,
        data=Lines(write_dialogues(tmp_path / "data", count=6, shown=2)),
        steps=2,
        rate=Rate(peak=3e-3, warm_up=1),
        processor=folder,
        dialogues=2,
        check_every=1000,
        precision="float32",
    )
    done = train(recipe, tmp_path / "run", workers=0)
    assert done is not None
    after = load_folder(done, device="cpu")
    assert after.spec == before.spec
    learned = dict(after.model.named_parameters())
    same = {n for n, w in before.model.named_parameters() if torch.equal(learned[n], w.to(learned[n].dtype))}
    assert "vision.merger.places.weight" in same
    assert not {name for name in same if name.endswith(("qkv.weight", "queries.weight", "projection.weight"))}
    assert (done / "qwen.tiktoken").read_bytes() == (folder / "qwen.tiktoken").read_bytes()


def test_an_adapter_of_every_layer_comes_back(folder: Path, tmp_path: Path) -> None:
    loaded = load_folder(folder, device="cpu")
    dice = torch.Generator().manual_seed(0)
    pairs = {name: fresh(layer, 3, 2.0, dice) for name, layer in linears(loaded.model).items()}
    assert {"vision.patches", "decoder.layers.0.attention.qkv", "vision.merger.keys"} <= pairs.keys()
    write_adapter(pairs, loaded.model, tmp_path, base=str(folder), mark=mark_of(loaded.model))
    again = read_adapter(tmp_path, loaded.model).pairs
    assert again.keys() == pairs.keys()
    assert all(torch.equal(again[name].down, pairs[name].down) for name in pairs)
