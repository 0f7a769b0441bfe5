"""Times come back in seconds of the video from every spelling, and text and times are one."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.prep.boxes import Box
from omma.prep.dialects import DIALECTS
from omma.prep.spans import (
    Sighting,
    Span,
    parse_sightings,
    parse_spans,
    seconds_of,
    write_sightings,
    write_spans,
)
from omma.sample import Size
from tests.prep.shown import any_text, few, labels, numbers, shown, sizes

seconds = st.integers(0, 10**7).map(lambda number: number / 100)
spans = st.lists(
    st.builds(lambda a, b, label: Span(min(a, b), max(a, b), label), seconds, seconds, labels), max_size=4
)
boxes = st.tuples(*[numbers] * 4).map(
    lambda n: Box(min(n[0], n[2]), min(n[1], n[3]), max(n[0], n[2]), max(n[1], n[3]))
)
ALL = (0.0, 10.0**5)
CLIP = (10.0, 10.5, 11.0, 11.5)  # frames of a clip that was cut out of a video


@pytest.mark.parametrize("dialect", DIALECTS)
@few
@given(spans, st.integers(0, 400), st.sampled_from([0.0, 3.5]))
def test_text_to_times_to_text_is_the_same_text_and_a_cut_one_loses_none_that_is_whole(
    dialect: str, found: list[Span], length: int, begin: float
) -> None:
    video = shown(dialect, times=(begin, 10.0**5 + begin))
    inside = [replace(span, start=span.start + begin, end=span.end + begin) for span in found]
    text = write_spans(inside, video)
    assert write_spans(parse_spans(text, video), video) == text
    ends = [len(write_spans(found[: n + 1], video).removesuffix("]")) for n in range(len(found))]
    if begin == 0.0:
        assert parse_spans(text[:length], video) == found[: sum(end <= length for end in ends)]


@pytest.mark.parametrize("dialect", DIALECTS)
@few
@given(st.lists(st.builds(Sighting, seconds, boxes), max_size=4), sizes)
def test_sightings_to_text_and_back(dialect: str, found: list[Sighting], size: Size) -> None:
    text = write_sightings(found, shown(dialect, times=ALL))
    video = shown(dialect, size, ALL)
    again = parse_sightings(text, video)
    assert write_sightings(again, video) == text
    assert [one.time for one in again] == [one.time for one in found]
    for one, other in zip(found, again, strict=True):
        assert other.box.x2 == pytest.approx(one.box.x2 * size.width / 1000)


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("pixels", '[{"start_time":"00:01.50","end_time":"01:03.00","description":"a"}]'),
        ("relative", '[{"start_time":1.5,"end_time":63.0,"description":"a"}]'),
        ("grid", '[{"start":1.5,"end":63.0,"label":"a"}]'),
    ],
)
def test_each_generation_has_its_own_form(dialect: str, text: str) -> None:
    assert parse_spans(text, shown(dialect, times=(0.0, 99.0))) == [Span(1.5, 63, "a")]
    assert write_spans([Span(1.5, 63, "a")], shown(dialect)) == text


@pytest.mark.parametrize(
    "text",
    [
        '{"start": 1.5, "end": 3}',
        "[{'start_time': '00:01.50', 'end_time': '0:03', 'description': 'x'},]",
        '{"start_time": "1.5s", "end_time": "<3.0 seconds>"}',
        '{"event": "x", "timestamp": [1.5, 3]}',
        '{"segments": [["0:00:01.5", "0:00:03"]]}',
        '{"time": "1.5 - 3.0 seconds"}',
        "It happens from 1.5 to 3 seconds.",
        "<1.5 seconds> to <3.0 seconds>",
        "00:01.5 - 00:03",
    ],
)
def test_every_spelling_gives_the_same_span(text: str) -> None:
    (span,) = parse_spans(text, shown("relative", times=(0.0, 60.0)))
    assert (span.start, span.end) == (1.5, 3)


@pytest.mark.parametrize(
    ("told", "second"),
    [(3, 3), ("1:02:03", 3723), ("0:01:02:15", 62), ("0:01:02:01", 62.5), ("x", None), (True, None),
     (-1, None), ("9" * 5000, None), ("1:2:3:4:5", None), (float("nan"), None), (10**400, None)],
)  # fmt: skip
def test_times_as_people_write_them(told: object, second: float | None) -> None:
    assert seconds_of(told, 0.5) == second


def test_a_clip_is_told_in_its_own_time_and_read_in_the_videos() -> None:
    for dialect in DIALECTS:
        own = 0.5 if DIALECTS[dialect].shifted else 10.5
        text = write_spans([Span(10.5, 11)], shown(dialect, times=CLIP))
        assert parse_spans(text, shown(dialect, times=CLIP)) == [Span(10.5, 11)]
        assert seconds_of(next(iter(json.loads(text)[0].values()))) == own


def test_a_span_is_cut_to_what_was_shown_and_left_out_beyond_it() -> None:
    text = '[{"start":0,"end":99},{"start":40,"end":50},{"start":2,"end":1}]'
    assert parse_spans(text, shown("relative", times=CLIP)) == [Span(10, 12)]
    assert parse_spans('{"start":1,"end":2}', shown("grid")) == [Span(1, 2)]


def test_measures_of_a_span() -> None:
    assert Span(1, 3).length == 2
    assert Span(1, 3).iou(Span(2, 4)) == pytest.approx(1 / 3)
    assert Span(1, 3).iou(Span(4, 5)) == 0
    assert Span(2, 2).iou(Span(2, 2)) == 1
    assert Span(1, 3).contains(3)


@few
@given(any_text)
def test_no_text_is_fatal(text: str) -> None:
    for dialect in DIALECTS:
        video = shown(dialect, times=CLIP)
        assert all(10 <= span.start <= span.end <= 12 for span in parse_spans(text, video))
        assert all(10 <= one.time <= 12 for one in parse_sightings(text, video))


def test_json_gives_the_same_results_back() -> None:
    for told in (Span(1, 2, "a", 0.5), Sighting(1.5, Box(1, 2, 3, 4, "a"))):
        assert type(told)(**json.loads(json.dumps(asdict(told)))) == told
