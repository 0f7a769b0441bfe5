"""Boxes in pixels of the original picture become the model's numbers after the resize, and come back."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from omma.chat import Seen
from omma.corpus.dialogue import sample_of
from omma.corpus.native import read_messages
from omma.corpus.placing import place_boxes
from omma.corpus.record import Loose
from omma.corpus.tagged import read_qwen
from omma.errors import BadData
from omma.prep.boxes import parse_boxes, parse_points, write_boxes
from omma.prep.resize import smart_resize
from omma.sample import Size
from tests.corpus.models import processor

DIALECTS = ("grid", "pixels")
BEGIN, END = "<|box_start|>", "<|box_end|>"


def record(size: Size, answer: Any, **beside: Any) -> Loose:
    """A question about a blank picture, answered by these parts."""
    shown = {"type": "image", "image": "blank.png"}
    asked = {"role": "user", "content": [shown, {"type": "text", "text": "Where?"}]}
    return Loose({"messages": [asked, {"role": "assistant", "content": answer}], **beside})


def blank(folder: Path, size: Size, name: str = "blank.png") -> None:
    Image.new("L", size).save(folder / name)


def told(folder: Path, loose: Loose, dialect: str) -> str:
    return place_boxes(read_messages(loose, folder), processor(dialect))[1].text


def resized(size: Size) -> Size:
    rules = processor().rules
    return smart_resize(size, factor=rules.factor, min_pixels=rules.min_pixels, max_pixels=rules.max_pixels)


def seen(size: Size, dialect: str) -> Seen:
    return Seen("image", size, resized(size), dialect)


def part(*boxes: tuple[float, ...], **more: Any) -> list[dict[str, Any]]:
    entries = [{"box": list(box), "label": f"thing {i}"} for i, box in enumerate(boxes)]
    return [{"type": "boxes", "boxes": entries, **more}]


SIZE = Size(400, 300)


@pytest.mark.parametrize(
    ("dialect", "numbers"),
    [("grid", [250, 100, 500, 999]), ("pixels", [28, 8, 56, 84])],
)
def test_boxes_are_written_in_the_models_numbers(dialect: str, numbers: list[int], tmp_path: Path) -> None:
    blank(tmp_path, SIZE)
    assert resized(SIZE) == (112, 84)
    text = told(tmp_path, record(SIZE, part((100, 30, 200, 300))), dialect)
    assert json.loads(text) == [{"bbox_2d": numbers, "label": "thing 0"}]


def test_words_around_boxes_stay(tmp_path: Path) -> None:
    blank(tmp_path, SIZE)
    answer = [{"type": "text", "text": "Here: "}, *part(), {"type": "text", "text": "."}]
    assert told(tmp_path, record(SIZE, answer), "grid") == "Here: []."


def test_points_are_written_one_or_many(tmp_path: Path) -> None:
    blank(tmp_path, SIZE)
    one = [{"type": "point", "point": [200, 150], "label": "mug"}]
    assert told(tmp_path, record(SIZE, one), "grid") == '{"point_2d":[500,500],"label":"mug"}'
    many = [{"type": "points", "points": [{"point": [0, 0]}, {"point": [400, 300]}]}]
    assert told(tmp_path, record(SIZE, many), "pixels") == '[{"point_2d":[0,0]},{"point_2d":[112,84]}]'


def test_placeholders_are_filled_in_order(tmp_path: Path) -> None:
    blank(tmp_path, SIZE)
    objects = {"ref": ["a dog", "a cat"], "bbox": [[0, 0, 40, 30], [100, 30, 200, 150]]}
    text = "<ref-object><bbox>, <ref-object> at <bbox>"
    assert (
        told(tmp_path, record(SIZE, text, objects=objects), "grid")
        == "a dog[0,0,100,100], a cat at [250,100,500,500]"
    )


@pytest.mark.parametrize(
    ("unit", "box"),
    [("pixels", (100, 30, 200, 150)), ("share", (0.25, 0.1, 0.5, 0.5)), ("grid", (250, 100, 500, 500))],
)
def test_numbers_may_count_something_else(unit: str, box: tuple[float, ...], tmp_path: Path) -> None:
    blank(tmp_path, SIZE)
    text = told(tmp_path, record(SIZE, part(box, unit=unit)), "grid")
    assert json.loads(text)[0]["bbox_2d"] == [250, 100, 500, 500]


def test_each_box_is_of_its_own_picture(tmp_path: Path) -> None:
    for name, side in (("small", 100), ("large", 200)):
        blank(tmp_path, Size(side, side), f"{name}.png")
    answer = [*part((0, 0, 50, 50), image=1), *part((0, 0, 50, 50), image=0)]
    loose = record(SIZE, answer)
    loose.value["messages"][0]["content"] = [
        {"type": "image", "image": f"{name}.png"} for name in ("small", "large")
    ]
    text = told(tmp_path, loose, "grid")
    assert (
        text == '[{"bbox_2d":[0,0,250,250],"label":"thing 0"}][{"bbox_2d":[0,0,500,500],"label":"thing 0"}]'
    )


def test_a_picture_that_lies_on_its_side_is_stood_up_first(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("L", (300, 400)).save(tmp_path / "blank.png", exif=turned)
    text = told(tmp_path, record(SIZE, part((100, 30, 200, 150))), "grid")
    assert json.loads(text)[0]["bbox_2d"] == [250, 100, 500, 500]


SIDES = st.integers(30, 400)
SHARES = st.tuples(*[st.floats(0, 1)] * 4).filter(lambda s: s[2] - s[0] > 0.01 and s[3] - s[1] > 0.01)


@given(SIDES, SIDES, SHARES, st.integers(2, 7))
def test_a_scaled_picture_has_the_same_boxes_on_the_grid(
    width: int, height: int, shares: tuple[float, ...], times: int
) -> None:
    box = [share * side for share, side in zip(shares, (width, height) * 2, strict=True)]

    def grid(scale: int) -> str:
        size = Size(width * scale, height * scale)
        shape = read_messages(record(size, part(tuple(edge * scale for edge in box))), Path()).boxes[0].shapes
        return write_boxes(shape, seen(size, "grid"))  # type: ignore[arg-type]

    assert grid(times) == grid(1)


@pytest.mark.parametrize("dialect", DIALECTS)
@given(width=SIDES, height=SIDES, shares=SHARES)
def test_text_to_geometry_to_text_changes_nothing(
    dialect: str, width: int, height: int, shares: tuple[float, ...]
) -> None:
    size = Size(width, height)
    box = [share * side for share, side in zip(shares, (width, height) * 2, strict=True)]
    shapes = read_messages(record(size, part(tuple(box))), Path()).boxes[0].shapes
    text = write_boxes(shapes, seen(size, dialect))  # type: ignore[arg-type]
    back = parse_boxes(text, seen(size, dialect))
    assert write_boxes(back, seen(size, dialect)) == text
    step = [
        side / unit
        for side, unit in zip(size, resized(size) if dialect == "pixels" else (1000, 1000), strict=True)
    ]
    for edge, (was, now) in enumerate(
        zip(box, (back[0].x1, back[0].y1, back[0].x2, back[0].y2), strict=True)
    ):
        assert abs(was - now) <= step[edge % 2] + 1e-6


def test_what_the_model_sees_is_what_the_boxes_were_written_for(tmp_path: Path) -> None:
    blank(tmp_path, Size(640, 480))
    said = read_messages(record(SIZE, [{"type": "point", "point": [320, 120]}]), tmp_path)
    for dialect in DIALECTS:
        sample = sample_of(said, processor(dialect))
        (shown,) = processor(dialect).seen(sample)
        text = processor(dialect).tokenizer.decode(sample.ids_T[sample.weights_T > 0])
        (point,) = parse_points(text, shown)
        assert (point.x, point.y) == pytest.approx((320, 120), abs=4)


@pytest.mark.parametrize(
    ("answer", "beside", "words"),
    [
        (part((0, 0, 500, 100)), {}, "outside the picture of 400×300"),
        (part((-2, 0, 50, 100)), {}, "outside"),
        (part((0, 0, 1.5, 0.5), unit="share"), {}, "outside"),
        ([{"type": "point", "point": [10, 302]}], {}, "the point at 10, 302 lies outside"),
        (part((50, 0, 50, 100)), {}, "top left corner first"),
        (part((0, 0, 10)), {}, "wanted x1, y1, x2, y2"),
        (part((0, 0, 10, float("nan"))), {}, "wanted x1"),
        (part((0, 0, 10, 10), image=1), {}, "picture 1, counted from 0, and there are 1"),
        (part((0, 0, 10, 10), image=-1), {}, "number, from 0"),
        (part((0, 0, 10, 10), unit="inches"), {}, "wanted pixels, share or grid"),
        (part((0, 0, 10, 10), colour="red"), {}, "colour, which nobody reads"),
        ([{"type": "boxes", "boxes": {}}], {}, "wanted a list"),
        ("<bbox>", {"objects": {"bbox": []}}, "1 <bbox> and objects has 0"),
        ("none", {"objects": {"bbox": [[0, 0, 1, 1]]}}, "0 <bbox> and objects has 1"),
        ("<bbox>", {"objects": {"bbox": [[0, 0, 1, 1]], "ref": ["x"]}}, "<ref-object>"),
        ("<bbox>", {"objects": {"bbox": [[0, 0, 1, 1]], "image_id": [0, 0]}}, "2 image_id"),
        ("<bbox>", {"objects": 7}, "objects is int"),
    ],
)  # fmt: skip
def test_boxes_that_cannot_be_are_told(
    answer: Any, beside: dict[str, Any], words: str, tmp_path: Path
) -> None:
    blank(tmp_path, SIZE)
    with pytest.raises(BadData, match=words):
        told(tmp_path, record(SIZE, answer, **beside), "grid")


# The tags of 2023

MUG, JUG = "<ref>the mug</ref><box>(250,100),(500,500)</box>", "<box>(0,0),(100,999)</box>"


def tagged(folder: Path, dialect: str, *values: str) -> tuple[str, ...]:
    """What is said, when turns alternate and the first shows a picture."""
    turns = [
        {"from": "user" if n % 2 == 0 else "assistant", "value": value} for n, value in enumerate(values)
    ]
    record = read_qwen(Loose({"conversations": turns}), folder)
    return tuple(said.text for said in place_boxes(record, processor(dialect)))


LABELLED, PLAIN = '{"bbox_2d":[250,100,500,500],"label":"the mug"}', '{"bbox_2d":[0,0,100,999]}'
SHOW = "Picture 1: <img>blank.png</img>\n"


@pytest.mark.parametrize(
    ("answer", "dialect", "written"),
    [
        (MUG, "grid", f"[{LABELLED}]"),
        (MUG, "pixels", '[{"bbox_2d":[28,8,56,42],"label":"the mug"}]'),
        (MUG, "marks", f"<|object_ref_start|>the mug<|object_ref_end|>{BEGIN}(250,100),(500,500){END}"),
        (MUG, "tags", MUG),
        (JUG, "grid", f"[{PLAIN}]"),
        (MUG + ", " + JUG, "grid", f"[{LABELLED},{PLAIN}]"),
        (f"Here {MUG} stands.", "grid", "Here the mug [250,100,500,500] stands."),
        (f"Here {MUG} stands.", "tags", f"Here {MUG} stands."),
        (f"Two: {MUG}{JUG}.", "grid", "Two: the mug [250,100,500,500], [0,0,100,999]."),
        ("A <ref>mug</ref>.", "grid", "A mug."),
        ("A <ref>mug</ref>.", "tags", "A <ref>mug</ref>."),
        ("At <quad>(9,1),(5,2),(4,8),(8,7)</quad>", "grid", "At [4,1,9,8]"),
        ("a <b> and (1,2),(3,4)", "grid", "a <b> and (1,2),(3,4)"),
    ],
)  # fmt: skip
def test_tags_of_2023_are_written_as_the_model_writes(
    answer: str, dialect: str, written: str, tmp_path: Path
) -> None:
    blank(tmp_path, SIZE)
    assert tagged(tmp_path, dialect, f"{SHOW}Where?", answer)[1] == written


def test_tags_in_a_question_are_read_too_and_are_of_the_picture_shown_last(tmp_path: Path) -> None:
    for name, side in (("small", 84), ("large", 112)):
        blank(tmp_path, Size(side, side), f"{name}.png")
    told = tagged(
        tmp_path,
        "pixels",
        f"Picture 1: <img>small.png</img>\nWhat is at {JUG}?",
        f"It is {JUG}.",
        f"Picture 2: <img>large.png</img>\nAnd {MUG}?",
        MUG,
    )
    assert told[0] == "Picture 1: What is at [0,0,8,84]?"
    assert told[1] == "It is [0,0,8,84]."
    assert told[2] == "Picture 2: And the mug [28,11,56,56]?"
    assert told[3] == '[{"bbox_2d":[28,11,56,56],"label":"the mug"}]'


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("<box>(500,100),(250,500)</box>", "top left corner first"),
        ("<box>somewhere</box>", "without what belongs to it"),
        ("<ref>the mug", "without what belongs to it"),
        ("<box>(0,0),(2000,9)</box>", "outside the picture"),
    ],
)
def test_tags_that_cannot_be_are_told(answer: str, words: str, tmp_path: Path) -> None:
    blank(tmp_path, SIZE)
    with pytest.raises(BadData, match=words):
        tagged(tmp_path, "grid", f"{SHOW}Where?", answer)


def test_tags_without_a_picture_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="0 pictures"):
        tagged(tmp_path, "grid", "Where?", MUG)


def test_an_edge_a_pixel_outside_is_cut(tmp_path: Path) -> None:
    blank(tmp_path, SIZE)
    text = told(tmp_path, record(SIZE, part((-0.5, 0, 401, 300))), "pixels")
    assert json.loads(text)[0]["bbox_2d"] == [0, 0, 112, 84]


def test_boxes_without_a_picture_are_told(tmp_path: Path) -> None:
    loose = Loose({"messages": [{"role": "assistant", "content": part((0, 0, 1, 1))}]})
    with pytest.raises(BadData, match="0 pictures"):
        read_messages(loose, tmp_path)


@pytest.mark.parametrize("box", [(400, 10, 400.8, 20), (-0.9, 10, 0, 20), (10, 300, 20, 300.5)])
def test_a_box_of_which_nothing_is_in_the_picture_is_outside(box: tuple[float, ...], tmp_path: Path) -> None:
    blank(tmp_path, SIZE)
    with pytest.raises(BadData, match="outside the picture"):
        told(tmp_path, record(SIZE, part(box)), "grid")
    told(tmp_path, record(SIZE, part((399, 10, 400.8, 20))), "grid")


@pytest.mark.parametrize(
    ("shape", "refused"),
    [
        ("<box>(500,500),(500,500)</box>", True),
        ("<box>(500,100),(500,900)</box>", False),
        ("<box>(100,500),(900,500)</box>", False),
    ],
)
def test_a_box_of_tags_may_be_a_line_but_not_a_point(shape: str, refused: bool, tmp_path: Path) -> None:
    turns = [{"from": "user", "value": "<img>a.png</img>Where?"}, {"from": "assistant", "value": shape}]
    held = pytest.raises(BadData, match="corners that lie apart") if refused else nullcontext()
    with held:
        read_qwen(Loose({"conversations": turns}), tmp_path)
