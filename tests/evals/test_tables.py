"""Tables in HTML are compared as trees: hand-worked cases, a plain twin, and loose writing harms nothing."""

from __future__ import annotations

from functools import cache
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.chat import Answer, Usage
from omma.evals.marks import check_truth, mark
from omma.evals.tables import Node, table_tree, teds, tree_distance
from omma.evals.texts import distance

TWO = "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>"


@pytest.mark.parametrize(
    ("told", "share"),
    [
        (TWO, 1),
        ("<table><tr><td>a</td><td>b</td></tr></table>", 1 - 3 / 6),  # a row and its two cells are missing
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>x</td></tr></table>", 1 - 1 / 6),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", 1 - 1 / 6),
        ('<table><tr><td>a</td><td>b</td></tr><tr><td colspan="2">c</td></tr></table>', 1 - 2 / 6),
        (TWO.replace("</table>", "<tr><td>e</td><td>f</td></tr></table>"), 1 - 3 / 9),
        (TWO.replace("b", "bcde"), 1 - 0.75 / 6),  # three of four letters are too many
        ("", 0),
        ("no table at all", 0),
        ("<table></table>", 0),
    ],
)
def test_a_table_is_worth_what_was_worked_out_by_hand(told: str, share: float) -> None:
    assert teds(TWO, told) == pytest.approx(share)


@pytest.mark.parametrize(
    "same",
    [
        "```html\n" + TWO.replace("><", ">\n  <") + "\n```",
        TWO.replace("<tr>", "<tbody><tr>", 1).replace("</table>", "</tbody></table>"),
        TWO.replace("td>", "th>", 4).replace("<table>", '<table class="wide">'),
        "<tr><td>a<td> b </td><tr><td>c</td><td><b>d</b>",
        TWO + "<table><tr><td>another</td></tr></table>",
        TWO.replace("<td>a", '<td rowspan="1" colspan="x">a'),
    ],
)
def test_the_same_table_written_otherwise_is_the_same(same: str) -> None:
    assert teds(TWO, same) == 1


def tree(dice: Random, kind: str = "table") -> Node:
    """A small tree, sometimes with cells where rows should be and cells within cells."""
    lower = {"table": ("tr", "tr", "td"), "tr": ("td",), "td": ("td",)}[kind]
    count = dice.randint(0, 3) if kind != "td" else dice.random() < 0.1
    below = tuple(tree(dice, dice.choice(lower)) for _ in range(count))
    text = "".join(dice.choices("ab", k=dice.randint(0, 3))) if kind == "td" else ""
    return Node(kind, dice.choice(((1, 1), (1, 1), (1, 2))), text, below)


def plainly(one: Node, other: Node) -> float:
    """The distance by its definition on forests, from the right, without any cleverness."""

    def cost(a: Node, b: Node) -> float:
        if a.kind != b.kind or a.spans != b.spans:
            return 1
        return distance(a.text, b.text) / max(len(a.text), len(b.text), 1)

    @cache
    def apart(a: tuple[Node, ...], b: tuple[Node, ...]) -> float:
        if not a or not b:
            return sum(node.size for node in a + b)
        (*rest_a, last_a), (*rest_b, last_b) = a, b
        return min(
            apart((*rest_a, *last_a.below), b) + 1,
            apart(a, (*rest_b, *last_b.below)) + 1,
            apart(tuple(rest_a), tuple(rest_b)) + apart(last_a.below, last_b.below) + cost(last_a, last_b),
        )

    return apart((one,), (other,))


@pytest.mark.parametrize("seed", range(60))
def test_the_distance_is_that_of_the_plain_twin(seed: int) -> None:
    one, other = tree(Random(seed)), tree(Random(seed + 1000))
    assert tree_distance(one, other) == pytest.approx(plainly(one, other))
    assert tree_distance(one, other) == pytest.approx(tree_distance(other, one))
    assert tree_distance(one, one) == 0


@given(st.text('<>/tdrh ="colspan123', max_size=60))
def test_no_text_is_too_strange_to_be_read(told: str) -> None:
    assert 0 <= teds(TWO, told) <= 1


def test_a_huge_answer_is_cut() -> None:
    tree = table_tree("<table>" + "<tr><td>x" * 5_000)
    assert tree is not None
    assert tree.size < 3000


def test_a_truth_must_be_a_table() -> None:
    check_truth({"html": TWO})
    assert mark({"html": TWO}, Answer(TWO, "stop", Usage(1, 1))).points == 1
    with pytest.raises(ValueError, match="table in HTML"):
        check_truth({"html": "<p>no</p>"})
