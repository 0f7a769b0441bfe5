"""Asking about documents: answers that are records, tables, figures with a tolerance, or corners."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

from omma.synth.asking import Interviewer, on_grid
from omma.synth.world import Turn

Record: TypeAlias = dict[str, Any]
Quad: TypeAlias = tuple[
    tuple[float, float], ...
]  # four corners (x, y), clockwise from the text's own top left


def compact(value: object) -> str:
    """JSON without blanks, as all answers have it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class DocumentInterviewer(Interviewer):
    """Puts questions about one document into words of one split."""

    def value(
        self, wording: str, value: float, printed: str, tolerance: float, task: str | None = None, **fill: str
    ) -> Turn:
        """A question answered by a figure. Truth: the figure, and how far off it may be, as a share of it."""
        truth = {"value": value, "tolerance": tolerance}
        return Turn(self._ask(wording, "number", fill), printed, task or wording, truth)

    def record(
        self, wording: str, record: object, tolerance: float = 0.0, task: str | None = None, **fill: str
    ) -> Turn:
        """A question answered by JSON. Truth: the record, and how far off its figures may be, as a share."""
        truth = {"record": record} | ({"tolerance": tolerance} if tolerance else {})
        return Turn(self._ask(wording, "", fill), compact(record), task or wording, truth)

    def csv(self, wording: str, rows: Sequence[Sequence[str]], task: str | None = None, **fill: str) -> Turn:
        """A question answered by lines of values parted by commas."""
        lines = [",".join(_quoted(cell) for cell in row) for row in rows]
        return Turn(self._ask(wording, "", fill), "\n".join(lines), task or wording, {"lines": lines})

    def html(self, wording: str, html: str) -> Turn:
        """A question answered by a table in HTML."""
        return Turn(self._ask(wording, "", {}), html, wording, {"html": html})

    def quads(self, wording: str, quads: Sequence[tuple[Quad, str]]) -> Turn:
        """A question answered by lines and their corners. Truth: corners in pixels of the picture."""
        written = [
            {
                "quad_2d": [
                    on_grid(place, self.size[axis]) for corner in quad for axis, place in enumerate(corner)
                ],
                "text_content": text,
            }
            for quad, text in quads
        ]
        truth = {
            "quads": [
                {"quad": [[round(x, 1), round(y, 1)] for x, y in quad], "text_content": text}
                for quad, text in quads
            ]
        }
        return Turn(self._ask(wording, "", {}), compact(written), wording, truth)


def _quoted(cell: str) -> str:
    """A value as CSV has it: in quotes where it holds a comma or quotes."""
    return '"' + cell.replace('"', '""') + '"' if "," in cell or '"' in cell else cell
