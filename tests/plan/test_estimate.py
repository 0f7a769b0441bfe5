"""Parameters are the published ones, tokens those of prep, and the ledger counts what lives."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest
import torch

from omma.engine.engine import Engine
from omma.errors import OmmaError, PromptTooLong, UnknownOption
from omma.plan import peak
from omma.plan.estimate import Kept, estimate
from omma.plan.machines import Accelerator, Memory, accelerator, how_many
from omma.plan.parameters import blueprint, count
from omma.plan.peak import Lying, kv_bytes, phases
from omma.plan.shadow import counted
from omma.plan.showing import Film, Wish, rules_of, talk_of
from omma.presets import GENERATIONS, preset, tiny
from omma.sample import Size
from omma.spec import ModelSpec

# facts §1: totals; the tower with its bridge where they are told
PUBLISHED = {
    "qwen-vl-chat": 9_656_935_168,
    "qwen2-vl-2b": 2_208_985_600,
    "qwen2-vl-7b": 8_291_375_616,
    "qwen2-vl-72b": 73_405_560_320,
    "qwen2.5-vl-3b": 3_754_622_976,
    "qwen2.5-vl-7b": 8_292_166_656,
    "qwen2.5-vl-32b": 33_452_718_336,
    "qwen2.5-vl-72b": 73_410_777_344,
    "qwen3-vl-2b": 2_127_532_032,
    "qwen3-vl-4b": 4_437_815_808,
    "qwen3-vl-8b": 8_767_123_696,
    "qwen3-vl-32b": 33_357_390_064,
    "qwen3-vl-30b-a3b": 31_070_754_032,
    "qwen3-vl-235b-a22b": 235_670_022_896,
}
MACHINE = Memory("test", 16 * 10**9, 12 * 10**9)
every_generation = pytest.mark.parametrize("generation", GENERATIONS)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_model_has_the_published_number_of_parameters(name: str) -> None:
    assert count(blueprint(preset(name))).total == PUBLISHED[name]


def test_a_mixtures_token_meets_the_chosen_experts_only() -> None:
    spec = preset("qwen3-vl-30b-a3b")
    told = count(blueprint(spec))
    decoder = told.active - told.tower - told.bridge
    assert 3.3e9 < decoder < 3.4e9  # facts §0.1: about 3.35 B


@every_generation
def test_every_generation_can_be_planned(generation: str) -> None:
    spec = tiny(generation)
    wish = Wish([Size(64, 48)] * 2, batch=3, context=900)
    plan = estimate(Kept(spec, rules_of(spec)), wish, [Accelerator("one", 10**9)], MACHINE, packs=True)
    talk = plan.talk
    assert talk.tokens == 900
    assert talk.visual == sum(one.tokens for one in talk.shown)
    assert plan.kv == kv_bytes(blueprint(spec), torch.bfloat16)
    total = plan.parameters.total
    assert [one.weights for one in plan.precisions] == [4 * total, 2 * total, 2 * total, total, total // 2]
    for one in plan.precisions:
        assert one.peak is None or (one.here and one.counts[0].number == 1)


@every_generation
def test_more_of_anything_never_takes_less(generation: str) -> None:
    spec = tiny(generation)

    def total(**wishes: object) -> int:
        wish = replace(Wish([Size(64, 48)], context=600), **wishes)  # type: ignore[arg-type]
        model = blueprint(spec)
        talk = talk_of(wish, rules_of(spec), context=spec.decoder.context)
        return max(one.total for one in phases(model, count(model), talk, wish.batch, Lying(torch.bfloat16)))

    assert total() <= total(pictures=[Size(64, 48)] * 2)
    assert total() < total(context=1200)
    assert total() < total(batch=4)


def test_a_video_is_frames_at_a_rate() -> None:
    spec = preset("qwen2.5-vl-3b")
    one, two = (
        talk_of(Wish(films=[Film(Size(640, 360), 10.0)], fps=fps), rules_of(spec), context=128_000)
        for fps in (1.0, 2.0)
    )
    assert (one.shown[0].frames, two.shown[0].frames) == (10, 20)
    assert (
        two.visual
        == 2 * one.visual
        == 20 * (one.shown[0].resized.width * one.shown[0].resized.height) // (2 * 28 * 28)
    )


def test_keys_and_values_are_counted_by_the_published_numbers() -> None:
    assert kv_bytes(blueprint(preset("qwen2.5-vl-7b")), torch.bfloat16) == 2 * 28 * 4 * 128 * 2


def test_the_ledger_counts_what_lives_at_once() -> None:
    with counted(torch.nn.Linear(1, 1)) as ledger:
        one = torch.empty(1000, device="meta")
        view = one[10:].view(2, -1)
        del one
        two = torch.empty(500, device="meta") + 1
        assert ledger.held == 4 * (1000 + 500)
        del view, two
    assert (ledger.held, ledger.peak) == (0, 4 * (1000 + 2 * 500))


def test_the_engines_numbers_are_the_plans() -> None:
    told = inspect.signature(Engine).parameters
    assert (told["rows"].default, told["budget"].default) == (peak.ROWS, peak.BUDGET)


@pytest.mark.parametrize("name", ["h100", "H100", "NVIDIA H100", "a100", "rtx 4090", "L40s"])
def test_an_accelerator_is_found_however_it_is_written(name: str) -> None:
    assert accelerator(name).memory >= 24 * 10**9


def test_an_unknown_accelerator_is_told_which_are_near() -> None:
    with pytest.raises(UnknownOption, match="H100"):
        accelerator("h1000")


@pytest.mark.parametrize(
    ("divided", "whole", "number"), [(5, 5, 1), (11, 0, 2), (30, 5, 8), (1, 11, None), (10**6, 1, None)]
)
def test_as_many_as_needed_are_counted_in_doublings(divided: int, whole: int, number: int | None) -> None:
    assert how_many(Accelerator("ten", 10), divided=divided, whole=whole) == number


def wishes(spec: ModelSpec) -> list[tuple[Wish, type[OmmaError]]]:
    return [
        (Wish([Size(4000, 4000)] * 9, context=100), UnknownOption),
        (Wish(context=spec.decoder.context + 1), PromptTooLong),
    ]


def test_what_cannot_be_is_refused() -> None:
    spec = preset("qwen2.5-vl-3b")
    for wish, wrong in wishes(spec):
        with pytest.raises(wrong):
            talk_of(wish, rules_of(spec), context=spec.decoder.context)
