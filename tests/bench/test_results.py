"""The table of figures: what it writes, and what it says when something was missed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from bench.results import PAGE, RESULTS, Table, page


def test_a_table_writes_command_commit_machine_and_rows(tmp_path: Path) -> None:
    table = Table("trial", "make trial", folder=tmp_path)
    table.row("speed", np.float32(2.5), "x", goal=2, met=np.bool_(True), peer=1.0, note="of [two] runs")
    table.row("slow path", None, note="peer is not installed")
    assert table.publish() == 0
    written = json.loads((tmp_path / "trial.json").read_text())
    assert set(written) == {"command", "commit", "machine", "rows"}
    assert {"cpu", "cores", "memory_gib", "torch", "python"} <= set(written["machine"])
    assert written["rows"][0] == {
        "name": "speed",
        "value": 2.5,
        "unit": "x",
        "goal": 2,
        "met": True,
        "peer": 1.0,
        "note": "of [two] runs",
    }


def test_one_missed_figure_fails_the_command(tmp_path: Path) -> None:
    table = Table("trial", "make trial", folder=tmp_path)
    table.row("good", 1, met=True)
    table.row("bad", 1, met=False)
    assert table.exit_code == 1


def test_a_table_without_figures_is_a_failure(tmp_path: Path) -> None:
    assert Table("trial", "make trial", folder=tmp_path).exit_code == 1


def test_the_page_of_results_shows_every_table(tmp_path: Path) -> None:
    for name in ("bench", "eval"):
        table = Table(name, f"make {name}", folder=tmp_path)
        table.row("a | b", 12345.6, "tokens", goal="≥ 1", met=True)
        table.write()
    shown = (tmp_path / "README.md").read_text()
    assert "## bench" in shown
    assert "## eval" in shown
    assert r"| a \| b | 12,346 | tokens | ≥ 1 | yes |  |  |" in shown


def test_the_page_in_the_docs_is_what_the_figures_say() -> None:
    if any(RESULTS.glob("*.json")):
        assert (RESULTS / PAGE).read_text() == page(RESULTS)
