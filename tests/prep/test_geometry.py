"""Places and times of a text, as the server tells them."""

from __future__ import annotations

import json

import pytest

from omma.chat import Seen
from omma.prep.boxes import Box, Point, write_boxes, write_points
from omma.prep.dialects import DIALECTS
from omma.prep.geometry import geometry
from omma.prep.spans import Span, write_spans
from omma.sample import Size


def picture(dialect: str, *, width: int = 640, height: int = 480) -> Seen:
    return Seen("image", Size(width, height), Size(308, 224), dialect)


def clip(dialect: str) -> Seen:
    times = tuple(float(second) for second in range(10))
    return Seen("video", Size(640, 480), Size(308, 224), dialect, times)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_box_comes_back_in_pixels_of_the_picture(dialect: str) -> None:
    seen = picture(dialect)
    text = write_boxes([Box(64, 48, 320, 240, "cup")], seen)
    (entry,) = geometry(text, [seen])["shown"]
    assert entry["boxes"][0]["label"] == "cup"
    assert entry["boxes"][0]["box"] == pytest.approx([64, 48, 320, 240], abs=3)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_point_comes_back_in_pixels_of_the_picture(dialect: str) -> None:
    seen = picture(dialect)
    (entry,) = geometry(write_points([Point(100, 200, "eye")], seen), [seen])["shown"]
    assert entry["points"][0]["point"] == pytest.approx([100, 200], abs=3)


def test_spans_are_told_for_videos_only() -> None:
    text = write_spans([Span(2, 5, "opens")], clip("grid"))
    video, still = geometry(text, [clip("grid"), picture("grid")])["shown"]
    assert video["spans"] == [{"label": "opens", "span": [2.0, 5.0], "score": None}]
    assert "spans" not in still


def test_with_several_pictures_a_place_is_told_as_it_lies_in_each() -> None:
    large, small = picture("grid"), picture("grid", width=64, height=48)
    first, second = geometry(write_boxes([Box(64, 48, 320, 240)], large), [large, small])["shown"]
    assert first["boxes"][0]["box"] == pytest.approx([10 * x for x in second["boxes"][0]["box"]], abs=1)


def test_thoughts_are_not_read() -> None:
    seen = picture("grid")
    thought = write_boxes([Box(0, 0, 10, 10, "no")], seen)
    assert geometry(f"<think>{thought}</think>nothing", [seen]) == {"shown": [{"index": 0, "kind": "image"}]}


@pytest.mark.parametrize("text", ["", "[", '{"bbox_2d": [1e999, "x"]}', "\ud800", "[[[[" * 999])
def test_any_text_makes_json(text: str) -> None:
    json.dumps(geometry(text, [picture("grid"), clip("pixels")]), allow_nan=False)
