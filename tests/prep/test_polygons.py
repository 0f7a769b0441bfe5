"""Quads and polygons: text and geometry are one in every dialect, and their measures are right."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.prep.boxes import Box, Point
from omma.prep.dialects import DIALECTS
from omma.prep.polygons import Polygon, parse_polygons, parse_quads, ring_of, write_polygons
from omma.sample import Size
from tests.prep.shown import THOUSAND, any_text, few, labels, numbers, shown, sizes

rings = st.lists(st.tuples(numbers, numbers), min_size=3, max_size=6)
polygons = st.lists(st.builds(lambda ring, label: Polygon(tuple(ring), label), rings, labels), max_size=4)
SQUARE = Polygon(((0, 0), (10, 0), (10, 10), (0, 10)), "a")


@pytest.mark.parametrize("dialect", DIALECTS)
@few
@given(polygons, sizes, st.integers(0, 400))
def test_text_to_geometry_to_text_is_the_same_text_and_a_cut_one_loses_none_that_is_whole(
    dialect: str, found: list[Polygon], size: Size, length: int
) -> None:
    text = write_polygons(found, shown(dialect))
    again = parse_polygons(text, shown(dialect, size))
    assert write_polygons(again, shown(dialect, size)) == text
    ends = [len(write_polygons(found[: n + 1], shown(dialect)).removesuffix("]")) for n in range(len(found))]
    cut = parse_polygons(text[:length], shown(dialect, size))
    assert cut == again[: len(cut)]
    assert len(cut) >= sum(end <= length for end in ends)


@pytest.mark.parametrize("dialect", DIALECTS)
@few
@given(polygons, st.integers(2, 7))
def test_a_larger_picture_has_larger_polygons(dialect: str, found: list[Polygon], by: int) -> None:
    text = write_polygons(found, shown(dialect))
    large = parse_polygons(text, shown(dialect, Size(1000 * by, 1000 * by)))
    for a, b in zip(parse_polygons(text, shown(dialect)), large, strict=True):
        assert [x * by for corner in a.corners for x in corner] == pytest.approx(
            [x for corner in b.corners for x in corner]
        )


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("tags", "<ref>a</ref><quad>(0,0),(10,0),(10,10),(0,10)</quad>"),
        ("marks", "<|object_ref_start|>a<|object_ref_end|>"
                  "<|quad_start|>(0,0),(10,0),(10,10),(0,10)<|quad_end|>"),
        ("grid", '[{"quad_2d":[0,0,10,0,10,10,0,10],"label":"a"}]'),
        ("pixels", '[{"quad_2d":[0,0,10,0,10,10,0,10],"label":"a"}]'),
    ],
)  # fmt: skip
def test_each_generation_has_its_own_form(dialect: str, text: str) -> None:
    assert write_polygons([SQUARE], shown(dialect)) == text
    assert parse_quads(text, shown(dialect)) == [SQUARE]


def test_corners_come_in_pairs_too_and_in_an_attribute() -> None:
    text = '{"polygon": [[0,0],[10,0],[10,10],[0,10]], "text_content": "a"}'
    assert parse_polygons(text, shown("relative")) == [SQUARE]
    assert ring_of("0 0 10 0 10 10 0 10", shown("grid")) == Polygon(SQUARE.corners)
    assert ring_of("0 0 10 0 ten 10 0 10", shown("grid")) is None


def test_corners_outside_move_to_the_edge_and_what_is_wholly_outside_is_left_out() -> None:
    text = '{"quad":[-5,0,10,0,10,10,0,10]} {"quad":[1100,0,1200,0,1200,10]}'
    assert [polygon.corners for polygon in parse_polygons(text, shown("pixels"))] == [SQUARE.corners]


def test_a_quad_is_no_two_boxes() -> None:
    from omma.prep.boxes import parse_boxes

    assert parse_boxes("<ref>a</ref><quad>(0,0),(10,0),(10,10),(0,10)</quad>", shown("tags")) == []


def test_measures_of_an_outline() -> None:
    notched = Polygon(((0, 0), (10, 0), (10, 10), (5, 5), (0, 10)))
    assert (SQUARE.area, notched.area, SQUARE.box) == (100, 75, Box(0, 0, 10, 10, "a"))
    assert notched.contains(Point(5, 4))
    assert not notched.contains(Point(5, 6))
    assert SQUARE.iou(notched) == pytest.approx(0.75)
    assert SQUARE.iou(Polygon(((20, 0), (30, 0), (30, 10)))) == 0


@few
@given(rings, rings)
def test_overlap_is_a_share_and_the_same_from_both_sides(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    a, b = Polygon(tuple(one)), Polygon(tuple(reversed(other)))
    assert 0 <= a.iou(b) <= 1
    assert a.iou(b) == pytest.approx(b.iou(a), abs=1e-6)


@few
@given(*[st.tuples(*[st.integers(0, 100)] * 4)] * 2)
def test_upright_quads_overlap_as_boxes_do(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    a, b = (Box(min(x, u), min(y, v), max(x, u), max(y, v)) for x, y, u, v in (one, other))
    ring_a, ring_b = (Polygon(((c.x1, c.y1), (c.x2, c.y1), (c.x2, c.y2), (c.x1, c.y2))) for c in (a, b))
    assert ring_a.iou(ring_b) == pytest.approx(a.iou(b), abs=1e-9)


@few
@given(any_text)
def test_no_text_is_fatal(text: str) -> None:
    for dialect in DIALECTS:
        for polygon in parse_polygons(text, shown(dialect)):
            assert all(0 <= x <= THOUSAND.width and 0 <= y <= THOUSAND.height for x, y in polygon.corners)


def test_json_gives_the_same_polygon_back() -> None:
    assert Polygon(**json.loads(json.dumps(asdict(SQUARE)))) == SQUARE


def test_two_corners_are_no_polygon() -> None:
    with pytest.raises(ValueError, match="2 corners"):
        Polygon(((0, 0), (1, 1)))
