"""What a table is worth is what a public implementation of TEDS says, on tables of every shape."""

from __future__ import annotations

from random import Random

import pytest
from table_recognition_metric import TEDS

from omma.evals.tables import teds

LETTERS = "abc 4é表"


def rows(dice: Random) -> list[list[tuple[str, str]]]:
    """Cells by rows, each with its spans as written and its text; rows may be ragged or empty."""
    spans = ("", "", "", ' colspan="2"', ' rowspan="3"', ' rowspan="2" colspan="2"')

    def cell() -> tuple[str, str]:
        text = "".join(dice.choices(LETTERS, k=dice.randint(0, 6)))
        return dice.choice(spans), " ".join(text.split())

    return [[cell() for _ in range(dice.randint(0, 4))] for _ in range(dice.randint(1, 5))]


def changed(table: list[list[tuple[str, str]]], dice: Random) -> list[list[tuple[str, str]]]:
    """The table with a few cells said otherwise, gone, or moved; sometimes another table altogether."""
    if dice.random() < 0.2:
        return rows(dice)
    made = [[cell for cell in row if dice.random() > 0.1] for row in table if dice.random() > 0.1]
    for row in made:
        if row and dice.random() < 0.4:
            row[dice.randrange(len(row))] = ("", "".join(dice.choices(LETTERS, k=3)).strip())
        if dice.random() < 0.1:
            row.reverse()
    return made or rows(dice)


def html(table: list[list[tuple[str, str]]], dice: Random) -> str:
    body = "".join(
        "<tr>" + "".join(f"<td{spans}>{text}</td>" for spans, text in row) + "</tr>" for row in table
    )
    return f"<table>{f'<tbody>{body}</tbody>' if dice.random() < 0.3 else body}</table>"


@pytest.mark.parametrize("seed", range(20))
def test_a_score_is_that_of_the_public_implementation(seed: int) -> None:
    dice, judge = Random(seed), TEDS(ignore_nodes=["tbody"])
    for _ in range(10):
        table = rows(dice)
        wanted, told = html(table, dice), html(changed(table, dice), dice)
        theirs = judge(*(f"<html><body>{one}</body></html>" for one in (told, wanted)))
        assert teds(wanted, told) == pytest.approx(max(theirs, 0.0), abs=1e-9)
