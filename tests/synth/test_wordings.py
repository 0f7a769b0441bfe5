"""No form of a training line is a test wording, and every form is text that the task can fill."""

from __future__ import annotations

import re
from collections import Counter
from random import Random
from string import Formatter

import pytest

from omma.synth.wordings import Fork, Run, forms, one_form, phrase, read_line, read_wordings, typed, wordings

ENGLISH = tuple(wordings())
FORKED = tuple(task for task in ENGLISH if any(forms(read_line(line)) > 1 for line in wordings()[task].train))
LISTS = (
    *("describe", "find_all", "find", "point", "click", "colour", "shape", "background", "count", "exists"),
    *("relation", "beside", "compare", "extreme", "place", "direction", "read", "read_boxes", "read_line"),
    *("read_colour", "read_heading", "has_word", "find_word", "text_colour", "line_count", "widget_kind"),
    *("widget_state", "widget_list", "field_content", "chosen", "hint: one word", "hint: yes or no"),
    "hint: number",
)


def letters(text: str) -> str:
    """What is left of a wording without case, spaces and punctuation."""
    return re.sub(r"[^\w{}]", "", text.casefold())


def pattern(run: Run) -> str:
    """What a line can say, as a regular expression over letters."""
    return "".join(
        "(?:" + "|".join(pattern(way) for way in part.ways) + ")"
        if isinstance(part, Fork)
        else re.escape(letters(part))
        for part in run
    )


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("task", ENGLISH)
def test_no_form_of_a_training_line_is_a_test_wording(task: str) -> None:
    held = {letters(text) for text in wordings()[task].test}
    held |= {re.sub(r"^please|please$", "", text) for text in held}
    for line in wordings()[task].train:
        said = re.compile(pattern(read_line(line)))
        assert not [text for text in held if said.fullmatch(text)], line


@pytest.mark.parametrize("task", LISTS)
def test_each_task_of_a_list_has_many_forms(task: str) -> None:
    assert sum(forms(read_line(line)) for line in wordings()[task].train) >= 40


@pytest.mark.parametrize("task", FORKED)
def test_every_form_is_text_with_fields_that_the_task_is_asked_with(task: str) -> None:
    wording = wordings()[task]
    known = {name for text in (*wording.test, *wording.shared) for name in fields(text)}
    if known & {"what", "one"}:  # whoever names a thing is given all three of its forms
        known |= {"what", "one", "plural"}
    dice = Random(0)
    for line in wording.train:
        for _ in range(60):
            text = one_form(line, dice)
            assert text == text.strip() != ""
            assert not re.search(r"[()|<>@]|  | [?.,:;!]|[?.,:;!]{2}", text), text
            assert fields(text) <= known, text
            assert not re.search(r"\b(\w+) \1\b", text.lower()), text


def test_a_form_is_drawn_of_every_line_and_no_line_drowns_the_others() -> None:
    lists = "[a]\n@part x|y\n> one (1|2|3|4|5|6|7|8)\n> two <part>\n> three\n? four"
    (wording,) = read_wordings(lists).values()
    assert [forms(read_line(line)) for line in wording.train] == [8, 2, 1]
    dice = Random(1)
    for task in LISTS:
        said = Counter(phrase(task, "train", dice) for _ in range(400))
        common = [text for text, times in said.items() if times > 40]
        assert set(common) <= set(wordings()[task].shared)


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("a (0, 90) and | there", 1),
        ("a (b|c|) d", 3),
        ("(a|b (c|d)|)", 4),
        ("((a|b)(c|d)|e) (f|g)", 10),
        ("(x) (a|b)", 2),
    ],
)
def test_brackets_fork_where_a_bar_stands_in_them(line: str, count: int) -> None:
    assert forms(read_line(line)) == count
    dice = Random(2)
    assert len({one_form(line, dice) for _ in range(500)}) == count


def test_what_is_typed_keeps_its_fields_and_its_sense() -> None:
    dice = Random(3)
    said = Counter(typed('Find the "{word}" in JSON.', dice) for _ in range(4000))
    for text, times in said.items():
        assert fields(text) == {"word"}
        assert "  " not in text
        assert letters(text).replace("please", "") == letters('Find the "{word}" in JSON.')
        assert times > 2500 or text != 'Find the "{word}" in JSON.'
    assert any("please" in text.lower() for text in said)
    assert any(text.islower() for text in said)
    assert any(text.endswith("JSON") for text in said)
    followed = Counter(typed("How many {plural}?", dice, last=False) for _ in range(1000))
    assert all(text.endswith("?") for text in followed)
