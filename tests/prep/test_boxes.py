"""Boxes and points come back in the user's pixels from every form that models write; no text is fatal."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.chat import Seen
from omma.errors import BadInput
from omma.prep.boxes import Box, Point, parse_boxes, parse_points, write_boxes, write_point
from omma.sample import Size

ORIGINAL, RESIZED = Size(1000, 500), Size(560, 280)
GRID = Seen("image", ORIGINAL, RESIZED, "grid")
PIXELS = Seen("image", ORIGINAL, RESIZED, "pixels")


def boxes(text: str) -> list[tuple[float, ...]]:
    return [(box.x1, box.y1, box.x2, box.y2) for box in parse_boxes(text, GRID)]


ONE = [(100.0, 100.0, 300.0, 200.0)]
FORMS = [
    '[{"bbox_2d":[100,200,300,400],"label":"cat"}]',
    '```json\n[\n\t{"bbox_2d": [100, 200, 300, 400], "label": "cat"}\n]\n```',
    '{"bbox_2d": [100.0, 200.0, 300.0, 400.0], "label": "cat"}',
    'Here it is: {"bbox_2d": [100, 200, 300, 400], "label": "cat"}. Anything else?',
    'They call it "cat: {"bbox_2d": [100, 200, 300, 400], "label": "cat"}',
    '[{"bbox_2d":[100,200,300,400],"label":"cat"},{"bbox_2d":[5,6,7,8],"lab',
    '{"objects":[{"bbox_2d":[100,200,300,400],"label":"cat"},{"bbox_2d":[5,6',
    '{"objects":[{"bbox_2d":[100,200,300,400],"label":"cat"}]}',
    '{"label": "cat", "bbox_2d": [[100, 200], [300, 400]]}',
    '{"label": "cat", "bbox_2d": [[100, 200, 300, 400]]}',
    '[{"bbox":[100,200,300,400],"text_content":"cat"}]',
    "[{'bbox_2d': [100, 200, 300, 400], 'label': 'cat'},]",
    '[{"label":"no "cat" here","bbox_2d":[1,2]}, {"bbox_2d":[100,200,300,400], "label":"cat",}]',
    "<|object_ref_start|>cat<|object_ref_end|><|box_start|>(100,200),(300,400)<|box_end|>",
    "<ref> cat</ref><box>(100,200),(300,400)</box>",
    "[[100, 200, 300, 400]]",
    "cat (100,200),(300,400)",
    "(100, 200, 300, 400)",
    '{"bbox_2d":[300,400,100,200],"label":"cat"}',
]


@pytest.mark.parametrize("text", FORMS)
def test_every_form_gives_the_same_box(text: str) -> None:
    assert boxes(text) == ONE


@pytest.mark.parametrize("text", [form for form in FORMS if "cat" in form and not form.startswith("cat")])
def test_the_label_comes_along(text: str) -> None:
    assert [box.label for box in parse_boxes(text, GRID)] == ["cat"]


def test_a_phrase_may_have_several_boxes() -> None:
    text = "<ref>cat</ref><box>(1,2),(3,4)</box><box>(5,6),(7,8)</box><ref>dog</ref><box>(9,9),(10,10)</box>"
    assert [box.label for box in parse_boxes(text, GRID)] == ["cat", "cat", "dog"]


def test_a_score_is_read() -> None:
    (box,) = parse_boxes('{"bbox_2d":[1,2,3,4],"score":0.5}', GRID)
    assert box.score == 0.5


@pytest.mark.parametrize(
    "text",
    [
        '{"point_2d":[100,200],"label":"Save"}',
        '```json\n[{"point_2d": [100, 200], "label": "Save"}]\n```',
        '<points x1="100" y1="200" alt="Save">the button</points>',
        "<point x=100 y=200>Save</point>",
    ],
)
def test_every_form_gives_the_same_point(text: str) -> None:
    assert parse_points(text, GRID) == [Point(100, 100, "Save")]


def test_points_in_one_tag_and_bare_points_keep_their_order() -> None:
    tag = '<points x1="10" y1="20" x2="30" y2="40" alt="a">a</points>'
    assert parse_points(tag, GRID) == [Point(10, 10, "a"), Point(30, 20, "a")]
    assert parse_points("at (10, 20) and [30, 40]", GRID) == [Point(10, 10), Point(30, 20)]


def test_a_box_is_no_two_points() -> None:
    assert parse_points("(1,2),(3,4)", GRID) == []
    assert parse_points('{"bbox_2d":[[1,2],[3,4]]}', GRID) == []


def test_boxes_are_clipped_to_the_picture_and_those_outside_left_out() -> None:
    assert boxes("[-50,-50,500,2000]") == [(0, 0, 500, 500)]
    assert boxes("[1200,10,1300,20]") == []
    assert parse_points("(1200,10)", GRID) == []


@pytest.mark.parametrize(
    "text",
    [
        '{"bbox_2d":["a",2,3,4]}',
        '{"bbox_2d":[1,2,3]}',
        '{"bbox_2d":[1,2,3,true]}',
        '{"bbox_2d":[1,2,3,1e999]}',
        '{"bbox_2d":null}',
        "[NaN,1,2,3]",
        "[]",
        "",
        "No boxes here, sorry. [1]",
    ],
)
def test_garbage_is_no_box(text: str) -> None:
    assert boxes(text) == []


def test_pixels_are_those_of_the_resized_picture() -> None:
    (box,) = parse_boxes('{"bbox_2d":[56,28,560,280],"label":"a"}', PIXELS)
    assert box == Box(100, 50, 1000, 500, "a")


def test_writing_is_compact_and_cuts_down_on_the_grid() -> None:
    text = write_boxes(
        [Box(0, 0, 1000, 500, "red circle"), Box(12.9, 1, 20, 30, "é")],
        GRID,
    )
    assert text == '[{"bbox_2d":[0,0,999,999],"label":"red circle"},{"bbox_2d":[12,2,20,60],"label":"é"}]'
    assert write_boxes([], GRID) == "[]"


def test_a_point_and_a_read_line_are_written_as_agreed() -> None:
    point = write_point(Point(123, 228, "Save"), GRID)
    assert point == '{"point_2d":[123,456],"label":"Save"}'
    line = write_boxes([Box(1, 1, 2, 2, "Hi")], GRID, key="text_content")
    assert line == '[{"bbox_2d":[1,2,2,4],"text_content":"Hi"}]'


def test_a_dialect_that_nobody_speaks_is_named() -> None:
    with pytest.raises(BadInput, match="'polar'"):
        parse_boxes("", Seen("image", ORIGINAL, RESIZED, "polar"))


sides = st.integers(1, 5000)
labels = st.text(st.characters(codec="utf-8")).map(str.strip)


@given(st.lists(st.tuples(*[st.integers(0, 999)] * 4, labels), max_size=4), sides, sides)
def test_text_to_geometry_to_text_is_the_same_text(
    found: list[tuple[int, int, int, int, str]], width: int, height: int
) -> None:
    size = Size(width, height)
    wide = [Box(min(a, c), min(b, d), max(a, c), max(b, d), label) for a, b, c, d, label in found]
    for dialect, resized in (("grid", size), ("pixels", Size(1000, 1000))):
        seen = Seen("image", size, resized, dialect)
        thousand = Size(1000, 1000)
        text = write_boxes(wide, Seen("image", thousand, thousand, dialect))
        again = write_boxes(parse_boxes(text, seen), seen)
        assert again == text


@given(st.lists(st.tuples(*[st.integers(0, 1000)] * 4)), st.sampled_from([2, 3, 0.5]))
def test_a_larger_picture_has_larger_boxes(found: list[tuple[int, ...]], by: float) -> None:
    text = str([list(numbers) for numbers in found])
    scaled = Seen("image", Size(int(1000 * by), int(500 * by)), RESIZED, "pixels")
    small, large = parse_boxes(text, PIXELS), parse_boxes(text, scaled)
    for a, b in zip(small, large, strict=True):
        assert (a.x1 * by, a.y1 * by, a.x2 * by, a.y2 * by) == pytest.approx((b.x1, b.y1, b.x2, b.y2))


scraps = [
    '{"bbox_2d":',
    "[1,2,3,4]",
    '"label":"a"',
    "}",
    "{",
    "[",
    "]",
    ",",
    "<box>",
    "(1,2)",
    "</box>",
    "1e999",
]
scraps += ["<ref>", "<points x1=", "alt=", ">", '"', "\\", "\n", "point_2d", "'", "NaN"]


@given(st.one_of(st.text(), st.lists(st.sampled_from(scraps)).map("".join)))
def test_no_text_is_fatal_and_boxes_lie_in_the_picture(text: str) -> None:
    for seen in (GRID, PIXELS):
        for box in parse_boxes(text, seen):
            assert 0 <= box.x1 <= box.x2 <= 1000
            assert 0 <= box.y1 <= box.y2 <= 500
        assert all(0 <= point.x <= 1000 for point in parse_points(text, seen))


LONG = [
    '{"a":[',
    "<ref>",
    "{",
    "[1,",
    '{"bbox_2d":[1,2,3,4],"l":',
    "{label:'",
    '"\\',
    "(1.",
    "<box>(",
    "{bbox:",
]


@pytest.mark.parametrize("scrap", [*LONG, "<points " + "a" * 50_000 + ">", "(1,1)" + " " * 50_000])
def test_no_text_takes_long(scrap: str) -> None:
    started = time.perf_counter()
    text = scrap * (50_000 // len(scrap))
    parse_boxes(text, GRID)
    parse_points(text, GRID)
    assert time.perf_counter() - started < 5
