"""What a conversation shows, as the tower will get it: sizes, grids and tokens, without a picture opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from omma.chat import Image
from omma.errors import PromptTooLong, UnknownOption
from omma.prep.rules import PictureRules, published_rules, read_rules, square_rules
from omma.prep.video import frame_size, frames_to_take, volume_size
from omma.prep.visuals import picture_size
from omma.sample import Grid, Size
from omma.spec import ModelSpec

SHOT_AT = 30.0  # frames a second of a video that nobody has seen yet
FULL_MOTION = 1.0  # and in which as much may move as can
WORDS, ANSWER = 1024, 512  # tokens beside what is shown; how many of them are the answer's, at most


class Film(NamedTuple):
    """A video: the size of its frames in pixels, and its length in seconds."""

    size: Size
    seconds: float


class Shown(NamedTuple):
    """A picture or a video as it is prepared: pixels in, frames and their size, grid, tokens."""

    original: Size
    resized: Size
    frames: int
    grid: Grid
    tokens: int


@dataclass(frozen=True)
class Wish:
    """Conversations to plan for: `batch` of them at once, each with these pictures and videos.

    `context` is how many tokens each of them has, what is shown and the answer included; None is what is
    shown and WORDS more. `fps` is how many frames of each second of video are taken.
    """

    pictures: Sequence[Size] = ()
    films: Sequence[Film] = ()
    fps: float | None = None
    batch: int = 1
    context: int | None = None


class Talk(NamedTuple):
    """One of the conversations: what it shows, and how many tokens it reads and then writes."""

    shown: tuple[Shown, ...]
    visual: int
    prompt: int
    answer: int

    @property
    def tokens(self) -> int:
        """All of them."""
        return self.prompt + self.answer


def rules_of(spec: ModelSpec, folder: Path | None = None) -> PictureRules:
    """How a model looks at pictures: as its folder says, or as the published folders of its kind do."""
    published = published_rules(spec)
    return square_rules(spec.vision) or (read_rules(folder, published) if folder else published)


def talk_of(wish: Wish, rules: PictureRules, *, context: int) -> Talk:
    """What one conversation comes to. `context` is how many tokens the model holds.

    Raises UnknownOption for a context that what is shown does not fit into, PromptTooLong for one that the
    model does not hold, and BadPicture or BadVideo for a shape that is not understood.
    """
    shown = (
        *(_picture(size, rules) for size in wish.pictures),
        *(_film(film, rules, wish.fps or rules.rate(FULL_MOTION, film.seconds)) for film in wish.films),
    )
    visual = sum(one.tokens for one in shown)
    tokens = wish.context or visual + WORDS
    if tokens > context:
        raise PromptTooLong(
            f"a conversation of {tokens:,} tokens, {visual:,} of them pictures and videos, is more than the "
            f"{context:,} that the model holds; show less, or take a lower --fps"
        )
    if tokens < visual + 2:
        raise UnknownOption(
            f"--context {tokens}: what is shown takes {visual:,} tokens; wanted {visual + 2:,} or more"
        )
    answer = min(ANSWER, (tokens - visual) // 2)
    return Talk(shown, visual, tokens - answer, answer)


def _picture(size: Size, rules: PictureRules) -> Shown:
    named = Image(f"--picture {size.width}x{size.height}")  # what a refusal calls it
    return _shown(size, picture_size(named, rules, size), 1, rules)


def _film(film: Film, rules: PictureRules, fps: float) -> Shown:
    if rules.side is not None:
        raise UnknownOption("--video: this model sees no videos; give its frames as --pictures N")
    there = max(1, round(film.seconds * SHOT_AT))
    frames = frames_to_take(there, SHOT_AT, fps, rules)
    sized = frame_size if rules.volume is None else volume_size
    return _shown(film.size, sized(film.size, frames, rules), frames, rules)


def _shown(original: Size, resized: Size, frames: int, rules: PictureRules) -> Shown:
    slices = -(-frames // rules.temporal)
    grid = Grid(slices, resized.height // rules.patch, resized.width // rules.patch)
    return Shown(original, resized, frames, grid, grid.cells(rules.merge))
