"""A table of cells: what HTML, LaTeX and Markdown say of it, each from the other."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WIDEST = 100  # rows or columns that one cell may span
MOST = 1000  # columns that are counted

_ESCAPES = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"} | {
    sign: "\\" + sign for sign in "&%$#_{}"
}
_ESCAPED = re.compile(r"\\textbackslash\{\}|\\textasciitilde\{\}|\\textasciicircum\{\}|\\[&%$#_{}]")
_RULES = re.compile(r"\\(?:hline|toprule|midrule|bottomrule|(?:cline|cmidrule)(?:\([^)]*+\))?\{[^{}]*+\})")
_SPAN = re.compile(r"\\multi(row|column)\{(\d{1,4})\}\s*+\{[^{}]*+\}\s*+\{")
_BREAK = re.compile(r"\\\\(?:\[[^\]\n]*+\])?|\\[&%$#_{}]|&")


@dataclass(frozen=True)
class Cell:
    """A cell's text, how many rows and columns it spans, and whether it is a heading."""

    text: str
    rows: int = 1
    columns: int = 1
    head: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells; a cell that spans rows stands in the first of them only."""

    rows: tuple[tuple[Cell, ...], ...]

    @property
    def text(self) -> str:
        """A row a line, its cells a tab apart."""
        return "\n".join("\t".join(cell.text for cell in row) for row in self.rows)

    @property
    def columns(self) -> int:
        """How many columns the widest row has."""
        return max((sum(columns for _, columns in row) for row in self._filled()), default=0)

    def to_html(self, attributes: str = "") -> str:
        """``<table><tr><td>…</td></tr></table>``; texts are escaped, line ends are ``<br>``."""
        rows = "".join(f"<tr>{''.join(map(_cell_html, row))}</tr>" for row in self.rows)
        return f"<table{attributes}>{rows}</table>"

    def to_latex(self) -> str:
        """A tabular, a row a line."""
        lines = [f"\\begin{{tabular}}{{{'l' * max(self.columns, 1)}}}"]
        for row in self._filled():
            lines.append(" & ".join(_cell_latex(cell, columns) for cell, columns in row) + " \\\\")
        return "\n".join([*lines, "\\end{tabular}"])

    def to_markdown(self) -> str:
        """A table of pipes; a cell that spans several places stands in the first."""
        rows = [[told for cell, columns in row for told in _spread(cell, columns)] for row in self._filled()]
        width = max(map(len, rows), default=0)
        lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
        return "\n".join([*lines[:1], "|" + " --- |" * width, *lines[1:]]) if lines else ""

    def _filled(self) -> Iterator[list[tuple[Cell | None, int]]]:
        """Each row's cells with the columns they take, and None where one from above reaches down."""
        below: dict[int, int] = {}
        for row in self.rows:
            filled: list[tuple[Cell | None, int]] = []
            at = 0
            for cell in row:
                at = _passed(below, at, filled)
                filled.append((cell, cell.columns))
                for column in range(at, min(at + cell.columns, MOST)):
                    below[column] = cell.rows - 1
                at += cell.columns
            _passed(below, at, filled)
            yield filled


def table_of(rows: Sequence[Sequence[Cell]]) -> Table:
    """The table of rows as they were read."""
    return Table(tuple(map(tuple, rows)))


def span_of(written: str | None) -> int:
    """How many rows or columns a text says that a cell spans."""
    sound = written is not None and written.isascii() and written.isdigit() and len(written) < 5
    return min(max(int(written or 1), 1), WIDEST) if sound else 1


def read_latex(body: str) -> Table:
    """The table between ``\\begin{tabular}{…}`` and ``\\end{tabular}``; a row that does not end is left out.

    What LaTeX says inside a cell stands as it is, but for escaped signs.
    """
    below: dict[int, int] = {}
    rows: list[list[Cell]] = []
    cells: list[str] = []
    start = 0
    body = _RULES.sub("", body)
    for sign in _BREAK.finditer(body):
        if sign[0] == "&" or sign[0].startswith("\\\\"):
            cells.append(body[start : sign.start()])
            start = sign.end()
        if sign[0].startswith("\\\\"):
            rows.append(_latex_row(cells, below))
            cells = []
    return table_of(rows)


def _latex_row(cells: Sequence[str], below: dict[int, int]) -> list[Cell]:
    """The cells of a row, without the empty ones under those that reach down."""
    row, at = [], 0
    for written in cells:
        cell = _latex_cell(written)
        if below.get(at, 0) > 0 and not cell.text:
            for column in range(at, min(at + cell.columns, MOST)):
                below[column] = below.get(column, 0) - 1
        else:
            row.append(cell)
            for column in range(at, min(at + cell.columns, MOST)):
                below[column] = cell.rows - 1
        at += cell.columns
    return row


def _latex_cell(written: str) -> Cell:
    spans = {"row": 1, "column": 1}
    text = written.strip()
    while (span := _SPAN.match(text)) is not None and text.endswith("}"):
        spans[span[1]] = span_of(span[2])
        text = text[span.end() : -1].strip()
    plain = {escaped: sign for sign, escaped in _ESCAPES.items()}
    return Cell(_ESCAPED.sub(lambda match: plain[match[0]], text), spans["row"], spans["column"])


def _cell_latex(cell: Cell | None, columns: int) -> str:
    text = "" if cell is None else " ".join(cell.text.split())
    text = "".join(_ESCAPES.get(sign, sign) for sign in text)
    if cell is not None and cell.rows > 1:
        text = f"\\multirow{{{cell.rows}}}{{*}}{{{text}}}"
    return f"\\multicolumn{{{columns}}}{{l}}{{{text}}}" if columns > 1 else text


def _cell_html(cell: Cell) -> str:
    spans = {"rowspan": cell.rows, "colspan": cell.columns}
    told = "".join(f' {name}="{count}"' for name, count in spans.items() if count > 1)
    tag = "th" if cell.head else "td"
    return f"<{tag}{told}>{html.escape(cell.text, quote=False).replace(chr(10), '<br>')}</{tag}>"


def _spread(cell: Cell | None, columns: int) -> list[str]:
    text = "" if cell is None else " ".join(cell.text.split()).replace("|", "\\|")
    return [text] + [""] * (columns - 1)


def _passed(below: dict[int, int], at: int, filled: list[tuple[Cell | None, int]]) -> int:
    """The next column that no cell from above reaches into; those before it are filled with None."""
    while below.get(at, 0) > 0:
        below[at] -= 1
        filled.append((None, 1))
        at += 1
    return at
