"""Read the text in a picture: a page of lines, each with its place, as text, Markdown or HTML."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from statistics import median

from omma.chat import Answer, Image, MediaSource, Options, Responder
from omma.prep.boxes import Box, parse_boxes
from omma.prep.loose import text_start
from omma.prep.polygons import Polygon, parse_quads
from omma.sample import Size
from omma.skills.asking import PLAIN, ask, seen, worded

PROMPT = "Read all the text."
PROMPT_WITH_BOXES = "Read all the text with boxes in JSON."
_QWEN = "Read all the text in the image line by line, report bbox_2d and text_content in JSON format."
PROMPTS_WITH_BOXES = {
    "grid": PROMPT_WITH_BOXES,
    "tags": "OCR with grounding:",
    "marks": "Read all the text in the image and give the bounding box of every line.",
    "pixels": _QWEN,
    "relative": _QWEN,
}

HEADING = 1.5  # a line this many times as tall as the middle one is a heading
APART = 0.9  # a gap of this many line heights begins a new paragraph


@dataclass(frozen=True)
class Line:
    """A line of text. `box` is in pixels of the original picture, None where the model gave none.

    `quad` are its four corners from its own top left, where the model told them.
    """

    text: str
    box: Box | None = None
    score: float | None = None
    quad: Polygon | None = None


@dataclass(frozen=True)
class Page:
    """What was read. `complete` is False when the answer was cut at max_tokens: there may be more text."""

    lines: tuple[Line, ...]
    size: Size
    complete: bool = True

    @property
    def text(self) -> str:
        """The lines in reading order, one under the other."""
        return "\n".join(line.text for line in self.lines)

    def __str__(self) -> str:
        return self.text

    def to_markdown(self) -> str:
        """Paragraphs where lines lie close, headings where they are tall; markup in the text is escaped."""
        usual = median([_height(line) for line in self.lines] or [0.0])
        blocks: list[str] = []
        before: Line | None = None
        for line in self.lines:
            tall = usual > 0 and _height(line) >= HEADING * usual
            words = ("## " if tall else "") + _escaped(line.text)
            if before is None or tall or blocks[-1].startswith("## ") or _gap(before, line) > APART * usual:
                blocks.append(words)
            else:
                blocks[-1] += "  \n" + words
            before = line
        return "\n\n".join(blocks) + "\n" if blocks else ""

    def to_html(self) -> str:
        """A standalone page of the picture's size, every line in its place, those without a box below."""
        placed = "\n".join(_positioned(line.text, line.box) for line in self.lines if line.box)
        loose = "\n".join(f"<p>{html.escape(line.text)}</p>" for line in self.lines if not line.box)
        return (
            '<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>Page</title>\n<style>\n'
            "body { margin: 0; font-family: sans-serif; }\n"
            f".page {{ position: relative; width: {self.size.width}px; height: {self.size.height}px; }}\n"
            ".page span { position: absolute; white-space: pre; line-height: 1; }\n"
            f'</style>\n</head>\n<body>\n<div class="page">\n{placed}\n</div>\n{loose}\n</body>\n</html>\n'
        )


def read(
    responder: Responder, picture: MediaSource | Image, options: Options = PLAIN, *, boxes: bool = True
) -> Page:
    """All text of the picture, line by line in reading order, with boxes unless they are not wanted."""
    prompt = worded(responder, PROMPTS_WITH_BOXES) if boxes else PROMPT
    answer = ask(responder, picture, prompt, options)
    return parse_page(answer, boxes=boxes)


def parse_page(answer: Answer, *, boxes: bool) -> Page:
    """The page an answer describes. One that holds no places is taken as plain text, line by line."""
    geometry = seen(answer)
    found = parse_boxes(answer.text, geometry) if boxes else []
    lines = [Line(box.label, box, box.score) for box in found if box.label]
    if boxes and not lines:
        quads = parse_quads(answer.text, geometry)
        lines = [Line(quad.label, quad.box, quad.score, quad) for quad in quads if quad.label]
    told = answer.text[text_start(answer.text) :].strip()
    if not lines and told != "[]":
        lines = [Line(text.strip()) for text in told.splitlines() if text.strip()]
    return Page(tuple(lines), geometry.original, answer.finish_reason != "length")


def _height(line: Line) -> float:
    return line.box.y2 - line.box.y1 if line.box else 0.0


def _gap(above: Line, below: Line) -> float:
    return below.box.y1 - above.box.y2 if above.box and below.box else 0.0


def _escaped(text: str) -> str:
    """Text in which Markdown finds nothing to do."""
    text = re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", text)
    return re.sub(r"^(\s*)(?:([-+=])|(\d+)([.)]))", r"\1\3\\\2\4", text)


def _positioned(text: str, box: Box) -> str:
    style = (
        f"left: {box.x1:.1f}px; top: {box.y1:.1f}px; width: {box.x2 - box.x1:.1f}px; "
        f"height: {box.y2 - box.y1:.1f}px; font-size: {(box.y2 - box.y1) * 0.85:.1f}px"
    )
    return f'<span style="{style}">{html.escape(text)}</span>'
