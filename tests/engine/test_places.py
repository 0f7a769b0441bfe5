"""Places that an answer is held to lie inside the picture, each box's second corner beyond its first."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omma.chat import Seen
from omma.engine.corners import Corners
from omma.engine.grammar import Vocabulary, compile_shape
from omma.errors import BadInput, BadShape
from omma.prep.boxes import Box, Point, parse_boxes, parse_points, write_boxes, write_points
from omma.prep.dialects import DIALECTS, dialect_of, frame_of
from omma.prep.forms import found
from omma.prep.ranks import RankedTokenizer
from omma.sample import Size
from omma.shape import Places
from tests.engine.walks import accepts, drawn, nano

every_dialect = pytest.mark.parametrize("dialect", DIALECTS)
SIZES = [Size(28, 28), Size(640, 480), Size(1003, 84), Size(12_000, 9_999)]


@cache
def vocabulary(dialect: str) -> Vocabulary:
    """Qwen-VL's own kind of vocabulary for its tags, omma-nano's for all others."""
    if dialect != "tags":
        return nano()
    ranked = RankedTokenizer.of(nano().tokenizer)
    return Vocabulary(ranked, ranked.size, frozenset({ranked.token_ids.turn_end}))


@every_dialect
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("points", [False, True])
def test_every_random_answer_holds_places_inside_the_picture(dialect: str, size: Size, points: bool) -> None:
    grammar = compile_shape(Places(size, dialect, most=4, points=points), vocabulary(dialect))
    units, told = dialect_of(dialect).units(size), 0
    top = [units.width - dialect_of(dialect).cut, units.height - dialect_of(dialect).cut]
    for seed in range(12):
        answer = drawn(grammar, seed, vocabulary(dialect))
        for numbers, _, _ in found(answer or "", 2 if points else 4):
            told += 1
            assert all(0 <= number <= top[i % 2] for i, number in enumerate(numbers))
            assert points or (numbers[0] < numbers[2] and numbers[1] < numbers[3])
            assert all(number == int(number) for number in numbers)
    assert told


def two_of(most: int) -> st.SearchStrategy[list[int]]:
    """Two numbers that differ, the less one first."""
    return st.lists(st.integers(0, most), min_size=2, max_size=2, unique=True).map(sorted)


@every_dialect
@settings(max_examples=15)
@given(st.data())
def test_whatever_is_written_of_boxes_in_a_picture_is_allowed_and_read_back(
    dialect: str, data: st.DataObject
) -> None:
    size = data.draw(st.sampled_from(SIZES[1:3]))
    seen = Seen("image", size, size, dialect)
    most = [side - 1 for side in dialect_of(dialect).units(size)]
    label = st.sampled_from(["", "cup", "a 5 by (7,8) sign", "été"])
    told = st.lists(st.tuples(*(two_of(side) for side in most), label), min_size=1, max_size=3)
    frame = frame_of(seen)
    boxes = [
        Box(*frame.read(x1, y1), *frame.read(x2, y2), name) for (x1, x2), (y1, y2), name in data.draw(told)
    ]
    text = write_boxes(boxes, seen)
    assert accepts(compile_shape(Places(size, dialect), vocabulary(dialect)), text, vocabulary(dialect))
    assert len(parse_boxes(text, seen)) == len(boxes)


@every_dialect
def test_points_that_are_written_are_allowed(dialect: str) -> None:
    seen = Seen("image", Size(640, 480), Size(640, 480), dialect)
    text = write_points([Point(0, 0, "corner"), Point(320.5, 479, "edge")], seen)
    grammar = compile_shape(Places(seen.resized, dialect, points=True), vocabulary(dialect))
    assert accepts(grammar, text, vocabulary(dialect))
    assert len(parse_points(text, seen)) == 2


@pytest.mark.parametrize(
    ("numbers", "right"),
    [
        ("0,0,1,1", True),
        ("998,998,999,999", True),
        ("5,5,5,6", False),
        ("5,5,6,5", False),
        ("5,5,4,6", False),
        ("999,0,999,1", False),
        ("0,0,1000,1", False),
        ("00,0,1,1", False),
        ("0,0,1", False),
        ("0,0,1,1,1", False),
        ("-1,0,1,1", False),
        ("99,99,100,100", True),
        ("100,100,99,101", False),
    ],
)
def test_a_box_is_held_to_its_numbers(numbers: str, right: bool) -> None:
    grammar = compile_shape(Places(Size(640, 480), "grid"), nano())
    assert accepts(grammar, f'[{{"bbox_2d":[{numbers}],"label":"a"}}]') == right


@every_dialect
def test_nothing_found_may_be_said(dialect: str) -> None:
    grammar = compile_shape(Places(Size(64, 64), dialect), vocabulary(dialect))
    assert accepts(
        grammar, write_boxes([], Seen("image", Size(9, 9), Size(64, 64), dialect)), vocabulary(dialect)
    )


def test_a_base_model_goes_on_from_the_mark_that_the_prompt_ends_with() -> None:
    grammar = compile_shape(Places(Size(448, 448), "tags"), vocabulary("tags"))
    assert accepts(grammar, "(1,2),(3,4)</box>", vocabulary("tags"))
    assert not accepts(grammar, "(1,2),(1,4)</box>", vocabulary("tags"))


def test_no_more_places_than_wanted_are_told() -> None:
    grammar = compile_shape(Places(Size(64, 64), "grid", most=1, points=True), nano())
    assert accepts(grammar, '[{"point_2d":[1,2]}]')
    assert not accepts(grammar, '[{"point_2d":[1,2]},{"point_2d":[3,4]}]')


@pytest.mark.parametrize(
    "shape",
    [
        Places(Size(1, 1), "pixels", points=False, most=0),
        Places(Size(0, 9), "pixels"),
        Places(Size(9, 9), "Greek"),
    ],
)
def test_places_that_cannot_be_are_refused(shape: Places) -> None:
    with pytest.raises((BadShape, BadInput)):
        compile_shape(shape, nano())


@settings(max_examples=300)
@given(st.integers(1, 1200), st.integers(0, 1199), st.integers(0, 1300))
def test_figures_are_allowed_as_long_as_some_number_that_begins_with_them_is(
    most: int, first: int, second: int
) -> None:
    """Against the plain twin: every number of the range, spelled."""
    first = min(first, most - 1)
    corners = Corners((most, 9), quoted=True).after(b"%d,0," % first)
    assert corners is not None
    for length in range(1, len(str(second)) + 1):
        begun = str(second)[:length]
        some = any(str(number).startswith(begun) for number in range(first + 1, most + 1))
        assert (corners.after(begun.encode()) is not None) == some


def test_a_walk_that_thinks_first_counts_only_what_comes_after() -> None:
    grammar = compile_shape(Places(Size(64, 64), "grid", most=1), nano(), thinks=True)
    walk = grammar.walk()
    for token in [*nano().tokenizer.text("[5000,1,2"), nano().marks["</think>"]]:
        assert walk.mask()[token]
        walk.take(token)
    for token in nano().tokenizer.text('[{"bbox_2d":[1,2,3,4'):
        assert walk.mask()[token]
        walk.take(token)
    assert not walk.copy().mask()[nano().tokenizer.text(",")[0]]
