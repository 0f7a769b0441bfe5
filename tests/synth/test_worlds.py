"""What every world promises: one picture for the same arguments, and a truth that is right to the pixel."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from omma.errors import UnknownOption
from omma.sample import Size
from omma.synth import CLASSES, COLOURS, WORLDS, Exercise, draw
from omma.synth.world import IGNORE, OBJECTS, SHAPES, class_of

LEVELS = (0, 1, 2, 3)
SEEDS = range(6)


def some(world: str, level: int, split: str = "train") -> list[Exercise]:
    return [draw(world, (3, seed), split=split, level=level) for seed in SEEDS]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("level", LEVELS)
def test_same_arguments_draw_the_same_bytes_and_ask_the_same(world: str, level: int) -> None:
    first, second = draw(world, (1, 2), level=level), draw(world, (1, 2), level=level)
    assert first.drawing.picture.tobytes() == second.drawing.picture.tobytes()
    assert first.turns == second.turns
    assert first.drawing.things == second.drawing.things
    for name in ("kind_map", "colour_map", "thing_map"):
        np.testing.assert_array_equal(getattr(first.drawing, name), getattr(second.drawing, name))


DRAWING = """
import hashlib, sys
from omma.synth import WORLDS, draw
for world in WORLDS:
    made = draw(world, 7, level=2)
    maps = [(d.kind_map, d.colour_map, d.thing_map) for d in made.drawings]
    seen = [d.picture.tobytes() for d in made.drawings], [m.tobytes() for three in maps for m in three]
    print(world, hashlib.sha256(repr((seen, made.turns, made.fps)).encode()).hexdigest())
"""


def test_two_runs_draw_the_same_bytes_in_every_world() -> None:
    told = []
    for order in ("1", "2"):  # of sets and of everything else that hangs on Python's own dice
        environment = {**os.environ, "PYTHONHASHSEED": order}
        done = subprocess.run(
            [sys.executable, "-c", DRAWING], env=environment, capture_output=True, text=True, check=True
        )
        told.append(done.stdout.splitlines())
    assert [line.split()[0] for line in told[0]] == list(WORLDS)
    assert told[0] == told[1]


@pytest.mark.parametrize("world", WORLDS)
def test_seed_split_and_level_each_change_the_picture(world: str) -> None:
    size = Size(224, 224)
    one = draw(world, 1, level=2, size=size).drawing.picture.tobytes()
    for other in (
        draw(world, 2, level=2, size=size),
        draw(world, 1, level=3, size=size),
        draw(world, 1, level=2, size=size, split="test"),
    ):
        assert other.drawing.picture.tobytes() != one


@pytest.mark.parametrize("world", WORLDS)
def test_leaving_out_the_maps_changes_nothing_else(world: str) -> None:
    with_maps, without = draw(world, 5, level=3), draw(world, 5, level=3, maps=False)
    assert without.drawing.kind_map.shape == (0, 0)
    assert with_maps.turns == without.turns
    assert with_maps.drawing.picture.tobytes() == without.drawing.picture.tobytes()


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("size", [Size(224, 224), Size(280, 84), Size(97, 211), Size(448, 336)])
def test_a_picture_has_the_size_that_was_asked_for(world: str, size: Size) -> None:
    exercise = draw(world, 9, level=3, size=size)
    assert exercise.drawing.picture.size == size
    assert exercise.drawing.picture.mode == "RGB"
    assert exercise.drawing.kind_map.shape == (size.height, size.width)
    assert exercise.drawing.things


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("level", LEVELS)
def test_boxes_lie_in_the_picture_and_are_not_empty(world: str, level: int) -> None:
    for exercise in some(world, level):
        width, height = exercise.drawing.picture.size
        for thing in exercise.drawing.things:
            for x1, y1, x2, y2 in (thing.box, *(found.box for found in thing.words)):
                assert 0 <= x1 < x2 <= width
                assert 0 <= y1 < y2 <= height


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("level", LEVELS)
def test_maps_hold_known_numbers_and_agree_on_what_is_background(world: str, level: int) -> None:
    for exercise in some(world, level):
        drawing = exercise.drawing
        assert set(np.unique(drawing.kind_map)) <= {*range(len(CLASSES)), IGNORE}
        assert set(np.unique(drawing.colour_map)) <= {*range(len(COLOURS)), IGNORE}
        assert drawing.thing_map.max() < len(drawing.things)
        assert ((drawing.kind_map == 0) | (drawing.thing_map >= 0)).all()


@pytest.mark.parametrize("level", LEVELS)
def test_the_pixels_of_a_drawn_thing_fill_its_box_and_nothing_else(level: int) -> None:
    for exercise in some("scenes", level):
        drawing = exercise.drawing
        for number, thing in enumerate(drawing.things):
            rows, columns = np.nonzero(drawing.thing_map == number)
            assert set(np.unique(drawing.kind_map[rows, columns])) == {class_of(thing.kind)}
            seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            np.testing.assert_allclose(thing.box, seen, atol=1.6)


@pytest.mark.parametrize("level", LEVELS)
def test_a_characters_cell_stands_in_the_box_of_its_word(level: int) -> None:
    for exercise in some("words", level):
        drawing = exercise.drawing
        for number, thing in enumerate(drawing.things):
            for found in thing.words:
                x1, y1, x2, y2 = (round(edge) for edge in found.box)
                kinds = drawing.kind_map[y1:y2, x1:x2][drawing.thing_map[y1:y2, x1:x2] == number]
                said = {class_of(letter) for letter in found.text}
                assert said & set(np.unique(kinds))
                assert np.isin(kinds, [*said, class_of(" ")]).mean() > 0.85


@pytest.mark.parametrize("world", WORLDS)
def test_ink_is_found_where_the_maps_say_something_stands(world: str) -> None:
    for exercise in some(world, 0):
        drawing = next(drawing for drawing in exercise.drawings if drawing.things)
        pixels = np.asarray(drawing.picture).astype(int)
        ground = np.median(pixels[drawing.thing_map < 0], axis=0)
        differs = np.abs(pixels - ground).max(2) > 60
        rows, columns = np.nonzero(differs)
        x1 = min(thing.box[0] for thing in drawing.things)
        y1 = min(thing.box[1] for thing in drawing.things)
        assert differs.any()
        if world == "scenes":
            assert abs(columns.min() - x1) <= 4
            assert abs(rows.min() - y1) <= 4


def test_every_kind_of_thing_is_drawn_sometime() -> None:
    kinds = {thing.kind for seed in range(150) for thing in draw("scenes", seed, maps=False).drawing.things}
    assert kinds == {*SHAPES, *OBJECTS}


def test_harder_levels_hold_more() -> None:
    for world in WORLDS:
        easy, hard = (
            np.mean([len(draw(world, n, level=level, size=Size(280, 280)).drawing.things) for n in range(12)])
            for level in (0, 3)
        )
        assert hard > easy + 1


@pytest.mark.parametrize(
    ("world", "wish"),
    [("dreams", {}), ("scenes", {"level": 4}), ("words", {"split": "validation"})],
)
def test_an_unknown_world_level_or_split_is_refused(world: str, wish: dict[str, object]) -> None:
    with pytest.raises(UnknownOption, match="wanted one of scenes"):
        draw(world, 0, **wish)  # type: ignore[arg-type]


def test_a_page_of_letters_is_mostly_letters() -> None:
    """Pages of words are mostly blank: this one is for learning letters, not pages."""
    covered = [
        (draw("letters", seed, level=1, size=Size(140, 112)).drawing.kind_map != 0).mean()
        for seed in range(40)
    ]
    assert np.mean(covered) > 0.45
