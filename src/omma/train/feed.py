"""Batches made ahead in other processes, in order: batch k is the same whoever makes it and whenever."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from omma.errors import BadData, BadRecipe
from omma.prep.processor import Processor
from omma.spec import ModelSpec
from omma.synth.world import Split
from omma.train.lesson import Batch, Lesson, batch, drawn_lesson, line_starts, told_lesson
from omma.train.recipe import Data, Lines, Mix, Recipe, Share, Worlds


class _Prepared(NamedTuple):
    """What a processor is made of: its folder, the model it is for, the limits in force."""

    folder: str
    model: ModelSpec
    min_pixels: int | None
    max_pixels: int | None


_processors: dict[_Prepared, Processor] = {}


def make_batches(
    recipe: Recipe, step: int, split: Split = "train", *, rank: int = 0, ranks: int = 1
) -> list[Batch]:
    """The batches of optimiser step `step` (0-based) that this rank runs, one for each of its passes.

    The step's dialogues are the same however many ranks there are: they are cut into passes, as many for each
    rank, and dealt out in turn.
    """
    first, last = step * recipe.dialogues, (step + 1) * recipe.dialogues
    passes = passes_of(recipe, ranks) * ranks
    borders = [first + (last - first) * number // passes for number in range(passes + 1)]
    mine = list(pairwise(borders))[rank::ranks]
    return [batch([lesson_of(recipe, index, split) for index in range(*bounds)]) for bounds in mine]


def passes_of(recipe: Recipe, ranks: int) -> int:
    """How many passes each rank makes in a step. Raises BadRecipe when there are not dialogues for all."""
    if recipe.dialogues < ranks:
        raise BadRecipe(
            f"{recipe.dialogues} dialogues a step are too few for {ranks} ranks; wanted at least one for each"
        )
    return min(-(-recipe.micro // ranks), recipe.dialogues // ranks)


def lesson_of(recipe: Recipe, index: int, split: Split) -> Lesson:
    """Dialogue `index` of the run. Raises BadData when it is longer than the recipe allows."""
    made = _lesson(recipe, recipe.data, index, split)
    if recipe.longest is not None and made.sample.length > recipe.longest:
        raise BadData(
            f"dialogue {index} has {made.sample.length} tokens and the recipe's longest is {recipe.longest}; "
            "show smaller pictures, cut the dialogue, or raise longest"
        )
    return made


def _lesson(recipe: Recipe, data: Data, index: int, split: Split) -> Lesson:
    processor = _processor(recipe)
    match data:
        case Mix(shares):
            return _lesson(recipe, _share(shares, recipe.seed, index, split), index, split)
        case Worlds() as worlds:
            return drawn_lesson(recipe, worlds, processor, index, split)
        case Lines(path):
            return told_lesson(recipe, path, processor, index, split)


def _share(shares: Sequence[Share], seed: int, index: int, split: Split) -> Data:
    """The source of dialogue `index`; for the check only among those that hold something out."""
    able = [share for share in shares if split == "train" or holds_out(share.data)]
    weights = np.array([share.weight for share in able], np.float64)
    dice = np.random.default_rng((seed, index, 2))
    return able[int(dice.choice(len(able), p=weights / weights.sum()))].data


def holds_out(data: Data) -> int | None:
    """How many dialogues a source keeps for the check; None for as many as one likes."""
    match data:
        case Mix(shares):
            kept = [holds_out(share.data) for share in shares]
            return None if None in kept else sum(number for number in kept if number is not None)
        case Worlds():
            return None
        case Lines(path):
            return len(line_starts(path, "test"))


def feed(
    recipe: Recipe, start: int, stop: int, workers: int, *, rank: int = 0, ranks: int = 1
) -> Generator[list[Batch]]:
    """Batches of steps `start` to `stop`, a few ahead of the trainer. 0 workers: made when asked for."""
    if workers == 0:
        for step in range(start, stop):
            yield make_batches(recipe, step, rank=rank, ranks=ranks)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_be_modest)
    ahead: deque[Future[list[Batch]]] = deque()
    steps = iter(range(start, stop))
    try:
        for step in steps:
            ahead.append(pool.submit(make_batches, recipe, step, rank=rank, ranks=ranks))
            if len(ahead) > 2 * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def held_out(recipe: Recipe) -> list[Batch]:
    """Batches of the test split, the same at every check; none for a file too short to hold lines out."""
    count = recipe.check_dialogues
    if (kept := holds_out(recipe.data)) is not None:
        count = min(count, kept)
    if count == 0:
        return []
    alike = max(1, count // 16)
    return make_batches(replace(recipe, dialogues=count - count % alike, micro=alike), 0, "test")


def _processor(recipe: Recipe) -> Processor:
    key = _Prepared(str(recipe.processor), recipe.model, recipe.min_pixels, recipe.max_pixels)
    if key not in _processors:
        _processors[key] = read_processor(recipe)
    return _processors[key]


def read_processor(recipe: Recipe) -> Processor:
    """The recipe's processor, within the recipe's limits on pixels."""
    processor = Processor.from_folder(recipe.processor, recipe.model)
    rules = processor.rules
    least, most = recipe.min_pixels or rules.min_pixels, recipe.max_pixels or rules.max_pixels
    if least > most:
        raise BadRecipe(
            f"pictures of at least {least} and at most {most} pixels cannot be; change one of them"
        )
    frames = min(rules.frame_max_pixels, most)
    narrowed = replace(
        rules,
        min_pixels=least,
        max_pixels=most,
        frame_max_pixels=frames,
        frame_min_pixels=min(rules.frame_min_pixels, frames),
    )
    return replace(processor, rules=narrowed)


def _be_modest() -> None:
    """Drawing gives way to computing where both want the same core, and ends when the trainer is no more."""
    os.nice(5)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
