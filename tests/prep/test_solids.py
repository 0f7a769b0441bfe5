"""3D boxes: text and geometry are one, and corners are seen where a camera sees them."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.prep.dialects import DIALECTS
from omma.prep.solids import Camera, Solid, parse_solids, write_solids
from omma.sample import Size
from tests.prep.shown import any_text, few, labels, shown

metres = st.integers(-(10**6), 10**6).map(lambda number: number / 10**4)
lengths = metres.map(abs)
turns = st.integers(-(10**4), 10**4).map(lambda number: number / 10**4 * 180)
three = st.tuples
solids = st.lists(
    st.builds(Solid, three(*[metres] * 3), three(*[lengths] * 3), three(*[turns] * 3), labels), max_size=4
)
TEXT = '[{"bbox_3d":[0,0.5,4,2,1,0.5,0,0.5,0],"label":"car"}]'
CAR = Solid((0, 0.5, 4), (2, 1, 0.5), (0, 90, 0), "car")


@pytest.mark.parametrize("dialect", DIALECTS)
@few
@given(solids, st.integers(0, 400))
def test_text_to_geometry_to_text_is_the_same_text_and_a_cut_one_loses_none_that_is_whole(
    dialect: str, found: list[Solid], length: int
) -> None:
    text = write_solids(found, shown(dialect))
    again = parse_solids(text, shown(dialect, Size(77, 99)))
    assert write_solids(again, shown(dialect)) == text
    ends = [len(write_solids(found[: n + 1], shown(dialect)).removesuffix("]")) for n in range(len(found))]
    assert parse_solids(text[:length], shown(dialect)) == again[: sum(end <= length for end in ends)]


def test_metres_stay_and_half_turns_are_degrees() -> None:
    assert parse_solids(f"```json\n{TEXT}\n```", shown("relative")) == [CAR]
    assert write_solids([CAR], shown("relative")) == TEXT


def test_corners_are_turned_about_the_middle() -> None:
    assert CAR.volume == 1
    xs, ys, zs = zip(*CAR.corners, strict=True)
    assert (min(xs), max(xs)) == pytest.approx((-0.25, 0.25))
    assert (min(ys), max(ys)) == pytest.approx((0, 1))
    assert (min(zs), max(zs)) == pytest.approx((3, 5))
    assert CAR.contains((0.2, 0.5, 4.9))
    assert not CAR.contains((0.9, 0.5, 4.1))


@few
@given(solids)
def test_a_box_holds_its_corners_and_what_is_between(found: list[Solid]) -> None:
    for solid in found:
        near = [
            tuple(m + 0.999 * (c - m) for c, m in zip(at, solid.middle, strict=True)) for at in solid.corners
        ]
        assert all(solid.contains(at) for at in near)  # type: ignore[arg-type]


def test_a_camera_sees_sixty_degrees_and_nothing_behind_it() -> None:
    camera = Camera.of(Size(640, 480))
    assert camera.place((0, 0, 5)) == (320, 240)
    assert camera.place((3**-0.5, 0, 1)) == pytest.approx((640, 240))
    assert camera.place((0, 0, -1)) is None
    assert None in Solid((0, 0, 0), (1, 1, 1)).seen(camera)
    double = Camera.of(Size(1280, 960))
    for a, b in zip(CAR.seen(camera), CAR.seen(double), strict=True):
        assert a is not None
        assert b == pytest.approx((2 * a[0], 2 * a[1]))


@few
@given(any_text)
def test_no_text_is_fatal(text: str) -> None:
    assert all(min(solid.size) >= 0 for solid in parse_solids(text, shown("relative")))


def test_json_gives_the_same_box_back() -> None:
    assert Solid(**json.loads(json.dumps(asdict(CAR)))) == CAR
