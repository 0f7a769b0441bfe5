"""Ask omma-nano about the pictures in examples/, which training never drew, and compare with the truth.

python -m bench.demo [MODEL]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

import omma
from bench.results import ROOT
from omma.cli.outcome import ending
from omma.evals.marks import distance, first_number, found_share, normal
from omma.prep.boxes import Box, Point
from omma.respond import Model
from omma.skills.draw import draw_boxes

EXAMPLES = ROOT / "examples"
OUT = EXAMPLES / "out"
LONGEST = 64  # tokens of an answer; of boxes four times as many
ALLOWED = 1  # wrong answers that still make a good demonstration


@dataclass(frozen=True)
class Judged:
    """One question with its answer beside the truth, as a person reads them."""

    picture: str
    asked: str
    answer: str
    truth: str
    right: bool


Truths = Mapping[str, Mapping[str, list[Box]]]  # picture → part's name → its boxes


def main() -> int:
    """Answer everything, draw what was found, count."""
    model = omma.load(sys.argv[1] if len(sys.argv) > 1 else "omma-nano")
    boxes = read_boxes(EXAMPLES / "boxes.json")
    console = Console(width=None if Console().is_terminal else 100, highlight=False)
    judged = []
    for question in json.loads((EXAMPLES / "questions.json").read_text(encoding="utf-8")):
        judged.append(answer(model, question, boxes))
        show(console, judged[-1])
    right = sum(one.right for one in judged)
    console.print(
        f"\npictures with boxes: {', '.join(str(p.relative_to(ROOT)) for p in sorted(OUT.glob('*')))}"
    )
    print(f"right: {right} of {len(judged)}")
    return int(right < len(judged) - ALLOWED)


def answer(model: Model, question: Mapping[str, Any], truths: Truths) -> Judged:
    """Put one question to the model by its verb, and judge what comes back."""
    picture, asked = EXAMPLES / question["picture"], question["question"]
    parts = truths[question["picture"]]
    match question["verb"]:
        case "ask":
            said = model.ask(picture, asked, max_tokens=LONGEST).text.strip()
            return Judged(picture.name, asked, said, *judge_words(question, said))
        case "read":
            text = model.read(picture, boxes=False, max_tokens=LONGEST).text
            return Judged(picture.name, "(read)", text, *judge_reading(question, text))
        case "find":
            found = model.find(picture, asked, max_tokens=4 * LONGEST)
            OUT.mkdir(exist_ok=True)
            draw_boxes(picture, found).save(OUT / f"{picture.stem}-{asked.replace(' ', '-')}.png")
            wanted = [box for name in question["boxes"] for box in parts[name]]
            right = found_share(wanted, found) == 1
            return Judged(picture.name, f"(find) {asked}", boxes_text(found), boxes_text(wanted), right)
        case "point":
            place = model.point(picture, asked, max_tokens=LONGEST)
            (box,) = parts[question["inside"]]
            return Judged(
                picture.name,
                f"(point) {asked}",
                point_text(place),
                f"in {boxes_text([box])}",
                inside(place, box),
            )
        case verb:
            raise ValueError(f"examples/questions.json: no verb {verb!r}; known: ask, read, find, point")


def judge_words(question: Mapping[str, Any], said: str) -> tuple[str, bool]:
    """The truth, and whether the answer gives it: the number, or the word and none of its rivals."""
    if "number" in question:
        return str(question["number"]), first_number(said) == question["number"]
    words = normal(said).replace(",", " ").replace(".", " ").split()
    return question["says"], question["says"] in words and not set(question["never"]) & set(words)


def judge_reading(question: Mapping[str, Any], text: str) -> tuple[str, bool]:
    """The truth, and whether at most the share `errors` of its letters was read wrongly."""
    truth, read = (" ".join(words.split()) for words in (question["reads"], text))
    return truth, distance(truth, read) <= question["errors"] * len(truth)


def inside(place: Point | None, box: Box) -> bool:
    """Whether the place lies in the box."""
    return place is not None and box.x1 <= place.x <= box.x2 and box.y1 <= place.y <= box.y2


def boxes_text(boxes: list[Box]) -> str:
    """Boxes as a person reads them."""
    return " · ".join(f"{b.x1:.0f},{b.y1:.0f} – {b.x2:.0f},{b.y2:.0f}" for b in boxes) or "nothing"


def point_text(place: Point | None) -> str:
    """A place as a person reads it."""
    return f"{place.x:.0f},{place.y:.0f}" if place else "nothing"


def read_boxes(path: Path) -> Truths:
    """The named parts of every picture, as the browser that drew it measured them."""
    parts: dict[str, dict[str, list[Box]]] = {}
    for picture, named in json.loads(path.read_text(encoding="utf-8")).items():
        for name, corners in named:
            left, top, right, bottom = map(float, corners)
            parts.setdefault(picture, {}).setdefault(name, []).append(Box(left, top, right, bottom, name))
    return parts


def show(console: Console, one: Judged) -> None:
    """Print one question: what was asked, what was answered, what is true, and the verdict."""
    verdict = "[green]right[/]" if one.right else "[bold red]wrong[/]"
    console.print(f"{one.picture}  ", end="", style="bold")
    console.print(one.asked, markup=False)
    console.print("   answer: ", end="", style="dim")
    console.print(one.answer.replace("\n", " / ") or "(nothing)", markup=False)
    console.print("   truth:  ", end="", style="dim")
    console.print(one.truth, markup=False)
    console.print(f"   {verdict}")


if __name__ == "__main__":
    raise SystemExit(ending(main))
