"""What a table means: cells that may span rows and columns, its titles, row names and figures."""

from __future__ import annotations

import html
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cell:
    """One cell from (row, column) on, `rows` by `columns` large. `thing` prints it; None for an empty one."""

    text: str
    row: int
    column: int
    rows: int = 1
    columns: int = 1
    head: bool = False
    thing: int | None = None


@dataclass(frozen=True)
class Table:
    """A table of `rows` by `columns`, the first `heads` of its rows being its head.

    `titles` name the columns, a group's name before its own; empty without a head. `keys` are the rows of
    the body that are called by a unique name in column `key`, row by row; totals and rows between are not
    among them. `numbers` are the figures by (row, column), as they are printed.
    """

    cells: tuple[Cell, ...]
    rows: int
    columns: int
    heads: int
    titles: tuple[str, ...]
    key: int
    keys: dict[int, str]
    numbers: dict[tuple[int, int], float] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether no cell spans anything."""
        return all(cell.rows == cell.columns == 1 for cell in self.cells)

    def at(self, row: int, column: int) -> Cell:
        """The cell that covers a place."""
        return next(
            cell
            for cell in self.cells
            if cell.row <= row < cell.row + cell.rows and cell.column <= column < cell.column + cell.columns
        )

    @property
    def html(self) -> str:
        """The table in HTML without blanks between tags; heads are th, spans are written where they are."""
        parts = []
        for row in range(self.rows):
            parts.append("<tr>")
            for cell in self.cells:
                if cell.row == row:
                    name = "th" if cell.head else "td"
                    spans = f' rowspan="{cell.rows}"' if cell.rows > 1 else ""
                    spans += f' colspan="{cell.columns}"' if cell.columns > 1 else ""
                    parts.append(f"<{name}{spans}>{html.escape(cell.text, quote=False)}</{name}>")
            parts.append("</tr>")
        return f"<table>{''.join(parts)}</table>"

    @property
    def texts(self) -> list[list[str]]:
        """What stands at every place, row by row; a spanning cell stands at all its places."""
        return [[self.at(row, column).text for column in range(self.columns)] for row in range(self.rows)]
