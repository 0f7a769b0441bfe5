"""Pages are read in the order in which they are set, and what is asked of them has one answer."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import pytest

from omma.sample import Size
from omma.synth import Turn, draw
from omma.synth.documents.blocks import Block, Page
from omma.synth.documents.sheet import Document


@lru_cache
def pages(split: str = "train") -> list[tuple[Document, Page, tuple[Turn, ...]]]:
    found = []
    for level in range(4):
        for seed in range(10):
            exercise = draw("pages", (21, seed), split=split, level=level, maps=False)
            assert isinstance(exercise.drawing, Document)
            assert isinstance(exercise.drawing.content, Page)
            found.append((exercise.drawing, exercise.drawing.content, exercise.turns))
    return found


def test_a_blocks_text_is_what_its_lines_print() -> None:
    for drawing, page, _ in pages():
        for block in page.blocks:
            printed = " ".join(drawing.things[number].text for number in block.lines)
            assert block.text.replace("\n", " ") in printed
            assert len(printed) - len(block.text) <= len("12) ")


def test_everything_printed_is_in_a_block_or_runs_on_every_page() -> None:
    for drawing, page, _ in pages():
        told = [number for block in page.blocks for number in block.lines] + list(page.running)
        assert sorted(told) == [number for number, thing in enumerate(drawing.things) if thing.words]


def test_columns_are_read_one_after_the_other() -> None:
    wide = [(drawing, page) for drawing, page, _ in pages() if page.columns > 1]
    assert wide
    for drawing, page in wide:
        lines = [drawing.things[n].box for block in page.blocks if block.kind != "title" for n in block.lines]
        backwards = sum(b[1] < a[1] - 2 for a, b in pairwise(lines))
        assert backwards <= page.columns - 1
        assert all(b[0] > a[0] for a, b in pairwise(lines) if b[1] < a[1] - 2)


def test_no_two_lines_are_printed_over_each_other() -> None:
    for drawing, _, _ in pages():
        boxes = [thing.box for thing in drawing.things if thing.words]
        for number, one in enumerate(boxes):
            for other in boxes[number + 1 :]:
                wide = min(one[2], other[2]) - max(one[0], other[0])
                high = min(one[3], other[3]) - max(one[1], other[1])
                assert wide <= 1 or high <= 0.45 * (one[3] - one[1])


def test_the_first_answers_are_the_text_and_its_places() -> None:
    for _, _, turns in pages():
        assert turns[0].task in ("read", "markdown")
        assert turns[1].task in ("read_boxes", "layout")
        assert len(turns) >= 3


def test_markdown_marks_headings_items_and_programs() -> None:
    page = Page(
        (
            Block("title", "Tea", (0,), depth=1),
            Block("list item", "pour", (1,), "1."),
            Block("list item", "wait", (2,), "2."),
            Block("list item", "cup", (3,), "-"),
            Block("heading", "Notes", (4,), depth=2),
            Block("quote", "Hot.", (5,)),
            Block("code", "a = 1\nb = 2", (6, 7)),
        ),
        columns=1,
        number=None,
        running=(),
    )
    wanted = "# Tea\n\n1. pour\n2. wait\n\n- cup\n\n## Notes\n\n> Hot.\n\n```\na = 1\nb = 2\n```"
    assert "\n".join(page.markdown) == wanted


def test_the_next_word_stands_behind_the_one_that_is_named() -> None:
    asked = 0
    for _, page, turns in pages():
        for turn in turns:
            if turn.task == "next_word":
                asked += 1
                word = turn.question.split('"')[1]
                assert any(
                    f"{word} {turn.answer}" in block.text or f"{word} " in block.text for block in page.blocks
                )
    assert asked > 5


@pytest.mark.parametrize("size", [Size(40, 40), Size(64, 200), Size(300, 30)])
def test_the_smallest_page_says_something(size: Size) -> None:
    for seed in range(6):
        drawing = draw("pages", seed, level=3, size=size).drawing
        assert drawing.things[0].words
