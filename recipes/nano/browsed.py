"""Two suites of pictures that a browser drew: what omma-nano makes of what is not of its own worlds.

    python -m recipes.nano.browsed            (wants Chromium; writes data/nano-eval/browsed*.jsonl)

Shapes, gardens, dialogs and forms, a few questions each (`browsed`), and lines of type to read
(`browsed_lines`). Everything is laid out here, so that the truth is known; nothing here is shared with the
worlds that training draws: neither outlines, nor type, nor the way pixels come about.
"""

from __future__ import annotations

import argparse
import html
import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from omma.sample import Size
from omma.skills import point, read
from omma.synth.browser import Browser, find_browser
from recipes.nano.browsed_scenes import Box, Shown, garden, shapes

SUITES = Path(__file__).parents[2] / "data" / "nano-eval"
FACES = (
    "Arial",
    "Georgia",
    "Verdana",
    "Times New Roman",
    "Courier New",
    "Trebuchet MS",
    "sans-serif",
    "serif",
)
LABELS = (
    *(
        "Save",
        "Cancel",
        "Delete",
        "OK",
        "Close",
        "Next",
        "Back",
        "Send",
        "Open",
        "Print",
        "Share",
        "Edit",
        "Help",
    ),
    *(
        "Sign in",
        "Log out",
        "Apply",
        "Reset",
        "Search",
        "Upload",
        "Copy",
        "Retry",
        "Later",
        "Accept",
        "Refuse",
    ),
)
FIELDS = ("Name", "City", "Email", "Phone", "Street", "Country", "Password", "Company", "Title", "Date")
SAYINGS = (
    *("Delete this file?", "Save your changes?", "Leave this page?", "Send the message?", "Try once more?"),
    *("Close all windows?", "Restart now?", "Empty the bin?", "Use this address?", "Forget this network?"),
)
PRINTED = (
    "the first boats are back · a quiet garden by the river · open every day until six"
    " · new bridge for the old town · tickets at the door · fresh bread each morning"
    " · rain in the north · two trains were late today"
    " · spring market on sunday · the library moves to king street · please ring the bell · mind the step"
    " · lost and found · summer hours · winter timetable · apples pears and plums · letters to the editor"
    " · a short walk along the coast · how to mend a chair · the museum is closed on monday"
    " · keep this door shut · free coffee for members · meeting room three · last call for paper"
    " · a visit to the lighthouse"
    " · seven ways to cook rice · the choir needs singers · water is not for drinking · please wait here"
)


def screen(dice: Random) -> Shown:
    """A dialog with two or three buttons, or a form with fields and buttons under them."""
    face, high_type = dice.choice(FACES), dice.randint(14, 20)
    look = f"font:{high_type}px '{face}';position:absolute;box-sizing:border-box;white-space:nowrap"
    size = Size(dice.choice((336, 364, 392)), dice.choice((196, 224, 252, 308)))
    left, y, body = dice.randint(14, 34), dice.randint(14, 30), ""
    high = round(high_type * dice.uniform(1.9, 2.5))
    placed: list[tuple[str, str, Box]] = []
    if dice.random() < 0.5:
        ground = dice.choice(("#eee", "#6b7280", "lightblue", "slategray"))
        wide, tall = size.width - 2 * left + 16, high_type * 3 + high + 36
        inner = f"left:{left - 8}px;top:{y - 8}px;width:{wide}px;height:{tall}px"
        corner = dice.choice((0, 6, 12))
        body += f'<div style="{look};{inner};background:white;border-radius:{corner}px"></div>'
        body += f'<div style="{look};left:{left + 10}px;top:{y + 8}px">{dice.choice(SAYINGS)}</div>'
        y += round(high_type * 2.6)
    else:
        ground = dice.choice(("#f4f5f7", "white", "ivory"))
        for name in dice.sample(FIELDS, 2):
            if y + high_type + 2 * high + 20 > size.height:
                break
            top, wide = y + round(high_type * 1.4), size.width - 2 * left
            body += (
                f'<div style="{look};left:{left}px;top:{y}px">{name}</div>'
                f'<div style="{look};left:{left}px;top:{top}px;width:{wide}px;height:{high}px;'
                'background:white;border:1px solid gray;border-radius:4px"></div>'
            )
            placed.append((name, "text field", (left, top, left + wide, top + high)))
            y = top + high + 10
    body += buttons(placed, look, (left + 8, y, size.width - left), (high_type, high), dice)
    asked = []
    for label, kind, box in dice.sample(placed, min(3, len(placed))):
        truth: dict[str, Any] = {"point": [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2], "box": [*box]}
        asked.append((point.PROMPT.format(what=f'the "{label}" {kind}'), "point", truth | {"label": label}))
    return Shown(body, ground, size, tuple(asked))


