"""A training step of omma beside transformers' Trainer: same model, data, machine, threads, in one run.

    python -m bench.training             the table of docs/results/training.json
    python -m bench.training --toy       few small steps, to try the bench itself; writes nothing

Every measurement is a process of its own. The data are drawn and prepared beforehand on both sides; what that
costs is a row of its own, since another process does it while omma learns.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib.util import find_spec

from bench.lessons import LESSONS, Learned, Task
from bench.results import Table
from bench.speed import NANO, ratio, run

GOAL = 2.0  # times the peer's tokens a second
PARTS = ("tower", "bridge", "decoder", "optimiser")
# What each stage of 2023 moves (facts: the published table); everything else stands still.
MOVES = {
    "align": ("vision", "bridge"),
    "multitask": ("vision", "bridge", "decoder"),
    "instruct": ("bridge", "decoder"),
}


def learn(program: str, task: Task) -> Learned | str:
    """The report of one child program, or why there is none."""
    ended = run([sys.executable, "-m", program, task.words()])
    return ended if isinstance(ended, str) else Learned(**json.loads(ended.out.strip().splitlines()[-1]))


def named(task: Task) -> str:
    """What its rows begin with."""
    return f"{task.precision}, {task.lessons}"


def measure(table: Table, task: Task) -> None:
    """All rows of one precision and one kind of lessons."""
    name = named(task)
    print(f"{name}: omma", file=sys.stderr)
    ours = learn("bench.learn_omma", task)
    if isinstance(ours, str):
        table.row(name, None, met=False, note=f"omma failed: {ours}")
        return
    print(f"{name}: transformers", file=sys.stderr)
    theirs: Learned | str = "it is not installed"
    if find_spec("transformers"):
        theirs = learn("bench.learn_transformers", task)
    beside(table, task, ours, theirs)
    whole = sum(ours.shares[part] for part in PARTS)
    for part in PARTS:
        note = f"{1000 * ours.shares[part]:.0f} ms, forward and back by itself"
        table.row(f"{name}: {part}", 100 * ours.shares[part] / whole, "% of a step", note=note)
    drawn = ours.shares["data"] / ours.seconds
    table.row(f"{name}: data", 100 * drawn, "% of a step", note="drawn and prepared by another process")


def beside(table: Table, task: Task, ours: Learned, theirs: Learned | str) -> None:
    """Rows that the peer has too."""
    name = named(task)
    rate = ours.tokens / ours.seconds
    if isinstance(theirs, str):
        absent = f"no transformers: {theirs}"
        table.row(f"{name}: learning", rate, "tokens/s", note=absent)
        table.row(f"{name}: peak memory", ours.peak / 2**30, "GiB", note=absent)
        return
    other = theirs.tokens / theirs.seconds
    padded = f"{ratio(rate, other, less=False)}; {100 * theirs.padding:.0f} % of its rows are padding"
    wanted = f"≥ {GOAL:g}× the peer"
    table.row(
        f"{name}: learning", rate, "tokens/s", goal=wanted, met=rate >= GOAL * other, peer=other, note=padded
    )
    held = ratio(ours.peak, theirs.peak, less=True, worse="larger")
    table.row(f"{name}: peak memory", ours.peak / 2**30, "GiB", peer=theirs.peak / 2**30, note=held)
    table.row(
        f"{name}: loss at the last step", ours.loss, "", peer=theirs.loss, note=f"of {2 * task.steps} steps"
    )


def again(table: Table, task: Task) -> None:
    """What running layers again in the backward pass saves and costs."""
    print("recomputed layers", file=sys.stderr)
    told = [
        learn("bench.learn_omma", Task(**{**vars(task), "recompute": recompute}))
        for recompute in (False, True)
    ]
    kept, redone = told
    if isinstance(kept, str) or isinstance(redone, str):
        table.row(
            "recomputed layers",
            None,
            met=False,
            note=f"omma failed: {[x for x in told if isinstance(x, str)]}",
        )
        return
    slower = f"a step takes {redone.seconds / kept.seconds:.2f} times as long"
    table.row("recomputed layers: peak memory", redone.peak / kept.peak, "of the usual", note=slower)


def stages(table: Table) -> None:
    """Which tensors each stage of the school moves."""
    print("stages", file=sys.stderr)
    ended = run([sys.executable, "-m", "bench.moved"])
    if isinstance(ended, str):
        table.row("stages", None, met=False, note=f"omma failed: {ended}")
        return
    for stage, parts in json.loads(ended.out.strip().splitlines()[-1]).items():
        exact = all(those == (count if part in MOVES[stage] else 0) for part, (those, count) in parts.items())
        told = ", ".join(f"{part} {those} of {count}" for part, (those, count) in parts.items())
        table.row(f"{stage}: tensors moved", told, goal=", ".join(MOVES[stage]), met=exact)


def main() -> int:
    """Measure everything, print, write; 1 when something that was promised is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.training", description=__doc__)
    parser.add_argument("--toy", action="store_true", help="few small steps; nothing is written")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--precisions", nargs="*", default=["float32", "bfloat16"])
    wish = parser.parse_args()
    table = Table("training", "python -m bench.training")
    dialogues, steps = (2, 2) if wish.toy else (16, 8)
    for lessons in LESSONS:
        for precision in wish.precisions:
            measure(table, Task(str(NANO), dialogues, steps, wish.threads, precision, lessons))
    again(table, Task(str(NANO), dialogues, steps, wish.threads, "float32"))
    stages(table)
    if wish.toy:
        table.show()
        return table.exit_code
    return table.publish()


if __name__ == "__main__":
    raise SystemExit(main())
