"""A run that is killed at any moment and started again ends with the very same weights."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader

from omma.errors import BadCheckpoint
from omma.loading import load_folder
from omma.train import checkpoint
from omma.train.begin import begin
from omma.train.feed import lesson_of
from omma.train.ground import _content, ground
from omma.train.lesson import batch
from omma.train.loop import export, step, train
from omma.train.numbers import Numbers
from omma.train.recipe import Lines, Recipe
from tests.train.nursery import STEPS
from tests.train.school import toy_recipe

ROOT = Path(__file__).parents[2]
CHANGES = {"adamw": {}, "muon": {"muon": True, "precision": "bfloat16", "peak": 3e-3}}


def play(folder: Path, *turns: dict[str, Any]) -> list[str]:
    words = [sys.executable, "-m", "tests.train.nursery", str(folder), json.dumps(turns)]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as nursery:
        try:
            told, wrong = nursery.communicate(timeout=3600)
        except BaseException:
            os.killpg(nursery.pid, signal.SIGKILL)  # nobody is left behind
            raise
    assert nursery.returncode == 0, wrong
    ended: list[str] = json.loads(told.splitlines()[-1])
    assert "failed" not in ended, wrong
    return ended


def final_state(run: Path) -> dict[str, Tensor]:
    """Masters, moments and means after the last step, whole."""
    found = checkpoint.newest(run)
    assert found is not None
    assert found[1]["step"] == STEPS
    held = HuggingFaceStorageReader(str(found[0])).read_metadata().state_dict_metadata
    state = {name: torch.zeros(kept.size) for name, kept in held.items()}
    checkpoint.fill(found[0], state)
    return state


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["adamw", pytest.param("muon", marks=pytest.mark.soak)])
@pytest.mark.parametrize("ranks", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_five_kills_change_nothing(tmp_path: Path, ranks: int, kind: str) -> None:
    dice = random.Random(f"{ranks} {kind}")
    each = {"ranks": ranks, "changes": CHANGES[kind]}
    kills = [
        {"at": at, "later": dice.random() * 0.05, "writing": number % 2 == 1}
        for number, at in enumerate(sorted(dice.sample(range(2, STEPS - 3), 5)))
    ]
    broken = [{"run": "broken", **each, **kill} for kill in (*kills, {})]
    assert play(tmp_path, {"run": "unbroken", **each}, *broken) == ["finished", *["killed"] * 5, "finished"]
    unbroken, mended = final_state(tmp_path / "unbroken"), final_state(tmp_path / "broken")
    assert unbroken.keys() == mended.keys()
    assert all(torch.equal(unbroken[name], mended[name]) for name in unbroken)
    models = [tmp_path / run / "model" / "model.safetensors" for run in ("unbroken", "broken")]
    assert models[0].read_bytes() == models[1].read_bytes()


@pytest.mark.slow
def test_a_run_of_two_ranks_goes_on_with_one_and_back(tmp_path: Path) -> None:
    turns = [{"ranks": 2, "at": 8}, {"ranks": 1, "at": 16}, {"ranks": 2}]
    ended = play(tmp_path, {"run": "unbroken", "ranks": 1}, *({"run": "moved", **turn} for turn in turns))
    assert ended == ["finished", "killed", "killed", "finished"]
    unbroken, moved = final_state(tmp_path / "unbroken"), final_state(tmp_path / "moved")
    assert unbroken.keys() == moved.keys()
    assert max((unbroken[name] - moved[name]).abs().max().item() for name in unbroken) <= 1e-6


def test_a_finished_run_run_again_takes_no_step(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path, steps=3)
    train(recipe, tmp_path / "run", workers=0)
    taken: list[int] = []
    train(recipe, tmp_path / "run", workers=0, tell=lambda line: taken.append(line["step"]))
    assert taken == []


def other_ground(recipe: Recipe, folder: Path, what: str) -> Recipe:
    """The same recipe by its fingerprint, over something else."""
    assert isinstance(recipe.data, Lines)
    match what:
        case "processor":
            rules = recipe.processor / "preprocessor_config.json"
            rules.write_text(rules.read_text().replace('"min_pixels": 3136', '"min_pixels": 3137'))
        case "lines":
            lines = recipe.data.path.read_text()
            recipe.data.path.write_text(lines.replace("What colour?", "Which colour?"))
        case "weights":
            other = replace(recipe, seed=1, steps=1)
            return replace(recipe, start=train(other, folder / "other", workers=0))
    return recipe


@pytest.mark.parametrize("what", ["processor", "lines", "weights"])
def test_a_run_does_not_go_on_over_other_ground(tmp_path: Path, what: str) -> None:
    recipe = toy_recipe(tmp_path, steps=2)
    train(recipe, tmp_path / "run", workers=0)
    changed = other_ground(recipe, tmp_path, what)
    assert changed.fingerprint() == recipe.fingerprint()
    with pytest.raises(BadCheckpoint, match=f"{what}.* changed since"):
        train(changed, tmp_path / "run", workers=0)


@pytest.mark.parametrize(
    ("asked", "gains", "began", "products"),
    [
        ("auto", False, "float32", "float32"),
        ("auto", True, "bfloat16", "bfloat16"),
        ("bfloat16", False, "bfloat16", "float32"),
        ("bfloat16", True, "bfloat16", "bfloat16"),
    ],
)
def test_a_run_goes_on_in_the_precision_it_began_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, gains: bool, began: str, products: str
) -> None:
    recipe = replace(toy_recipe(tmp_path, steps=2), precision=asked)
    for suits in (gains, not gains):  # another machine, where it is the other way
        monkeypatch.setattr("omma.train.numbers.halves_gain", lambda suits=suits: suits)
        train(recipe, tmp_path / "run", workers=0, stop_after=0)
    found = checkpoint.newest(tmp_path / "run")
    assert found is not None
    stands = found[1]["ground"]
    assert (found[1]["step"], stands["precision"], stands["products"]) == (2, began, products)


@pytest.mark.parametrize("wide", [True, False])
def test_only_a_processor_goes_on_with_wide_products(wide: bool) -> None:
    facts = Numbers(torch.bfloat16, wide).facts()
    assert Numbers.remembered(facts, "cpu") == Numbers(torch.bfloat16, wide)
    assert Numbers.remembered(facts, "cuda") == Numbers(torch.bfloat16)
    assert Numbers.remembered({}, "cpu") is None
    assert Numbers.remembered({"precision": "bfloat16"}, "cpu") == Numbers(torch.bfloat16)


def test_wide_products_learn_what_narrow_ones_learn(tmp_path: Path) -> None:
    recipe = replace(toy_recipe(tmp_path), precision="bfloat16")
    lessons = [batch([lesson_of(recipe, number, "train") for number in range(4)])]
    told = [
        step(begin(recipe, "cpu", numbers=Numbers(torch.bfloat16, wide=wide)), recipe, lessons)
        for wide in (False, True)
    ]
    assert told[0]["answers"] == pytest.approx(told[1]["answers"], rel=1e-2)
    assert told[0]["norm"] == pytest.approx(told[1]["norm"], rel=3e-2)
    assert told[0]["norm"] != told[1]["norm"]


@pytest.mark.parametrize("named", [True, False])
def test_the_dense_head_goes_on_from_the_file_that_is_named(tmp_path: Path, named: bool) -> None:
    recipe, file = replace(toy_recipe(tmp_path), marks=1.0), tmp_path / "head.safetensors"
    other = begin(replace(recipe, seed=1), "cpu").head
    assert other is not None
    checkpoint.write(other.state_dict(), file)
    head = begin(replace(recipe, head=file if named else None), "cpu").head
    assert head is not None
    assert torch.equal(head.fine.weight, other.fine.weight) == named


def test_a_very_large_file_is_known_by_its_size_and_blocks_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omma.train.ground.BLOCKS", 4)
    monkeypatch.setattr("omma.train.ground.BLOCK", 10)
    file = tmp_path / "large"
    contents = [b"a" * 200, b"a" * 201, b"b" + b"a" * 199, b"a" * 199 + b"b", b"a" * 200]
    digests = []
    for content in contents:
        file.write_bytes(content)
        digests.append(_content(file))
    assert len(set(digests)) == 4
    assert digests[0] == digests[-1]


def test_weights_are_the_same_ground_in_whatever_way_they_are_kept(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path, steps=1)
    folder = train(recipe, tmp_path / "run", workers=0)
    assert folder is not None
    digests = set()
    for dtype in ("auto", "float32"):
        weights = load_folder(folder, device="cpu", dtype=dtype).model.named_parameters()
        digests.add(ground(recipe, weights, Numbers(torch.float32))["weights"])
    assert len(digests) == 1


def test_a_run_that_stood_elsewhere_goes_on(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path, steps=2)
    train(recipe, tmp_path / "run", workers=0)
    for place in ("processor", "data"):
        (tmp_path / place).rename(tmp_path / f"moved-{place}")
    moved = replace(
        recipe,
        processor=tmp_path / "moved-processor",
        data=Lines(tmp_path / "moved-data" / "dialogues.jsonl"),
    )
    assert train(moved, tmp_path / "run", workers=0) == tmp_path / "run" / "model"


def test_another_recipes_run_is_refused(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path, steps=2)
    train(recipe, tmp_path / "run", workers=0)
    with pytest.raises(BadCheckpoint, match="bring the recipe back"):
        export(replace(recipe, clip=2.0), tmp_path / "run", tmp_path / "out")
