"""What a client sends back is read whole: calls with what they gave, names, refusals, media in any turn."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from itertools import permutations
from typing import Any

import openai
import pytest

from omma.chat import Image, Options, Text, Usage
from omma.errors import BadPicture, BadShape
from omma.serve import wire
from omma.serve.desk import Order
from omma.serve.orders import chat_options, copies
from omma.serve.sources import Sources
from omma.shape import Calls
from omma.turns import Message, ToolCall
from tests.serve.desks import CARD, NAME, ScriptDesk, serving, told

RAW = b"\x89PNG\r\n\x1a\n" + bytes(range(60))
URL = f"data:image/png;base64,{b64encode(RAW).decode()}"
SHOWN: Any = {"type": "image_url", "image_url": {"url": URL}}
ASKED: Any = {"role": "user", "content": "Look."}


def call(name: str) -> dict[str, Any]:
    return {"id": name, "type": "function", "function": {"name": "look", "arguments": "{}"}}


def gave(name: str, content: Any = None) -> Any:
    return {"role": "tool", "tool_call_id": name, "content": content or name}


def heard(desk: ScriptDesk) -> tuple[Message, ...]:
    return desk.orders[-1].messages


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_what_tools_gave_back_stands_in_the_order_of_their_calls(order: tuple[str, ...]) -> None:
    calling: Any = {"role": "assistant", "content": None, "tool_calls": [call(name) for name in "abc"]}
    with serving(desk := ScriptDesk()) as served, served.client() as client:
        client.chat.completions.create(model=NAME, messages=[ASKED, calling, *map(gave, order), ASKED])
    assert [message.text for message in heard(desk)[2:5]] == ["a", "b", "c"]


def test_a_tool_may_show_a_picture() -> None:
    calling: Any = {"role": "assistant", "tool_calls": [call("a")]}
    output = [{"type": "input_image", "image_url": URL}]
    item = {"type": "function_call_output", "call_id": "a", "output": output}
    items: Any = [ASKED, {"type": "function_call", "call_id": "a", "name": "look", "arguments": "{}"}, item]
    with serving(desk := ScriptDesk()) as served, served.client() as client:
        client.chat.completions.create(model=NAME, messages=[ASKED, calling, gave("a", [SHOWN])])
        client.responses.create(model=NAME, input=items)
    for asked in desk.orders:
        assert asked.messages[1].calls == (ToolCall("look", {}, "a"),)
        assert asked.messages[2] == Message("tool", (Image(RAW),), answers="a")


def test_names_and_others_thoughts_are_told_as_ignored() -> None:
    kept = {"summary": [{"type": "summary_text", "text": "x"}], "encrypted_content": "y"}
    reasoning = {"type": "reasoning", **kept}
    items: Any = [ASKED, reasoning, {"role": "assistant", "content": "No."}, ASKED]
    with serving(ScriptDesk()) as served, served.client() as client:
        chat = client.chat.completions.create(model=NAME, messages=[{**ASKED, "name": "anna"}])
        other = client.responses.create(model=NAME, input=items)
    assert chat.model_extra["omma"]["ignored"] == ["messages[0].name"]
    assert other.model_extra["omma"]["ignored"] == ["input[1].summary", "input[1].encrypted_content"]


@pytest.mark.parametrize(
    "refusal", [{"content": None, "refusal": "No."}, {"content": [{"type": "refusal", "refusal": "No."}]}]
)
def test_a_refusal_is_what_was_said(refusal: Any) -> None:
    said: Any = {"role": "assistant", "tool_calls": [], **refusal}
    with serving(desk := ScriptDesk()) as served, served.client() as client:
        client.chat.completions.create(model=NAME, messages=[ASKED, said, ASKED])
    assert heard(desk)[1].parts == (Text("No."),)


def test_what_a_desk_finds_wrong_is_named_by_its_place() -> None:
    picture = BadPicture("picture 2 is a broken picture")
    picture.shown = 2
    said: Any = [{"role": "user", "content": [SHOWN, {"type": "text", "text": "or"}, SHOWN]}]
    shape: Any = {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}
    desk = ScriptDesk()
    with serving(desk) as served, served.client() as client:
        for wrong, place in (
            (picture, "messages[0].content[2].image_url.url"),
            (BadShape("no"), "response_format.json_schema.schema"),
        ):
            desk.script = [wrong]
            with pytest.raises(openai.BadRequestError) as refused:
                client.chat.completions.create(model=NAME, messages=said, response_format=shape)
            assert refused.value.param == place


LIMITS = {"min_pixels": 9, "max_pixels": 1}
PARTS: list[tuple[Any, str]] = [
    ({"type": "input_image"}, "input[0].content[0]"),
    ({"type": "input_image", "file_id": "a", "image_url": URL}, "input[0].content[0]"),
    ({"type": "input_image", "file_id": "a"}, "input[0].content[0].file_id"),
    ({"type": "input_image", "image_url": URL, **LIMITS}, "input[0].content[0].min_pixels"),
]


@pytest.mark.parametrize(("part", "place"), PARTS)
def test_places_in_a_response_are_its_own(part: Any, place: str) -> None:
    said: Any = [{"role": "user", "content": [part]}]
    with (
        serving(ScriptDesk()) as served,
        served.client() as client,
        pytest.raises(openai.BadRequestError) as refused,
    ):
        client.responses.create(model=NAME, input=said)
    assert refused.value.param == place
    assert "messages" not in refused.value.message


def test_the_arguments_of_the_second_call_are_named_by_their_item() -> None:
    items: Any = [
        {"type": "function_call", "call_id": str(index), "name": "look", "arguments": arguments}
        for index, arguments in enumerate(("{}", "{"))
    ]
    wrong = r"input\[1\]\.arguments is no JSON object"
    unknown = r"input\[0\]\.type is 'item_reference'; nothing is kept"
    reference: Any = {"type": "item_reference", "id": "a"}
    with serving(ScriptDesk()) as served, served.client() as client:
        with pytest.raises(openai.BadRequestError, match=wrong):
            client.responses.create(model=NAME, input=items)
        with pytest.raises(openai.BadRequestError, match=unknown):
            client.responses.create(model=NAME, input=[reference])


@pytest.mark.parametrize("filled", [True, False])
@pytest.mark.parametrize("line", [4, 76, 1000])
def test_base64_may_be_broken_into_lines_and_lack_its_filling(line: int, filled: bool) -> None:
    text = b64encode(RAW[:61]).decode()
    text = text if filled else text.rstrip("=")
    url = "data:image/png;base64," + "\n".join(text[i : i + line] for i in range(0, len(text), line))
    assert asyncio.run(Sources().take(url, "image", "")) == RAW[:61]


def test_a_tool_without_parameters_is_called_without_any() -> None:
    functions: list[Any] = [{"name": "now"}, {"name": "then", "parameters": {"type": "object"}}]
    tools = [{"type": "function", "function": function} for function in functions]
    for choice, names in (("required", ["now", "then"]), (["now"], ["now"])):
        named = [{"type": "function", "function": {"name": name}} for name in choice]
        allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": named}}
        chosen = choice if isinstance(choice, str) else allowed
        asked = wire.ChatRequest.model_validate({"messages": [ASKED], "tools": tools, "tool_choice": chosen})
        shape = chat_options(asked, CARD).shape
        assert isinstance(shape, Calls)
        assert [name for name, _ in shape.tools] == names
        assert shape.tools[0][1]["additionalProperties"] is False
        assert shape.must is (choice == "required")


def test_several_prompts_are_continued_each_and_count_once() -> None:
    desk = ScriptDesk(told("x", usage=Usage(10, 3)))
    with serving(desk) as served, served.client() as client:
        whole = client.completions.create(model=NAME, prompt=["a", "b", "c"], n=2, seed=5)
    assert [order.messages[0].text for order in desk.orders] == ["a", "a", "b", "b", "c", "c"]
    assert {order.options.seed for order in desk.orders} == {5, 6}
    assert [choice.index for choice in whole.choices] == list(range(6))
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (30, 18)


def test_after_the_greatest_seed_comes_the_least() -> None:
    order = Order((), Options(seed=2**63 - 1), NAME)
    assert [one.options.seed for one in copies(order, 2)] == [2**63 - 1, -(2**63)]
