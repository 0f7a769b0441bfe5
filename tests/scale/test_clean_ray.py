"""On Ray Data the same callable gives the same bytes as alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from omma.corpus.clean import Pair
from omma.corpus.clean_pairs import Found
from omma.corpus.clean_rules import web
from omma.corpus.clean_run import Plan, clean_corpus
from omma.scale.clean_ray import RayWorkers
from tests.corpus.planted import drawings, planted

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Ray on two processors of this machine."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'omma[ray]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
        yield ray
        ray.shutdown()


def test_ray_writes_the_same_bytes_as_one_process(cluster: Any, tmp_path: Path) -> None:
    found = [Found(f"web line {n}", one.pair) for n, one in enumerate(planted(90), 1)]
    for name, workers in (("alone", None), ("ray", RayWorkers())):
        clean_corpus(found, tmp_path / name, Plan(web(), shard=16), workers)
    for path in (tmp_path / "alone").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "ray" / path.relative_to(tmp_path / "alone")).read_bytes()
    assert len(list((tmp_path / "ray").rglob("*.*"))) == len(list((tmp_path / "alone").rglob("*.*"))) > 20


def test_pictures_are_found_from_whatever_folder_workers_stand_in(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("scene.png").write_bytes(drawings()[0])
    found = [Found("here", Pair("scene.png", ("A drawing of a scene",)))]
    assert clean_corpus(found, Path("out"), Plan(web()), RayWorkers()).kept == 1
    assert '"url": "../scene.png"' in Path("out/pairs.jsonl").read_text()


def test_bytes_travel_whole(cluster: Any, tmp_path: Path) -> None:
    from omma.corpus.clean_batch import CleanBatch
    from omma.scale.clean_ray import mapped

    tails = [b"\x89PNG\0\0\0", b"\0", b"", bytes(range(256)) + b"\0"]
    lines = ['{"value": {}, "why": "nothing"}'] * 4
    batch = {"number": [3, 1, 2, 0], "where": ["here"] * 4, "line": lines, "picture": tails}
    assert list(mapped(cluster, _Tails(), [batch])) == [  # type: ignore[arg-type]
        {"number": [3, 1, 2, 0], "outcome": [tail.hex() for tail in tails]}
    ]
    assert CleanBatch(()).line_up == ()


class _Tails:
    """Tells the pictures it was given."""

    def __call__(self, batch: Any) -> Any:
        return {"number": list(batch["number"]), "outcome": [bytes(one).hex() for one in batch["picture"]]}
