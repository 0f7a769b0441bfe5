"""A run's folder: checkpoints that appear whole or not at all, and the newest one that can be gone on from.

RUN/recipe.json            what was asked for
RUN/log.jsonl              one line a step
RUN/step-00000200/         state.json and safetensors: masters, moments, means; one file for each rank
RUN/model/                 the model, written when the run ends

Several ranks write their own rows by torch.distributed.checkpoint, beside the steps that follow; any number
of ranks, one too, reads them back.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import warnings
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader, HuggingFaceStorageWriter
from torch.distributed.checkpoint.metadata import TensorStorageMetadata
from torch.distributed.checkpoint.state_dict_loader import load as load_rows
from torch.distributed.checkpoint.state_dict_saver import async_save

from omma.errors import BadCheckpoint, BadFolder
from omma.train.shard import ALONE, Ranks
from omma.weights.files import write_tensors

STEP = re.compile(r"step-(\d{8})")


class _Writing(NamedTuple):
    """A checkpoint that is being written beside the steps."""

    passing: Path
    final: Path
    done: Future[Any]


class Saver:
    """Writes a run's checkpoints, the newest `keep` of which stay.

    Everything is written and flushed to disk under a passing name first: a kill at any moment leaves either
    the whole checkpoint or none.
    """

    def __init__(self, run: Path, keep: int, ranks: Ranks = ALONE) -> None:
        self.run, self.keep, self.ranks = run, keep, ranks
        self._writing: _Writing | None = None

    def save(self, step: int, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Write the checkpoint after `step` steps; with several ranks, begin to: the tensors may move on."""
        self.settle()
        final, passing = self.run / f"step-{step:08d}", self.run / f".writing-{step:08d}"
        if self.ranks.first:
            shutil.rmtree(passing, ignore_errors=True)
            passing.mkdir(parents=True)
            (passing / "state.json").write_text(json.dumps({"step": step, **facts}, indent=1))
        if self.ranks.count == 1:
            write_tensors(tensors, passing / "state.safetensors")
            self._appear(passing, final)
            return
        self.ranks.wait()
        writer = HuggingFaceStorageWriter(str(passing), save_distributed=True)
        done = async_save(dict(tensors), storage_writer=writer, process_group=self.ranks.saving)
        assert isinstance(done, Future), "with the plain stager the copy is made before the call returns"
        self._writing = _Writing(passing, final, done)

    def settle(self, *, wait: bool = True) -> None:
        """Let what is being written appear: once it is there, or at once if it is there already.

        Raises BadFolder, on every rank, where the disk of any of them takes none.
        """
        if self._writing is None or not (wait or self._writing.done.done()):
            return
        passing, final, done = self._writing
        self._writing = None
        try:
            done.result()
        except CheckpointException as problem:
            raise BadFolder(
                f"{final} cannot be written: {_first(problem)}; make room, and run it again to go on"
            ) from None
        if self.ranks.first:
            self._appear(passing, final)

    def _appear(self, passing: Path, final: Path) -> None:
        for file in passing.iterdir():
            _flush(file)
        _flush(passing)
        if final.exists():
            shutil.rmtree(final)
        passing.rename(final)
        _flush(self.run)
        for old in checkpoints(self.run)[: -self.keep]:
            shutil.rmtree(old)


def checkpoints(run: Path) -> list[Path]:
    """Whole checkpoints of a run, oldest first."""
    return sorted(path for path in run.glob("step-*") if STEP.fullmatch(path.name))


def newest(run: Path) -> tuple[Path, dict[str, Any]] | None:
    """The newest checkpoint and its facts; None for a run that has none yet."""
    if not (found := checkpoints(run)):
        return None
    try:
        facts = json.loads((found[-1] / "state.json").read_text())
        return found[-1], {"step": int(facts["step"]), **facts}
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise _broken(found[-1], str(problem)) from None


def fill(checkpoint: Path, tensors: Mapping[str, Tensor], ranks: Ranks = ALONE) -> None:
    """Fill tensors, whole or spread over ranks, from a checkpoint of any number of ranks.

    Raises BadCheckpoint, before anything is filled, naming a tensor that is missing, left over, misshapen or
    not there in full.
    """
    reader = HuggingFaceStorageReader(str(checkpoint))
    try:
        held = {
            name: kept
            for name, kept in reader.read_metadata().state_dict_metadata.items()
            if isinstance(kept, TensorStorageMetadata)
        }
    except (OSError, ValueError, KeyError, SafetensorError) as problem:
        raise _broken(checkpoint, str(problem)) from None
    for name in sorted({*tensors, *held}):
        wanted = tuple(tensors[name].shape) if name in tensors else "nothing"
        got = tuple(held[name].size) if name in held else "nothing"
        if wanted != got:
            raise BadCheckpoint(f"{checkpoint}: {name} is {got}, the run has {wanted}; bring its recipe back")
        if sum(chunk.sizes.numel() for chunk in held[name].chunks) != tensors[name].numel():
            raise _broken(checkpoint, f"rows of {name} are missing")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled", UserWarning)
        alone = ranks.count == 1
        try:
            load_rows(dict(tensors), storage_reader=reader, process_group=ranks.saving, no_dist=alone)
        except CheckpointException as problem:
            raise _broken(checkpoint, _first(problem)) from None


def sweep(run: Path) -> None:
    """Take away what a kill left half written."""
    for half in run.glob(".writing-*"):
        shutil.rmtree(half, ignore_errors=True)


def _first(problem: CheckpointException) -> str:
    """What went wrong on the first rank of those that failed; by itself it tells all their tracebacks."""
    (wrong, _), *_ = problem.failures.values()
    return str(wrong)


def _broken(checkpoint: Path, problem: str) -> BadCheckpoint:
    return BadCheckpoint(f"{checkpoint} cannot be read: {problem}; remove it to go on from the one before")


def read(file: Path) -> dict[str, Tensor]:
    """The tensors of one safetensors file."""
    try:
        return load_file(file)
    except (OSError, SafetensorError) as problem:
        raise BadCheckpoint(f"{file} cannot be read: {problem}") from None


def write(tensors: Mapping[str, Tensor], file: Path, facts: Mapping[str, str] | None = None) -> None:
    """One safetensors file with facts beside the tensors, whole or not at all, whenever the power fails."""
    passing = file.with_name(f".writing-{file.name}")
    write_tensors(tensors, passing, facts)
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
