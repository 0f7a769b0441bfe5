"""How alike two tables in HTML are: the tree edit distance of their rows and cells, as a share (TEDS).

Source: X. Zhong, E. ShafieiBavani, A. Jimeno Yepes, "Image-based table recognition: data, model, and
evaluation", 2020, section 4: TEDS(a, b) = 1 - distance(a, b) / max(|a|, |b|). Putting in or taking out a node
costs 1, and so does taking one for another of a different kind or span; cells of one kind and span cost the
share of their letters that differ. Nodes are counted without the table itself, as the authors' program does.
thead and tbody are looked through, and a th is a cell like any other.
"""

from __future__ import annotations

from functools import lru_cache
from html.parser import HTMLParser
from typing import NamedTuple

from omma.evals.texts import distance

MOST = 2000  # nodes; a longer table is cut there, so that no answer costs more than seconds


class Node(NamedTuple):
    """A node of a table's tree: "table", "tr" or "td", its spans (rows, columns) and a cell's text."""

    kind: str
    spans: tuple[int, int] = (1, 1)
    text: str = ""
    below: tuple[Node, ...] = ()

    @property
    def size(self) -> int:
        """How many nodes there are, itself among them."""
        return 1 + sum(node.size for node in self.below)


def teds(wanted: str, told: str) -> float:
    """How alike the first tables of two texts in HTML are, 0 to 1; 0 where one of them holds no row."""
    one, other = table_tree(wanted), table_tree(told)
    if one is None or other is None:
        return 0.0
    most = max(one.size, other.size) - 1  # the table itself, which both have, is not counted
    return max(0.0, 1 - tree_distance(one, other) / most)


def table_tree(html: str) -> Node | None:
    """The tree of the first table in a text, however loosely it is written; None where there is no row."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    rows = tuple(Node("tr", below=tuple(cell.node() for cell in row)) for row in reader.rows)
    return Node("table", below=rows) if rows else None


class _Cell:
    def __init__(self, spans: tuple[int, int]) -> None:
        self.spans = spans
        self.parts: list[str] = []

    def node(self) -> Node:
        """The cell with its words one blank apart."""
        return Node("td", self.spans, " ".join("".join(self.parts).split()))


class _Reader(HTMLParser):
    """Collects rows of cells up to the end of the first table. Tags that were left open do no harm."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[_Cell]] = []
        self._open = False  # a cell that takes up text
        self._done = False
        self._nodes = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A row or a cell begins; a line break parts words."""
        if self._done or self._nodes >= MOST:
            return
        if tag == "tr":
            self.rows.append([])
            self._open, self._nodes = False, self._nodes + 1
        elif tag in ("td", "th"):
            if not self.rows:
                self.rows.append([])
            given = dict(attrs)
            self.rows[-1].append(_Cell((_span(given.get("rowspan")), _span(given.get("colspan")))))
            self._open, self._nodes = True, self._nodes + 1
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        """A cell takes up no more; the first table's end is the end of all."""
        if tag in ("td", "th", "tr", "table"):
            self._open = False
        self._done |= tag == "table" and bool(self.rows)

    def handle_data(self, data: str) -> None:
        """Text belongs to the cell that is open."""
        if self._open and not self._done:
            self.rows[-1][-1].parts.append(data)


def _span(written: str | None) -> int:
    """A span as it counts: at least 1, and no more than tables have."""
    return min(max(int(written), 1), 1000) if written and written.isascii() and written.isdigit() else 1


def tree_distance(one: Node, other: Node) -> float:
    """The least cost of making one ordered tree the other, node by node (Zhang and Shasha, 1989)."""
    a, b = _Ordered(one), _Ordered(other)
    apart = [[0.0] * len(b.nodes) for _ in a.nodes]
    for i in a.roots:
        for j in b.roots:
            _compare(a, b, i, j, apart)
    return apart[-1][-1]


class _Ordered:
    """A tree's nodes, each after what is below it; `first` is the place of each one's leftmost leaf."""

    def __init__(self, tree: Node) -> None:
        self.nodes: list[Node] = []
        self.first: list[int] = []
        self._walk(tree)
        last = {leaf: place for place, leaf in enumerate(self.first)}
        self.roots = sorted(last.values())  # the highest node over each leftmost leaf

    def _walk(self, node: Node) -> int:
        leaf = [self._walk(child) for child in node.below]
        self.nodes.append(node)
        self.first.append(leaf[0] if leaf else len(self.nodes) - 1)
        return self.first[-1]


def _compare(a: _Ordered, b: _Ordered, i: int, j: int, apart: list[list[float]]) -> None:
    """Fill in the distances of all pairs of subtrees that end in these two and start where they do."""
    start_a, start_b = a.first[i], b.first[j]
    before = [float(count) for count in range(j - start_b + 2)]
    rows = [before]
    for x in range(start_a, i + 1):
        row = [before[0] + 1]
        whole = a.first[x] == start_a
        for y in range(start_b, j + 1):
            cheapest = min(before[y - start_b + 1], row[-1]) + 1
            if whole and b.first[y] == start_b:
                cheapest = min(cheapest, before[y - start_b] + _cost(a.nodes[x], b.nodes[y]))
                apart[x][y] = cheapest
            else:
                aside = rows[a.first[x] - start_a][b.first[y] - start_b]
                cheapest = min(cheapest, aside + apart[x][y])
            row.append(cheapest)
        rows.append(row)
        before = row


def _cost(one: Node, other: Node) -> float:
    """What it costs to take one node for another."""
    if one.kind != other.kind or one.spans != other.spans:
        return 1.0
    return _letters_apart(one.text, other.text)


@lru_cache(maxsize=100_000)
def _letters_apart(one: str, other: str) -> float:
    """The share of letters that differ, of the longer text."""
    return distance(one, other) / max(len(one), len(other)) if one != other else 0.0
