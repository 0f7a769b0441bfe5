"""The speed bench measures both sides on a toy, and says what it could not measure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.results import Table
from bench.speed import TOYS, measure, ratio


@pytest.mark.soak
def test_every_stage_of_a_toy_is_measured_beside_the_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.speed.CACHE", tmp_path)
    table = Table("bench", "make bench", folder=tmp_path)
    measure(table, replace(TOYS[0], folder=tmp_path / "toy", starts=1, repeats=1), threads=1)
    assert len(table.rows) == 7
    assert all(row.value is not None and row.peer for row in table.rows), table.rows


def test_a_model_that_is_not_there_is_a_row_that_says_so(tmp_path: Path) -> None:
    table = Table("bench", "make bench", folder=tmp_path)
    measure(table, replace(TOYS[0], folder=tmp_path / "none", shape=None), threads=1)
    assert table.exit_code == 1
    assert "none is not there" in table.rows[0].note


def test_a_ratio_says_who_is_better() -> None:
    assert ratio(1.0, 2.0, less=True) == "2.00× transformers"
    assert ratio(1.0, 2.0, less=False) == "0.50× transformers: slower"
