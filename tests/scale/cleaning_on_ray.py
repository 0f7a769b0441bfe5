"""A program: starts Ray on two processors, cleans planted pairs into a folder, and tells how it went."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import ray

from omma.corpus.clean import Pair
from omma.corpus.clean_pairs import Found
from omma.corpus.clean_rules import web
from omma.corpus.clean_run import Plan, clean_corpus
from omma.scale.clean_ray import RayWorkers, mapped
from tests.corpus.planted import drawings, planted

TAILS = (b"\x89PNG\0\0\0", b"\0", b"", bytes(range(256)) + b"\0")


class Tails:
    """Work that tells the pictures it was given."""

    def __call__(self, batch: Any) -> Any:
        return {"number": list(batch["number"]), "outcome": [bytes(one).hex() for one in batch["picture"]]}


def pairs() -> list[Found]:
    return [Found(f"web line {n}", one.pair) for n, one in enumerate(planted(90), 1)]


def main(folder: Path) -> None:
    ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    clean_corpus(pairs(), folder / "ray", Plan(web(), shard=16), RayWorkers())
    os.chdir(folder)
    Path("scene.png").write_bytes(drawings()[0])
    one = Found("here", Pair("scene.png", ("A drawing of a scene",)))
    kept = clean_corpus([one], Path("relative"), Plan(web()), RayWorkers()).kept
    column = [3, 1, 2, 0]
    lines = ['{"value": {}, "why": "nothing"}'] * 4
    batch = {"number": column, "where": ["here"] * 4, "line": lines, "picture": list(TAILS)}
    (told,) = mapped(ray, Tails(), [batch])  # type: ignore[arg-type]
    print(json.dumps({"kept": kept, "number": told["number"], "tails": told["outcome"]}))
    ray.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
