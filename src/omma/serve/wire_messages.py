"""Turns of a conversation as a client may send them, and what stands in them: words, pictures, calls."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, JsonValue, Tag
from pydantic_core import PydanticCustomError

Word: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
ToolName: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


def _no_number(raw: Any) -> Any:
    """0 is no false."""
    if raw is not None and not isinstance(raw, bool):
        raise PydanticCustomError("bool_type", "true or false")
    return raw


No: TypeAlias = Annotated[Literal[False] | None, BeforeValidator(_no_number)]
Pixels: TypeAlias = Annotated[int, Field(ge=1, le=2**31)]


class Wire(BaseModel):
    """Read as it stands: no number out of a text, no field that nobody knows."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class TextPart(Wire):
    """Words."""

    type: Literal["text"]
    text: str


class PictureSource(Wire):
    """A picture: a data: URL, `media:ID` of an upload, or an address where the server fetches those.

    `detail` low is at most 512 × 512 pixels of area and never more than the model's own limit; all others
    are the model's own limits. `min_pixels` and `max_pixels` are limits of area instead of those.
    """

    url: Annotated[str, Field(min_length=1)]
    detail: Literal["auto", "low", "high", "original"] | None = None
    min_pixels: Pixels | None = None
    max_pixels: Pixels | None = None


class InsidePicture(Wire):
    """The answer is boxes with labels, or points, that lie inside a picture, as the model writes them.

    `picture` is its number among all that is shown, from 0; at most `most` of them are written.
    """

    kind: Literal["boxes", "points"]
    picture: Annotated[int, Field(ge=0, le=1024)] = 0
    most: Annotated[int, Field(ge=1, le=256)] = 64


class PicturePart(Wire):
    """A picture."""

    type: Literal["image_url"]
    image_url: PictureSource


class VideoWishes(Wire):
    """What may be wished of a video: `fps` samples a second, from `start` to `stop` seconds."""

    fps: Annotated[float, Field(gt=0, le=120)] | None = None
    max_frames: Annotated[int, Field(ge=1, le=100_000)] | None = None
    start: Annotated[float, Field(ge=0, le=1e6)] | None = None
    stop: Annotated[float, Field(ge=0, le=1e6)] | None = None
    max_pixels: Pixels | None = None


class VideoSource(VideoWishes):
    """A video, given as pictures are."""

    url: Annotated[str, Field(min_length=1)]


class VideoPart(Wire):
    """A video."""

    type: Literal["video_url"]
    video_url: VideoSource


def _words_or_parts(raw: Any) -> str:
    return "parts" if isinstance(raw, (list, tuple)) else "words"


Part: TypeAlias = Annotated[TextPart | PicturePart | VideoPart, Field(discriminator="type")]
Words: TypeAlias = Annotated[str, Tag("words")]
Texts: TypeAlias = Annotated[
    Words | Annotated[list[TextPart], Field(min_length=1), Tag("parts")], Discriminator(_words_or_parts)
]
Parts: TypeAlias = Annotated[
    Words | Annotated[list[Part], Field(min_length=1), Tag("parts")], Discriminator(_words_or_parts)
]


class RefusalPart(Wire):
    """Words with which another model refused."""

    type: Literal["refusal"]
    refusal: str


AnswerParts: TypeAlias = Annotated[
    Words
    | Annotated[
        list[Annotated[TextPart | RefusalPart, Field(discriminator="type")]],
        Field(min_length=1),
        Tag("parts"),
    ],
    Discriminator(_words_or_parts),
]


class CalledFunction(Wire):
    """A function that was called, its arguments as JSON in a text."""

    name: ToolName
    arguments: str


class CalledTool(Wire):
    """A tool that the assistant called."""

    id: Annotated[str, Field(min_length=1, max_length=256)]
    type: Literal["function"]
    function: CalledFunction


class Turn(Wire):
    """A turn of a conversation. No model here is told a `name`: the answer says that it was ignored."""

    name: str | None = None


class SystemMessage(Turn):
    """What the assistant is told beforehand; "developer" means the same."""

    role: Literal["system", "developer"]
    content: Texts


class UserMessage(Turn):
    """What a person says and shows."""

    role: Literal["user"]
    content: Parts


class AssistantMessage(Turn):
    """What the assistant said. Fields that answers of OpenAI have may come back; a refusal is its words."""

    role: Literal["assistant"]
    content: AnswerParts | None = None
    reasoning_content: str | None = None
    tool_calls: list[CalledTool] | None = None
    refusal: str | None = None
    audio: None = None
    function_call: None = None
    annotations: Annotated[list[JsonValue], Field(max_length=0)] | None = None


class ToolMessage(Turn):
    """What a tool gave back: words, and what it shows."""

    role: Literal["tool"]
    tool_call_id: Annotated[str, Field(min_length=1, max_length=256)]
    content: Parts


Message: TypeAlias = Annotated[
    SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")
]
