"""On Ray Data the same callable gives the same bytes as alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from omma.corpus.clean_rules import web
from omma.corpus.clean_run import Plan, clean_corpus

pytestmark = pytest.mark.soak
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder that was cleaned into on Ray, in a process of its own, and what that process told."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'omma[ray]'")
    folder = tmp_path_factory.mktemp("ray")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.scale.cleaning_on_ray", str(folder)],
        cwd=ROOT,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return folder, json.loads(ended.stdout.splitlines()[-1])


def test_ray_writes_the_same_bytes_as_one_process(done: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    from tests.scale.cleaning_on_ray import pairs

    clean_corpus(pairs(), tmp_path, Plan(web(), shard=16))
    alone, on_ray = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (tmp_path, done[0] / "ray")
    )
    assert len(alone) > 20
    assert on_ray == alone


def test_pictures_are_found_from_whatever_folder_workers_stand_in(done: tuple[Path, dict[str, Any]]) -> None:
    folder, told = done
    assert told["kept"] == 1
    assert '"url": "../scene.png"' in (folder / "relative/pairs.jsonl").read_text()


def test_bytes_travel_whole_and_come_back_in_order(done: tuple[Path, dict[str, Any]]) -> None:
    from tests.scale.cleaning_on_ray import TAILS

    assert done[1]["tails"] == [tail.hex() for tail in TAILS]
    assert done[1]["number"] == [3, 1, 2, 0]
