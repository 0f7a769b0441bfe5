"""What a landscape promises beyond a scene: things stand on one line, and a disc in the sky is the sun."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from omma.sample import Size
from omma.synth.ask_scenes import scene_turns
from omma.synth.landscapes import ALOFT, STANDING, landscape, pictured
from omma.synth.world import Drawing

SIZES = (Size(224, 168), Size(112, 112), Size(392, 280))
FLYING = {kind for kind, *_ in ALOFT} | {"sun", "crescent"}


def landscapes(level: int) -> list[Drawing]:
    return [landscape(SIZES[seed % 3], level, Random(seed)) for seed in range(40)]


@pytest.mark.parametrize("level", [1, 2, 3])
def test_what_stands_stands_on_one_line_and_what_hangs_is_above_the_line(level: int) -> None:
    for drawing in landscapes(level):
        feet = [t.box[3] for t in drawing.things if t.kind not in FLYING]
        lowest = [t.box[3] for t in drawing.things if t.kind in FLYING]
        assert {t.kind for t in drawing.things} <= FLYING | {kind for kind, *_ in STANDING}
        assert np.ptp(feet or [0]) <= 6  # a thick edge, a turned foot
        assert max(lowest, default=0) <= min(feet, default=drawing.picture.height) + 6


def test_nobody_asks_for_a_circle_where_the_sun_may_be_one() -> None:
    suns = 0
    for drawing in landscapes(2):
        if not any(thing.kind == "sun" for thing in drawing.things):
            continue
        suns += 1
        for seed in range(10):
            turns = scene_turns(drawing, "train", Random(seed))
            assert not [t for t in turns if "circle" in t.question.replace("semicircle", "").lower()]
    assert suns > 10


def test_a_sixth_of_what_is_pictured_are_landscapes_but_none_of_the_easiest() -> None:
    def share(level: int) -> float:
        drawn = [pictured(Size(224, 168), level, Random(seed)) for seed in range(300)]
        kinds = [{thing.kind for thing in drawing.things} for drawing in drawn]
        standing = FLYING | {kind for kind, *_ in STANDING}
        return float(np.mean([bool(found & FLYING) and found <= standing for found in kinds]))

    assert share(0) < 0.15  # of one or two things that happen to be such
    assert share(2) == pytest.approx(1 / 6, abs=0.06)
