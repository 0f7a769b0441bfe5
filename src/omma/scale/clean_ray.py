"""Cleaning on Ray Data: the very callable that a process pool maps, mapped over a cluster's batches."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from omma.corpus.clean_batch import Batch, CleanBatch
from omma.errors import BadInput, MissingExtra, NotStarted

AHEAD = 64  # batches that are handed to the cluster together


@dataclass(frozen=True)
class RayWorkers:
    """Workers of a Ray cluster. `address` is the cluster's; None starts one on this machine.

    A cluster that this process is connected to already is used as it is. Pictures that are named by path
    must be reached under that path from every machine; those that come as bytes travel with their rows.
    """

    address: str | None = None

    def run(self, work: CleanBatch, batches: Iterator[Batch]) -> Iterator[Batch]:
        """What comes out of each batch, in order. Raises MissingExtra without Ray."""
        ray = connected(self.address)
        while some := list(islice(batches, AHEAD)):
            yield from mapped(ray, work, some)


def connected(address: str | None) -> Any:
    """Ray, with a cluster behind it.

    Raises MissingExtra, BadInput where no cluster answers, and NotStarted where one does not come up in time.
    """
    try:
        import ray
        import ray.data
    except ModuleNotFoundError:
        raise MissingExtra("Ray is not installed; pip install 'omma[ray]' to work on many machines") from None
    if not ray.is_initialized():
        try:
            ray.init(address=address, include_dashboard=False, logging_level=logging.WARNING)
        except ConnectionError:
            raise BadInput(
                f"no Ray cluster answers at {address!r}; give its address, or let one be started here"
            ) from None
        except Exception as error:
            if type(error) is not Exception:  # the bare class is what Ray says of a node that is too slow
                raise
            told = str(error).partition(". ")[0]
            raise NotStarted(
                f"Ray was to start on this machine, and {told}; try again when it is less busy"
            ) from error
    ray.data.DataContext.get_current().enable_progress_bars = False
    return ray


def mapped(ray: Any, work: CleanBatch, batches: list[Batch]) -> Iterator[Batch]:
    """Map the work over batches, one task each, and put what comes back in their order."""
    import pyarrow

    tables = [pyarrow.table({**batch, "picture": _bytes(pyarrow, batch)}) for batch in batches]
    data = ray.data.from_arrow(tables).map_batches(work, batch_size=None, batch_format="numpy")
    outcomes = {int(row["number"]): row["outcome"] for row in data.iter_rows()}
    for batch in batches:
        yield {"number": batch["number"], "outcome": [outcomes[number] for number in batch["number"]]}


def _bytes(pyarrow: Any, batch: Batch) -> Any:
    """Pictures as a column that may hold more than two gigabytes."""
    return pyarrow.array(batch["picture"], pyarrow.large_binary())
