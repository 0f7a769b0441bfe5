"""A contact sheet: every failure with its picture, the truth and the answer, as one HTML file to look at."""

from __future__ import annotations

import base64
import html
import json
import mimetypes
from collections.abc import Sequence
from pathlib import Path

from omma.chat import Answer
from omma.evals.marks import Question, form, true_boxes
from omma.evals.suites import Record, SuiteScore
from omma.prep.boxes import Box, parse_boxes, parse_points

BEGINNING = '<!doctype html>\n<html><head><meta charset="utf-8"><title>Failures</title>'
STYLE = """
body { font: 14px/1.4 sans-serif; margin: 24px; background: #f4f4f2; color: #222; }
section { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; }
figure { background: #fff; margin: 0; padding: 12px; width: 340px; border-radius: 6px; }
svg { width: 100%; height: auto; background: #ddd; }
dl { margin: 8px 0 0; display: grid; grid-template-columns: 60px 1fr; }
dt { color: #777; }
dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 9em; overflow: auto; }
.truth { stroke: #009E73; } .told { stroke: #D55E00; }
rect { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }
circle { fill: none; stroke-width: 3; vector-effect: non-scaling-stroke; }
"""


def sheet(scores: Sequence[SuiteScore], *, most: int = 60) -> str:
    """At most `most` failures of each suite, the worst first: truth in green, the answer in orange."""
    parts = []
    for score in scores:
        failures = score.failures
        shown = "".join(_card(record) for record in failures[:most])
        title = f"{html.escape(score.suite.name)}: {len(failures)} of {len(score.records)} not wholly right"
        parts.append(f"<h2>{title}</h2>\n<section>{shown}</section>\n")
    return f"{BEGINNING}<style>{STYLE}</style></head>\n<body>\n{''.join(parts)}</body></html>\n"


def is_sheet(path: Path) -> bool:
    """Whether a file is a sheet of ours, or empty: one that may be written anew."""
    try:
        with path.open("rb") as file:
            begun = file.read(len(BEGINNING))
    except OSError:
        return False
    return not begun or begun == BEGINNING.encode()


def _card(record: Record) -> str:
    question = record.question
    rows = {
        "question": question.question,
        "truth": _truth(question),
        "answer": str(record.answer),
        "mark": f"{record.mark.points:g} of {record.mark.full:g}  ({question.task})",
    }
    told = "".join(f"<dt>{name}</dt><dd>{html.escape(text)}</dd>" for name, text in rows.items())
    return f"<figure>{_picture(record)}<dl>{told}</dl></figure>\n"


def _truth(question: Question) -> str:
    truth = question.truth[form(question.truth)]
    match form(question.truth):
        case "lines":
            return "\n".join(truth)
        case "html":
            return str(truth)
        case _:
            return json.dumps(truth, ensure_ascii=False)


def _picture(record: Record) -> str:
    """The picture itself inside the file, with what was wanted and what was told drawn over it."""
    question = record.question
    width, height = question.size
    kind = mimetypes.guess_type(question.picture.name)[0] or "image/png"
    data = base64.b64encode(question.picture.read_bytes()).decode()
    drawn = f'<image href="data:{kind};base64,{data}" width="{width}" height="{height}"/>'
    drawn += "".join(_rectangle(box, "truth") for box in _wanted(question))
    answer = record.answer
    if form(question.truth) in ("boxes", "point") and isinstance(answer, Answer) and answer.seen:
        text, seen = answer.text, answer.seen[0]
        drawn += "".join(_rectangle(box, "told") for box in parse_boxes(text, seen))
        for point in parse_points(text, seen):
            drawn += f'<circle class="told" cx="{point.x:.1f}" cy="{point.y:.1f}" r="{width / 40:.1f}"/>'
    return f'<svg viewBox="0 0 {width} {height}">{drawn}</svg>'


def _wanted(question: Question) -> list[Box]:
    match form(question.truth):
        case "boxes":
            return true_boxes(question.truth)
        case "point":
            return [Box(*question.truth["box"])]
        case "calls":
            return [Box(*call["box"]) for call in question.truth["calls"] if "box" in call]
        case _:
            return []


def _rectangle(box: Box, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{box.x1:.1f}" y="{box.y1:.1f}" '
        f'width="{box.x2 - box.x1:.1f}" height="{box.y2 - box.y1:.1f}"/>'
    )
