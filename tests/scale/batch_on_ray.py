"""A program that answers a batch on Ray over a server, in two runs, and says how they went, as JSON."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import ray

from omma.scale.batch import run_batch
from omma.scale.batch_ray import RayAnswering, Source


def main(folder: Path, url: str) -> None:
    ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    source = folder / "in.jsonl"
    workers = RayAnswering(Source("omma-nano", connect=url), source, replicas=2, rows=4)
    told = [run_batch(source, folder / "ray.jsonl", workers).form() for _ in range(2)]
    print(json.dumps(told))
    ray.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
