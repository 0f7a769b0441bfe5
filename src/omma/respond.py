"""A loaded model that answers: the one object a person holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
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
    whole,
)
from omma.engine.engine import score
from omma.engine.generate import Piece, generate
from omma.engine.request import Request, read_defaults, request
from omma.errors import OmmaError, UnknownOption
from omma.loading import Loaded
from omma.model.memory import memory_for
from omma.prep.actions import Step, parse_step
from omma.prep.boxes import Box, Point, parse_boxes, parse_points
from omma.prep.dialects import dialect_of
from omma.prep.document_markdown import parse_document
from omma.prep.documents import Document
from omma.prep.polygons import Polygon, parse_polygons
from omma.prep.solids import Solid, parse_solids
from omma.prep.sources import names_video
from omma.prep.spans import Sighting, Span, parse_sightings, parse_spans
from omma.skills import describe, document, find, locate, point, read

PLAIN = Options()

Media = MediaSource | Image | Video


@dataclass(frozen=True)
class Reply(Answer):
    """An answer with its geometry, in pixels of the pictures that were shown."""

    def boxes(self, picture: int = 0) -> list[Box]:
        """The boxes in the text, taken as lying in the picture of this number; [] if there are none."""
        return parse_boxes(self.said, self.seen[picture]) if self.seen else []

    def points(self, picture: int = 0) -> list[Point]:
        """The points in the text, taken as lying in the picture of this number; [] if there are none."""
        return parse_points(self.said, self.seen[picture]) if self.seen else []

    def polygons(self, picture: int = 0) -> list[Polygon]:
        """The quads and polygons in the text, in pixels of that picture."""
        return parse_polygons(self.said, self.seen[picture]) if self.seen else []

    def solids(self, picture: int = 0) -> list[Solid]:
        """The 3D boxes in the text, in metres before the camera of that picture."""
        return parse_solids(self.said, self.seen[picture]) if self.seen else []

    def spans(self, video: int = 0) -> list[Span]:
        """The spans in the text, in seconds of the video of this number among all that was shown."""
        return parse_spans(self.said, self.seen[video]) if self.seen else []

    def sightings(self, video: int = 0) -> list[Sighting]:
        """Boxes with their seconds, of that video."""
        return parse_sightings(self.said, self.seen[video]) if self.seen else []

    def document(self, picture: int = 0) -> Document | None:
        """The text as a page, in QwenVL HTML or Markdown, of that picture; None if none was shown."""
        return parse_document(self.said, self.seen[picture]) if self.seen else None

    def step(self, picture: int = 0) -> Step:
        """What the text says is to be done on the screen that this picture shows."""
        return parse_step(self.said, self.seen[picture]) if self.seen else Step(())


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

    @property
    def thinks(self) -> bool:
        """Whether its answers begin with thoughts."""
        return self.processor.thinks

    @property
    def dialect(self) -> str:
        """How it writes places and times: a name in prep.dialects."""
        return self.spec.boxes

    def ask(self, media: Media | Sequence[Media] | None, question: str, **options: Any) -> Reply:
        """Ask about a picture, a video (by its ending, or a `chat.Video`), several of them, or nothing."""
        shown = media if isinstance(media, (list, tuple)) else [] if media is None else [media]
        return self._reply([message("user", *map(_part, shown), question)], Options.of(**options))

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
        return self._reply(messages(spoken), wishes)

    def find(self, picture: MediaSource | Image, what: str, **options: Any) -> find.Found:
        """Boxes of every `what` in pixels of the picture: `skills.find`."""
        return find.find(self, picture, what, Options.of(**options))

    def read(self, picture: MediaSource | Image, *, boxes: bool = True, **options: Any) -> read.Page:
        """All text of the picture, line by line: `skills.read`."""
        return read.read(self, picture, Options.of(**options), boxes=boxes)

    def point(self, picture: MediaSource | Image, what: str, **options: Any) -> Point | None:
        """The place of `what` in pixels of the picture: `skills.point`."""
        return point.point(self, picture, what, Options.of(**options))

    def locate(self, video: MediaSource | Video, what: str, **options: Any) -> locate.Located:
        """When `what` happens, in seconds of the video: `skills.locate`."""
        return locate.locate(self, video, what, Options.of(**options))

    def document(self, picture: MediaSource | Image, *, places: bool = True, **options: Any) -> Document:
        """The page as headings, texts, tables and pictures, in pixels of the picture: `skills.document`."""
        return document.document(self, picture, Options.of(**options), places=places)

    def describe(self, picture: MediaSource | Image, **options: Any) -> str:
        """What the picture shows, in words: `skills.describe`."""
        return describe.describe(self, picture, Options.of(**options))

    def stream(self, spoken: Sequence[Message], options: Options = PLAIN) -> Iterator[Delta]:
        """Answer piece by piece. What is wrong with the conversation is raised before the first piece."""
        options.check()
        asked, seen = self._request(spoken, options)
        return (_delta(piece, seen) for piece in self._pieces([asked]))

    @overload
    def generate(
        self, conversations: Iterable[Spoken], *, errors: Literal["raise"] = "raise", **options: Any
    ) -> list[Reply]: ...
    @overload
    def generate(
        self, conversations: Iterable[Spoken], *, errors: Literal["return"], **options: Any
    ) -> list[Reply | OmmaError]: ...
    def generate(
        self,
        conversations: Iterable[Spoken],
        *,
        errors: Literal["raise", "return"] = "raise",
        **options: Any,
    ) -> Sequence[Reply | OmmaError]:
        """Answer many conversations in one batch, each as it would be answered alone, in their order.

        With `errors` "return" a conversation that cannot be answered has its error in the answer's place, and
        all others are answered. With "raise" the first error that is met is raised, and says which it was.
        """
        if errors not in ("raise", "return"):
            raise UnknownOption(f"errors is {errors!r}; wanted 'raise' or 'return'")
        told: dict[int, Reply | OmmaError] = {}
        for index, answer in self.answers(conversations, Options.of(**options)):
            if isinstance(answer, OmmaError) and errors == "raise":
                raise type(answer)(f"conversation {index}: {answer}")
            told[index] = answer
        return [told[index] for index in range(len(told))]

    def answers(
        self, conversations: Iterable[Spoken], options: Options = PLAIN, *, rows: int = 32
    ) -> Iterator[tuple[int, Reply | OmmaError]]:
        """Answers to many conversations, each with its place in line, as they are finished.

        `rows` are answered at a time; a conversation is drawn, and its pictures opened, when its turn comes.
        One that cannot be answered ends alone: its error comes in the answer's place, and the others go on.
        Options out of their range are raised.
        """
        options.check()
        places: list[int] = []  # of each request, its conversation
        shown: dict[int, tuple[Seen, ...]] = {}
        refused: deque[tuple[int, OmmaError]] = deque()

        def line() -> Iterator[Request]:
            for index, spoken in enumerate(conversations):
                try:
                    asked, shown[index] = self._request(messages(spoken), options)
                except OmmaError as wrong:
                    refused.append((index, _alone(wrong)))
                else:
                    places.append(index)
                    yield asked

        texts: dict[int, str] = {}
        for piece in self._pieces(line(), rows=rows):
            while refused:
                yield refused.popleft()
            place = places[piece.index]
            texts[place] = texts.get(place, "") + piece.text
            if piece.error is not None:
                yield place, _alone(piece.error)
            elif piece.finish is not None and piece.usage is not None:
                yield place, Reply(texts[place], piece.finish, piece.usage, shown[place])
            else:
                continue
            del texts[place], shown[place]
        yield from refused

    def logits(self, spoken: Spoken) -> Tensor:
        """Scores of the next token after every token, fp32 (T, V).

        A conversation that ends with the assistant is taken whole, any other as a prompt for it.
        """
        told = messages(spoken)
        return score(self.network, self.processor.sample(told, prompt=told[-1].role != "assistant"))

    def _reply(self, spoken: Sequence[Message], options: Options) -> Reply:
        told = whole(self.stream(spoken, options))
        return Reply(told.text, told.finish_reason, told.usage, told.seen)

    def _request(self, spoken: Sequence[Message], options: Options) -> tuple[Request, tuple[Seen, ...]]:
        with memory_for("opening what is shown", "show fewer pictures, or smaller ones"):
            sample = self.processor.sample(spoken)
        asked = request(sample, options, self._defaults, context=self.spec.decoder.context)
        return asked, self.processor.seen(sample)

    def _pieces(self, requests: Iterable[Request], *, rows: int = 1) -> Iterator[Piece]:
        places = dialect_of(self.dialect).dress != "json"
        bytes_of = partial(self.processor.tokenizer.bytes_of, skip_marks=True, places=places)
        return generate(self.network, requests, bytes_of, rows=rows)


def _delta(piece: Piece, seen: tuple[Seen, ...]) -> Delta:
    if piece.error is not None:
        raise piece.error
    return Delta(piece.text, piece.finish, piece.usage, seen if piece.finish is not None else ())


def _alone(wrong: OmmaError) -> OmmaError:
    """The error without the frames it passed through: those hold pictures, and errors may be kept."""
    return copy(wrong)


def _part(media: Media) -> Image | Video:
    if isinstance(media, (Image, Video)):
        return media
    return Video(media) if names_video(media) else Image(media)
