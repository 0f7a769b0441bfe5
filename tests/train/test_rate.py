"""The learning rate warms up, stays or falls as its shape says, and ends where it should."""

from __future__ import annotations

import pytest

from omma.train.rate import rate_at
from omma.train.recipe import Rate


@pytest.mark.parametrize("shape", ["cosine", "trapezoid"])
def test_the_rate_rises_to_its_peak_and_ends_at_its_last_value(shape: str) -> None:
    rate = Rate(peak=1.0, final=0.1, warm_up=10, shape=shape, fall=0.5)
    seen = [rate_at(rate, step, 101) for step in range(102)]
    assert seen[0] == pytest.approx(0.1)
    assert max(seen) == pytest.approx(1.0) == seen[9]
    assert seen[:10] == sorted(seen[:10])
    assert seen[10:] == sorted(seen[10:], reverse=True)
    assert seen[-1] == pytest.approx(0.1)


def test_a_trapezoid_stays_at_the_peak_until_it_falls() -> None:
    rate = Rate(peak=1.0, final=0.0, warm_up=10, shape="trapezoid", fall=0.2)
    assert all(rate_at(rate, step, 100) == 1.0 for step in range(10, 81))
    assert rate_at(rate, 90, 100) == pytest.approx(0.5)
