"""The engine's process: it holds a model and answers many orders at once over one socket.

It is started blank by `link.Worker`, imports what loading needs, and waits to be told which model. When the
other side hangs up it ends.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import omma
from omma.chat import Message, Options
from omma.engine.generate import Piece
from omma.errors import Interrupted, OmmaError, PromptTooLong
from omma.host.card import card_of
from omma.host.frames import Blob, Broken, Frame, HungUp, receive, send
from omma.host.nouns import noun, plain, plain_error
from omma.host.settings import Setup
from omma.host.thrift import be_thrifty, settle
from omma.loading import resolve
from omma.prep.geometry import geometry
from omma.respond import delta
from omma.running import Asked, Running, enough
from omma.sample import Sample
from omma.serve.desk import Cost, Shown
from omma.serve.lines import log_to_stderr

LOG = logging.getLogger("omma.host.worker")

WIDER = 4  # a prompt up to so many contexts long is counted, to say by how much it is too long
BEAT = 0.5  # seconds between two words about how things stand
AT_ONCE = 16  # orders that are prepared at a time; those beyond wait for a thread


def main(number: int) -> None:
    """Serve the socket of this number until its other side is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log_to_stderr()
    be_thrifty()
    line = _Line(socket.socket(fileno=number))
    try:
        frame = line.next()
        setup: Setup = noun(frame.header["setup"], frame.blobs)
        _Desk(line, setup).run()
    except OmmaError as wrong:
        line.say({"is": "refused", **plain_error(wrong)})
    except (HungUp, Broken):
        pass
    except Exception:
        LOG.exception("the engine broke off")
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


class _Answer:
    """An answer that is being written, from the moment it was asked for. Any thread may cancel it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.text: list[str] = []
        self._lock = threading.Lock()
        self._begun: Future[Asked] = Future()
        self._cancelled = False

    @property
    def asked(self) -> Asked:
        """The running's handle of it; it may come a moment after the first piece."""
        return self._begun.result()

    def begin(self, asked: Asked) -> None:
        """It is being written now."""
        with self._lock:
            self._begun.set_result(asked)
            if self._cancelled:
                asked.close()

    def cancel(self) -> None:
        """Nobody wants it any more."""
        with self._lock:
            self._cancelled = True
            if self._begun.done():
                self.asked.close()

    def end(self) -> None:
        """Let go of it: it holds the prompt with its pictures, and whoever hears its pieces, us too."""
        with self._lock:
            self._begun = Future()


