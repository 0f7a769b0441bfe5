"""The browser's suites hold true: what is asked for stands where its box says, wholly in the window."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from bench.eval import SUITES
from omma.evals.suites import read_suite
from recipes.nano.browsed import print_, screen
from recipes.nano.browsed_scenes import garden, shapes


def test_ink_reaches_all_four_sides_of_a_box_and_no_further() -> None:
    found = [q for q in read_suite(SUITES / "browsed.jsonl").questions if q.truth.get("boxes")]
    assert len(found) > 40
    for question in found:
        pixels = np.asarray(Image.open(Path(question.picture)).convert("RGB")).astype(int)
        for entry in question.truth["boxes"]:
            x1, y1, x2, y2 = entry["box"]
            out = pixels[max(0, int(y1) - 4) : int(y2) + 5, max(0, int(x1) - 4) : int(x2) + 5]
            ink = np.abs(out - pixels[2, 2]).max(2) > 40
            stands = entry["label"] in ("house", "tree", "car")  # on the grass, whose pixels are ink too
            if stands:
                ink = ink[: int(y2 - y1) - 8]
            rows, columns = np.nonzero(ink)
            left, top = max(0, int(x1) - 4), max(0, int(y1) - 4)
            assert abs(columns.min() + left - x1) <= 2
            assert abs(columns.max() + left + 1 - x2) <= 2
            assert abs(rows.min() + top - y1) <= 2
            assert stands or abs(rows.max() + top + 1 - y2) <= 2


@pytest.mark.parametrize("draw", [shapes, garden, screen, print_])
def test_what_is_asked_lies_in_the_window_and_is_drawn_the_same_again(draw: object) -> None:
    assert callable(draw)
    for seed in range(60):
        shown = draw(Random(seed))
        assert shown == draw(Random(seed))
        assert shown.asked
        assert len({question for question, *_ in shown.asked}) == len(shown.asked)
        for _, task, truth in shown.asked:
            boxes = [entry["box"] for entry in truth.get("boxes", [])] + (
                [truth["box"]] if "box" in truth else []
            )
            assert (task in ("find", "point")) == bool(boxes)
            for x1, y1, x2, y2 in boxes:
                assert 0 <= x1 < x2 <= shown.size.width
                assert 0 <= y1 < y2 <= shown.size.height
