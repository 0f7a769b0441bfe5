"""A loaded model that answers: the one object a person holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, overload

from torch import Tensor

from omma.chat import (
    Answer,
    Delta,
    Image,
    MediaSource,
    Message,
    Options,
    Seen,
    Spoken,
    Video,
    message,
    messages,
)
from omma.engine.engine import score
from omma.engine.generate import Piece, generate
from omma.engine.request import Request, read_defaults, request
from omma.loading import Loaded
from omma.prep.boxes import Box, Point, parse_boxes, parse_points
from omma.skills import describe, find, point, read

VIDEO_ENDINGS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".flv"})
PLAIN = Options()

Media = MediaSource | Image | Video


@dataclass(frozen=True)
class Reply(Answer):
    """An answer with its geometry, in pixels of the pictures that were shown."""

    def boxes(self, picture: int = 0) -> list[Box]:
        """The boxes in the text, taken as lying in the picture of this number; [] if there are none."""
        return parse_boxes(self.text, self.seen[picture]) if self.seen else []

    def points(self, picture: int = 0) -> list[Point]:
        """The points in the text, taken as lying in the picture of this number; [] if there are none."""
        return parse_points(self.text, self.seen[picture]) if self.seen else []


class Model:
    """Asks a model that lies in this process. A `chat.Responder`; made by `omma.load`.

    Options are those of `chat.Options`, by name; what is left open is as the model's generation_config.json
    says, greedy where it says nothing. An unknown option or a value out of range is an UnknownOption.
    """

    def __init__(self, loaded: Loaded) -> None:
        self.name, self.spec, self.processor = loaded.name, loaded.spec, loaded.processor
        self.network = loaded.model
        self._defaults = read_defaults(loaded.generation, loaded.spec.ids)

    def __repr__(self) -> str:
        weight = next(self.network.parameters())
        return f"<omma.Model {self.name}: {self.spec.family}, {weight.dtype}, {weight.device}>"

    def ask(self, media: Media | Sequence[Media] | None, question: str, **options: Any) -> Reply:
        """Ask about a picture, a video (by its ending, or a `chat.Video`), several of them, or nothing."""
        shown = media if isinstance(media, (list, tuple)) else [] if media is None else [media]
        return self.generate([[message("user", *map(_part, shown), question)]], **options)[0]

    @overload
    def chat(self, spoken: Spoken, *, stream: Literal[False] = False, **options: Any) -> Reply: ...
    @overload
    def chat(self, spoken: Spoken, *, stream: Literal[True], **options: Any) -> Iterator[Delta]: ...
    def chat(self, spoken: Spoken, *, stream: bool = False, **options: Any) -> Reply | Iterator[Delta]:
        """Answer a conversation in OpenAI's form or ours: whole, or piece by piece.

        Raises BadMessage, BadPicture, MissingFile, BadVideo, PromptTooLong and UnknownOption.
        """
        wishes = Options.of(**options)
        if stream:
            return self.stream(messages(spoken), wishes)
        return self.generate([spoken], **options)[0]

    def find(self, picture: MediaSource | Image, what: str, **options: Any) -> find.Found:
        """Boxes of every `what` in pixels of the picture: `skills.find`."""
        return find.find(self, picture, what, Options.of(**options))

    def read(self, picture: MediaSource | Image, *, boxes: bool = True, **options: Any) -> read.Page:
        """All text of the picture, line by line: `skills.read`."""
        return read.read(self, picture, Options.of(**options), boxes=boxes)

    def point(self, picture: MediaSource | Image, what: str, **options: Any) -> Point | None:
        """The place of `what` in pixels of the picture: `skills.point`."""
        return point.point(self, picture, what, Options.of(**options))

    def describe(self, picture: MediaSource | Image, **options: Any) -> str:
        """What the picture shows, in words: `skills.describe`."""
        return describe.describe(self, picture, Options.of(**options))

    def stream(self, spoken: Sequence[Message], options: Options = PLAIN) -> Iterator[Delta]:
        """Answer piece by piece. What is wrong with the conversation is raised before the first piece."""
        asked, seen = self._request(spoken, options)
        return (_delta(piece, seen) for piece in self._pieces([asked]))

    def generate(self, conversations: Iterable[Spoken], **options: Any) -> list[Reply]:
        """Answer many conversations in one batch, each as it would be answered alone, in their order."""
        answers = dict(self.answers(conversations, Options.of(**options)))
        return [answers[i] for i in range(len(answers))]

    def answers(
        self, conversations: Iterable[Spoken], options: Options = PLAIN, *, rows: int = 32
    ) -> Iterator[tuple[int, Reply]]:
        """Answers to many conversations, each with its place in line, as they are finished.

        `rows` are answered at a time; a conversation is drawn, and its pictures opened, when its turn comes.
        """
        shown: dict[int, tuple[Seen, ...]] = {}

        def line() -> Iterator[Request]:
            for index, spoken in enumerate(conversations):
                asked, shown[index] = self._request(messages(spoken), options)
                yield asked

        texts: dict[int, str] = {}
        for piece in self._pieces(line(), rows=rows):
            texts[piece.index] = texts.get(piece.index, "") + piece.text
            if piece.finish is not None and piece.usage is not None:
                text, seen = texts.pop(piece.index), shown.pop(piece.index)
                yield piece.index, Reply(text, piece.finish, piece.usage, seen)

    def logits(self, spoken: Spoken) -> Tensor:
        """Scores of the next token after every token, fp32 (T, V).

        A conversation that ends with the assistant is taken whole, any other as a prompt for it.
        """
        told = messages(spoken)
        return score(self.network, self.processor.sample(told, prompt=told[-1].role != "assistant"))

    def _request(self, spoken: Sequence[Message], options: Options) -> tuple[Request, tuple[Seen, ...]]:
        options.check()
        sample = self.processor.sample(spoken)
        asked = request(sample, options, self._defaults, context=self.spec.decoder.context)
        return asked, self.processor.seen(sample)

    def _pieces(self, requests: Iterable[Request], *, rows: int = 1) -> Iterator[Piece]:
        bytes_of = partial(self.processor.tokenizer.bytes_of, skip_marks=True)
        return generate(self.network, requests, bytes_of, rows=rows)


def _delta(piece: Piece, seen: tuple[Seen, ...]) -> Delta:
    return Delta(piece.text, piece.finish, piece.usage, seen if piece.finish is not None else ())


def _part(media: Media) -> Image | Video:
    if isinstance(media, (Image, Video)):
        return media
    named = isinstance(media, (str, Path)) and Path(str(media)).suffix.lower() in VIDEO_ENDINGS
    return Video(media) if named else Image(media)
