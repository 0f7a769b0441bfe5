"""smart_resize agrees with the public code to the pixel, and what it gives is always fit for the tower."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.chat import LOW_DETAIL, Image
from omma.errors import BadPicture
from omma.prep.resize import smart_resize
from omma.prep.rules import PictureRules
from omma.prep.visuals import picture_size
from omma.sample import Size

LIMITS = {28: (3136, 12_845_056), 32: (65_536, 16_777_216)}
# (height, width) -> (height, width), tokens: facts §11.
VECTORS = [
    (28, (480, 640), (476, 644), 391),
    (28, (1080, 1920), (1092, 1932), 2691),
    (28, (100, 2000), (112, 1988), 284),
    (28, (4000, 6000), (2912, 4368), 16224),
    (28, (1365, 2048), (1372, 2044), 3577),
    (28, (20, 20), (56, 56), 4),
    (28, (42, 42), (56, 56), 4),
    (28, (70, 70), (56, 56), 4),
    (32, (480, 640), (480, 640), 300),
    (32, (1080, 1920), (1088, 1920), 2040),
    (32, (100, 2000), (96, 1984), 186),
    (32, (4000, 6000), (3328, 4992), 16224),
    (32, (1365, 2048), (1376, 2048), 2752),
    (32, (224, 224), (256, 256), 64),
    (32, (48, 48), (256, 256), 64),
    (32, (80, 80), (256, 256), 64),
]


@pytest.mark.parametrize(("factor", "given_", "wanted", "tokens"), VECTORS)
def test_the_published_vectors_hold(
    factor: int, given_: tuple[int, int], wanted: tuple[int, int], tokens: int
) -> None:
    least, most = LIMITS[factor]
    got = smart_resize(Size(given_[1], given_[0]), factor=factor, min_pixels=least, max_pixels=most)
    assert got == Size(wanted[1], wanted[0])
    assert got.width * got.height // factor**2 == tokens


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_sides_are_whole_cells_and_the_area_is_within_the_limits(width: int, height: int) -> None:
    if max(width, height) > 200 * min(width, height):
        return
    got = smart_resize(Size(width, height), factor=28, min_pixels=3136, max_pixels=12_845_056)
    assert got.width % 28 == got.height % 28 == 0
    assert 3136 <= got.width * got.height <= 12_845_056


def test_a_side_never_shrinks_below_one_cell() -> None:
    assert smart_resize(Size(2000, 10), factor=28, min_pixels=784, max_pixels=7840).height == 28


def test_a_ratio_over_200_is_refused_with_the_rule_and_the_numbers() -> None:
    with pytest.raises(BadPicture, match=r"1×8000.*8000 times.*at most 200"):
        smart_resize(Size(1, 8000), factor=28, min_pixels=3136, max_pixels=12_845_056)


def test_limits_without_a_size_between_are_refused() -> None:
    with pytest.raises(BadPicture, match="min_pixels 5000"):
        smart_resize(Size(100, 100), factor=28, min_pixels=5000, max_pixels=4000)


@pytest.mark.parametrize("own", [100_000, LOW_DETAIL, 1_000_000])
def test_low_detail_is_never_more_than_the_models_own_limit(own: int) -> None:
    rules, large = PictureRules(max_pixels=own), Size(2000, 1500)
    low, whole = (picture_size(Image("", detail=detail), rules, large) for detail in ("low", None))
    assert low.width * low.height <= min(own, LOW_DETAIL)
    assert (low == whole) == (own <= LOW_DETAIL)
