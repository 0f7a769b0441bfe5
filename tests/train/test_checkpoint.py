"""A checkpoint is there whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from omma.errors import BadCheckpoint
from omma.train import checkpoint


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    tensors = {"master/a": torch.randn(3, 4), "step/a": torch.tensor(7.0)}
    checkpoint.save(tmp_path, 7, tensors, {"recipe": "x"}, keep=2)
    found = checkpoint.load(tmp_path)
    assert found is not None
    loaded, facts = found
    assert facts == {"step": 7, "recipe": "x"}
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4):
        checkpoint.save(tmp_path, step, {"a": torch.zeros(1)}, {}, keep=2)
    assert [path.name for path in checkpoint.checkpoints(tmp_path)] == ["step-00000003", "step-00000004"]


def test_a_half_written_checkpoint_is_not_seen(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 1, {"a": torch.ones(1)}, {}, keep=2)
    (tmp_path / ".writing-00000002").mkdir()
    (tmp_path / ".writing-00000002" / "state.safetensors").write_bytes(b"half")
    found = checkpoint.load(tmp_path)
    assert found is not None
    assert found[1]["step"] == 1


def test_a_broken_checkpoint_is_named(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, 1, {"a": torch.ones(1)}, {}, keep=2)
    (path / "state.safetensors").write_bytes(b"not tensors")
    with pytest.raises(BadCheckpoint, match="step-00000001"):
        checkpoint.load(tmp_path)


def test_the_log_forgets_steps_that_are_taken_again(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    checkpoint.trim_log(log, 2)
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == [1, 2]
