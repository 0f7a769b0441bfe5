"""A model over two ranks is the model: the same logits, the same tokens, half of the memory each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.distributed.device_mesh import init_device_mesh

from omma.errors import BadModel
from omma.presets import GENERATIONS
from omma.weights.split import split
from tests.weights.splitting import logits, model, sample, written

ROOT = Path(__file__).parents[2]
EVERY = (*GENERATIONS, "qwen-vl")


@pytest.fixture(scope="module")
def split_over_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two ranks made of every generation."""
    folder = tmp_path_factory.mktemp("split")
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = ["-m", "tests.weights.splitting", str(folder), *EVERY]
    done = subprocess.run([*run, *words], cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.soak
@pytest.mark.parametrize("generation", EVERY)
def test_two_ranks_are_one_model(split_over_two: Path, generation: str) -> None:
    first, second = (torch.load(split_over_two / f"{generation}-{rank}.pt") for rank in (0, 1))
    alone = model(generation)
    one = sample(alone)
    assert (first["logits"] - logits(alone, one)).abs().max() <= 1e-5
    assert torch.equal(first["logits"], second["logits"])
    assert first["written"].tolist() == second["written"].tolist() == written(alone, one)
    whole, here = first["bytes"].tolist()
    assert here <= 0.75 * whole  # toys have much that stays whole: norms, places, a tower's first layer


@pytest.mark.parametrize("ranks", [3])
def test_ranks_that_cannot_share_are_refused(ranks: int) -> None:
    from torch.testing._internal.distributed.fake_pg import FakeStore

    torch.distributed.init_process_group("fake", store=FakeStore(), rank=0, world_size=ranks)
    try:
        with pytest.raises(BadModel, match="3 ranks"):
            split(model("qwen2.5-vl"), init_device_mesh("cpu", (ranks,)))
    finally:
        torch.distributed.destroy_process_group()
