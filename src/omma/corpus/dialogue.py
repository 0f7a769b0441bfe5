"""A record as the model will learn from it: its sample, or only its measure where nothing is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from omma.chat import Image, Message, Text, Video
from omma.corpus.placing import place_boxes
from omma.corpus.record import Record
from omma.errors import PromptTooLong
from omma.prep.pictures import open_picture
from omma.prep.processor import Processor
from omma.prep.template import Mark
from omma.prep.visuals import picture_size
from omma.sample import Sample, Size


def sample_of(record: Record, processor: Processor) -> Sample:
    """The record as a sample. What is learned goes by role: answers and the marks that end their turns.

    An answer counts by its message's weight; all else, media and their marks among it, has weight 0.
    Raises BadInput: PromptTooLong over the model's context, and what the media or the boxes raise.
    """
    sample = processor.sample(place_boxes(record, processor), prompt=False, tools=record.tools)
    told = [w for said, w in zip(record.messages, record.weights, strict=True) if said.role == "assistant"]
    assert sample.weights_T is not None
    if all(weight == 1 for weight in told):
        return sample
    at_A = np.flatnonzero(sample.weights_T)
    weights_T = sample.weights_T.copy()
    answers = np.split(at_A, np.flatnonzero(np.diff(at_A) > 1) + 1)
    for answer, weight in zip(answers, told, strict=True):
        weights_T[answer] *= weight
    return replace(sample, weights_T=weights_T)


@dataclass(frozen=True)
class Measure:
    """How large a record is: tokens in all, those learned, those of media; sizes as the pictures came."""

    tokens: int
    learned: int
    visual: int
    pictures: tuple[Size, ...] = ()
    resized: tuple[Size, ...] = ()
    videos: int = 0


def measure(record: Record, processor: Processor, *, any_length: bool = False) -> Measure:
    """The same numbers as the sample has, without making a picture's rows.

    Every picture is opened all the same, so what is broken is found: raises what `sample_of` raises. With
    `any_length` a record over the model's context is measured too; `check_length` judges it.
    """
    if any(isinstance(part, Video) for part in media_of(record.messages)):
        return _measured(sample_of(record, processor))
    tokens = learned = visual = 0
    sizes: list[tuple[Size, Size]] = []
    weighed = _weights(record)
    spoken = place_boxes(record, processor)
    weight, inside = 0.0, False
    for piece in processor.pieces(spoken, prompt=False, tools=record.tools):
        match piece.what:
            case Mark():
                new = 1
            case Text(text):
                new = len(processor.spelled(text))
            case Image() as shown:
                sizes.append(_sizes(shown, processor))
                new = sizes[-1][1].width * sizes[-1][1].height // processor.rules.factor**2
                visual += new
        tokens += new
        if piece.learned:
            weight = weight if inside else next(weighed)
            learned += new if weight else 0
        inside = piece.learned
    pictures, resized = tuple(size for size, _ in sizes), tuple(size for _, size in sizes)
    whole = Measure(tokens, learned, visual, pictures, resized)
    if not any_length:
        check_length(whole, processor)
    return whole


def _measured(sample: Sample) -> Measure:
    """The measure of a sample that was made: of videos nobody knows the frames before they are opened."""
    shown = [visual for visual in sample.visuals if visual.kind == "image"]
    assert sample.weights_T is not None
    return Measure(
        tokens=sample.length,
        learned=int(np.count_nonzero(sample.weights_T)),
        visual=sum(visual.tokens for visual in sample.visuals),
        pictures=tuple(visual.original for visual in shown),
        resized=tuple(visual.resized for visual in shown),
        videos=len(sample.visuals) - len(shown),
    )


def check_length(measured: Measure, processor: Processor) -> None:
    """Raise PromptTooLong for a record over the model's context."""
    if measured.tokens > (context := processor.spec.decoder.context):
        raise PromptTooLong(
            f"the conversation has {measured.tokens:,} tokens, {measured.visual:,} of them from pictures and "
            f"videos; the model holds {context:,}"
        )


def _weights(record: Record) -> Iterator[float]:
    """The weight of each answer, in order."""
    return (w for said, w in zip(record.messages, record.weights, strict=True) if said.role == "assistant")


def _sizes(part: Image, processor: Processor) -> tuple[Size, Size]:
    original = Size(*open_picture(part.source).size)
    return original, picture_size(part, processor.rules, original)


def media_of(messages: Sequence[Message]) -> Iterator[Image | Video]:
    """The pictures and videos of a conversation, in the order they are shown."""
    return (part for said in messages for part in said.parts if not isinstance(part, Text))
