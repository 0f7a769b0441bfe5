"""One layer of each stack of the largest models, at full width, says what transformers' says."""

from __future__ import annotations

import pytest

from bench.parity import CLOSE
from bench.wide import WIDE, one_layer, wide_gaps
from omma.presets import GENERATIONS, preset


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDE)
def test_a_layer_at_full_width_is_that_of_transformers(name: str) -> None:
    gaps = wide_gaps(name)
    assert max(gaps.decoder, gaps.tower) <= CLOSE
    assert gaps.largest > 1


@pytest.mark.parametrize("name", WIDE)
def test_one_layer_has_the_widths_of_the_whole(name: str) -> None:
    whole, cut = preset(name), one_layer(name)
    assert (cut.decoder.width, cut.decoder.head_width) == (whole.decoder.width, whole.decoder.head_width)
    assert (cut.vision.width, cut.vision.feed_forward) == (whole.vision.width, whole.vision.feed_forward)
    assert (cut.decoder.heads, cut.decoder.feed_forward) == (whole.decoder.heads, whole.decoder.feed_forward)
    assert cut.family in GENERATIONS
