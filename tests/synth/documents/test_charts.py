"""What a chart draws stands for its figures to the pixel, and every answer follows from them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from omma.synth import Turn, draw
from omma.synth.documents.chart import BARS, Chart, Scale, Series
from omma.synth.documents.sheet import Document


@lru_cache
def charts() -> list[tuple[Document, Chart, tuple[Turn, ...]]]:
    found = []
    for level in range(4):
        for seed in range(25):
            exercise = draw("charts", (41, seed), level=level, maps=False)
            assert isinstance(exercise.drawing, Document)
            assert isinstance(exercise.drawing.content, Chart)
            found.append((exercise.drawing, exercise.drawing.content, exercise.turns))
    return found


def asked(task: str) -> Iterator[tuple[Chart, Turn]]:
    for _, chart, turns in charts():
        yield from ((chart, turn) for turn in turns if turn.task == task)


def test_every_kind_of_chart_is_drawn() -> None:
    kinds = Counter(chart.kind for _, chart, _ in charts())
    assert {*BARS, "line chart", "area chart", "pie chart", "donut chart", "scatter plot"} <= set(kinds)


def test_bars_are_as_long_as_their_values() -> None:
    for drawing, chart, _ in charts():
        if chart.kind in BARS and chart.scale.low == 0:
            side = 0 if chart.kind == "horizontal bar chart" else 1
            values = [chart.series[row].values[at] for row, at in chart.marks]
            boxes = [drawing.things[number].box for number in chart.marks.values()]
            lengths = np.array([box[side + 2] - box[side] for box in boxes])
            longest = int(np.argmax(values))
            wanted = np.array(values) * lengths[longest] / values[longest]
            np.testing.assert_allclose(lengths, wanted, atol=1.6)


def test_points_of_a_line_are_as_high_as_their_values() -> None:
    for drawing, chart, _ in charts():
        if chart.kind in ("line chart", "area chart"):
            values = np.array([chart.series[row].values[at] for row, at in chart.marks])
            heights = np.array([sum(drawing.things[n].box[1::2]) / 2 for n in chart.marks.values()])
            if np.ptp(values) > 0:
                high, low = int(np.argmax(values)), int(np.argmin(values))
                slope = (heights[low] - heights[high]) / (values[high] - values[low])
                np.testing.assert_allclose(heights[high] + (values[high] - values) * slope, heights, atol=1.6)


def test_shares_of_a_whole_are_a_hundred() -> None:
    for _, chart, _ in charts():
        if chart.slices:
            assert sum(chart.series[0].values) == 100
            assert min(chart.series[0].values) > 0
            assert len({colour for colour, _ in chart.slices}) == len(chart.categories)


def test_series_have_colours_of_different_names_that_things_bear() -> None:
    for drawing, chart, _ in charts():
        colours = [series.colour for series in chart.series]
        assert len(set(colours)) == len(colours)
        for (row, at), number in chart.marks.items():
            colour = chart.slices[at][0] if chart.slices else chart.series[row].colour
            assert drawing.things[number].colour == colour


def test_values_lie_on_the_scale_and_can_be_read_off() -> None:
    for _, chart, _ in charts():
        for series in chart.series:
            assert len(series.values) == len(chart.categories) or chart.places
            for value in series.values:
                assert chart.scale.low <= value <= chart.scale.high + 1e-6


def test_all_marks_are_where_nothing_is_cut() -> None:
    for drawing, chart, _ in charts():
        for number in chart.marks.values():
            x1, y1, x2, y2 = drawing.things[number].box
            assert x2 - x1 >= 1
            assert y2 - y1 >= 1
        for thing in drawing.things:
            if thing.words:
                assert " ".join(word.text for word in thing.words) == " ".join(thing.text.split())


def test_the_dense_answer_holds_every_figure() -> None:
    formats = set()
    for _, chart, turns in charts():
        formats.add(turns[0].task)
        assert turns[1].task == "chart_parts"
        if turns[0].task == "chart_json":
            assert json.loads(turns[0].answer) == chart.record
            assert turns[0].truth["tolerance"] == 0.05
        elif not chart.places:
            rows = [line.split(",") for line in turns[0].answer.split("\n")]
            assert [row[0] for row in rows[1:]] == list(chart.categories)
            assert [float(row[1]) for row in rows[1:]] == list(chart.series[0].values)
    assert formats == {"chart_json", "chart_csv"}


def test_a_record_names_series_only_where_there_are_several() -> None:
    sales, costs = (
        Series("Sales", "red", (255, 0, 0), (1.0, 2.5)),
        Series("Costs", "blue", (0, 0, 255), (3.0, 4.0)),
    )
    one = Chart("bar chart", "", "", "", ("A", "B"), (sales,), Scale(0, 5, 1))
    two = Chart("bar chart", "", "", "", ("A", "B"), (sales, costs), Scale(0, 5, 1))
    assert one.record == {"A": 1, "B": 2.5}
    assert two.record == {"Sales": {"A": 1, "B": 2.5}, "Costs": {"A": 3, "B": 4}}
    assert two.rows == [["category", "Sales", "Costs"], ["A", "1", "3"], ["B", "2.5", "4"]]


@pytest.mark.parametrize("value", [0, 7.5, 1250, 0.2])
def test_a_scale_prints_values_as_they_are(value: float) -> None:
    assert float(Scale(0, 2000, 100, "${}").text(value).strip("$").replace(",", "")) == value


def test_extremes_and_trends_are_what_the_figures_say() -> None:
    found = 0
    for chart, turn in asked("chart_most"):
        found += 1
        at = chart.categories.index(turn.answer)
        columns = [series.values for series in chart.series]
        assert any(values[at] in (max(values), min(values)) for values in columns)
    for chart, turn in asked("chart_trend"):
        if turn.answer in ("rising", "falling") and not chart.places:
            found += 1
            steps = [[b - a for a, b in pairwise(series.values)] for series in chart.series]
            sign = 1 if turn.answer == "rising" else -1
            assert any(all(step * sign > 0 for step in line) for line in steps)
    assert found > 20


def test_higher_is_as_frequent_as_lower() -> None:
    said = [
        turn.answer
        for seed in range(150)
        for turn in draw("charts", (8, seed), level=1, maps=False).turns
        if turn.task == "chart_compare"
    ]
    assert len(said) > 30
    assert abs(said.count("yes") / len(said) - 0.5) < 3 * 0.5 / len(said) ** 0.5
