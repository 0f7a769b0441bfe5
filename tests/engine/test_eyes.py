"""Pictures are seen a piece at a time: who writes never waits for all of one; nothing is seen otherwise."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest

from omma.engine.engine import Engine, Failed
from omma.engine.request import Request
from omma.model import attend
from omma.presets import GENERATIONS
from tests.engine.test_engine import model, request, sample, tokens

every_generation = pytest.mark.parametrize("generation", GENERATIONS)


def asked(generation: str, most: int, side: int = 0) -> Request:
    return replace(request(sample(generation, 5, side, side=side), most), stop_ids=frozenset())


def stepped(engine: Engine) -> list[int]:
    """Who wrote in this step."""
    told = engine.step()
    assert not any(isinstance(each, Failed) for each in told), told
    return [each.ticket for each in told]


@every_generation
def test_who_writes_gets_a_token_in_every_step_while_a_picture_is_seen(
    generation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attend, "SCORES", 500)
    vlm, words, shown = model(generation), asked(generation, 200), asked(generation, 3, side=8)
    engine = Engine(vlm, pause=0)
    writer = engine.add(words)
    assert stepped(engine) == [writer]
    looker, steps = engine.add(shown), []
    while not steps or looker not in steps[-1]:
        steps.append(stepped(engine))
        assert writer in steps[-1]
    assert len(steps) > 2 * vlm.spec.vision.depth
    assert engine.row(looker).times.encode > 0


@every_generation
def test_pauses_change_nothing(generation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attend, "SCORES", 500)
    shown = asked(generation, 8, side=8)
    alone = tokens(Engine(model(generation)), shown)
    engine = Engine(model(generation), pause=0)
    engine.add(asked(generation, 200))
    stepped(engine)
    assert tokens(engine, shown) == alone


def test_a_small_picture_is_not_held_up_by_a_large_one() -> None:
    engine = Engine(model("qwen3-vl"), pause=0)
    engine.add(asked("qwen3-vl", 200))
    stepped(engine)
    large, large_too = engine.add(asked("qwen3-vl", 1, side=16)), engine.add(asked("qwen3-vl", 1, side=16))
    stepped(engine)
    small = engine.add(asked("qwen3-vl", 1, side=4))
    first: list[int] = []
    while len(first) < 3:
        first += [ticket for ticket in stepped(engine) if ticket in (large, large_too, small)]
    assert first == [small, large, large_too]


def test_what_is_seen_of_a_cancelled_request_is_let_go_of() -> None:
    engine = Engine(model("qwen3-vl"), pause=0)
    engine.add(asked("qwen3-vl", 200))
    stepped(engine)
    ticket = engine.add(asked("qwen3-vl", 1, side=16))
    stepped(engine)
    assert len(engine._eyes._looks) == 1
    engine.cancel(ticket)
    gc.collect()
    assert len(engine._eyes._looks) == 0
