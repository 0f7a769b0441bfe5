"""The engine's process: it holds a model and answers many orders at once over one socket.

It is started blank by `link.Worker`, imports what loading needs, and waits to be told which model. When the
other side hangs up it ends.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from time import perf_counter
from traceback import print_exc
from typing import Any

import omma
from omma.chat import Delta, Message, Options
from omma.errors import Interrupted, OmmaError
from omma.host.card import card_of
from omma.host.frames import Blob, Broken, Frame, HungUp, receive, send
from omma.host.nouns import noun, plain, plain_error
from omma.host.settings import Setup
from omma.loading import resolve
from omma.prep.geometry import geometry
from omma.respond import Model
from omma.serve.desk import Cost, Shown

BEAT = 0.5  # seconds between two words about how things stand


def main(number: int) -> None:
    """Serve the socket of this number until its other side is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line = _Line(socket.socket(fileno=number))
    try:
        frame = line.next()
        setup: Setup = noun(frame.header["setup"], frame.blobs)
        _Desk(line, setup).run()
    except OmmaError as wrong:
        line.say({"is": "refused", **plain_error(wrong)})
    except (HungUp, Broken):
        pass
    finally:
        sys.stderr.flush()
        os._exit(0)  # threads of answers may still be inside; nobody waits for them


class _Line:
    """The socket, of which one thread reads and many write."""

    def __init__(self, line: socket.socket) -> None:
        self._line, self._lock = line, threading.Lock()

    def next(self) -> Frame:
        return receive(self._line)

    def say(self, header: Mapping[str, Any], value: Any = None) -> None:
        """Say a frame; a `value` goes with it as a noun."""
        blobs: list[Blob] = []
        told = dict(header) if value is None else {**header, "value": plain(value, blobs)}
        with self._lock:
            send(self._line, told, blobs)


class _Desk:
    """A loaded model and the answers that are being written."""

    def __init__(self, line: _Line, setup: Setup) -> None:
        self._line = line
        model = omma.load(
            setup.model,
            device=setup.device,
            dtype=setup.dtype,
            adapter=setup.adapter,
            revision=setup.revision,
        )
        self._model: Model = model
        self._turns = threading.Lock()
        self._cancelled: dict[int, threading.Event] = {}
        folder = resolve(setup.model, revision=setup.revision)
        card = card_of(setup.name or setup.model, folder, model.processor)
        line.say({"is": "ready"}, (card, model.processor.rules))

    def run(self) -> None:
        """Take orders in until the other side hangs up."""
        threading.Thread(target=self._beat, daemon=True).start()
        while True:
            frame = self._line.next()
            match frame.header["do"]:
                case "answer":
                    self._cancelled[frame.header["id"]] = threading.Event()
                    self._begin(self._answer, frame)
                case "cost":
                    self._begin(self._cost, frame)
                case "cancel":
                    if told := self._cancelled.get(frame.header["id"]):
                        told.set()

    def _begin(self, work: Any, frame: Frame) -> None:
        threading.Thread(target=self._guarded, args=(work, frame), daemon=True).start()

    def _guarded(self, work: Any, frame: Frame) -> None:
        """Do a piece of work; whatever goes wrong in it is told, and no other piece hears of it."""
        number = frame.header["id"]
        try:
            try:
                work(number, *noun(frame.header["value"], frame.blobs))
            except OmmaError as wrong:
                self._line.say({"is": "failed", "id": number, **plain_error(wrong)})
            except Exception as wrong:  # a mistake of ours: said in the log, and to whoever asked
                print_exc()
                told = Interrupted(f"a mistake of omma's ended the answer: {type(wrong).__name__}: {wrong}")
                self._line.say({"is": "failed", "id": number, **plain_error(told)})
        except HungUp:
            return
        finally:
            self._cancelled.pop(number, None)

    def _answer(self, number: int, messages: tuple[Message, ...], options: Options, tenant: str) -> None:
        cancelled = self._cancelled[number]
        begun = perf_counter()
        seconds: dict[str, float] = {}
        text: list[str] = []
        with self._turns:
            deltas = self._model.stream(messages, options)
        while not cancelled.is_set():
            with self._turns:
                delta = next(deltas, None)
            if delta is None:
                return
            text.append(delta.text)
            seconds.setdefault("prefill", perf_counter() - begun)
            if delta.finish_reason is None:
                self._line.say({"is": "piece", "id": number}, delta)
                continue
            seconds["decode"] = perf_counter() - begun - seconds["prefill"]
            self._last(number, delta, "".join(text), seconds)

    def _last(self, number: int, delta: Delta, text: str, seconds: dict[str, float]) -> None:
        places = geometry(text, delta.seen)
        self._line.say({"is": "last", "id": number, "geometry": places, "seconds": seconds}, delta)

    def _cost(self, number: int, messages: tuple[Message, ...]) -> None:
        processor = self._model.processor
        sample = processor.sample(messages)
        shown = tuple(
            Shown(visual.kind, visual.original, visual.resized, visual.tokens, max(len(visual.times), 1))
            for visual in sample.visuals
        )
        tokens = {kind: sum(one.tokens for one in shown if one.kind == kind) for kind in ("image", "video")}
        words = sample.length - sum(tokens.values())
        context = processor.spec.decoder.context
        self._line.say(
            {"is": "cost", "id": number}, Cost(words, tokens["image"], tokens["video"], context, shown)
        )

    def _beat(self) -> None:
        """Say how things stand, again and again."""
        rest = threading.Event()
        try:
            while not rest.wait(BEAT):
                self._line.say({"is": "state", "state": {"running": len(self._cancelled)}})
        except HungUp:
            return
