"""The engine's process lets go of what was shown as soon as it is answered."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import Iterator, Mapping
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest

import omma
from omma.chat import Image, Options, message
from omma.engine.generate import Piece
from omma.host.worker import _Answer, _Desk
from omma.running import Running


@pytest.fixture
def running() -> Iterator[Running]:
    with Running(omma.load("omma-nano", device="cpu"), memory=64_000_000) as running:
        yield running


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_an_ended_answer_holds_no_picture_until_the_collector_comes(
    running: Running, no_collector: None
) -> None:
    heard: SimpleQueue[tuple[_Answer, Piece]] = SimpleQueue()
    mine = _Answer(1)
    shown = [message("user", Image(np.zeros((56, 84, 3), np.uint8)), "What is it?")]
    mine.begin(running.ask(shown, Options(max_tokens=3), lambda piece: heard.put((mine, piece))))
    asked = weakref.ref(mine.asked)
    while (said := heard.get())[1].finish is None:
        assert said[1].error is None
    assert asked() is not None
    said[0].end()
    assert asked() is None


class Line:
    """What would be said to the other side."""

    def __init__(self) -> None:
        self.said: list[Mapping[str, Any]] = []

    def say(self, header: Mapping[str, Any], value: Any = None) -> None:
        self.said.append(header)


def test_a_mistake_of_ours_is_told_and_logged_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    desk = object.__new__(_Desk)
    line = Line()
    desk._line, desk._answers = line, {}  # type: ignore[assignment]

    def work() -> None:
        raise ValueError("the secret question")

    with caplog.at_level(logging.ERROR):
        desk._guarded(7, work)
    (told,) = line.said
    assert (told["is"], told["id"]) == ("failed", 7)
    assert "mistake of omma's" in str(told)
    assert "secret" not in str(told)
    (record,) = caplog.records
    assert "secret" not in record.getMessage()
    assert record.exc_info is not None
