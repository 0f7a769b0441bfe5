"""Replicas on Ray Serve are one desk: orders are shared out, streamed, cancelled, and outlive a replica."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.soak
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process told that served on Ray."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'omma[ray]'")
    folder = tmp_path_factory.mktemp("ray")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.scale.serving_on_ray", str(folder)],
        cwd=ROOT,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    said: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return said


def test_orders_are_shared_out_among_all_replicas(told: dict[str, Any]) -> None:
    assert told["answers"] == [f"n{i}" for i in range(12)]
    assert told["processes"] == 2
    assert told["models"] == ["small"]
    how = {"ready": True, "engines": 2, "replicas": 2, "inside": 0}
    assert told["state"] == how | {"walls": ["files: none"]}
    assert told["cost"] == 5


def test_an_error_keeps_its_kind_on_the_way(told: dict[str, Any]) -> None:
    assert told["wrong"] == "PromptTooLong: 65 tokens; wanted 64 at most"


def test_an_answer_comes_in_pieces_and_closing_it_ends_it_in_the_replica(told: dict[str, Any]) -> None:
    assert told["first"] is True
    assert told["inside"] == 0


def test_whoever_was_inside_a_replica_that_dies_is_told_to_ask_again_and_others_go_on(
    told: dict[str, Any],
) -> None:
    assert "ask again" in told["killed"]
    assert told["after"] == "again"


def test_a_start_that_is_too_slow_and_one_that_cannot_be_are_said_in_a_sentence(told: dict[str, Any]) -> None:
    assert told["slow"].startswith("NotStarted: the replicas on Ray were not ready within 5 s")
    assert told["refused"] == "BadFolder: config.json is missing"
