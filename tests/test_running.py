"""Many threads ask one model: each hears what it would hear alone, and nobody suffers for another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

import omma
from omma.chat import Answer, Image, Message, Options, Responder, message, whole
from omma.engine.engine import Engine
from omma.errors import BadModel, BadPicture, Busy, Interrupted
from omma.respond import Model
from omma.running import Running
from omma.shape import Matching

LONG = Options(max_tokens=2000, shape=Matching("[a-z ]{4000}"))  # it cannot end by itself
PICTURES = [np.random.default_rng(i).integers(0, 256, (56, 84, 3), dtype=np.uint8) for i in range(3)]


@pytest.fixture(scope="module")
def model() -> Model:
    return omma.load("omma-nano", device="cpu", dtype="float32")


@pytest.fixture
def running(model: Model) -> Iterator[Running]:
    with Running(model, memory=64_000_000) as running:
        yield running


def said(number: int) -> Sequence[Message]:
    if number % 2:
        return [message("user", Image(PICTURES[number % 3]), f"Question {number}?")]
    return [message("user", f"Question {number}?")]


def alike(one: Answer, other: Answer) -> bool:
    return (one.text, one.finish_reason, one.seen) == (other.text, other.finish_reason, other.seen)


def test_many_threads_hear_what_each_would_hear_alone(model: Model, running: Running) -> None:
    options = [
        Options(max_tokens=16, temperature=0.7 * (i % 3), seed=i, stop=("e",) * (i % 4 == 3))
        for i in range(12)
    ]
    alone = [whole(model.stream(said(i), options[i])) for i in range(12)]
    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(lambda i: whole(running.stream(said(i), options[i])), range(12)))
    assert all(map(alike, together, alone))
    running._engine.cache.pages.check()
    assert running._engine.cache.pages.held == 0


def test_it_is_a_responder(running: Running) -> None:
    assert isinstance(running, Responder)


def test_a_closed_answer_frees_its_pages(running: Running) -> None:
    stream = running.stream(said(1), LONG)
    next(stream)
    stream.close()
    whole(running.stream(said(0), Options(max_tokens=2)))  # by then the engine has heard of it
    assert running._engine.cache.pages.held == 0
    assert running.load()["ended"]["cancelled"] == 1
    assert next(stream, None) is None


def test_an_answer_that_is_let_go_of_is_closed(running: Running) -> None:
    next(running.stream(said(1), LONG))
    whole(running.stream(said(0), Options(max_tokens=2)))
    assert running.load()["ended"]["cancelled"] == 1


def test_a_picture_shown_again_is_not_read_again(running: Running) -> None:
    first, second = (whole(running.stream(said(1), Options(max_tokens=4))) for _ in "ab")
    assert alike(first, second)
    assert first.usage.cached_tokens == 0
    assert second.usage.cached_tokens > second.usage.visual_tokens // 2


def test_another_tenant_shares_nothing(running: Running) -> None:
    answers = [whole(running.stream(said(1), Options(max_tokens=4), tenant=who)) for who in ("a", "b", "a")]
    assert [answer.usage.cached_tokens > 0 for answer in answers] == [False, False, True]
    assert alike(answers[0], answers[1])


def test_what_is_wrong_is_raised_to_the_asker_alone(model: Model, running: Running) -> None:
    letters = replace(LONG, max_tokens=8)
    going = running.stream(said(0), letters)
    with pytest.raises(BadPicture):
        running.stream([message("user", Image(b"no picture"), "What?")])
    assert alike(whole(going), whole(model.stream(said(0), letters)))
    assert running.load()["waiting"] + running.load()["running"] == 0


def test_a_mistake_inside_ends_one_request(
    model: Model, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(rows: torch.Tensor, grids: object) -> torch.Tensor:
        raise BadModel("this picture is poison; show another")

    monkeypatch.setattr(model.network, "looking", broken)
    letters = replace(LONG, max_tokens=8)
    going = running.stream(said(0), letters)
    with pytest.raises(BadModel, match="poison"):
        whole(running.stream([message("user", Image(PICTURES[0]), "What?")]))
    alone = whole(model.stream(said(0), letters))
    assert len(alone.text) >= 8
    assert alike(whole(going), alone)
    assert alike(whole(running.stream(said(0), letters)), alone)


def test_when_the_engine_breaks_everybody_is_told(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    class Break(BaseException):
        pass

    def broken(engine: Engine) -> None:
        raise Break("on purpose")

    monkeypatch.setattr("threading.excepthook", lambda what: None)
    monkeypatch.setattr(Engine, "step", broken)
    with pytest.raises(Interrupted, match="on purpose"):
        whole(running.stream(said(0)))
    with pytest.raises(Interrupted):
        running.stream(said(0))


def test_too_many_are_told_when_to_come_again(model: Model) -> None:
    with Running(model, rows=1, line=1, memory=64_000_000) as running:
        going = [running.stream(said(0), LONG) for _ in range(2)]
        with pytest.raises(Busy) as refused:
            running.stream(said(0))
        assert refused.value.retry_after >= 1
        for stream in going:
            stream.close()


def test_closing_ends_what_runs(model: Model) -> None:
    running = Running(model, memory=64_000_000)
    going = running.stream(said(0), LONG)
    running.close()
    with pytest.raises(Interrupted):
        whole(going)


def test_seconds_are_told_by_stage(running: Running) -> None:
    stream = running.stream(said(1), Options(max_tokens=4))
    whole(stream)
    assert stream.seconds.keys() == {"prep", "wait", "encode", "prefill", "decode"}
    assert all(seconds >= 0 for seconds in stream.seconds.values())
    assert stream.seconds["encode"] > 0
    assert running.load()["seconds"].keys() == stream.seconds.keys()


def test_probabilities_come_with_the_tokens(running: Running) -> None:
    deltas = list(running.stream(said(0), Options(max_tokens=6, logprobs=3, temperature=0.0)))
    chosen = [one for delta in deltas for one in delta.chosen]
    assert b"".join(one.bytes for one in chosen).decode() == "".join(delta.text for delta in deltas)
    for one in chosen:
        assert one.logprob <= 0
        assert one.likeliest[0].logprob == pytest.approx(one.logprob)  # greedy takes the likeliest
        assert len(one.likeliest) == 3


def test_an_answer_keeps_to_its_shape(running: Running, model: Model) -> None:
    options = Options(max_tokens=40, shape=Matching("[a-c]{3}-[0-9]{4}"), temperature=1.0, seed=3)
    answer = whole(running.stream(said(0), options))
    assert answer.finish_reason == "stop"
    assert alike(answer, whole(model.stream(said(0), options)))
    assert alike(answer, whole(running.stream(said(0), replace(options, stop=()))))
