"""Batches made ahead in other processes, in order: batch k is the same whoever makes it and whenever."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace

from omma.prep.processor import Processor
from omma.synth.world import Split
from omma.train.lesson import Batch, batch, drawn_lesson, line_starts, told_lesson
from omma.train.recipe import Lines, Recipe, Worlds

_processors: dict[str, Processor] = {}


def make_batches(recipe: Recipe, step: int, split: Split = "train") -> list[Batch]:
    """The `micro` batches of optimiser step `step` (0-based)."""
    processor = _processor(recipe)
    size = recipe.dialogues // recipe.micro
    first = step * recipe.dialogues
    made = []
    for start in range(first, first + recipe.dialogues, size):
        match recipe.data:
            case Worlds() as worlds:
                lessons = [
                    drawn_lesson(recipe, worlds, processor, index, split)
                    for index in range(start, start + size)
                ]
            case Lines(path):
                lessons = [
                    told_lesson(recipe, path, processor, index, split) for index in range(start, start + size)
                ]
        made.append(batch(lessons))
    return made


def feed(recipe: Recipe, start: int, stop: int, workers: int) -> Generator[list[Batch]]:
    """Batches of steps `start` to `stop`, a few ahead of the trainer. 0 workers: made when asked for."""
    if workers == 0:
        for step in range(start, stop):
            yield make_batches(recipe, step)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_be_modest)
    ahead: deque[Future[list[Batch]]] = deque()
    steps = iter(range(start, stop))
    try:
        for step in steps:
            ahead.append(pool.submit(make_batches, recipe, step))
            if len(ahead) > 2 * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def held_out(recipe: Recipe) -> list[Batch]:
    """Batches of the test split, the same at every check; none for a file too short to hold lines out."""
    count = recipe.check_dialogues
    if isinstance(recipe.data, Lines):
        count = min(count, len(line_starts(recipe.data.path, "test")))
    if count == 0:
        return []
    alike = max(1, count // 16)
    return make_batches(replace(recipe, dialogues=count - count % alike, micro=alike), 0, "test")


def _processor(recipe: Recipe) -> Processor:
    key = str(recipe.processor)
    if key not in _processors:
        _processors[key] = Processor.from_folder(recipe.processor, recipe.model)
    return _processors[key]


def _be_modest() -> None:
    """Drawing gives way to computing where both want the same core, and ends when the trainer is no more."""
    os.nice(5)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
