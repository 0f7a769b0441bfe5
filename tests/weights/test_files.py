"""A file of tensors is as readable as any other, and a full disk is said in one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from omma.errors import BadFolder
from omma.weights.files import write_tensors


@pytest.mark.parametrize("facts", [None, {"b": "1", "a": "2"}], ids=["bare", "with facts"])
def test_a_file_of_tensors_has_the_mode_of_every_other_file(
    tmp_path: Path, facts: dict[str, str] | None
) -> None:
    before = os.umask(0o027)
    try:
        write_tensors({"a": torch.ones(3, 2).T}, tmp_path / "a.safetensors", facts)
    finally:
        os.umask(before)
    assert (tmp_path / "a.safetensors").stat().st_mode & 0o777 == 0o640
    assert torch.equal(load_file(tmp_path / "a.safetensors")["a"], torch.ones(2, 3))


def test_a_full_disk_is_a_sentence_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise SafetensorError("No space left on device")

    monkeypatch.setattr("omma.weights.files.save_file", full)
    with pytest.raises(BadFolder, match="No space left on device; make room"):
        write_tensors({"a": torch.ones(1)}, tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())
