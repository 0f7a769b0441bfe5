"""Packed weights answer as plain ones do, to the bit, are packed while they answer, and are never written."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from omma.engine.engine import Engine
from omma.engine.packed import PAYS, AnsweringHead, AnsweringLinear, Packing, lay_out, packable
from omma.engine.request import Request, Sampling
from omma.errors import BadModel
from omma.model.attend import Segments
from omma.model.vlm import Vlm
from omma.presets import GENERATIONS, tiny
from omma.sample import Sample
from omma.weights.lora import Adapter, Pair, merge, put_on

every_generation = pytest.mark.parametrize("generation", GENERATIONS)


def model(generation: str) -> Vlm:
    vlm = Vlm(tiny(generation))
    vlm.initialise(torch.Generator().manual_seed(0))
    return vlm.to(torch.bfloat16).requires_grad_(False)


def answering(plain: Vlm) -> Vlm:
    """A copy of a model, laid out for answering."""
    if not packable(plain):
        pytest.skip("this processor has no products in bf16")
    laid = copy.deepcopy(plain)
    lay_out(laid)
    return laid


def packed(vlm: Vlm) -> list[bool]:
    return [layer.packed for layer in vlm.decoder.modules() if isinstance(layer, AnsweringLinear)]


def written(vlm: Vlm, most: int) -> list[int]:
    ids = np.arange(9)
    engine = Engine(vlm)
    engine.add(Request(Sample(ids, np.broadcast_to(ids, (3, 9)).copy()), Sampling(), frozenset(), most))
    tokens = []
    while not engine.idle:
        tokens += [step.token for step in engine.step()]
    return tokens


def test_full_precision_stays_as_it_is() -> None:
    assert not packable(model("qwen2.5-vl").float())


@every_generation
@pytest.mark.parametrize("rows", [1, 2, 31, 128])
def test_packed_is_plain(generation: str, rows: int) -> None:
    plain = model(generation)
    laid, whole = answering(plain), answering(plain)
    Packing(whole).go_on(PAYS)
    while not all(packed(whole)):
        Packing(whole).go_on(PAYS)
    ids = torch.arange(rows) % 256
    with torch.inference_mode():
        logits = [
            vlm.logits(vlm(vlm.embed(ids, None, None), ids.expand(3, -1), Segments((0, rows))))
            for vlm in (plain, laid, whole)
        ]
    assert torch.equal(logits[0], logits[1])
    assert torch.equal(logits[0], logits[2])


@every_generation
def test_weights_are_packed_while_a_long_answer_is_written_and_change_nothing(generation: str) -> None:
    plain = model(generation)
    laid = answering(plain)
    assert written(laid, 3 * PAYS) == written(plain, 3 * PAYS)
    assert all(packed(laid))


@pytest.mark.parametrize("tied", [True, False])
def test_a_head_in_parts_is_the_head(tied: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = tiny("qwen2.5-vl")
    plain = Vlm(replace(spec, decoder=replace(spec.decoder, tied=tied)))
    plain.initialise(torch.Generator().manual_seed(0))
    plain.to(torch.bfloat16).requires_grad_(False)
    monkeypatch.setattr("omma.engine.packed.PART", 100 * 64 * 2)  # a hundred of 320 rows
    laid = answering(plain)
    assert isinstance(laid.decoder.head, AnsweringHead)
    assert len(laid.decoder.head.parts) == 4
    hidden = torch.randn(3, 64).bfloat16()
    for _ in range(PAYS):
        assert torch.equal(laid.logits(hidden), plain.logits(hidden))
        Packing(laid).go_on(PAYS)
    assert all(packed(laid))


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("layer", ["decoder.head", "decoder.layers.1.attention.query"])
def test_layers_that_carry_an_adapter_are_laid_out_with_it(layer: str, merged: bool) -> None:
    plain = model("qwen2.5-vl")
    put_on(
        plain, Adapter({layer: Pair(torch.randn(2, 64), torch.randn(320 if "head" in layer else 64, 2), 1.0)})
    )
    if merged:
        merge(plain)
    assert written(answering(plain), 3 * PAYS) == written(plain, 3 * PAYS)


@every_generation
@pytest.mark.parametrize("tokens", [1, PAYS])
def test_nothing_is_packed_for_a_short_answer(generation: str, tokens: int) -> None:
    laid = answering(model(generation))
    written(laid, tokens)
    assert not any(packed(laid))


@every_generation
def test_packing_is_spread_over_the_tokens(generation: str) -> None:
    laid = answering(model(generation))
    packing = Packing(laid)
    steps = 0
    while not all(packed(laid)):
        before = sum(packed(laid))
        packing.go_on(PAYS)
        steps += 1
        assert sum(packed(laid)) > before
    assert 2 <= steps <= PAYS


@pytest.mark.parametrize("tokens", [1, 3 * PAYS])
def test_weights_for_answering_are_not_written(tokens: int) -> None:
    laid = answering(model("qwen2.5-vl"))
    written(laid, tokens)
    with pytest.raises(BadModel, match="answering"):
        laid.state_dict()
