"""Pages that people have, shown by a browser without a network: their text and what can be clicked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from omma.errors import BadInput, MissingFile
from omma.sample import Size
from omma.synth.ask_rendered import UNREAD, rendered_turns
from omma.synth.browser import LARGEST, Browser, BrowserTrouble
from omma.synth.dialogue import json_line
from omma.synth.films import fresh, write_pictures
from omma.synth.world import Drawing, Edges, Exercise, Split, Thing, Word

ENDINGS_OF_PAGES = (".html", ".htm", ".xhtml")
WINDOWS = (
    *(Size(640, 480), Size(800, 600), Size(480, 360), Size(560, 420), Size(360, 640), Size(1024, 768)),
    *(Size(448, 336), Size(640, 800)),
)
LEAST = 0.4  # of a window's height that must be left when lines cut at its edges are taken off
FAINT = 24  # levels of gray between paper and ink below which nobody reads a line
# Letters that no text of the page accounts for are not drawn: pictures, and what style sheets write.
_CALM = """(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    *, *::before, *::after { animation: none !important; transition: none !important; }
    *::before, *::after { content: none !important; }
    ol > li { list-style-type: disc !important; }
    img, svg, video, canvas, object, embed, iframe, picture, math { visibility: hidden !important; }
  `);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const silent = /^(none|disc|circle|square|disclosure-open|disclosure-closed)$/;
  for (const item of document.querySelectorAll("*")) {
    const style = getComputedStyle(item);
    if (style.display === "list-item" && !silent.test(style.listStyleType)) {
      item.style.setProperty("list-style-type", "disc", "important");
    }
  }
  return document.documentElement.scrollHeight;
})()"""


class Skipped(NamedTuple):
    """A page that gave nothing, and why."""

    page: Path
    reason: str


@dataclass(frozen=True)
class Harvest:
    """What was written: the list, how many dialogues it has, and the pages that gave none."""

    lines: Path
    count: int
    skipped: tuple[Skipped, ...]


def pages_of(sources: Sequence[Path]) -> list[tuple[Path, Path]]:
    """All pages among files and folders, each with the folder whose files it may see, in a fixed order.

    One that is named twice, by itself and by a folder say, is there once, as it was named first.
    Raises MissingFile for a source that is not there, BadInput where there is no page.
    """
    found: list[tuple[Path, Path]] = []
    for source in sources:
        if source.is_dir():
            inside = (path for path in source.rglob("*") if path.suffix.lower() in ENDINGS_OF_PAGES)
            found += [(path, source) for path in sorted(inside) if path.is_file()]
        elif source.is_file():
            found.append((source, source.parent))
        else:
            raise MissingFile(f"{source} is not there; name HTML files, or folders that hold some")
    if not found:
        raise BadInput(f"no page is in {', '.join(map(str, sources))}; wanted {', '.join(ENDINGS_OF_PAGES)}")
    once: dict[str, tuple[Path, Path]] = {}
    for page, root in found:
        once.setdefault(os.path.abspath(page), (page, root))
    return list(once.values())


def render_pages(
    sources: Sequence[Path],
    folder: Path,
    program: Path,
    *,
    shots: int = 2,
    seed: int = 0,
    split: Split = "train",
    size: Size | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Harvest:
    """Write up to `shots` dialogues of each page to folder/web.jsonl and their pictures to folder/web/.

    A page that cannot be shown is passed over and told. Raises BadInput where files stand already.
    """
    pages = pages_of(sources)
    file, pictures = fresh(folder, "web", overwrite)
    count, skipped = 0, list[Skipped]()
    with file.open("w", encoding="utf-8") as lines:
        for number, (page, found) in enumerate(_shown(pages, program, shots, seed, split, size), 1):
            if isinstance(found, str):
                skipped.append(Skipped(page, found))
            else:
                for exercise in found:
                    count += 1
                    (name,) = write_pictures(exercise, pictures, f"{count:06}", small=False, film=False)
                    line = json_line(exercise, f"web/{name}")
                    lines.write(json.dumps(line, ensure_ascii=False) + "\n")
            if progress is not None:
                progress(number, len(pages))
    return Harvest(file, count, tuple(skipped))


def _shown(
    pages: Sequence[tuple[Path, Path]], program: Path, shots: int, seed: int, split: Split, size: Size | None
) -> Iterator[tuple[Path, list[Exercise] | str]]:
    """Each page's exercises, or why it gave none; a browser that is in trouble is replaced."""
    waiting = list(reversed(pages))
    while waiting:
        with Browser(program) as browser:
            while waiting:
                page, root = waiting.pop()
                if (refused := _refused(page, root)) is not None:
                    yield page, refused
                    continue
                dice = Random(f"{seed} {split} {page.relative_to(root)} {size and tuple(size)}")
                try:
                    exercises = list(exercises_of(browser, page, root, shots, split, dice, size))
                except (BrowserTrouble, OSError, ValueError) as trouble:
                    yield page, f"the browser could not show it: {trouble}"
                    break
                yield page, exercises or "nothing on it can be read for certain"


def _refused(page: Path, root: Path) -> str | None:
    """Why a page is not even given to the browser; None where it is."""
    try:
        if not page.resolve(strict=True).is_relative_to(root.resolve()):
            return "it is a link that leads out of its folder; name the file that it leads to"
        if (size := page.stat().st_size) > LARGEST:
            return f"it has {size / 2**20:.0f} MiB; wanted at most {LARGEST // 2**20}"
        with page.open("rb") as file:
            if not file.read(LARGEST).strip():
                return "it is empty"
    except OSError as wrong:
        return f"it cannot be read: {wrong.strerror or wrong}"
    return None


def exercises_of(
    browser: Browser, page: Path, root: Path, shots: int, split: Split, dice: Random, size: Size | None = None
) -> Iterator[Exercise]:
    """Up to `shots` windows of a page, from its top and from places further down."""
    window = size or dice.choice(WINDOWS)
    browser.show(page, root, window)
    tall = int(browser.tell(_CALM))
    places = [0, *sorted(dice.randint(0, max(0, tall - window.height)) for _ in range(3 * shots - 1))]
    given, before = 0, -window.height
    for place in places:
        if given == shots or place - before < 0.6 * window.height:
            continue
        browser.tell(f"window.scrollTo(0, {place})")
        seen = browser.tell(_script())
        drawing = drawing_of(seen, browser.picture())
        if drawing is not None:
            given, before = given + 1, place
            every = all_told(seen, window.height)
            yield Exercise(drawing, rendered_turns(drawing, split, dice, every=every))


@cache
def _script() -> str:
    return (files("omma.synth") / "look.js").read_text("utf-8")


def drawing_of(seen: dict[str, Any], picture: Image.Image) -> Drawing | None:
    """What was seen in a window as a drawing without maps, cut to whole lines; None where it is uncertain.

    Its things are lines of text, kind "text" or "heading", and what can be clicked.
    """
    width, height = picture.size
    top, bottom = _cut(seen, height)
    words = [word for word in seen["words"] if word["box"][1] >= top and word["box"][3] <= bottom]
    sideways = any(word["box"][0] < 0 or word["box"][2] > width for word in words)
    if bottom - top < LEAST * height or sideways or not all(word["whole"] for word in words):
        return None
    cut = picture.crop((0, top, width, bottom))
    lines = [line for line in _lines(words, top) if _inked(cut, line.box)]
    if not lines or _overlapping(lines):
        return None
    marks = [
        Thing(mark["kind"], None, box, mark["label"], state="" if mark.get("read", True) else UNREAD)
        for mark in seen["marks"]
        if _told(mark["box"], top, bottom) and _inked(cut, box := _moved(mark["box"], top), 1.0)
    ]
    nothing = np.zeros((0, 0), np.uint8)
    things = (*lines, *marks)
    return Drawing(cut, things, "web", "", nothing, nothing, nothing.astype(np.int16))


def all_told(seen: dict[str, Any], height: int) -> bool:
    """Whether the drawing of this window knows everything in it that can be clicked."""
    top, bottom = _cut(seen, height)
    boxes = [*seen["untold"], *(mark["box"] for mark in seen["marks"])]
    return not any(
        box[3] > top and box[1] < bottom and (number < len(seen["untold"]) or not _told(box, top, bottom))
        for number, box in enumerate(boxes)
    )


def _cut(seen: dict[str, Any], height: int) -> tuple[int, int]:
    """What is left of a window when lines cut at its edges are taken off, from and to, in pixels."""
    top, bottom = 0.0, float(height)
    for word in seen["words"]:
        _, y1, _, y2 = word["box"]
        if y1 < 0 < y2:
            top = max(top, y2)
        if y1 < height < y2:
            bottom = min(bottom, y1)
    return round(top + 0.49), round(bottom - 0.49)


def _told(box: Sequence[float], top: int, bottom: int) -> bool:
    """Whether what can be clicked is whole in the cut window, and can be hit."""
    return box[1] >= top and box[3] <= bottom and _large(box)


def _moved(box: Sequence[float], top: float) -> Edges:
    return float(box[0]), float(box[1]) - top, float(box[2]), float(box[3]) - top


def _large(box: Sequence[float]) -> bool:
    """Whether something can be hit."""
    return bool(box[2] - box[0] >= 6 and box[3] - box[1] >= 6)


def _lines(words: Sequence[dict[str, Any]], top: float) -> list[Thing]:
    """Words of one block that follow each other at one height, as lines."""
    lines: list[list[dict[str, Any]]] = []
    for word in words:
        before = lines[-1][-1] if lines else None
        if before and before["block"] == word["block"] and _follows(before["box"], word["box"]):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [_line(line, top) for line in lines]


def _follows(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether the second box goes on with the line of the first."""
    same = min(a[3], b[3]) - max(a[1], b[1]) > 0.5 * min(a[3] - a[1], b[3] - b[1])
    return bool(same and -2 <= b[0] - a[2] < 1.5 * (a[3] - a[1]))


def _line(words: Sequence[dict[str, Any]], top: float) -> Thing:
    """A line; words that touch are one word."""
    runs: list[Word] = []
    for word in words:
        box = _moved(word["box"], top)
        if runs and box[0] - runs[-1].box[2] < 0.08 * (box[3] - box[1]):
            text, (x1, y1, _, y2) = runs[-1]
            runs[-1] = Word(text + word["text"], (x1, min(y1, box[1]), box[2], max(y2, box[3])))
        else:
            runs.append(Word(word["text"], box))
    kind = "heading" if all(word["heading"] for word in words) else "text"
    lefts, tops, rights, bottoms = zip(*(run.box for run in runs), strict=True)
    box = (min(lefts), min(tops), max(rights), max(bottoms))
    return Thing(kind, None, box, " ".join(run.text for run in runs), words=tuple(runs))


def _inked(cut: Image.Image, box: Edges, around: float = 0.0) -> bool:
    """Whether something can be seen in a box, or so many pixels around it."""
    x1, y1 = (max(0, round(edge - around)) for edge in box[:2])
    x2, y2 = (round(edge + around) for edge in box[2:])
    inside = np.asarray(cut.crop((x1, y1, max(x2, x1 + 1), max(y2, y1 + 1))).convert("L"))
    return int(np.ptp(inside)) >= FAINT


def _overlapping(lines: Sequence[Thing]) -> bool:
    """Whether text is printed over text."""
    boxes = np.array([line.box for line in lines])
    wide = np.minimum(boxes[:, None, 2], boxes[None, :, 2]) - np.maximum(boxes[:, None, 0], boxes[None, :, 0])
    high = np.minimum(boxes[:, None, 3], boxes[None, :, 3]) - np.maximum(boxes[:, None, 1], boxes[None, :, 1])
    tall = boxes[:, 3] - boxes[:, 1]
    deep = (wide > 2) & (high > 0.5 * np.minimum(tall[:, None], tall[None, :]))
    np.fill_diagonal(deep, False)
    return bool(deep.any())
