"""Free answers: their kind is told by their form, marks go by it, and changes are told from chance."""

from __future__ import annotations

import pytest

from omma.chat import Answer, Seen, Usage, message
from omma.evals.replies import Prompt, compare, kind_of, number_of, prompts
from omma.sample import Size

SEEN = (Seen("image", Size(200, 100), Size(200, 100), "pixels"),)


def says(text: str) -> Answer:
    return Answer(text, "stop", Usage(1, 1), SEEN)


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        ("red", "word"),
        ("a red valve", "word"),
        ("yes", "word"),
        ("", "word"),
        ("7", "number"),
        ("-3.5", "number"),
        ("1,250", "number"),
        ("12 %", "number"),
        ("$4.20", "number"),
        ("37 cm", "number"),
        ("3 apples", "word"),
        ("12:30", "word"),
        ('[{"bbox_2d":[1,2,3,4],"label":"a"}]', "boxes"),
        ("[]", "boxes"),
        ("[12, 30, 40, 50]", "boxes"),
        ("<|box_start|>(1,2),(3,4)<|box_end|>", "boxes"),
        ("<quad>(1,2),(3,4),(5,6),(7,8)</quad>", "boxes"),
        ('[{"quad_2d":[1,2,3,4,5,6,7,8],"text_content":"a"}]', "boxes"),
        ('{"point_2d":[5,6],"label":"a"}', "points"),
        ("(5, 6)", "points"),
        ("The valve (3) is open and the pump runs.", "text"),
        ("one\ntwo", "text"),
        ("a very long answer that is a sentence of its own", "text"),
    ],
)
def test_an_answers_kind_is_told_by_its_form(wanted: str, kind: str) -> None:
    assert kind_of(wanted) == kind


@pytest.mark.parametrize(
    ("text", "number"),
    [("about 1,250 bar", 1250), ("seven", 7), ("3.5", 3.5), ("none", 0), ("a lot", None), ("-2", -2)],
)
def test_a_number_is_found_in_digits_or_words(text: str, number: float | None) -> None:
    assert number_of(text) == number


BOX, OTHER = '[{"bbox_2d":[10,10,50,50]}]', '[{"bbox_2d":[10,10,50,40]}]'


@pytest.mark.parametrize(
    ("wanted", "told", "shares"),
    [
        ("Valve", "the valve.", [1]),
        ("valve", "pump", [0]),
        ("100", "It reads 100", [1, 1]),
        ("100", "104", [0, 1]),
        ("100", "110", [0, 0]),
        ("100", "none at all", [0, 0]),
        (BOX, BOX, [1, 1]),
        (BOX, OTHER, [1, 0.75]),
        (BOX, "nothing", [0, 0]),
        ("[]", "[]", [1, 1]),
        ('{"point_2d":[100,50]}', '{"point_2d":[104,50]}', [1]),
        ('{"point_2d":[100,50]}', '{"point_2d":[150,50]}', [0]),
        ("one two\nthree four", "one two three four", [0, 1]),
        ("one two\nthree four", "one two three", [5 / 18, 0]),
        ("one two\nthree four", "x" * 500, [1, 0]),
    ],
)
def test_a_reply_is_marked_by_the_kind_of_what_was_wanted(
    wanted: str, told: str, shares: list[float]
) -> None:
    asked = [Prompt((message("user", "?"),), wanted, kind_of(wanted))]
    rows = compare(asked, [says("")], [says(told)])
    assert [row.after.value for row in rows] == pytest.approx(shares)


def test_every_learned_answer_is_asked_for_after_all_that_was_said_before() -> None:
    spoken = [
        message("user", "a"),
        message("assistant", "1"),
        message("user", "b"),
        message("assistant", "2"),
    ]
    asked = list(prompts(spoken, [False, True, False, True]))
    assert [(len(prompt.said), prompt.wanted) for prompt in asked] == [(1, "1"), (3, "2")]
    assert [prompt.wanted for prompt in prompts(spoken, [False, False, False, True])] == ["2"]


def rows_of(before: list[str], after: list[str], wanted: str = "valve") -> str:
    asked = [Prompt((), wanted, kind_of(wanted))] * len(before)
    return compare(asked, [says(text) for text in before], [says(text) for text in after])[0].verdict


def test_a_change_is_told_from_chance() -> None:
    wrong, right = ["pump"] * 40, ["valve"] * 40
    assert rows_of(wrong, right) == "better"
    assert rows_of(right, wrong) == "worse"
    assert rows_of(wrong, right[:1] + wrong[1:]) == "no clear change"
    assert rows_of(right[:20] + wrong[:20], wrong[:20] + right[:20]) == "no clear change"


def test_fewer_wrong_letters_are_better() -> None:
    wanted = "a long line of print that is read"
    assert rows_of([""] * 20, [wanted] * 20, wanted) == "better"


def test_a_blind_guesser_gets_the_most_frequent_answers_share() -> None:
    asked = [Prompt((), word, "word") for word in ("pump", "Pump", "valve", "fan")]
    row = compare(asked, [says("")] * 4, [says("")] * 4)[0]
    assert row.blind == 0.5
