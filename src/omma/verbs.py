"""What one may ask of any model, in this process or behind an address: the verbs, over a stream of pieces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Literal, overload

from omma.chat import (
    Answer,
    Delta,
    Image,
    MediaSource,
    Message,
    Options,
    Spoken,
    ToolCall,
    Video,
    message,
    messages,
    whole,
)
from omma.errors import BadMessage, OmmaError, UnknownOption
from omma.prep.actions import Step, parse_step
from omma.prep.boxes import Box, Point, parse_boxes, parse_points
from omma.prep.calls import parse_calls
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

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The tools that the text calls, those that are whole."""
        return parse_calls(self.said).calls

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


class Verbs(ABC):
    """A model that can be asked. Who makes one says how it streams and what it speaks; the rest follows.

    Options are those of `chat.Options`, by name. An unknown option or a value out of its range is an
    UnknownOption.
    """

    @property
    @abstractmethod
    def thinks(self) -> bool:
        """Whether its answers begin with thoughts."""

    @property
    @abstractmethod
    def dialect(self) -> str:
        """How it writes places and times: a name in prep.dialects."""

    @abstractmethod
    def stream(self, spoken: Sequence[Message], options: Options = PLAIN) -> Iterator[Delta]:
        """Answer piece by piece. What is wrong with the conversation is raised before the first piece."""

    @abstractmethod
    def answers(
        self, conversations: Iterable[Spoken], options: Options = PLAIN, *, rows: int = 32
    ) -> Iterator[tuple[int, Reply | OmmaError]]:
        """Answers to many conversations, each with its place in line, as they are finished.

        `rows` are answered at a time; a conversation is drawn, and its pictures opened, when its turn comes.
        One that cannot be answered ends alone: its error comes in the answer's place, and the others go on.
        Options out of their range are raised.
        """

    def ask(self, media: Media | Sequence[Media] | None, question: str, **options: Any) -> Reply:
        """Ask about a picture, a video (by its ending, or a `chat.Video`), several of them, or nothing."""
        if not isinstance(question, str):
            raise BadMessage(f"question is {question!r:.80}; say in words what is asked")
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

    def find(
        self, picture: MediaSource | Image, what: str, *, inside: bool = False, **options: Any
    ) -> find.Found:
        """Boxes of every `what` in pixels of the picture: `skills.find`."""
        return find.find(self, picture, what, Options.of(**options), inside=inside)

    def read(self, picture: MediaSource | Image, *, boxes: bool = True, **options: Any) -> read.Page:
        """All text of the picture, line by line: `skills.read`."""
        return read.read(self, picture, Options.of(**options), boxes=boxes)

    def point(
        self, picture: MediaSource | Image, what: str, *, inside: bool = False, **options: Any
    ) -> Point | None:
        """The place of `what` in pixels of the picture: `skills.point`."""
        return point.point(self, picture, what, Options.of(**options), inside=inside)

    def locate(self, video: MediaSource | Video, what: str, **options: Any) -> locate.Located:
        """When `what` happens, in seconds of the video: `skills.locate`."""
        return locate.locate(self, video, what, Options.of(**options))

    def document(self, picture: MediaSource | Image, *, places: bool = True, **options: Any) -> Document:
        """The page as headings, texts, tables and pictures, in pixels of the picture: `skills.document`."""
        return document.document(self, picture, Options.of(**options), places=places)

    def describe(self, picture: MediaSource | Image, **options: Any) -> str:
        """What the picture shows, in words: `skills.describe`."""
        return describe.describe(self, picture, Options.of(**options))

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
        """Answer many conversations in one batch, each as if it were alone, in their order.

        Sums over several rows are rounded otherwise than over one, so that where two tokens are all but alike
        another may be written than alone, most of all in bfloat16.
        With `errors` "return" a conversation that cannot be answered has its error in the answer's place, and
        all others are answered. With "raise" the first error that is met is raised, and says which it was.
        """
        if errors not in ("raise", "return"):
            raise UnknownOption(f"errors is {errors!r}; wanted 'raise' or 'return'")
        if isinstance(conversations, (str, Mapping)) or not isinstance(conversations, Iterable):
            raise BadMessage(f"conversations is {type(conversations).__name__}; wanted a list of them")
        told: dict[int, Reply | OmmaError] = {}
        for index, answer in self.answers(conversations, Options.of(**options)):
            if isinstance(answer, OmmaError) and errors == "raise":
                raise _numbered(answer, index)
            told[index] = answer
        return [told[index] for index in range(len(told))]

    def _reply(self, spoken: Sequence[Message], options: Options) -> Reply:
        return whole(self.stream(spoken, options), Reply)


def _numbered(wrong: OmmaError, index: int) -> OmmaError:
    told = copy(wrong)
    told.args = (f"conversation {index}: {wrong}",)
    return told


def alone(wrong: OmmaError) -> OmmaError:
    """The error without the frames it passed through: those hold pictures, and errors may be kept."""
    return copy(wrong)


def _part(media: Media) -> Image | Video:
    if isinstance(media, (Image, Video)):
        return media
    return Video(media) if names_video(media) else Image(media)
