"""Reads a line of a suite as a question: every field is known, and its truth fits what is shown."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from omma.errors import BadData, MissingFile, halved, unread
from omma.evals.marks import Question
from omma.evals.truths import FORMS, check_places, check_truth
from omma.prep.sources import check_plain
from omma.sample import Size

NEEDED = ("picture", "question", "task", "truth", "size")
FURTHER = ("more", "before", "fps", "id")
Measure = Callable[[Path], Size | None]


def read_question(line: bytes, path: Path, number: int, measure: Measure) -> Question:
    """The question of a line, the `number`th of the file at `path`; pictures lie beside the file.

    `measure` gives a picture's size from its header, or None where that cannot be told: then the question is
    left to say that it cannot be answered. Raises BadData, which names the line.
    """
    where = f"{path}, line {number}"
    try:
        raw = _object(line)
        _check_fields(raw)
        check_truth(raw["truth"])
    except ValueError as wrong:
        raise BadData(
            f"{where} is not a question: {wrong}; wanted picture, question, task, truth "
            f"({', '.join(FORMS)}) and size"
        ) from None
    size = Size(*raw["size"])
    first, *more = shown = [path.parent / name for name in (raw["picture"], *raw.get("more", ()))]
    for picture in shown:
        _check_picture(picture, where)
    try:
        check_places(raw["truth"], _sizes(shown, size, measure))
    except ValueError as wrong:
        raise BadData(f"{where} is not a question: {wrong}; mend it, or make the suite anew") from None
    before = tuple((asked, told) for asked, told in raw.get("before", ()))
    return Question(
        first, raw["question"], raw["task"], raw["truth"], size, tuple(more), raw.get("fps"), before
    )


def _object(line: bytes) -> Mapping[str, Any]:
    """What a line says. Raises ValueError, for half of a character too, which no text holds."""
    try:
        raw = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as wrong:
        raise ValueError(f"it is no JSON: {unread(wrong)}") from None
    if not isinstance(raw, dict):
        raise ValueError(f"it is {line.decode()[:60].strip()}, which is no object")
    if told := halved(json.dumps(raw, ensure_ascii=False)):
        raise ValueError(f"it holds {told}")
    return raw


def _check_fields(raw: Mapping[str, Any]) -> None:
    """Raise ValueError for a field that is absent, strange, or of a wrong kind, but for the truth."""
    if absent := [name for name in NEEDED if name not in raw]:
        raise ValueError(f"it has no {absent[0]!r}")
    if strange := [name for name in raw if name not in (*NEEDED, *FURTHER)]:
        raise ValueError(f"nobody reads its {strange[0]!r:.60}; known beside: {', '.join(FURTHER)}")
    if not _are_texts([raw[name] for name in ("picture", "question", "task")]):
        raise ValueError("its picture, question or task is not a text")
    for name in ("picture", "question"):
        if not raw[name].strip():
            raise ValueError(f"its {name} is empty")
    match raw["size"]:
        case [int(width), int(height)] if type(width) is type(height) is int and min(width, height) > 0:
            pass
        case size:
            raise ValueError(f"its size is {size!r:.60}; wanted [width, height] in pixels")
    more, earlier, fps = raw.get("more", []), raw.get("before", []), raw.get("fps")
    if not (isinstance(earlier, list) and all(map(_are_texts, (more, *earlier)))):
        raise ValueError("its further pictures, or what was said before it, are not lists of texts")
    if any(len(told) != 2 for told in earlier):
        raise ValueError("what was said before it is not in pairs of a question and an answer")
    if fps is not None and not (type(fps) in (int, float) and 0 < fps < float("inf")):
        raise ValueError(f"its fps is {fps!r:.60}; wanted frames a second")


def _are_texts(told: Any) -> bool:
    return isinstance(told, list) and all(isinstance(text, str) for text in told)


def _check_picture(picture: Path, where: str) -> None:
    """Raise BadData where a picture is not there, or is no file."""
    try:
        check_plain(picture, f"the picture {picture}")
    except MissingFile as wrong:
        raise BadData(f"{where}: {wrong}") from None
    if not os.path.isfile(picture):
        raise BadData(
            f"{where}: the picture {picture} is not there; make the suite and its pictures together"
        )


def _sizes(shown: list[Path], told: Size, measure: Measure) -> dict[int, Size]:
    """The pictures' sizes by their numbers; of those that cannot be measured, `told`. Raises ValueError."""
    measured = [measure(picture) for picture in shown]
    real = measured[0]
    if real is not None and real != told:
        raise ValueError(f"its size is {list(told)}, but the picture {shown[0].name} is {list(real)}")
    return {number: size or told for number, size in enumerate(measured, 1)}
