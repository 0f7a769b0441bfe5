"""Batches made ahead in other processes, in order: batch k is the same whoever makes it and whenever."""

from __future__ import annotations

import heapq
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from typing import NamedTuple

from omma.corpus.aside import Aside
from omma.corpus.order import turn_of
from omma.errors import BadData, BadRecipe
from omma.prep.processor import Processor
from omma.spec import ModelSpec
from omma.synth.world import Split
from omma.train.lesson import Batch, Lesson, batch, course_of, drawn_lesson, shelf_of, told_lesson, try_lesson
from omma.train.recipe import Data, Lines, Mix, Recipe, Worlds

USUAL = 50_000  # pixels of a picture whose size nobody knows before it is drawn or read


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

    The step's dialogues are the same however many ranks there are. They are dealt out to passes, as many for
    each rank, by the size of their pictures, so that no rank waits long for another. With `recipe.tokens`
    they are laid into as many passes as it takes for none to have more tokens than that; every rank makes all
    of them then, to know how long they are. Raises BadData for a drawn dialogue that alone has more.
    """
    first, last = step * recipe.dialogues, (step + 1) * recipe.dialogues
    if recipe.tokens is not None:
        passes_of(recipe, ranks)
        lessons = [lesson_of(recipe, index, split) for index in range(first, last)]
        packed = packs([lesson.sample.length for lesson in lessons], recipe.tokens, ranks)
        return [batch([lessons[i] for i in chosen]) for chosen in packed[rank::ranks]]
    sizes = [_pixels(recipe, index, split) for index in range(first, last)]
    mine = dealt(sizes, passes_of(recipe, ranks) * ranks)[rank::ranks]
    return [batch([lesson_of(recipe, first + number, split) for number in numbers]) for numbers in mine]


def dealt(sizes: Sequence[int], count: int) -> list[list[int]]:
    """Numbers of dialogues in `count` piles that are about alike in size, each in order and none empty.

    The largest first, each onto the pile that is lowest: at most a third higher than need be (Graham 1969).
    """
    piles: list[list[int]] = [[] for _ in range(count)]
    heights = [(0, pile) for pile in range(count)]
    for number in sorted(range(len(sizes)), key=lambda number: (-sizes[number], number)):
        height, pile = heapq.heappop(heights)
        piles[pile].append(number)
        heapq.heappush(heights, (height + sizes[number], pile))
    return [sorted(pile) for pile in piles]


def _pixels(recipe: Recipe, index: int, split: Split) -> int:
    """About how many pixels dialogue `index` shows, without drawing it: its work grows with them."""
    data, _ = _source(recipe, index, split)
    size = course_of(recipe, data, index, split)[1] if isinstance(data, Worlds) else None
    return USUAL if size is None else size.width * size.height


def packs(lengths: Sequence[int], most: int, ranks: int = 1) -> list[list[int]]:
    """Numbers of dialogues laid into packs of at most `most` tokens; the packs divide among the ranks.

    The longest first, each into the first pack that has room for it: at most two ninths more packs than the
    fewest possible, and one (Dósa 2007). Where ranks would go without, the fullest packs are halved.
    """
    filled: list[list[int]] = []
    room: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda number: (-lengths[number], number)):
        pack = next((i for i, left in enumerate(room) if left >= lengths[number]), len(filled))
        if pack == len(filled):
            filled.append([])
            room.append(most)
        filled[pack].append(number)
        room[pack] -= lengths[number]
    while len(filled) % ranks:
        fullest = max(filled, key=len)
        filled.remove(fullest)
        filled += [fullest[::2], fullest[1::2]]
    return filled


def passes_of(recipe: Recipe, ranks: int) -> int:
    """How many passes each rank makes in a step. Raises BadRecipe when there are not dialogues for all."""
    if recipe.dialogues < ranks:
        raise BadRecipe(
            f"{recipe.dialogues} dialogues a step are too few for {ranks} ranks; wanted at least one for each"
        )
    if recipe.tokens is not None and recipe.dialogues % ranks:
        raise BadRecipe(
            f"{recipe.dialogues} dialogues packed by tokens do not divide among {ranks} ranks; change either"
        )
    return min(-(-recipe.micro // ranks), recipe.dialogues // ranks)


def lesson_of(recipe: Recipe, index: int, split: Split) -> Lesson:
    """Dialogue `index` of the run. Raises BadData when it is longer than the recipe allows.

    Records of data files that are too long have been set aside before: what is refused here was drawn.
    """
    made = _lesson(recipe, index, split)
    for name in ("longest", "tokens"):
        if (limit := getattr(recipe, name)) is not None and made.sample.length > limit:
            raise BadData(
                f"dialogue {index} has {made.sample.length:,} tokens, more than the recipe's {name} of "
                f"{limit:,}; show smaller pictures, ask less of each, or raise {name}"
            )
    return made


def _lesson(recipe: Recipe, index: int, split: Split) -> Lesson:
    data, number = _source(recipe, index, split)
    if isinstance(data, Lines):
        return told_lesson(recipe, data, _processor(recipe), number, split)
    return drawn_lesson(recipe, data, _processor(recipe), index, split)


def _source(recipe: Recipe, index: int, split: Split) -> tuple[Worlds | Lines, int]:
    """The source of dialogue `index`, and how many of that source came before.

    Drawn worlds go by the dialogue's own number all the same. In the check only those sources have turns that
    hold something out.
    """
    if not isinstance(recipe.data, Mix):
        return recipe.data, index
    able = [share for share in recipe.data.shares if split == "train" or holds_out(share.data) != 0]
    which, number = turn_of(index, [share.weight for share in able], recipe.seed)
    return able[which].data, number


def holds_out(data: Data) -> int | None:
    """How many dialogues a source keeps for the check; None for as many as one likes."""
    match data:
        case Mix(shares):
            kept = [holds_out(share.data) for share in shares]
            return None if None in kept else sum(number for number in kept if number is not None)
        case Worlds():
            return None
        case Lines():
            return shelf_of(data).count("test")


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


def held_out(recipe: Recipe, tell: Callable[[Sequence[Aside]], object] | None = None) -> list[Batch]:
    """Batches of the test split, the same at every check; none for a file too short to hold records out.

    `tell` hears of held-out records that cannot be used; here nothing stands in for the last of them.
    """
    count = recipe.check_dialogues
    if (kept := holds_out(recipe.data)) is not None:
        count = min(count, kept)
    if count == 0:
        return []
    alike = max(1, count // 16)
    if isinstance(recipe.data, Worlds):
        return make_batches(replace(recipe, dialogues=count - count % alike, micro=alike), 0, "test")
    lessons: list[Lesson] = []
    for index in range(count):
        data, number = _source(recipe, index, "test")
        if isinstance(data, Lines):
            made, aside = try_lesson(recipe, data, _processor(recipe), number, "test")
            if tell is not None:
                tell(aside)
        else:
            made = lesson_of(recipe, index, "test")
        lessons += [made] if made is not None else []
    if recipe.tokens is not None:
        chosen = packs([lesson.sample.length for lesson in lessons], recipe.tokens)
    else:
        chosen = [list(range(at, min(at + 16, len(lessons)))) for at in range(0, len(lessons), 16)]
    return [batch([lessons[i] for i in numbers]) for numbers in chosen]


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