def buttons(
    placed: list[tuple[str, str, Box]],
    look: str,
    row: tuple[int, int, int],
    sides: tuple[int, int],
    dice: Random,
) -> str:
    """Up to three buttons from (x, y) to the right edge; `sides` are of type and button. Adds to `placed`."""
    (x, y, right), (high_type, high) = row, sides
    primary, corner, body = dice.randrange(3), dice.choice((0, 4, 8)), ""
    for number, label in enumerate(dice.sample(LABELS, 3)):
        wide = round(len(label) * high_type * 0.62 + 2.2 * high_type)
        if x + wide > right:
            break
        paint = "#1d5fbf;color:white" if number == primary else "#d9dce1;color:black"
        body += (
            f'<div style="{look};left:{x}px;top:{y}px;width:{wide}px;height:{high}px;line-height:{high}px;'
            f'text-align:center;border-radius:{corner}px;background:{paint}">{label}</div>'
        )
        placed.append((label, "button", (x, y, x + wide, y + high)))
        x += wide + 12
    return body


def print_(dice: Random) -> Shown:
    """A line of type, or a heading with a line under it."""
    said = [line.strip() for line in PRINTED.split("·")]
    first, second = dice.sample(said, 2)
    face, large = dice.choice(FACES), dice.randint(20, 30)
    lines = [(first[:1].upper() + first[1:], large, "normal")]
    if dice.random() < 0.5:
        head = " ".join(word.capitalize() for word in first.split()[:2])
        lines = [(head, large + 6, "bold"), (second[:1].upper() + second[1:], large - 4, "normal")]
    paper, ink = dice.choice(
        (("white", "#111"), ("ivory", "#222"), ("#fff", "midnightblue"), ("#223", "white"))
    )
    left, y, body, wide = dice.randint(10, 26), dice.randint(10, 20), "", 0.0
    for text, high, weight in lines:
        body += (
            f'<div style="position:absolute;left:{left}px;top:{y}px;white-space:nowrap;color:{ink};'
            f"font:{weight} {high}px/1.3 '{face}'\">{html.escape(text)}</div>"
        )
        y, wide = y + round(high * 1.5), max(wide, len(text) * high * 0.62)
    size = Size(math.ceil((wide + 2 * left) / 28) * 28, math.ceil((y + 8) / 28) * 28)
    return Shown(body, paper, size, ((read.PROMPT, "read", {"lines": [text for text, *_ in lines]}),))


def rows(browser: Browser, shown: Sequence[Shown], album: str, folder: Path) -> list[dict[str, Any]]:
    """Draw the pages into the suite's folder; its lines."""
    (folder / album).mkdir(parents=True, exist_ok=True)
    told: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as held:
        page = Path(held, "page.html")
        for number, one in enumerate(shown, 1):
            style = f"<style>html{{background:{one.ground};overflow:hidden}}body{{margin:0}}</style>"
            page.write_text(f"<!doctype html><meta charset=utf-8>{style}{one.body}", encoding="utf-8")
            browser.show(page, Path(held), one.size)
            name = f"{album}/{number:04}.webp"
            browser.picture().convert("RGB").save(folder / name, lossless=True, method=6)
            told += [
                {"picture": name, "question": question, "task": task, "truth": truth, "size": list(one.size)}
                for question, task, truth in one.asked
            ]
    return told


def main() -> None:
    """Draw both suites anew: the same bytes from the same browser and fonts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--browser", type=Path, help="Chromium or Chrome; by default the one on the path")
    parser.add_argument("--out", type=Path, default=SUITES, help="the folder of the suites")
    wish = parser.parse_args()
    dice = Random("browsed")
    seen = [draw(dice) for draw in (shapes, shapes, garden, screen, screen) for _ in range(24)]
    printed = [print_(dice) for _ in range(300)]
    with Browser(find_browser(wish.browser)) as browser:
        for album, shown in (("browsed", seen), ("browsed_lines", printed)):
            told = rows(browser, shown, album, wish.out)[:300]
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in told)
            (wish.out / f"{album}.jsonl").write_text(lines, encoding="utf-8")
            print(f"{album}: {len(told)} questions")


if __name__ == "__main__":
    main()
