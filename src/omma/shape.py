"""What the text of an answer has to be: JSON of a schema, a regular expression, boxes inside a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:  # numpy, which `--help` has no need of
    from omma.sample import Size


@dataclass(frozen=True)
class Json:
    """Any JSON object."""


@dataclass(frozen=True)
class Schema:
    """JSON that a JSON Schema describes. `schema` is a mapping that nobody changes afterwards."""

    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Matching:
    """Text that a regular expression describes from its beginning to its end."""

    pattern: str


@dataclass(frozen=True)
class Places:
    """Boxes with labels inside a picture, x1 < x2 and y1 < y2, written as the model writes them.

    `resized` is the picture's size as the model saw it, `boxes` names a dialect of `prep.dialects`; left
    open, they are those of the `picture` of that number among all that is shown. At most `most` boxes; with
    `points` points instead.
    """

    resized: Size | None = None
    boxes: str | None = None
    most: int = 64
    points: bool = False
    picture: int = 0


@dataclass(frozen=True)
class Calls:
    """One call of a tool or several, each of the tool's own parameters. `tools` are (name, JSON Schema).

    With `must` there is at least one call and nothing else; otherwise text may stand before calls.
    """

    tools: tuple[tuple[str, Mapping[str, Any]], ...]
    must: bool = True
    several: bool = True


Shape: TypeAlias = Json | Schema | Matching | Places | Calls
