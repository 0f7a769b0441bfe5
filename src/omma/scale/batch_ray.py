"""A batch on Ray Data: the very callable that answers rows alone, held by actors of a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omma.errors import Interrupted
from omma.scale.batch import Later, Line, answered
from omma.scale.clean_ray import connected
from omma.scale.rows import Place, Row, row_at
from omma.verbs import Verbs


@dataclass(frozen=True)
class Source:
    """Where a worker gets its model from: loads it, or connects to a server that has it."""

    name: str
    device: str = "auto"
    dtype: str = "auto"
    connect: str | None = None
    key: str | None = field(default=None, repr=False)

    def open(self) -> Verbs:
        """The model. Raises what loading and connecting raise."""
        import omma

        if self.connect is not None:
            return omma.connect(self.connect, self.name, key=self.key)
        return omma.load(self.name, device=self.device, dtype=self.dtype)


class Answering:
    """Rows in, lines out, by a model that is brought once. Rows come as their places in the input file."""

    def __init__(self, source: Source, path: str, at_once: int) -> None:
        self._name, self._path, self._at_once = source.name, Path(path), at_once
        self._responder = source.open()

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """Of each row its line as JSON, or why it waits."""
        places = [Place(*map(int, one)) for one in zip(*(batch[key] for key in Place._fields), strict=True)]
        rows = [row_at(self._path, place) for place in places]
        told = answered(self._responder, self._name, rows, self._path.parent, self._at_once)
        pairs = [("", str(one.why)) if isinstance(one, Later) else (json.dumps(one), "") for one in told]
        return {"line": [line for line, _ in pairs], "why": [why for _, why in pairs]}


@dataclass(frozen=True)
class RayAnswering:
    """Workers of a Ray cluster: `replicas` models, each answering `rows` rows side by side.

    `address` is the cluster's; None starts one on this machine. The input file, and pictures that it names by
    path, must be reached under those names from every machine.
    """

    source: Source
    path: Path
    address: str | None = None
    replicas: int = 1
    rows: int = 32

    @property
    def model(self) -> str:
        """The name of the model."""
        return self.source.name

    def lines(self, rows: Iterator[Row], folder: Path) -> Iterator[Line | Later]:
        """A line for every row, batch by batch as they are finished. Raises MissingExtra without Ray."""
        items = [row.place._asdict() for row in rows]
        if not items:
            return
        ray = connected(self.address)
        told = ray.data.from_items(items).map_batches(
            Answering,
            fn_constructor_args=(self.source, str(self.path.resolve()), self.rows),
            batch_size=self.rows,
            batch_format="numpy",
            concurrency=self.replicas,
        )
        for one in told.iter_rows():
            line = one["line"]
            yield json.loads(line) if line else Later(Interrupted(str(one["why"])))
