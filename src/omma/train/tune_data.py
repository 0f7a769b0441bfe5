"""Somebody's data for fitting a model: read, looked through, dealt into lessons, checks and tests."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from omma.corpus.aside import Aside, aside
from omma.corpus.dialogue import measure, media_of, sample_of
from omma.corpus.duplicates import media_digest
from omma.corpus.placing import place_boxes
from omma.corpus.reading import Corpus
from omma.corpus.record import Record
from omma.errors import BadData, BadInput
from omma.evals.replies import Prompt, prompts
from omma.prep.processor import Processor
from omma.train.feed import packs
from omma.train.lesson import Batch, Lesson, batch, weighed
from omma.train.recipe import Recipe

LEAST = 10  # dialogues that a model can be fitted to and judged by
TESTED, MOST_TESTED = 0.2, 200  # of the dialogues, and at most so many
CHECKED, MOST_CHECKED = 0.1, 100

Progress = Callable[[int], None]


class Dialogue(NamedTuple):
    """A record to learn from: its number in the data, its tokens, and what it shows, by digests.

    Copies of a picture are one picture, whatever they are called. A dialogue of words alone shows its words.
    """

    number: int
    tokens: int
    shown: frozenset[str]


@dataclass(frozen=True)
class Brought:
    """Data as a model sees it. `hash` tells it from other data, and from the same seen by another model."""

    corpus: Corpus
    processor: Processor
    dialogues: tuple[Dialogue, ...]
    aside: tuple[Aside, ...]
    hash: str

    def batch(self, dialogues: Iterable[Dialogue], recipe: Recipe | None = None) -> Batch:
        """Dialogues end to end, weighed as the recipe has it; without one each token counts alike."""
        return batch([self._lesson(dialogue, recipe) for dialogue in dialogues])

    def prompts(self, dialogues: Iterable[Dialogue]) -> list[Prompt]:
        """Everything that is asked in the dialogues, with the answers that were wanted."""
        asked: list[Prompt] = []
        for dialogue in dialogues:
            record = self._record(dialogue)
            messages = place_boxes(record, self.processor)
            asked += prompts(messages, [weight > 0 for weight in record.weights], record.tools)
        return asked

    def _lesson(self, dialogue: Dialogue, recipe: Recipe | None) -> Lesson:
        record = self._record(dialogue)
        sample = sample_of(record, self.processor)
        return Lesson(weighed(sample, recipe) if recipe else sample, ("answer",) * record.answers)

    def _record(self, dialogue: Dialogue) -> Record:
        return self.corpus.record(self.corpus.at(dialogue.number))


def bring(corpus: Corpus, processor: Processor, progress: Progress | None = None) -> Brought:
    """Read all of the data once, opening every picture; what cannot be learned from is set aside.

    `progress` hears how many records were read. Raises MissingFile when a file of it is gone.
    """
    kept: list[Dialogue] = []
    left: list[Aside] = []
    digest = hashlib.sha256()
    for number, raw in enumerate(corpus.scan()):
        try:
            record = corpus.record(raw)
            measured = measure(record, processor)
            said = [
                (message.role, message.text, *message.calls) for message in place_boxes(record, processor)
            ]
            said += [("tools", *record.tools)] if record.tools else []
            shown = frozenset(media_digest(part.source).hex() for part in media_of(record.messages))
            shown = shown or frozenset([hashlib.sha256(repr(said).encode()).hexdigest()])
            kept.append(Dialogue(number, measured.tokens, shown))
            digest.update(repr((said, record.weights, sorted(shown), measured)).encode())
        except BadInput as problem:
            left.append(aside(raw.place, problem))
        if progress is not None:
            progress(number + 1)
    return Brought(corpus, processor, tuple(kept), tuple(left), digest.hexdigest()[:16])


class Deal(NamedTuple):
    """Dialogues by what they are for. What one part shows, no other part shows."""

    train: tuple[Dialogue, ...]
    check: tuple[Dialogue, ...]
    test: tuple[Dialogue, ...]


def deal(brought: Brought, seed: int, *, test: bool = True) -> Deal:
    """Hold out a tenth to stop by and, with `test`, a fifth to judge by; what is shown is in one part only.

    Raises BadData when there is too little to be judged by.
    """
    if len(brought.dialogues) < LEAST:
        why = (
            f"; the first that was set aside: {brought.aside[0].place}: {brought.aside[0].reason}"
            if brought.aside
            else ""
        )
        raise BadData(
            f"{brought.corpus.name} holds {len(brought.dialogues)} dialogues to learn from; wanted {LEAST} "
            f"or more{why}"
        )
    groups = _together(brought.dialogues)
    count = len(brought.dialogues)
    wanted = (
        min(max(round(count * CHECKED), 1), MOST_CHECKED),
        min(max(round(count * TESTED), 1), MOST_TESTED) if test else 0,
    )
    parts: tuple[list[Dialogue], ...] = ([], [], [])
    for number in np.random.default_rng(seed).permutation(len(groups)):
        group = groups[number]
        open_parts = (i for i in (2, 1) if len(parts[i]) < wanted[i - 1] and len(group) <= wanted[i - 1])
        parts[next(open_parts, 0)].extend(group)
    if not all(part or not size for part, size in zip(parts, (1, *wanted), strict=True)):
        raise BadData(
            f"{brought.corpus.name} shows the same over and over, and cannot be parted into what is learned "
            "and what is held out; wanted more different pictures"
        )
    return Deal(*(tuple(sorted(part)) for part in parts))


def step_of(lessons: Sequence[Dialogue], size: int, seed: int, step: int) -> list[Dialogue]:
    """The dialogues of optimiser step `step` (0-based): all of them in a new order each time round."""
    chosen = []
    for number in range(step * size, (step + 1) * size):
        turn, place = divmod(number, len(lessons))
        chosen.append(lessons[int(_order(len(lessons), seed, turn)[place])])
    return chosen


def passes(dialogues: Sequence[Dialogue], most: int) -> list[list[Dialogue]]:
    """Cut a step into passes of at most `most` tokens (a longer dialogue alone)."""
    packed = packs([dialogue.tokens for dialogue in dialogues], most)
    return [[dialogues[number] for number in chosen] for chosen in packed]


@functools.lru_cache(maxsize=2)
def _order(count: int, seed: int, turn: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, turn)).permutation(count)


def _together(dialogues: Sequence[Dialogue]) -> list[list[Dialogue]]:
    """Dialogues that show the same, directly or by way of others, in one group."""
    leader: dict[str, str] = {}

    def first(name: str) -> str:
        while (above := leader.setdefault(name, name)) != name:
            leader[name] = leader[above]
            name = above
        return name

    for dialogue in dialogues:
        names = sorted(dialogue.shown)
        for name in names[1:]:
            leader[first(name)] = first(names[0])
    groups: dict[str, list[Dialogue]] = {}
    for dialogue in dialogues:
        groups.setdefault(first(min(dialogue.shown)), []).append(dialogue)
    return list(groups.values())
