"""Several ranks are one trainer: the same batches, the same losses, whichever of them met a picture."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from omma.cli.teaching import read_recipe
from omma.errors import BadRecipe
from omma.model.vlm import Vlm
from omma.ops.orthogonal import QUINTIC, orthogonalise
from omma.train.feed import dealt, make_batches
from omma.train.lesson import Batch
from omma.train.muon import MuonSteps
from omma.train.optimise import _engines
from omma.train.passes import Pupil, Totals, totals_of
from omma.train.recipe import Muon
from tests.train.school import toy_recipe
from tests.train.test_resume import ROOT, play

KINDS = {
    "adamw": {"steps": 50, "peak": 1e-3},
    "muon": {"steps": 50, "peak": 1e-3, "muon": True},
    "experts": {"steps": 50, "peak": 1e-3, "experts": True},
    "drawn": {"steps": 12, "peak": 1e-3, "drawn": True},
}
LOSSES = {"drawn": ("answers", "fine", "coarse", "places"), "experts": ("answers", "balance", "z")}


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["adamw", *(pytest.param(kind, marks=pytest.mark.soak) for kind in ("muon", "experts", "drawn"))]
)
def test_two_ranks_learn_as_one_does(tmp_path: Path, kind: str) -> None:
    turns = [{"run": f"of-{ranks}", "ranks": ranks, "changes": KINDS[kind]} for ranks in (1, 2)]
    assert play(tmp_path, *turns) == ["finished", "finished"]
    logs = [(tmp_path / f"of-{ranks}" / "log.jsonl").read_text().splitlines() for ranks in (1, 2)]
    one, two = ([json.loads(line) for line in log] for log in logs)
    assert len(one) == len(two) == KINDS[kind]["steps"]
    for name in LOSSES.get(kind, ("answers",)):
        alone, together = ([line[name] for line in log] for log in (one, two))
        assert alone[-1] < alone[0]
        assert np.abs(np.subtract(alone, together)).max() <= 1e-4


@pytest.mark.slow
def test_torchrun_starts_the_command(tmp_path: Path) -> None:
    (tmp_path / "stage.py").write_text(
        "from pathlib import Path\n"
        "from omma.train.recipe import Recipe\n"
        "from tests.train.school import toy_recipe\n"
        f"def toy() -> Recipe:\n    return toy_recipe(Path({str(tmp_path)!r}), steps=4)\n"
    )
    toy_recipe(tmp_path)
    words = ["--standalone", "--nproc-per-node", "2", "-m", "omma", "train", f"{tmp_path / 'stage.py'}:toy"]
    run = [sys.executable, "-m", "torch.distributed.run", *words, "--out", str(tmp_path / "run"), "--json"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["step"] for line in done.stdout.splitlines()] == [1, 2, 3, 4]
    assert (tmp_path / "run" / "model" / "model.safetensors").exists()


@pytest.mark.parametrize("rank", [True, False])
def test_a_rank_leaves_before_the_interpreter_is_taken_apart(rank: bool) -> None:
    program = (
        "import atexit, os\n"
        "from omma.train.shard import leave\n"
        "class Thread:\n    def __del__(self, abort=os.abort) -> None: abort()\n"
        "outlives = Thread()\n"
        "atexit.register(print, 'done')\n"
        "leave()\n"
    )
    where = os.environ | ({"TORCHELASTIC_RUN_ID": "a run"} if rank else {})
    done = subprocess.run(
        [sys.executable, "-c", program], env=where, cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0 if rank else -signal.SIGABRT, "done\n")


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 6])
def test_a_step_has_the_same_dialogues_however_many_ranks(tmp_path: Path, ranks: int) -> None:
    recipe = toy_recipe(tmp_path)
    made = [make_batches(recipe, 3, rank=rank, ranks=ranks) for rank in range(ranks)]
    assert len({len(passes) for passes in made}) == 1
    passes = [batch for batches in made for batch in batches]
    together = make_batches(replace(recipe, micro=1), 3)
    assert dialogues(passes) == dialogues(together)
    assert totals_of(passes).answers == pytest.approx(totals_of(together).answers)


def dialogues(batches: list[Batch]) -> list[list[int]]:
    """The tokens of every dialogue, in an order that does not tell who had it."""
    cut = [np.split(batch.pack.ids_T, batch.pack.starts[1:-1]) for batch in batches]
    return sorted(ids_T.tolist() for parts in cut for ids_T in parts)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=40), st.integers(1, 8))
def test_piles_hold_every_dialogue_once_and_are_about_alike(sizes: list[int], count: int) -> None:
    count = min(count, len(sizes))
    piles = dealt(sizes, count)
    assert sorted(number for pile in piles for number in pile) == list(range(len(sizes)))
    assert all(pile and pile == sorted(pile) for pile in piles)
    heights = [sum(sizes[number] for number in pile) for pile in piles]
    assert max(heights) - min(heights) <= max(sizes)


def test_ranks_see_about_as_many_patches_each() -> None:
    recipe = replace(read_recipe("recipes/nano/school.py:grow"), dialogues=16, seed=3)
    seen = [
        sum(g.patches for g in make_batches(recipe, 0, rank=rank, ranks=2)[0].pack.grids) for rank in (0, 1)
    ]
    assert max(seen) < 1.1 * min(seen)


def test_more_ranks_than_dialogues_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match="too few for 7 ranks"):
        make_batches(toy_recipe(tmp_path), 0, ranks=7)


def test_passes_of_a_step_add_up_to_the_step(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path, shown=2)
    model = Vlm(recipe.model)
    model.initialise(torch.Generator().manual_seed(0))
    pupil = Pupil(model, None, words=1.0, marks=0.0)
    gradients = []
    for micro in (1, 3):
        batches = make_batches(replace(recipe, micro=micro), 0)
        totals = Totals.of(totals_of(batches).flat())
        pupil.zero_grad()
        for batch in batches:
            pupil(batch, totals)[0].backward()
        gradients.append(torch.cat([p.grad.flatten() for p in pupil.parameters() if p.grad is not None]))
    assert (gradients[0] - gradients[1]).norm() <= 1e-5 * gradients[0].norm()


def test_a_pass_without_pictures_touches_the_whole_tower(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path, shown=100)
    model = Vlm(recipe.model)
    model.initialise(torch.Generator().manual_seed(0))
    batch = make_batches(replace(recipe, seed=1, micro=6), 0)[0]
    assert batch.pack.rows_PC is None
    alone, together = (
        Pupil(model, None, words=1.0, marks=0.0, together=spread)(batch)[0] for spread in (False, True)
    )
    assert torch.equal(alone, together)
    together.backward()
    assert all(p.grad is not None and not p.grad.any() for p in model.vision.parameters())


def test_muon_does_what_torchs_own_does() -> None:
    torch.manual_seed(0)
    ours = [torch.randn(shape) for shape in ((12, 5), (5, 12), (8, 8))]
    theirs = [matrix.clone() for matrix in ours]
    muon = MuonSteps([{"params": ours, "weight_decay": 0.1, "lr": 0.02}], momentum=0.9)
    for matrix in ours:
        muon.state[matrix] = {"momentum_buffer": torch.zeros_like(matrix)}
    judge = torch.optim.Muon(theirs, 0.02, 0.1, momentum=0.9, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        for mine, his in zip(ours, theirs, strict=True):
            mine.grad = torch.randn_like(mine)
            his.grad = mine.grad.clone()
        muon.step()
        judge.step()
    for mine, his in zip(ours, theirs, strict=True):
        assert (mine - his).abs().max() < 6e-4  # of three steps of some 0.01, his taken in halves


def test_muon_turns_every_expert_as_it_turns_a_matrix_alone() -> None:
    torch.manual_seed(0)
    bank, gradient = torch.randn(3, 5, 12), torch.randn(3, 5, 12)
    alone = [bank[expert].clone() for expert in range(3)]

    def step(matrices: list[torch.Tensor], gradients: list[torch.Tensor]) -> None:
        muon = MuonSteps([{"params": matrices, "weight_decay": 0.1, "lr": 0.02}], momentum=0.9)
        for matrix, wanted in zip(matrices, gradients, strict=True):
            muon.state[matrix] = {"momentum_buffer": torch.zeros_like(matrix)}
            matrix.grad = wanted.clone()
        muon.step()

    step([bank], [gradient])
    step(alone, list(gradient))
    assert torch.equal(bank, torch.stack(alone))


def test_a_router_is_left_to_adamw_and_experts_are_decayed(tmp_path: Path) -> None:
    recipe = replace(toy_recipe(tmp_path, "qwen3-vl-moe"), optimiser=Muon())
    with torch.device("meta"):
        named = list(Vlm(recipe.model).named_parameters())
    kinds: dict[str, tuple[str, float]] = {}
    names = {id(parameter): name for name, parameter in named}
    for engine in _engines(dict(named), recipe):
        for group in engine.param_groups:
            for parameter in group["params"]:
                kinds[names[id(parameter)]] = (type(engine).__name__, group["weight_decay"])
    layer = "decoder.layers.0.feed"
    assert kinds[f"{layer}.experts.gate_up"] == kinds[f"{layer}.experts.down"] == ("MuonSteps", 0.05)
    assert kinds[f"{layer}.router.weight"] == ("AdamW", 0.05)


@pytest.mark.parametrize("shape", [(16, 16), (16, 40), (40, 16), (1, 9), (64, 16)])
def test_an_orthogonalised_matrix_keeps_its_directions_and_evens_their_strength(
    shape: tuple[int, int],
) -> None:
    torch.manual_seed(0)
    u, _, v = torch.linalg.svd(torch.randn(shape, dtype=torch.float64), full_matrices=False)
    strengths = torch.linspace(3.0, 0.05, min(shape), dtype=torch.float64)
    turned = orthogonalise((u @ torch.diag(strengths) @ v).float()).double()
    a, b, c = QUINTIC
    strengths /= strengths.norm()
    for _ in range(5):
        strengths = a * strengths + b * strengths**3 + c * strengths**5
    assert (turned - u @ torch.diag(strengths) @ v).abs().max() < 1e-4  # 3.4^5 times what float32 rounds
    assert 0.5 < strengths.min() <= strengths.max() < 1.3


def test_a_matrix_of_zeros_stays_one() -> None:
    assert not orthogonalise(torch.zeros(4, 12)).any()
