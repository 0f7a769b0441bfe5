"""Runs a toy school in processes that can be killed: ``python -m tests.train.nursery FOLDER PLAN``.

The processes are forked from one that has everything imported, so that starting again costs next to nothing.
PLAN is a JSON list of turns: which run, on how many ranks, with which changes to the recipe, and whether it
is killed (`at` a step, so many seconds `later`, or while a checkpoint is being `writing`).
"""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from omma.sample import Size
from omma.train import checkpoint
from omma.train.loop import train
from omma.train.recipe import AdamW, Course, Muon, Rate, Recipe, Worlds
from tests.train.school import toy_recipe

STEPS = 24


def recipe(folder: Path, changes: Mapping[str, Any]) -> Recipe:
    """A small school with pictures in one dialogue of three: many a pass has none."""
    optimiser = Muon() if changes.get("muon") else AdamW(eps=1e-6)
    generation = "qwen3-vl-moe" if changes.get("experts") else "qwen2.5-vl"
    made = toy_recipe(folder, generation, steps=changes.get("steps", STEPS), shown=3)
    if changes.get("experts"):
        made = replace(made, balance=0.1, z_loss=1e-3)
    if changes.get("drawn"):
        courses = tuple(Course(world, sizes=(Size(84, 56),)) for world in ("scenes", "words"))
        made = replace(made, data=Worlds(courses), marks=0.5, apart=True, roots=True)
    return replace(
        made,
        optimiser=optimiser,
        rate=Rate(peak=changes.get("peak", 3e-4), warm_up=3),
        precision=changes.get("precision", "float32"),
        average=0.9,
    )


def start(folder: Path, turn: Mapping[str, Any], rank: int, port: int, told: int) -> int:
    """Fork one rank of a run; its step numbers go to `told`."""
    if child := os.fork():
        return child
    try:
        torch.set_num_threads(1)
        if turn["ranks"] > 1:
            os.environ.update(
                MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), RANK=str(rank), LOCAL_RANK=str(rank),
                WORLD_SIZE=str(turn["ranks"]), TORCHELASTIC_RUN_ID="nursery",
            )  # fmt: skip
        if turn.get("writing"):
            flush = checkpoint._flush
            checkpoint._flush = lambda path: (time.sleep(0.2), flush(path))  # a slow disk
        made = recipe(folder, turn.get("changes", {}))
        train(made, folder / turn["run"], workers=0, tell=lambda line: os.write(told, b"%d\n" % line["step"]))
        os._exit(0)
    except BaseException as problem:
        print(f"rank {rank}: {type(problem).__name__}: {problem}", file=sys.stderr)
        os._exit(1)


def play(folder: Path, turn: Mapping[str, Any]) -> str:
    """Run one turn; how it ended: "killed", "finished" or "failed"."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    read, write = os.pipe()
    ranks = [start(folder, turn, rank, port, write) for rank in range(turn["ranks"])]
    os.close(write)
    ended = "finished"
    with os.fdopen(read) as steps:
        for line in steps:
            if int(line) >= turn.get("at", math.inf):
                while turn.get("writing") and not list((folder / turn["run"]).glob(".writing-*")):
                    time.sleep(0.001)
                time.sleep(turn.get("later", 0.0))
                for process in ranks:
                    os.kill(process, signal.SIGKILL)
                ended = "killed"
                break
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in ranks]
    return "failed" if any(code > 0 for code in codes) else ended


if __name__ == "__main__":
    where, plan = Path(sys.argv[1]), json.loads(sys.argv[2])
    recipe(where, {})  # makes processor and data once
    print(json.dumps([play(where, turn) for turn in plan]))
