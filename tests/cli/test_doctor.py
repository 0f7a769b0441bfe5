"""The doctor says of everything whether it is right, and what to do where it is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from omma.cli import doctor_machine
from omma.cli.doctor_model import KNOWN
from tests.cli.conftest import Ended, Run

SINGLE = "model.safetensors"


def findings(ended: Ended) -> dict[str, dict[str, Any]]:
    return {finding["name"]: finding for finding in json.loads(ended.out)["findings"]}


@pytest.fixture
def folder(toy: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(toy, tmp_path / "toy"))


def test_the_bundled_model_is_well(omma: Run) -> None:
    ended = omma("doctor", "--json")
    found = findings(ended)
    assert ended.code == 0, ended.out
    assert {"files", "tensors", "logits", "colour", "word", "box", "order"} < set(found)
    assert found["colour"]["state"] == "ok"


def test_a_model_that_answers_nothing_right_is_to_be_mended(omma: Run, folder: Path) -> None:
    ended = omma("doctor", folder)
    assert ended.code == 1
    assert "to be mended: answers" in ended.out
    assert "tensors" in ended.out


def test_recorded_logits_are_compared_with(omma: Run, folder: Path) -> None:
    assert "none recorded" in findings(omma("doctor", folder, "--json"))["logits"]["what"]
    omma("doctor", folder, "--record", "--json")
    assert "those recorded" in findings(omma("doctor", folder, "--json"))["logits"]["what"]
    told = json.loads((folder / KNOWN).read_text())
    (kind,) = told["logits"]
    told["logits"][kind]["values"][0] += 1
    (folder / KNOWN).write_text(json.dumps(told))
    wrong = findings(omma("doctor", folder, "--json"))["logits"]
    assert (wrong["state"], wrong["to_do"] != "") == ("bad", True)


def test_what_was_recorded_for_other_weights_says_nothing(omma: Run, folder: Path) -> None:
    omma("doctor", folder, "--record", "--json")
    tensors = load_file(folder / SINGLE)
    save_file({name: 2 * tensor for name, tensor in tensors.items()}, folder / SINGLE)
    assert "none recorded" in findings(omma("doctor", folder, "--json"))["logits"]["what"]


def test_a_tensor_that_holds_no_numbers_is_named(omma: Run, folder: Path) -> None:
    tensors = load_file(folder / SINGLE)
    name = "model.layers.1.mlp.up_proj.weight"
    tensors[name][3, 3] = torch.nan
    save_file(tensors, folder / SINGLE)
    found = findings(omma("doctor", folder, "--json"))
    assert found["tensors"]["state"] == "bad"
    assert name in found["tensors"]["what"]


def test_a_model_that_does_not_load_is_one_line(omma: Run, folder: Path) -> None:
    (folder / "config.json").unlink()
    ended = omma("doctor", folder, "--json")
    assert ended.code == 1
    assert "config.json is missing" in findings(ended)[str(folder)]["what"]


def test_little_room_is_worth_knowing(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**9))
    found = doctor_machine.disk()
    assert (found.state, found.to_do != "") == ("warn", True)
