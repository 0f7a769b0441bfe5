"""A prompt's own tokens are scored as the plain reading of all of it scores them, however it is read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from omma.engine.engine import Engine, score
from omma.engine.generate import Piece, generate
from omma.engine.request import Request
from tests.engine.test_engine import SPELLED, every_generation, model, request, sample

CLEVER: dict[str, dict[str, Any]] = {
    "whole": {},
    "in pieces": {"budget": 7, "chunk": 7},
    "remembering": {"keep": True},
    "invariant": {"invariant": True},
    "guessing": {"guesses": 4},
}


def scoring(asked: Request, count: int = 3) -> Request:
    return replace(asked, logprobs=count, scores_prompt=True)


def plainly(generation: str, asked: Request) -> torch.Tensor:
    """Log-probabilities (T - 1, V) of what follows each token but the last."""
    vlm = model(generation)
    logits = score(vlm, asked.sample)
    logits[:, [vlm.spec.ids.image, vlm.spec.ids.video]] = -torch.inf
    return logits[:-1].log_softmax(-1)


def first(engine: Engine, asked: Request) -> list[Any]:
    """The prompt's scores when its first token was written."""
    ticket = engine.add(asked)
    row = engine.row(ticket)
    while not row.written:
        engine.step()
        engine.cache.pages.check()
    engine.cancel(ticket)
    return row.read


@every_generation
@pytest.mark.parametrize("how", CLEVER)
@pytest.mark.parametrize("side", [0, 4])
def test_each_token_has_its_chance_after_those_before_it(generation: str, how: str, side: int) -> None:
    asked = scoring(request(sample(generation, 70, seed=1, side=side)))
    engine = Engine(model(generation), **CLEVER[how])
    for _ in range(2):  # the second time all of it could be remembered, and is read all the same
        read, plain = first(engine, asked), plainly(generation, asked)
        assert len(read) == asked.sample.length - 1
        own = plain.gather(1, torch.from_numpy(asked.sample.ids_T[1:])[:, None])[:, 0]
        np.testing.assert_allclose([one.logprob for one in read], own, rtol=2e-4, atol=2e-4)
        best = plain.topk(3)
        likeliest = [[chance for _, chance in one.likeliest] for one in read]
        np.testing.assert_allclose(likeliest, best.values, rtol=2e-4, atol=2e-4)


def test_who_is_put_back_in_line_is_scored_once() -> None:
    asked = [scoring(request(sample("qwen3-vl", 40, seed=seed), most=400), 0) for seed in range(4)]
    engine = Engine(model("qwen3-vl"), memory=40 * Engine(model("qwen3-vl")).cache.page_bytes)
    rows = [engine.row(engine.add(one)) for one in asked]
    begun: dict[int, int] = {}
    while not engine.idle:
        engine.step()
        for row in rows:
            if row.done < begun.get(row.ticket, 0):
                begun[row.ticket] = -1  # it was put back
            elif begun.get(row.ticket, 0) >= 0:
                begun[row.ticket] = row.done
    assert -1 in begun.values(), "nobody was put back: the test shows nothing"
    assert [len(row.read) for row in rows] == [39] * 4


def test_others_are_not_scored_and_write_what_they_write_alone() -> None:
    plain = request(sample("qwen2.5-vl", 20, seed=2))
    alone = [piece.text for piece in generate(model("qwen2.5-vl"), [plain], SPELLED.__getitem__)]
    beside = list(generate(model("qwen2.5-vl"), [scoring(plain), plain], SPELLED.__getitem__))
    for index in (0, 1):
        assert "".join(piece.text for piece in beside if piece.index == index) == "".join(alone)
    (told,) = [piece for piece in beside if piece.read]
    assert (told.index, len(told.read)) == (0, 20)
    assert (told.read[0].logprob, told.read[0].likeliest) == (0.0, ())


def test_the_tokens_of_a_stop_text_are_not_told() -> None:
    free = replace(request(sample("qwen3-vl", 9, seed=4), most=12), logprobs=0)
    written = "".join(piece.text for piece in generate(model("qwen3-vl"), [free], SPELLED.__getitem__))
    for length in (1, 2, 3):
        stop = written[4 : 4 + length]
        pieces: list[Piece] = list(
            generate(model("qwen3-vl"), [replace(free, stop=(stop,))], SPELLED.__getitem__)
        )
        spelled = b"".join(one.bytes for piece in pieces for one in piece.chosen).decode()
        assert spelled == "".join(piece.text for piece in pieces) == written.partition(stop)[0]