class _Desk:
    """A loaded model, kept running, and the answers that are being written."""

    def __init__(self, line: _Line, setup: Setup) -> None:
        self._line = line
        self._answers: dict[int, _Answer] = {}
        self._heard: SimpleQueue[tuple[_Answer, Piece]] = SimpleQueue()
        self._threads = ThreadPoolExecutor(AT_ONCE, "order")
        self._model = model = omma.load(
            setup.model,
            device=setup.device,
            dtype=setup.dtype,
            adapter=setup.adapter,
            revision=setup.revision,
        )
        decoder = replace(model.spec.decoder, context=WIDER * model.spec.decoder.context)
        self._wide = replace(model.processor, spec=replace(model.spec, decoder=decoder))
        pages = None if setup.pages is None else min(setup.pages, enough(model, setup.rows))
        limits = {"memory": pages, "features": setup.features}
        given = {name: limit for name, limit in limits.items() if limit is not None}
        self._running = Running(model, rows=setup.rows, invariant=setup.invariant, **given)
        threading.Thread(target=model.ready, name="omma-shapes", daemon=True).start()
        folder = resolve(setup.model, revision=setup.revision)
        card = card_of(setup.name or setup.model, folder, model.processor)
        weights = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
        settle()
        line.say({"is": "ready", "weights": weights}, (card, model.processor.rules))

    def run(self) -> None:
        """Take orders in until the other side hangs up."""
        for work in (self._beat, self._tell):
            threading.Thread(target=work, daemon=True).start()
        while True:
            frame = self._line.next()
            number = frame.header["id"]
            match frame.header["do"]:
                case "answer":
                    self._answers[number] = _Answer(number)
                    self._threads.submit(self._guarded, number, partial(self._answer, number, frame))
                case "cost":
                    self._threads.submit(self._guarded, number, partial(self._cost, number, frame))
                case "cancel":
                    if told := self._answers.get(number):
                        told.cancel()

    def _guarded(self, number: int, work: Callable[[], None]) -> None:
        """Do a piece of work; whatever goes wrong in it is told, and no other piece hears of it."""
        try:
            try:
                work()
            except OmmaError as wrong:
                self._failed(number, wrong)
            except Exception:  # a mistake of ours: the log says where, and whoever asked is told of it
                LOG.exception("a mistake of omma's ended an answer")
                self._failed(
                    number,
                    Interrupted(
                        "a mistake of omma's ended the answer; the log says where; in other words it may go"
                    ),
                )
        except HungUp:
            return

    def _failed(self, number: int, wrong: OmmaError) -> None:
        self._ended(number)
        self._line.say({"is": "failed", "id": number, **plain_error(wrong)})

    def _ended(self, number: int) -> None:
        if (mine := self._answers.pop(number, None)) is not None:
            mine.end()

    def _answer(self, number: int, frame: Frame) -> None:
        """Begin an answer. Its pieces come to `_tell`."""
        messages, options, tenant = noun(frame.header["value"], frame.blobs)
        frame.blobs.clear()
        mine = self._answers[number]
        mine.begin(
            self._running.ask(
                messages,
                options,
                lambda piece: self._heard.put((mine, piece)),
                tenant=tenant,
                name=str(number),
            )
        )

    def _tell(self) -> None:
        """Say what is written, what came in one step in one frame."""
        while True:
            heard = [self._heard.get()]
            with suppress(Empty):
                while True:
                    heard.append(self._heard.get_nowait())
            try:
                self._said(heard)
            except HungUp:
                return

    def _said(self, heard: Sequence[tuple[_Answer, Piece]]) -> None:
        texts: list[tuple[int, str]] = []
        for mine, piece in heard:
            mine.text.append(piece.text)
            if piece.finish is None and piece.error is None and not (piece.chosen or piece.read):
                texts.append((mine.number, piece.text))
                continue
            if texts:
                self._line.say({"is": "texts", "of": texts})
                texts = []
            self._guarded(mine.number, partial(self._told, mine, piece))
        if texts:
            self._line.say({"is": "texts", "of": texts})

    def _told(self, mine: _Answer, piece: Piece) -> None:
        """Say a piece that is more than text."""
        told = delta(piece, mine.asked.seen)
        if piece.finish is None:
            self._line.say({"is": "piece", "id": mine.number}, told)
            return
        places = geometry("".join(mine.text), told.seen)
        seconds = _stages(mine.asked.seconds, bool(told.seen))
        self._ended(mine.number)
        self._line.say({"is": "last", "id": mine.number, "geometry": places, "seconds": seconds}, told)

    def _cost(self, number: int, frame: Frame) -> None:
        messages, options = noun(frame.header["value"], frame.blobs)
        try:
            sample = self._model.prepared(messages, options)[0].sample
        except PromptTooLong as wrong:
            sample = self._wider(messages, options, wrong)
        shown = tuple(
            Shown(visual.kind, visual.original, visual.resized, visual.tokens, max(len(visual.times), 1))
            for visual in sample.visuals
        )
        tokens = {kind: sum(one.tokens for one in shown if one.kind == kind) for kind in ("image", "video")}
        words = sample.length - sum(tokens.values())
        context = self._model.spec.decoder.context
        told = Cost(words, tokens["image"], tokens["video"], context, shown)
        self._line.say({"is": "cost", "id": number}, told)

    def _wider(self, messages: Sequence[Message], options: Options, wrong: PromptTooLong) -> Sample:
        """A prompt that is too long, to tell by how much; one that is far too long is refused."""
        with suppress(PromptTooLong):
            return self._wide.sample(messages, tools=options.tools)
        raise wrong

    def _beat(self) -> None:
        """Say how things stand, again and again. An engine that broke off ends the process."""
        rest = threading.Event()
        try:
            while not rest.wait(BEAT):
                load = self._running.load()
                if load["broken"] is not None:
                    os._exit(os.EX_SOFTWARE)
                self._line.say({"is": "state", "state": _numbers(load)})
        except HungUp:
            return


def _numbers(load: Mapping[str, Any]) -> dict[str, int]:
    """How things stand, as plain numbers that can be added up."""
    pages, held = load["pages"], load["bytes"]
    return {
        "running": load["running"],
        "waiting": load["waiting"],
        "pages_used": pages["held"],
        "pages_kept": pages["kept"],
        "pages_free": pages["limit"] - pages["held"] - pages["kept"],
        "page_bytes": held["pages"],
        "feature_bytes": held["features"],
        "cached_tokens": load["cached_tokens"],
    }


def _stages(seconds: Mapping[str, float], shown: bool) -> dict[str, float]:
    """Seconds by the stages of `serve.desk.Told`. Cutting pictures is counted as resizing them."""
    told = {"resize": seconds.get("prep", 0.0), "encode": seconds.get("encode", 0.0)} if shown else {}
    return told | {stage: seconds[stage] for stage in ("prefill", "decode") if stage in seconds}
