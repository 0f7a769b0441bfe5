"""Figures of schemathesis are read out of what it prints."""

from __future__ import annotations

import pytest

from bench.openapi import _count


@pytest.mark.parametrize(
    ("told", "made", "passed"),
    [
        ("Test cases:\n  148 generated, 148 passed\n\nSeed: 1", 148, 148),
        ("Test cases:\n  1,148 generated, 1,140 passed, 8 failed\n", 1148, 1140),
        ("nothing was run", 0, 0),
    ],
)
def test_the_line_of_test_cases_is_understood(told: str, made: int, passed: int) -> None:
    assert (_count(told, "generated"), _count(told, "passed")) == (made, passed)
