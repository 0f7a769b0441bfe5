"""A table's HTML holds every printed cell in its place, and what is asked of it can be looked up in it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import pytest

from omma.synth import Turn, draw
from omma.synth.documents.grid import Cell, Table
from omma.synth.documents.sheet import Document


@lru_cache
def tables() -> list[tuple[Document, Table, tuple[Turn, ...]]]:
    found = []
    for level in range(4):
        for seed in range(20):
            exercise = draw("tables", (31, seed), level=level, maps=False)
            assert isinstance(exercise.drawing, Document)
            assert isinstance(exercise.drawing.content, Table)
            found.append((exercise.drawing, exercise.drawing.content, exercise.turns))
    return found


def asked(*tasks: str) -> Iterator[tuple[Table, Turn]]:
    for _, table, turns in tables():
        yield from ((table, turn) for turn in turns if turn.task in tasks)


def test_cells_cover_every_place_once() -> None:
    for _, table, _ in tables():
        covered = [
            (row, column)
            for cell in table.cells
            for row in range(cell.row, cell.row + cell.rows)
            for column in range(cell.column, cell.column + cell.columns)
        ]
        assert sorted(covered) == [
            (row, column) for row in range(table.rows) for column in range(table.columns)
        ]


def test_a_cells_thing_prints_it_inside_the_picture_and_apart_from_others() -> None:
    for drawing, table, _ in tables():
        boxes = []
        for cell in table.cells:
            assert bool(cell.text) == (cell.thing is not None)
            if cell.thing is not None:
                thing = drawing.things[cell.thing]
                assert thing.text == cell.text
                assert " ".join(word.text for word in thing.words) == cell.text
                boxes.append(thing.box)
        for number, one in enumerate(boxes):
            for other in boxes[number + 1 :]:
                wide = min(one[2], other[2]) - max(one[0], other[0])
                high = min(one[3], other[3]) - max(one[1], other[1])
                assert wide <= 1 or high <= 0.4 * (one[3] - one[1])


def test_html_is_written_row_by_row_with_its_spans() -> None:
    cells = (
        Cell("A & B", 0, 0, 2, 1, head=True),
        Cell("C", 0, 1, head=True),
        Cell("", 1, 1),
        Cell("x", 2, 0, 1, 2),
    )
    table = Table(cells, 3, 2, 1, ("A & B", "C"), 0, {2: "x"})
    assert table.html == (
        '<table><tr><th rowspan="2">A &amp; B</th><th>C</th></tr>'
        '<tr><td></td></tr><tr><td colspan="2">x</td></tr></table>'
    )


def test_spans_groups_and_totals_occur() -> None:
    spans = {(cell.rows > 1, cell.columns > 1) for _, table, _ in tables() for cell in table.cells}
    assert {(True, False), (False, True)} <= spans
    totals = [
        table.rows - table.heads - len(table.keys)
        for _, table, _ in tables()
        if all(cell.columns < table.columns for cell in table.cells)
    ]
    assert set(totals) == {0, 1}


def figure(text: str) -> float:
    return float("".join(sign for sign in text if sign.isdigit() or sign in ".-"))


def test_totals_are_the_sums_of_what_stands_above() -> None:
    checked = 0
    for _, table, _ in tables():
        for cell in table.cells:
            last = (
                cell.row == table.rows - 1 and cell.row not in table.keys and cell.rows == cell.columns == 1
            )
            if last and cell.text and cell.column > table.key:
                checked += 1
                above = [value for (_, column), value in table.numbers.items() if column == cell.column]
                assert figure(cell.text) == pytest.approx(sum(above))
    assert checked > 5


def test_what_a_cell_says_stands_in_its_row_and_column() -> None:
    found = 0
    for table, turn in asked("table_cell"):
        found += 1
        rows = [row for row, name in table.keys.items() if name in turn.question]
        cells = [table.at(row, column) for row in rows for column in range(table.columns)]
        assert any(cell.text == turn.answer for cell in cells)
    assert found > 40


def test_the_highest_and_the_lowest_stand_alone() -> None:
    for table, turn in asked("table_most"):
        row = next(row for row, name in table.keys.items() if name == turn.answer)
        least = "lowest" in turn.question or "smallest" in turn.question
        held = False
        for column in {column for _, column in table.numbers}:
            values = {r: v for (r, c), v in table.numbers.items() if c == column and r in table.keys}
            best = (min if least else max)(values.values())
            held |= values.get(row) == best and list(values.values()).count(best) == 1
        assert held


def test_higher_is_as_frequent_as_lower() -> None:
    said = [
        turn.answer
        for seed in range(150)
        for turn in draw("tables", (7, seed), level=1 + seed % 2, maps=False).turns
        if turn.task == "table_compare"
    ]
    assert len(said) > 30
    assert abs(said.count("yes") / len(said) - 0.5) < 3 * 0.5 / len(said) ** 0.5
