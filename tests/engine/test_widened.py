"""Where a processor is slow in bf16, products of many rows are made in fp32: nothing else changes."""

from __future__ import annotations

import copy

import pytest
import torch

from omma.engine.packed import AnsweringLinear, lay_out, packable, widen
from omma.model.attend import Segments
from omma.model.vlm import Vlm
from omma.ops import linear
from omma.ops.product import halves_cost, pays_from
from omma.presets import GENERATIONS
from omma.weights.lora import Adapter, Pair, merge, put_on
from tests.engine.test_packed import model

every_generation = pytest.mark.parametrize("generation", GENERATIONS)


@pytest.mark.parametrize(("cost", "rows"), [(0.5, None), (1.0, None), (1.8, 64), (9.5, 4)])
def test_products_are_widened_from_where_it_pays(
    monkeypatch: pytest.MonkeyPatch, cost: float, rows: int | None
) -> None:
    monkeypatch.setattr("omma.ops.product.halves_cost", lambda: cost)
    assert pays_from() == rows


def test_what_halves_cost_is_measured_once() -> None:
    assert halves_cost() > 0
    assert halves_cost() == halves_cost()


@pytest.mark.parametrize("rows", [3, 4, 5])
def test_few_rows_and_other_numbers_are_multiplied_as_ever(rows: int) -> None:
    weight = torch.randn(32, 64).bfloat16()
    for x in (torch.randn(rows, 64).bfloat16(), torch.randn(1, rows, 64).bfloat16()):
        plain = torch.nn.functional.linear(x, weight)
        wide = torch.nn.functional.linear(x.float(), weight.float()).bfloat16()
        assert torch.equal(linear(x, weight, None, 4), plain if rows < 4 else wide)
        assert torch.equal(linear(x.float(), weight.float(), None, 4), x.float() @ weight.float().T)


def widened(plain: Vlm, monkeypatch: pytest.MonkeyPatch) -> Vlm:
    monkeypatch.setattr("omma.engine.packed.pays_from", lambda: 4)
    wide = copy.deepcopy(plain)
    widen(wide)
    return wide


@every_generation
@pytest.mark.parametrize("laid", [False, True], ids=["plain", "laid out"])
def test_a_widened_model_reads_as_the_exact_one_does(
    generation: str, laid: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = model(generation)
    exact, wide = copy.deepcopy(plain).double(), widened(plain, monkeypatch)
    if laid and packable(wide):
        lay_out(wide)
    ids_T, positions_3T = torch.arange(40), torch.arange(40).expand(3, -1)

    def read(vlm: Vlm) -> torch.Tensor:
        rows = vlm.embed(ids_T, None, None)
        return vlm(rows, positions_3T, Segments((0, 40))).double()

    meant = read(exact)
    gaps = [float((read(vlm) - meant).norm() / meant.norm()) for vlm in (plain, wide)]
    assert 0 < gaps[1] <= 1.1 * gaps[0]  # no worse than bf16 is, and not the same


@pytest.mark.parametrize("rows", [7, 8])
def test_packed_weights_are_laid_plain_for_many_rows(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if not packable(plain := model(GENERATIONS[0])):
        pytest.skip("this processor has no products in bf16")
    monkeypatch.setattr("omma.engine.packed.UNFOLDS", 8)
    weight = plain.decoder.layers[0].feed.gate.weight
    layer, x = AnsweringLinear(weight, None, wide_from=4), torch.randn(rows, weight.shape[1]).bfloat16()
    wide, narrow = layer(x), torch.nn.functional.linear(x, weight)
    layer.pack()
    assert torch.equal(layer(x), narrow if rows < 8 else wide)
    assert layer.packed


@pytest.mark.parametrize("rows", [3, 4])
def test_a_merged_adapter_is_widened_as_its_layer_is(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, name = model(GENERATIONS[0]), "decoder.layers.0.attention.query"
    put_on(plain, Adapter({name: Pair(torch.randn(2, 64), torch.randn(64, 2), 1.0)}))
    merge(plain)
    layer = widened(plain, monkeypatch).get_submodule(name)
    x = torch.randn(rows, 64).bfloat16()
    assert torch.equal(layer(x), linear(x, layer.weight, layer.bias, 4))


def test_nothing_is_widened_where_it_does_not_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = model(GENERATIONS[0])
    monkeypatch.setattr("omma.engine.packed.pays_from", lambda: None)
    widen(plain)
    full = widened(model(GENERATIONS[0]).float(), monkeypatch)
    assert all(getattr(m, "wide_from", None) is None for vlm in (plain, full) for m in vlm.modules())
