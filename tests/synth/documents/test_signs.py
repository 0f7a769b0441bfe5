"""Lines that are turned, seen from the side or bent know where they stand, letter by letter."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from omma.synth import draw
from omma.synth.canvas import Canvas
from omma.synth.documents.bending import Arc, Surface, lay_line, outline, seen_through, shown, turned
from omma.synth.documents.sheet import Document
from omma.synth.documents.signs import Signs
from omma.synth.documents.type import set_line, type_of
from omma.synth.fonts import Face
from omma.synth.world import class_of

PLAIN = Face("Default", "Regular", None)
CORNERS = np.array([(10, 20), (180, 5), (150, 90), (30, 70)], float)
SURFACES = [
    turned(37, (60, 40), (5, 6)),
    seen_through(CORNERS, 120, 50),
    Arc((100, 100), 60),
    Arc((100, 100), 60, under=True),
]


@pytest.mark.parametrize("surface", SURFACES, ids=lambda s: type(s).__name__)
@given(st.floats(1, 30), st.floats(1, 30))
def test_what_is_laid_out_is_found_again(surface: Surface, x: float, y: float) -> None:
    ((u, v),) = surface.out(np.array([(x, y)]))
    back_x, back_y = surface.back(np.array([u], np.float32), np.array([v], np.float32))
    assert (back_x[0, 0], back_y[0, 0]) == pytest.approx((x, y), abs=0.01)


def test_a_plane_fills_its_corners() -> None:
    surface = seen_through(CORNERS, 120, 50)
    np.testing.assert_allclose(shown(surface, (0, 0, 120, 50)), CORNERS, atol=1e-9)


def test_a_line_that_is_not_turned_is_printed_as_ever() -> None:
    straight, laid = (Canvas(Image.new("RGB", (160, 60), "white"), 9) for _ in range(2))
    type_ = type_of(PLAIN, 24, True)
    box, words = set_line(straight, "Ag no 4", type_, 10, 40, (0, 0, 0), 8, 0)
    flat = turned(0, (0, 0), (0, 0))
    other, others, ring = lay_line(laid, flat, "Ag no 4", type_, (10, 40), (0, 0, 0), 8, 0)
    np.testing.assert_allclose(box, other)
    assert [word.text for word in words] == [word.text for word in others]
    np.testing.assert_allclose(outline(box), ring)
    difference = np.asarray(straight.picture, int) - np.asarray(laid.picture, int)
    assert np.abs(difference).max() <= 2
    assert (straight.kind_map != laid.kind_map).mean() < 0.02


def test_a_line_turned_by_a_quarter_is_the_straight_one_turned() -> None:
    straight, laid = (
        Canvas(Image.new("RGB", (121, 121), "white"), 9),
        Canvas(Image.new("RGB", (121, 121), "white"), 9),
    )
    type_ = type_of(PLAIN, 30, False)
    set_line(straight, "R7f", type_, 20, 60, (0, 0, 0), 8, 0)
    lay_line(laid, turned(90, (60.5, 60.5), (60.5, 60.5)), "R7f", type_, (20, 60), (0, 0, 0), 8, 0)
    np.testing.assert_allclose(np.asarray(laid.picture), np.rot90(np.asarray(straight.picture), -1), atol=3)
    np.testing.assert_array_equal(laid.kind_map, np.rot90(straight.kind_map, -1))


@pytest.mark.parametrize("level", range(4))
def test_every_letter_of_a_sign_is_on_the_map(level: int) -> None:
    for seed in range(8):
        drawing = draw("signs", (2, seed), level=level).drawing
        for number, thing in enumerate(drawing.things):
            seen = set(np.unique(drawing.kind_map[drawing.thing_map == number]))
            said = {class_of(letter) for letter in thing.text}
            assert seen <= {*said, 0}  # 0: ink that hangs over its cell
            assert len(said - seen) <= 0.2 * len(said)


def test_corners_hold_their_boxes_and_keep_the_order_of_reading() -> None:
    asked = 0
    for level in range(4):
        for seed in range(8):
            exercise = draw("signs", (4, seed), level=level, maps=False)
            drawing = exercise.drawing
            assert isinstance(drawing, Document)
            assert isinstance(drawing.content, Signs)
            for thing, ring in zip(drawing.things, drawing.content.outlines, strict=True):
                held = (
                    *np.clip(ring, 0, drawing.picture.size).min(0),
                    *np.clip(ring, 0, drawing.picture.size).max(0),
                )
                np.testing.assert_allclose(thing.box, held, atol=1)
            for turn in exercise.turns:
                if turn.task == "read_quads":
                    asked += 1
                    told = [entry["text_content"] for entry in json.loads(turn.answer)]
                    assert told == [thing.text for thing in drawing.things]
                if turn.task == "turn":
                    assert turn.truth["number"] in (0, 90, 180, 270)
    assert asked > 5
