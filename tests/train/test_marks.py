"""Marks are read where the drawing has them, and learned by the patches that lie there."""

from __future__ import annotations

import numpy as np
import torch

from omma.prep.patches import patch_rows
from omma.prep.rules import PictureRules
from omma.sample import Size, Visual
from omma.synth import CLASSES, COLOURS, draw
from omma.train.lesson import IGNORE, Marks, marks_of
from omma.train.marks import MarksHead, Seen, _by_patch


def lesson(seed: int) -> tuple[Marks, Visual, object]:
    drawing = draw("scenes", seed, level=1, size=Size(112, 84)).drawing
    rows, grid = patch_rows(np.asarray(drawing.picture)[None], PictureRules())
    visual = Visual("image", rows, grid, 0, grid.cells(2), Size(112, 84), Size(112, 84))
    return marks_of(drawing, visual, 2), visual, drawing


def test_marks_name_what_the_maps_hold_at_each_point() -> None:
    marks, visual, drawing = lesson(3)
    assert marks.kinds_NQ.shape == (visual.grid.cells(2), 16)
    # The token in row 1, column 2 covers pixels 56..84 × 28..56; its first point lies 3.5 pixels inside.
    assert marks.kinds_NQ[1 * 4 + 2, 0] == drawing.kind_map[31, 59]
    assert marks.colours_NQ[1 * 4 + 2, 15] == drawing.colour_map[52, 80]


def test_the_points_of_a_patch_are_those_that_lie_in_it() -> None:
    numbered = np.arange(16, dtype=np.uint8)[None]  # the sixteen points of one token, row by row
    assert _by_patch(numbered).tolist() == [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]


def test_the_place_of_a_token_is_its_centre_and_the_box_of_its_thing() -> None:
    marks, _, drawing = lesson(3)
    assert np.allclose(marks.places_N6[0, :2], [0.5 / 4, 0.5 / 3])
    boxes = np.array([thing.box for thing in drawing.things]) / [112, 84, 112, 84]
    told = marks.places_N6[~np.isnan(marks.places_N6[:, 2]), 2:]
    assert all(np.abs(boxes - box).max(axis=1).min() < 1e-6 for box in told)


def test_a_head_learns_one_picture_by_heart() -> None:
    marks, visual, _ = lesson(5)
    torch.manual_seed(0)
    head = MarksHead(64, 64, len(CLASSES), len(COLOURS))
    seen = Seen(torch.randn(visual.grid.patches, 64), torch.randn(visual.grid.cells(2), 64))
    optimiser = torch.optim.Adam(head.parameters(), 0.05)
    first, _ = head(seen, marks)
    for _ in range(100):
        optimiser.zero_grad()
        loss, told = head(seen, marks)
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.2 * first.item()
    assert told["kinds_right"] > 0.95


def test_what_is_to_be_ignored_teaches_nothing() -> None:
    head = MarksHead(8, 8, len(CLASSES), len(COLOURS))
    nothing = Marks(
        np.full((1, 16), IGNORE, np.uint8),
        np.full((1, 16), IGNORE, np.uint8),
        np.full((1, 6), np.nan, np.float32),
    )
    known = nothing._replace(kinds_NQ=np.zeros((1, 16), np.uint8), colours_NQ=np.zeros((1, 16), np.uint8))
    both = Marks(*(np.concatenate(pair) for pair in zip(known, nothing, strict=True)))
    patches, tokens = torch.randn(8, 8), torch.randn(2, 8)
    alone = head(Seen(patches[:4], tokens[:1]), known._replace(places_N6=np.zeros((1, 6), np.float32)))[1]
    beside = head(
        Seen(patches, tokens), both._replace(places_N6=np.array([[0.0] * 6, [np.nan] * 6], np.float32))
    )[1]
    assert alone["fine"] == torch.tensor(beside["fine"]).item()
