"""The verbs that look: find, read, point, locate; what was found is drawn on a copy of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from omma.chat import full_name, source_name
from omma.cli import options as given
from omma.cli.bring import model as bring_model
from omma.cli.bring import picture as bring_picture
from omma.cli.bring import video as bring_video
from omma.cli.forms import box_form, line_form, point_form, span_form
from omma.cli.options import DEFAULT_MODEL, examples, wishes
from omma.cli.say import aside, rows, say, say_json
from omma.cli.target import check_target
from omma.errors import MissingFile, UnknownOption

if TYPE_CHECKING:
    from omma.prep.boxes import Box, Point
    from omma.skills.read import Line

LOOK = "Look"
NOTHING = 1  # exit code: the work was done and there is no place to give


def enrol(app: typer.Typer) -> None:
    """Put this room's verbs on the program."""
    app.command(
        rich_help_panel=LOOK,
        epilog=examples(
            'omma find examples/shapes.png "red circle"',
            "omma find examples/stars.png star --draw found.png",
            "omma find photo.jpg person --json",
        ),
    )(find)
    app.command(
        rich_help_panel=LOOK,
        epilog=examples(
            "omma read examples/heading.png",
            "omma read scan.png --as markdown",
            "omma read examples/dialog.png --json --draw lines.png",
        ),
    )(read)
    app.command(
        rich_help_panel=LOOK,
        epilog=examples(
            "omma point examples/form.png 'the \"Save\" button'",
            'omma point screen.png "the search field" --json',
        ),
    )(point)
    app.command(
        rich_help_panel=LOOK,
        epilog=examples(
            'omma locate lecture.mp4 "the speaker opens the box"',
            'omma locate street.mp4 "a bus stops" --fps 1 --json',
        ),
    )(locate)


def find(
    picture: given.Picture,
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="What to look for, in words.", show_default=False)
    ],
    model: given.ModelName = DEFAULT_MODEL,
    device: given.Device = "auto",
    dtype: given.Dtype = "auto",
    connect: given.Connect = None,
    max_tokens: given.MaxTokens = None,
    max_pixels: given.MaxPixels = None,
    inside: given.Inside = False,
    draw: given.Draw = None,
    json: given.Json = False,
) -> None:
    """Find every such thing and give its box.

    Boxes are in pixels of the picture: left, top, right, bottom.
    """
    canvas = drawable(draw, picture)
    image = bring_picture(picture, max_pixels)
    finder = bring_model(model, device, dtype, connect)
    found = finder.find(image, what, inside=inside, **wishes(max_tokens=max_tokens))
    _draw(picture, found, canvas)
    if not found.complete:
        aside("the list was cut where the answer reached its length; raise --max-tokens for the rest")
    if json:
        boxes = [box_form(box) for box in found]
        say_json({"picture": full_name(picture), "boxes": boxes, "complete": found.complete})
    elif found:
        say(rows([box.label, *map(_pixel, (box.x1, box.y1, box.x2, box.y2))] for box in found))
    else:
        aside(f"no {what} was found in {source_name(picture)}")


def read(
    picture: given.Picture,
    form: Annotated[
        Literal["text", "markdown", "html"],
        typer.Option("--as", help="How to write the page.", rich_help_panel=given.OUTPUT),
    ] = "text",
    model: given.ModelName = DEFAULT_MODEL,
    device: given.Device = "auto",
    dtype: given.Dtype = "auto",
    connect: given.Connect = None,
    max_tokens: given.MaxTokens = None,
    max_pixels: given.MaxPixels = None,
    draw: given.Draw = None,
    json: given.Json = False,
) -> None:
    """Read all the text, line by line.

    Where lines stand is asked only if it is needed: for --json, --draw,
    markdown and html.
    """
    canvas = drawable(draw, picture)
    image = bring_picture(picture, max_pixels)
    boxes = json or draw is not None or form != "text"
    reader = bring_model(model, device, dtype, connect)
    page = reader.read(image, boxes=boxes, **wishes(max_tokens=max_tokens))
    _draw(picture, page.lines, canvas)
    if not page.complete:
        aside("the text was cut where the answer reached its length; raise --max-tokens for the rest")
    if json:
        lines = [line_form(line) for line in page.lines]
        called = full_name(picture)
        say_json({"picture": called, "text": page.text, "lines": lines, "complete": page.complete})
    else:
        write = {"text": lambda: page.text, "markdown": page.to_markdown, "html": page.to_html}[form]
        say(write().rstrip("\n"))


