"""A checkpoint is there whole or not at all."""

from __future__ import annotations

import json
from concurrent.futures import Future
from pathlib import Path
from traceback import StackSummary

import pytest
import torch
from safetensors.torch import save_file
from torch.distributed.checkpoint.api import CheckpointException

from omma.errors import BadCheckpoint, BadFolder
from omma.train import checkpoint
from omma.train.checkpoint import Saver
from omma.train.loop import _sayable


def save(run: Path, step: int, keep: int = 2, **tensors: torch.Tensor) -> None:
    Saver(run, keep).save(step, tensors, {"recipe": "x"})


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    tensors = {"master/a": torch.randn(3, 4), "exp_avg/a": torch.randn(4)}
    save(tmp_path, 7, **tensors)
    found = checkpoint.newest(tmp_path)
    assert found is not None
    assert found[1] == {"step": 7, "recipe": "x"}
    filled = {name: torch.zeros_like(tensor) for name, tensor in tensors.items()}
    checkpoint.fill(found[0], filled)
    assert all(torch.equal(filled[name], tensors[name]) for name in tensors)


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4):
        save(tmp_path, step, a=torch.zeros(1))
    assert [path.name for path in checkpoint.checkpoints(tmp_path)] == ["step-00000003", "step-00000004"]


def test_a_half_written_checkpoint_is_not_seen(tmp_path: Path) -> None:
    save(tmp_path, 1, a=torch.ones(1))
    (tmp_path / ".writing-00000002").mkdir()
    (tmp_path / ".writing-00000002" / "state.safetensors").write_bytes(b"half")
    found = checkpoint.newest(tmp_path)
    assert found is not None
    assert found[1]["step"] == 1


def test_a_rank_that_finds_no_room_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    saver, done = Saver(tmp_path, 2), Future[None]()
    wrong = CheckpointException("", {1: (OSError(28, "No space left on device"), StackSummary())})
    done.set_exception(wrong)
    saver._writing = checkpoint._Writing(tmp_path / ".writing-00000002", tmp_path / "step-00000002", done)
    with pytest.raises(BadFolder, match=r"step-00000002 cannot be written: .*No space left"):
        saver.settle()
    assert checkpoint.newest(tmp_path) is None


@pytest.mark.parametrize("file", ["state.safetensors", "state.json"])
def test_a_broken_checkpoint_is_named(tmp_path: Path, file: str) -> None:
    save(tmp_path, 1, a=torch.ones(1))
    (tmp_path / "step-00000001" / file).write_bytes(b"neither tensors nor facts")
    with pytest.raises(BadCheckpoint, match="step-00000001"):
        checkpoint.fill(checkpoint.newest(tmp_path)[0], {"a": torch.zeros(1)})  # type: ignore[index]


@pytest.mark.parametrize("wanted", [{}, {"a": (2,)}, {"a": (1,), "b": (1,)}], ids=str)
def test_a_tensor_that_does_not_fit_is_named(tmp_path: Path, wanted: dict[str, tuple[int, ...]]) -> None:
    save(tmp_path, 1, a=torch.ones(1))
    tensors = {name: torch.zeros(shape) for name, shape in wanted.items()}
    with pytest.raises(BadCheckpoint, match=r": [ab] is"):
        checkpoint.fill(tmp_path / "step-00000001", tensors)


def test_rows_that_are_missing_are_named(tmp_path: Path) -> None:
    save(tmp_path, 1, a=torch.ones(4, 2))
    part = {"a": {"saved_offsets": [2, 0]}}
    save_file({"a": torch.ones(2, 2)}, tmp_path / "step-00000001" / "state.safetensors",
              metadata={"DCP_SHARDING_INFO": json.dumps(part)})  # fmt: skip
    with pytest.raises(BadCheckpoint, match="rows of a are missing"):
        checkpoint.fill(tmp_path / "step-00000001", {"a": torch.zeros(4, 2)})


def test_the_log_forgets_steps_that_are_taken_again(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    checkpoint.trim_log(log, 2)
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == [1, 2]


def test_a_log_s_line_is_json_that_anybody_reads() -> None:
    line = {
        "step": 3,
        "kinds_right": float("nan"),
        "held_out": {"marks/kinds_right": float("inf"), "exact": 1.0},
    }
    told = json.dumps(_sayable(line), allow_nan=False)
    assert json.loads(told) == {
        "step": 3,
        "kinds_right": None,
        "held_out": {"marks/kinds_right": None, "exact": 1.0},
    }
