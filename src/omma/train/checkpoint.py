"""A run's folder: checkpoints that appear whole or not at all, and the newest one that can be gone on from.

RUN/recipe.json            what was asked for, with its fingerprint
RUN/log.jsonl              one line a step
RUN/step-00000200/         state.safetensors (masters, moments, heads), state.json
RUN/model/                 the model, written when the run ends
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from omma.errors import BadCheckpoint

STEP = re.compile(r"step-(\d{8})")


def save(run: Path, step: int, tensors: Mapping[str, Tensor], facts: Mapping[str, Any], keep: int) -> Path:
    """Write the checkpoint after `step` steps, beside the old ones, then let the oldest go.

    Everything is written and flushed to disk under a passing name first: a kill at any moment leaves
    either the whole checkpoint or none.
    """
    final, passing = run / f"step-{step:08d}", run / f".writing-{step:08d}"
    shutil.rmtree(passing, ignore_errors=True)
    passing.mkdir(parents=True)
    whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    save_file(whole, passing / "state.safetensors")
    (passing / "state.json").write_text(json.dumps({"step": step, **facts}, indent=1))
    for file in passing.iterdir():
        _flush(file)
    _flush(passing)
    if final.exists():
        shutil.rmtree(final)
    passing.rename(final)
    _flush(run)
    for old in checkpoints(run)[:-keep]:
        shutil.rmtree(old)
    return final


def checkpoints(run: Path) -> list[Path]:
    """Whole checkpoints of a run, oldest first."""
    return sorted(path for path in run.glob("step-*") if STEP.fullmatch(path.name))


def load(run: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The newest checkpoint's tensors and facts; None for a run that has none yet."""
    found = checkpoints(run)
    if not found:
        return None
    try:
        facts = json.loads((found[-1] / "state.json").read_text())
        return load_file(found[-1] / "state.safetensors"), facts
    except (OSError, ValueError, SafetensorError) as problem:
        raise BadCheckpoint(
            f"{found[-1]} cannot be read: {problem}; remove it to go on from the one before"
        ) from None


def read(file: Path) -> dict[str, Tensor]:
    """The tensors of one safetensors file."""
    try:
        return load_file(file)
    except (OSError, SafetensorError) as problem:
        raise BadCheckpoint(f"{file} cannot be read: {problem}") from None


def write(tensors: Mapping[str, Tensor], file: Path) -> None:
    """One safetensors file, whole or not at all."""
    passing = file.with_name(f".writing-{file.name}")
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, passing)
    _flush(passing)
    passing.replace(file)


def _flush(path: Path) -> None:
    """Ask the system to have written this file or folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def trim_log(log: Path, step: int) -> None:
    """Drop log lines of steps that a resumed run is about to take again, and a half-written last line."""
    if not log.exists():
        return
    kept = []
    for line in log.read_text().splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except (ValueError, KeyError):
            continue
    passing = log.with_suffix(".writing")
    passing.write_text("".join(f"{line}\n" for line in kept))
    passing.replace(log)
