"""A fitting, end to end: omma-nano meets symbols it has never seen, by one command; before and after.

python -m bench.tune     # draws examples/symbols.py, runs omma train tune -> docs/results/tune.json and .txt
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.results import RESULTS, ROOT, Table

MINUTES = 10  # of processor time that a fitting to 200 pictures may take


def fit(folder: Path, words: list[str]) -> dict[str, Any]:
    """Draw the pictures and fit; the report, with the seconds it took. What was printed goes to tune.txt."""
    subprocess.run([sys.executable, str(ROOT / "examples" / "symbols.py"), str(folder)], check=True)
    began, used = time.monotonic(), _processor()
    given = ["--data", str(folder / "mine.jsonl"), "--test", str(folder / "test.jsonl")]
    program = [sys.executable, "-m", "omma", "train", "tune", *given, "--out", str(folder / "out"), *words]
    done = subprocess.run(program, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="")
    told = "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())
    (RESULTS / "tune.txt").write_text(told.replace(str(folder), "runs/symbols"), encoding="utf-8")
    form: dict[str, Any] = json.loads((folder / "out" / "report.json").read_text(encoding="utf-8"))
    return form | {"processor": _processor() - used, "wall": time.monotonic() - began}


def _processor() -> float:
    """Processor seconds of all programs that this one has started and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def add_rows(table: Table, form: dict[str, Any]) -> None:
    """Scores, losses and time."""
    for score in form["scores"]:
        before, after = score["before"], score["after"]
        apart = after["low"] > before["high"] and after["low"] > (score["blind"] or 0)
        note = f"95 %: {_percent(before)} before, {_percent(after)} after; {score['answers']} answers"
        blind = "" if score["blind"] is None else f"; blind {100 * score['blind']:.1f}"
        name = f"symbols, {score['measure']}: after (before)"
        value = f"{100 * after['value']:.1f} ({100 * before['value']:.1f})"
        table.row(name, value, "%", goal="clearly above", met=apart, note=note + blind)
    loss = form["loss"]
    table.row("loss: after (before)", f"{loss['after']['value']:.3f} ({loss['before']['value']:.3f})")
    learned = f"{form['learned']:,} of {form['parameters']:,} parameters, {form['method']}"
    steps = f"{form['steps']} steps, best after {form['best_step']}; {learned}"
    met = form["processor"] <= 60 * MINUTES
    table.row("processor time", form["processor"] / 60, "min", goal=f"≤ {MINUTES}", met=met, note=steps)
    table.row("time on the wall, beside other work", form["wall"] / 60, "min")


def _percent(figure: dict[str, float]) -> str:
    return f"{100 * figure['low']:.1f} to {100 * figure['high']:.1f}"


def main() -> None:
    """Print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("words", nargs="*", help="further words for omma train tune, after --")
    table = Table("tune", "python -m bench.tune")
    with tempfile.TemporaryDirectory() as folder:
        add_rows(table, fit(Path(folder), parser.parse_args().words))
        shutil.copy(Path(folder) / "out" / "curves.png", RESULTS / "tune.png")
    raise SystemExit(table.publish())


if __name__ == "__main__":
    main()
