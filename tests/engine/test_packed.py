"""Packed weights answer as plain ones do, to the bit, and cannot be mistaken for weights to keep."""

from __future__ import annotations

import copy

import pytest
import torch

from omma.engine.packed import PackedLinear, pack_weights, packable
from omma.errors import BadModel
from omma.model.attend import Segments
from omma.model.vlm import Vlm
from omma.presets import GENERATIONS, tiny

every_generation = pytest.mark.parametrize("generation", GENERATIONS)


def model(generation: str) -> Vlm:
    vlm = Vlm(tiny(generation))
    vlm.initialise(torch.Generator().manual_seed(0))
    return vlm.to(torch.bfloat16).requires_grad_(False)


def test_full_precision_stays_as_it_is() -> None:
    assert not packable(model("qwen2.5-vl").float())


@every_generation
@pytest.mark.parametrize("rows", [1, 2, 31, 128])
def test_packed_is_plain(generation: str, rows: int) -> None:
    plain = model(generation)
    if not packable(plain):
        pytest.skip("this processor has no products in bf16")
    packed = copy.deepcopy(plain)
    pack_weights(packed)
    ids = torch.arange(rows) % 256
    with torch.inference_mode():
        logits = [
            vlm.logits(vlm(vlm.embed(ids, None, None), ids.expand(3, -1), Segments((0, rows))))
            for vlm in (plain, packed)
        ]
    assert torch.equal(*logits)


def test_packed_weights_are_not_written() -> None:
    plain = model("qwen2.5-vl")
    if not packable(plain):
        pytest.skip("this processor has no products in bf16")
    pack_weights(plain)
    assert isinstance(plain.decoder.head, PackedLinear)
    with pytest.raises(BadModel, match="packed"):
        plain.state_dict()
