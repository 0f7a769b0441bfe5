"""Boxes and points come back in the user's pixels from every form that models write; no text is fatal."""

from __future__ import annotations

from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.chat import Seen
from omma.errors import BadInput
from omma.prep.boxes import Box, Point, parse_boxes, parse_points, write_boxes, write_point, write_points
from omma.prep.dialects import DIALECTS
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


numbers = st.integers(0, 999)
label_lists = st.lists(labels.filter(lambda label: "<" not in label), max_size=5)


def shown(dialect: str, size: Size = ORIGINAL) -> Seen:
    """A picture shown to a model of this dialect, for which a whole side always counts a thousand."""
    return Seen("image", size, Size(1000, 1000), dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
@given(st.data(), label_lists, sides, sides)
def test_text_to_geometry_to_text_is_the_same_text(
    dialect: str, data: st.DataObject, names: list[str], width: int, height: int
) -> None:
    corners = [sorted(data.draw(numbers) for _ in range(2)) for _ in range(2 * len(names))]
    boxes = [Box(*map(float, (x1, y1, x2, y2)), name) for (x1, x2), (y1, y2), name in zip(
        corners[::2], corners[1::2], names, strict=True)]  # fmt: skip
    seen = shown(dialect, Size(width, height))
    text = write_boxes(boxes, shown(dialect, Size(1000, 1000)))
    assert write_boxes(parse_boxes(text, seen), seen) == text
    points = [Point(box.x1, box.y1, box.label) for box in boxes]
    text = write_points(points, shown(dialect, Size(1000, 1000)))
    assert write_points(parse_points(text, seen), seen) == text


@pytest.mark.parametrize("dialect", DIALECTS)
@given(st.lists(st.tuples(st.tuples(*[numbers] * 4), st.sampled_from(["cat", "", "a }] b"]))), st.data())
def test_a_text_cut_anywhere_gives_all_boxes_that_are_whole(
    dialect: str, found: list[tuple[tuple[int, ...], str]], data: st.DataObject
) -> None:
    seen = shown(dialect)
    boxes = [Box(*map(float, corners), label) for corners, label in found]
    text = write_boxes(boxes, seen)
    length = data.draw(st.integers(0, len(text)))
    ends = [len(write_boxes(boxes[: n + 1], seen).removesuffix("]")) for n in range(len(boxes))]
    slack = {"json": 0, "tags": len("</box>"), "marks": len("<|box_end|>")}[DIALECTS[dialect].dress]
    whole = sum(end - slack <= length for end in ends)
    assert parse_boxes(text[:length], seen) == parse_boxes(text, seen)[:whole]


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("tags", "<ref>cat</ref><box>(100,200),(300,400)</box><box>(0,0),(999,999)</box>"
                 "<ref></ref><box>(1,2),(3,4)</box>"),
        ("marks", "<|object_ref_start|>cat<|object_ref_end|><|box_start|>(100,200),(300,400)<|box_end|>"),
        ("pixels", '[{"bbox_2d":[100,200,300,1000],"label":"cat"}]'),
        ("relative", '[{"bbox_2d":[100,200,300,1000],"label":"cat"}]'),
        ("grid", '[{"bbox_2d":[100,200,300,999],"label":"cat"}]'),
    ],
)  # fmt: skip
def test_each_generation_has_its_own_form(dialect: str, text: str) -> None:
    seen = shown(dialect)
    boxes = parse_boxes(text, seen)
    assert boxes[0].label == "cat"
    assert (boxes[0].x1, boxes[0].y1) == (100, 100)
    assert write_boxes(boxes, seen) == text


def test_an_answer_may_begin_behind_the_mark_that_the_prompt_ended_with() -> None:
    text = "(100,200),(300,400)</box><box>(1,2),(3,4)</box>"
    assert boxes(text) == [*ONE, (1, 1, 3, 2)]


def test_a_label_that_would_be_read_as_a_mark_is_refused() -> None:
    with pytest.raises(BadInput, match="holds a mark"):
        write_boxes([Box(1, 2, 3, 4, "a</ref><box>")], shown("tags"))


def test_boxes_of_an_object_that_was_cut_are_those_that_were_whole() -> None:
    assert boxes('{"label":"cat","bbox_2d":[[100,200,300,400],[5,6,7') == ONE
    assert boxes('{"bbox_2d":[[100,200],[300,400]],"lab') == []


def test_a_box_knows_its_measures() -> None:
    box = Box(0, 0, 10, 20)
    assert (box.width, box.height, box.area, box.middle) == (10, 20, 200, Point(5, 10))
    assert box.iou(Box(5, 0, 15, 20)) == pytest.approx(1 / 3)
    assert box.iou(Box(10, 0, 15, 20)) == Box(1, 1, 1, 1).iou(Box(1, 1, 1, 1)) == 0
    assert box.contains(Point(10, 20))
    assert not box.contains(Point(11, 20))
    assert Point(0, 0).distance(Point(3, 4)) == 5


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
    started = thread_time()
    text = scrap * (50_000 // len(scrap))
    parse_boxes(text, GRID)
    parse_points(text, GRID)
    assert thread_time() - started < 5  # of this thread's own work, whoever else is at work
