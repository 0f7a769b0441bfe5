"""Turns on branches of one picture are answered as each would be alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pictures

from omma.chat import Image, message
from omma.model.attend import Segments
from omma.model.vlm import Vlm
from omma.prep.processor import Processor
from omma.sample import Sample
from omma.train.branches import Branches, graft
from omma.train.lesson import Lesson, batch
from omma.train.passes import answer_logits, see
from tests.train.school import small_spec

TURNS = [("What colour?", "red"), ("Which colour is the square?", "a red square"), ("user", "assistant")]


@pytest.mark.parametrize("generation", ["qwen2.5-vl"])
def test_a_branch_is_answered_as_if_it_were_the_only_turn(generation: str, tmp_path: Path) -> None:
    spec = small_spec(generation, tmp_path)
    processor = Processor.from_folder(tmp_path, spec)
    model = Vlm(spec)
    model.initialise(torch.Generator().manual_seed(0))
    picture = Image(Pictures.new("RGB", (84, 56), (200, 20, 20)))

    def alone(question: str, answer: str, *shown: Image) -> Sample:
        return processor.sample(
            [message("user", *shown, question), message("assistant", answer)], prompt=False
        )

    grafted, cuts = graft(alone(*TURNS[0], picture), [alone(*turn) for turn in TURNS[1:]])
    whole = batch([Lesson(grafted, (), None, cuts), Lesson(alone(*TURNS[1], picture), ())])
    each = batch([Lesson(alone(*turn, picture), ()) for turn in (*TURNS, TURNS[1])])
    with torch.no_grad():
        together, ids, _ = answer_logits(model, whole, see(model, whole.pack))
        apart, ids_apart, _ = answer_logits(model, each, see(model, each.pack))
    assert torch.equal(ids, ids_apart)
    assert (together - apart).abs().max() < 1e-5


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_row_sees_its_trunk_and_its_own_branch_up_to_itself(dtype: torch.dtype) -> None:
    starts, cuts = (0, 11, 15, 60), ((3, 5, 11), (), (40, 41, 45))
    segment = np.searchsorted(starts, np.arange(60), side="right") - 1
    branch = np.array([np.searchsorted(cuts[s], t - starts[s], side="right") for t, s in enumerate(segment)])
    near = segment[:, None] == segment
    shown = torch.from_numpy(near & ((branch == 0) | (branch[:, None] == branch))).tril()
    inputs = [torch.randn(60, heads, 8).to(dtype).requires_grad_() for heads in (4, 2, 2)]

    def plain(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        q, k, v = q.float(), k.float().repeat_interleave(2, 1), v.float().repeat_interleave(2, 1)
        score = torch.einsum("thk,uhk->htu", q, k) / 8**0.5
        share = score.masked_fill(~shown, -torch.inf).softmax(-1)
        return torch.einsum("htu,uhk->thk", share, v)

    branches = Branches(starts, cuts, torch.device("cpu"))
    told, meant = branches(*inputs, 0), plain(*inputs)
    signal = torch.randn(60, 4, 8)
    gradients = (
        torch.autograd.grad(told, inputs, signal.to(dtype)),
        torch.autograd.grad(meant, inputs, signal),
    )
    tolerance = 1e-5 if dtype == torch.float32 else 5e-2
    for got, wanted in [(told, meant), *zip(*gradients, strict=True)]:
        assert (got.float() - wanted.float()).detach().abs().max() < tolerance * max(
            1, float(wanted.detach().abs().max())
        )


def test_without_cuts_branches_are_segments() -> None:
    q, k, v = torch.randn(3, 11, 2, 8).unbind()
    starts, device = (0, 4, 11), torch.device("cpu")
    assert torch.allclose(
        Branches(starts, ((), ()), device)(q, k, v, 0), Segments(starts)(q, k, v, 0), atol=1e-6
    )
