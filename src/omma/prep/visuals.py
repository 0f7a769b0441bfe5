"""A picture or a video of a conversation to patch rows with their geometry, within what room is left."""

from __future__ import annotations

from omma.chat import LOW_DETAIL, Image, Video, full_name, source_name
from omma.errors import BadMessage, BadPicture, PromptTooLong, UnknownOption
from omma.prep.patches import fit, patch_rows
from omma.prep.pictures import PictureLimits, open_picture
from omma.prep.reels import LIMITS, ReelLimits, is_list
from omma.prep.resize import smart_resize
from omma.prep.rules import PictureRules
from omma.prep.video import Clip, open_video
from omma.sample import Size, Visual

MOST = 10**9  # of any limit that a person sets
LARGEST = PictureLimits()


def see(part: Image | Video, rules: PictureRules, *, start: int, room: int) -> Visual:
    """The visual whose tokens begin at `start` and number `room` at most.

    Limits of the part go before the rules' own. A source that is a `Clip`, as `shot` makes it, is taken as it
    is. Raises UnknownOption when a limit makes no sense, PromptTooLong before anything large is computed, and
    what opening the source raises.
    """
    kind = "image" if isinstance(part, Image) else "video"
    if isinstance(part.source, Clip):
        clip = part.source
        _check_room(source_name(clip.name or f"the {kind}"), len(clip.frames), clip.resized, rules, room)
    else:
        clip = shot(part, rules, room=room)
    rows, grid = patch_rows(clip.frames, rules)
    stop = start + grid.cells(rules.merge)
    sizes = clip.original, clip.resized
    return Visual(kind, rows, grid, start, stop, *sizes, clip.times, clip.seconds_per_slice, clip.name)


def shot(
    part: Image | Video,
    rules: PictureRules,
    *,
    room: int,
    pictures: PictureLimits = LARGEST,
    reels: ReelLimits = LIMITS,
) -> Clip:
    """What the tower is to see of the part: decoded, upright, in RGB, resized, and not yet cut.

    A picture is a clip of one frame without a time. Raises what `see` raises. Whoever keeps a clip in the
    part's place (``replace(part, source=clip)``) sees the same numbers without the source.
    """
    match part:
        case Image():
            return _picture(part, rules, room, pictures)
        case Video():
            return _video(part, rules, room, reels)


def picture_size(part: Image, rules: PictureRules, original: Size) -> Size:
    """The size that a picture of `original` pixels is brought to, under the part's limits and the rules'.

    Raises UnknownOption for a limit that makes no sense, BadPicture for a shape that is not understood.
    """
    for name in ("min_pixels", "max_pixels"):
        _check(name, getattr(part, name), whole=True)
    if part.detail not in (None, "low"):
        raise UnknownOption(f"detail is {part.detail!r}; wanted 'low', or None for the model's own limits")
    least, most = part.min_pixels or rules.min_pixels, part.max_pixels or rules.max_pixels
    if part.detail == "low":
        most = min(most, LOW_DETAIL)
    if rules.side is not None:
        if not least <= rules.side**2 <= most:
            raise UnknownOption(
                f"this model sees every picture at {rules.side}×{rules.side} pixels, and the limits are "
                f"{least:,} and {most:,}; leave min_pixels and max_pixels out"
            )
        return Size(rules.side, rules.side)
    if part.min_pixels is None:
        least = min(least, most)
    elif part.max_pixels is None:
        most = max(least, most)
    try:
        return smart_resize(original, factor=rules.factor, min_pixels=least, max_pixels=most)
    except BadPicture as error:
        raise BadPicture(f"{source_name(part.source)}: {error}") from None


def _picture(part: Image, rules: PictureRules, room: int, limits: PictureLimits) -> Clip:
    name = source_name(part.source)
    picture = open_picture(part.source, limits)
    original = Size(*picture.size)
    size = picture_size(part, rules, original)
    _check_room(name, 1, size, rules, room)
    return Clip(fit(picture, size)[None], (), 0.0, original, size, full_name(part.source))


def _video(part: Video, rules: PictureRules, room: int, limits: ReelLimits) -> Clip:
    if rules.side is not None:
        raise BadMessage(
            f"{source_name(part.source)} is a video, and this model sees pictures only; show it some frames "
            "as pictures, one after the other"
        )
    for name in ("max_frames", "max_pixels"):
        _check(name, getattr(part, name), whole=True)
    _check("fps", part.fps)
    _check("start", part.start, least=0)
    _check("stop", part.stop, least=0)
    if part.times is not None and part.fps is not None:
        raise UnknownOption("a video has fps and times, which say two things; take one out")
    if part.times is not None and not is_list(part.source):
        raise UnknownOption(f"{source_name(part.source)} is a file; times are for a list of frames alone")
    if part.start is not None and part.stop is not None and part.start > part.stop:
        raise UnknownOption(f"start is {part.start:g} s and stop {part.stop:g} s; wanted the start first")
    return open_video(part, rules, room=room, limits=limits)


def _check_room(name: str, frames: int, size: Size, rules: PictureRules, room: int) -> None:
    tokens = -(-frames // rules.temporal) * size.width * size.height // rules.factor**2
    if tokens > room:
        raise PromptTooLong(
            f"{name} takes {tokens:,} tokens at {size.width}×{size.height}, and {max(room, 0):,} are left in "
            "the model's context; lower max_pixels, or show less"
        )


def _check(name: str, value: object, *, whole: bool = False, least: float = 1e-6) -> None:
    """Raise UnknownOption unless the value is None or a number that can be meant."""
    kinds = (int,) if whole else (int, float)
    if value is None or (isinstance(value, kinds) and not isinstance(value, bool) and least <= value <= MOST):
        return
    first = "a whole number from 1" if whole else f"a number from {f'{least:f}' if least else 0}"
    raise UnknownOption(f"{name} is {value!r}; wanted {first} to {MOST:,}")
