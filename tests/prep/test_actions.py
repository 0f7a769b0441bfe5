"""Calls of tools: text and actions are one in every dialect, places are in pixels of the screen."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.chat import Text, message, tools
from omma.errors import BadInput
from omma.prep.actions import (
    COMPUTER,
    MOBILE,
    NEEDS,
    Action,
    Call,
    Look,
    Step,
    declare,
    parse_actions,
    parse_calls,
    parse_looks,
    parse_step,
    write_actions,
    write_step,
)
from omma.prep.boxes import Box, Point
from omma.prep.dialects import DIALECTS
from omma.prep.template import pieces
from omma.sample import Size
from tests.prep.shown import THOUSAND, any_text, few, numbers, shown, sizes

texts = st.text(st.characters(codec="utf-8"))
points = st.builds(Point, numbers.map(float), numbers.map(float))
VALUES = {
    "coordinate": ("point", points), "coordinate2": ("to", points), "text": ("text", texts),
    "keys": ("keys", st.lists(texts, min_size=1).map(tuple)), "pixels": ("scroll", st.integers(-999, 999)),
    "time": ("time", st.sampled_from([0.5, 2.0])), "button": ("button", st.sampled_from(["Back", "Home"])),
    "status": ("status", st.sampled_from(["success", "failure"])),
}  # fmt: skip
KNOWN = [(tool, name) for tool in NEEDS for name in NEEDS[tool]]


@st.composite
def some_actions(draw: st.DrawFn) -> list[Action]:
    found = []
    for tool, name in draw(st.lists(st.sampled_from(KNOWN), max_size=3)):
        given = {VALUES[need][0]: draw(VALUES[need][1]) for need in NEEDS[tool][name]}
        found.append(Action(tool, name, **given))
    return found


@pytest.mark.parametrize("dialect", DIALECTS)
@few
@given(some_actions(), sizes, st.integers(0, 400))
def test_text_to_actions_to_text_is_the_same_text_and_a_cut_one_loses_none_that_is_whole(
    dialect: str, found: list[Action], size: Size, length: int
) -> None:
    text = write_actions(found, shown(dialect))
    again = parse_actions(text, shown(dialect, size))
    assert write_actions(again, shown(dialect, size)) == text
    ends = [len(write_actions(found[: n + 1], shown(dialect))) for n in range(len(found))]
    cut = parse_actions(text[:length], shown(dialect, size))
    assert cut == again[: len(cut)]
    assert len(cut) >= sum(end <= length for end in ends)


CLICK = Action(COMPUTER, "left_click", Point(100, 50))


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("pixels", '<tool_call>\n{"name":"computer_use","arguments":'
                   '{"action":"left_click","coordinate":[56,28]}}\n</tool_call>'),
        ("relative", '<tool_call>\n{"name":"computer_use","arguments":'
                     '{"action":"left_click","coordinate":[100,100]}}\n</tool_call>'),
        ("marks", '*FUNCTION*: computer_use\n'
                  '*ARGS*: {"action":"left_click","coordinate":"<|box_start|>(100,100)<|box_end|>"}'),
    ],
)  # fmt: skip
def test_each_generation_has_its_own_form(dialect: str, text: str) -> None:
    from omma.chat import Seen

    seen = Seen("image", Size(1000, 500), Size(560, 280), dialect)
    assert parse_actions(text, seen) == [CLICK]
    assert write_actions([CLICK], seen) == text


def test_a_phone_counts_999_where_a_computer_counts_1000() -> None:
    size = Size(1998, 999)
    text = '{"name":"mobile_use","arguments":{"action":"click","coordinate":[999,100]}}'
    assert parse_actions(text, shown("relative", size)) == [Action(MOBILE, "click", Point(1998, 100))]
    assert "999x999" in declare(MOBILE, shown("relative"))["function"]["description"]
    assert "1000x1000" in declare(COMPUTER, shown("relative"))["function"]["description"]


@pytest.mark.parametrize(
    "text",
    [
        '{"name":"computer_use","arguments":{"action":"left_click","coordinate":[1,2]}}',
        "```json\n{'name': 'computer_use', 'arguments': {'action': 'left_click', 'coordinate': (1, 2)}}\n```",
        '{"name":"computer_use","arguments":"{\\"action\\":\\"left_click\\",\\"coordinate\\":[1,2]}"}',
        '✿FUNCTION✿: computer_use\n✿ARGS✿: {"action":"left_click","coordinate":[1,2]}\n✿RESULT✿: done',
        '{"name":"computer_use","arguments":{"action":"left_click","coordinate":"(1, 2)"}} {"name":',
    ],
)
def test_every_spelling_gives_the_same_action(text: str) -> None:
    assert parse_actions(text, shown("grid")) == [Action(COMPUTER, "left_click", Point(1, 2))]


@pytest.mark.parametrize(
    "arguments",
    ['{"action":"dance"}', '{"action":"left_click"}', '{"action":"left_click","coordinate":[1]}', "[]",
     '{"action":1}', '{"action":"left_click","coordinate":[1e999,2]}',
     '{"action":"wait","time":-1}', '{"action":"terminate"}'],
)  # fmt: skip
def test_what_cannot_be_done_is_left_out(arguments: str) -> None:
    assert parse_actions(f'{{"name":"computer_use","arguments":{arguments}}}', shown("grid")) == []


def test_places_outside_are_moved_to_the_edge() -> None:
    text = '{"name":"computer_use","arguments":{"action":"mouse_move","coordinate":[-5,2000]}}'
    (action,) = parse_actions(text, shown("relative"))
    assert action.point == Point(0, 1000)


def test_a_step_has_its_thought_and_its_saying() -> None:
    step = Step((Action(MOBILE, "type", text="a {b}"),), "The field is there.", 'Type "a"')
    text = write_step(step, shown("relative"))
    assert text.startswith('Thought: The field is there.\nAction: Type "a"\n<tool_call>\n')
    assert parse_step(text, shown("relative")) == step
    assert parse_step("I am lost.", shown("relative")) == Step(())


def test_a_wish_to_look_closer_has_its_box() -> None:
    text = (
        '<tool_call>{"name":"image_zoom_in_tool","arguments":{"bbox_2d":[1,2,3,4],"label":"a","img_idx":1}}'
    )
    assert parse_looks(text, shown("relative", Size(2000, 2000))) == [Look(Box(2, 4, 6, 8, "a"), 1)]
    assert parse_calls(text)[0] == Call(
        "image_zoom_in_tool", {"bbox_2d": [1, 2, 3, 4], "label": "a", "img_idx": 1}
    )


def test_tools_are_declared_with_what_the_generation_knows() -> None:
    for dialect, more in (("pixels", False), ("relative", True)):
        function = declare(COMPUTER, shown(dialect))["function"]
        assert ("triple_click" in function["parameters"]["properties"]["action"]["enum"]) == more
    offered = tools([declare(MOBILE, shown("pixels"))])
    told = pieces([message("user", "Open it.")], prompt=True, tools=offered)[1].what
    assert isinstance(told, Text)
    assert '"mobile_use"' in told.text
    with pytest.raises(BadInput, match="'car_use'"):
        declare("car_use", shown("pixels"))


def test_an_action_that_lacks_something_is_not_written() -> None:
    with pytest.raises(BadInput, match="has no coordinate"):
        write_actions([Action(COMPUTER, "left_click")], shown("grid"))
    with pytest.raises(BadInput, match="knows no action"):
        write_actions([Action(COMPUTER, "dance")], shown("grid"))


@few
@given(any_text)
def test_no_text_is_fatal(text: str) -> None:
    for dialect in DIALECTS:
        for action in parse_step(text, shown(dialect)).actions:
            assert action.point is None or 0 <= action.point.x <= THOUSAND.width
        parse_looks(text, shown(dialect))


def test_json_gives_the_same_step_back_and_words_say_what_is_done() -> None:
    step = Step(
        (CLICK, Action(MOBILE, "swipe", Point(1, 2), Point(3, 4)), Action(COMPUTER, "key", keys=("a",)))
    )
    assert Step.of_json(json.loads(json.dumps(asdict(step)))) == step
    assert [action.described() for action in step.actions] == [
        "left_click at 100, 50", "swipe at 1, 2 to 3, 4", "key a",
    ]  # fmt: skip
    assert Action(COMPUTER, "terminate", status="success").ends