def point(
    picture: given.Picture,
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="What to point at, in words.", show_default=False)
    ],
    model: given.ModelName = DEFAULT_MODEL,
    device: given.Device = "auto",
    dtype: given.Dtype = "auto",
    connect: given.Connect = None,
    max_tokens: given.MaxTokens = None,
    max_pixels: given.MaxPixels = None,
    inside: given.Inside = False,
    draw: given.Draw = None,
    json: given.Json = False,
) -> int:
    """Point at one thing and give the place.

    The place is in pixels of the picture: x, y. Exit code 1 if none was given.
    """
    canvas = drawable(draw, picture)
    image = bring_picture(picture, max_pixels)
    pointer = bring_model(model, device, dtype, connect)
    place = pointer.point(image, what, inside=inside, **wishes(max_tokens=max_tokens))
    _draw(picture, [place], canvas)
    if json:
        say_json({"picture": full_name(picture), "point": place and point_form(place)})
    elif place:
        say(f"{_pixel(place.x)} {_pixel(place.y)}")
    else:
        aside(f"no place was given for {what} in {source_name(picture)}")
    return 0 if place else NOTHING


def locate(
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="A video file.", show_default=False)],
    what: Annotated[str, typer.Argument(metavar="WHAT", help="What happens, in words.", show_default=False)],
    model: given.ModelName = DEFAULT_MODEL,
    device: given.Device = "auto",
    dtype: given.Dtype = "auto",
    connect: given.Connect = None,
    max_tokens: given.MaxTokens = None,
    max_pixels: given.MaxPixels = None,
    fps: given.Fps = None,
    json: given.Json = False,
) -> None:
    """Find when something happens in a video.

    Spans are in seconds of the video: start, end.
    """
    clip = bring_video(video, max_pixels, fps)
    found = bring_model(model, device, dtype, connect).locate(clip, what, **wishes(max_tokens=max_tokens))
    if not found.complete:
        aside("the list was cut where the answer reached its length; raise --max-tokens for the rest")
    if json:
        spans = [span_form(span) for span in found]
        say_json({"video": full_name(video), "spans": spans, "complete": found.complete})
    elif found:
        say(rows([span.label, f"{span.start:.2f}", f"{span.end:.2f}"] for span in found))
    else:
        aside(f"{what} was not found in {source_name(video)}")


def drawable(name: str | None, picture: str) -> Path | None:
    """The file to draw to, which is not the picture itself, checked before any work is done for it.

    Raises UnknownOption, MissingFile and BadInput.
    """
    if name is None:
        return None
    from PIL import Image as Pictures

    path = Path(name)
    Pictures.init()
    kinds = {ending for ending, kind in Pictures.EXTENSION.items() if kind in ("PNG", "JPEG", "WEBP")}
    if path.suffix.lower() not in kinds:
        raise UnknownOption(f"--draw {name}: wanted a name that ends in {', '.join(sorted(kinds))}")
    check_target("--draw", path, [] if picture[:5].lower() == "data:" else [picture], "the picture itself")
    return path


def _draw(picture: str, found: Sequence[Box | Point | Line | None], path: Path | None) -> None:
    if path is None:
        return
    from omma.skills.draw import draw_boxes

    try:
        draw_boxes(picture, found).save(path)
    except OSError as wrong:
        raise MissingFile(f"--draw {path} cannot be written: {wrong.strerror or wrong}") from None
    aside(f"wrote {path}")


def _pixel(value: float) -> str:
    return str(round(value))
