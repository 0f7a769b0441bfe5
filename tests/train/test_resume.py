"""A run that is killed at any moment and started again ends with the very same weights."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from omma.train.loop import train
from tests.train.school import toy_recipe

PROGRAM = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {here!r})
from tests.train.school import toy_recipe
from omma.train.loop import train
from omma.train.recipe import AdamW, Muon
recipe = toy_recipe(Path({folder!r}), steps={steps})
recipe = replace(recipe, optimiser={optimiser}(), precision={precision!r})
train(recipe, Path({run!r}), workers={workers}, tell=lambda line: print(line["step"], flush=True))
"""
STEPS = 30


def program(folder: Path, run: Path, optimiser: str, precision: str, workers: int) -> list[str]:
    here = str(Path(__file__).parents[2])
    text = PROGRAM.format(
        here=here,
        folder=str(folder),
        run=str(run),
        steps=STEPS,
        optimiser=optimiser,
        precision=precision,
        workers=workers,
    )
    return [sys.executable, "-c", text]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimiser", "precision", "workers"), [("AdamW", "float32", 0), ("Muon", "bfloat16", 1)]
)
def test_three_kills_change_nothing(tmp_path: Path, optimiser: str, precision: str, workers: int) -> None:
    toy_recipe(tmp_path)  # makes processor and data once
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    subprocess.run(
        program(tmp_path, unbroken, optimiser, precision, workers), check=True, stdout=subprocess.PIPE
    )
    moments = sorted(random.Random(7).sample(range(2, STEPS - 2), 3))
    for moment in moments:
        process = subprocess.Popen(
            program(tmp_path, broken, optimiser, precision, workers),
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= moment:
                break
        time.sleep(random.Random(moment).random() * 0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    subprocess.run(
        program(tmp_path, broken, optimiser, precision, workers), check=True, stdout=subprocess.PIPE
    )
    wanted = sorted((unbroken / "model").glob("*.safetensors"))
    assert wanted
    for file in wanted:
        assert file.read_bytes() == (broken / "model" / file.name).read_bytes()


def test_a_finished_run_run_again_takes_no_step(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path, steps=3)
    train(recipe, tmp_path / "run", workers=0)
    taken: list[int] = []
    train(recipe, tmp_path / "run", workers=0, tell=lambda line: taken.append(line["step"]))
    assert taken == []
