"""Answers in OpenAI's form, as its own client reads them; the desk says what the tests tell it to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import openai
import pytest

from omma.chat import Chosen, Delta, Likely, Seen, Usage
from omma.sample import Size
from omma.serve.desk import Told
from omma.serve.told import seen_form
from omma.serve.wire_answers import ChatCompletion, Completion, CostPreview, ModelList
from omma.serve.wire_items import ResponseObject
from omma.shape import Calls, Json, Matching, Schema
from tests.serve.desks import CARD, NAME, ScriptDesk, Served, serving, told

SAID: Any = [{"role": "user", "content": "Hello"}]
SEEN = Seen("image", Size(40, 30), Size(56, 28), "relative", tokens=2)
CALL = 'I look.\n<tool_call>\n{"name": "look", "arguments": {"at": "the }cup\\""}}\n</tool_call>'
LOOK: Any = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}}},
}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(ScriptDesk()) as served:
        yield served


@pytest.fixture
def desk(served: Served) -> ScriptDesk:
    desk = served.desk
    desk.script, desk.card = told("Hello", " there"), CARD
    desk.orders.clear()
    return desk


@pytest.fixture
def client(served: Served, desk: ScriptDesk) -> Iterator[openai.OpenAI]:
    with served.client() as client:
        yield client


def in_letters(text: str) -> list[Told]:
    return told(*text)


def test_usage_tells_text_pictures_videos_and_what_was_known(client: openai.OpenAI, desk: ScriptDesk) -> None:
    desk.script = told("x", usage=Usage(100, 1, visual_tokens=70, video_tokens=20, cached_tokens=64))
    usage = client.chat.completions.create(model=NAME, messages=SAID).usage
    assert usage.prompt_tokens_details.to_dict() == {
        "text_tokens": 30,
        "image_tokens": 50,
        "video_tokens": 20,
        "cached_tokens": 64,
    }


def test_usage_tells_a_thinking_models_thoughts(client: openai.OpenAI, desk: ScriptDesk) -> None:
    desk.script = told("x", usage=Usage(9, 7, reasoning_tokens=5))
    chat = client.chat.completions.create(model=NAME, messages=SAID, n=2).usage
    assert chat.completion_tokens_details.reasoning_tokens == 10
    assert chat.completion_tokens == 14
    usage = client.responses.create(model=NAME, input="Hello").usage
    assert usage.output_tokens_details.reasoning_tokens == 5


@pytest.mark.parametrize("kept", [True, False])
def test_loops_are_ended_unless_they_are_kept(client: openai.OpenAI, desk: ScriptDesk, kept: bool) -> None:
    client.chat.completions.create(model=NAME, messages=SAID, extra_body={"keep_loops": kept})
    client.responses.create(model=NAME, input="Hello", extra_body={"keep_loops": kept})
    assert [order.options.keep_loops for order in desk.orders] == [kept, kept]


def test_the_last_chunk_tells_the_usage_only_where_it_was_wanted(client: openai.OpenAI) -> None:
    for wanted in (True, False):
        more: Any = {"stream_options": {"include_usage": True}} if wanted else {}
        chunks = list(client.chat.completions.create(model=NAME, messages=SAID, stream=True, **more))
        assert [bool(chunk.usage) for chunk in chunks[:-1]] == [False] * (len(chunks) - 1)
        assert bool(chunks[-1].usage) == wanted
        assert (not chunks[-1].choices) == wanted


def test_omma_tells_geometry_sizes_and_seconds(client: openai.OpenAI, desk: ScriptDesk) -> None:
    last = Delta("", "stop", Usage(9, 1), (SEEN,))
    geometry = {"shown": [{"index": 0, "kind": "image", "boxes": []}]}
    desk.script = [Told(Delta("x")), Told(last, geometry, {"media": 0.1, "prefill": 0.2})]
    wanted = {
        "finish_reason": "stop",
        "geometry": geometry,
        "seen": [
            {"kind": "image", "original": [40, 30], "resized": [56, 28], "dialect": "relative", "tokens": 2}
        ],
        "seconds": {"media": 0.1, "prefill": 0.2},
        "ignored": ["user"],
    }
    answer = client.chat.completions.create(model=NAME, messages=SAID, user="anna")
    assert answer.model_extra["omma"] == wanted
    chunks = list(client.chat.completions.create(model=NAME, messages=SAID, user="anna", stream=True))
    assert chunks[-1].model_extra["omma"] == wanted


@pytest.mark.parametrize(("reason", "finish"), [("stop", "stop"), ("length", "length"), ("loop", "length")])
def test_an_answer_that_was_cut_says_so(
    client: openai.OpenAI, desk: ScriptDesk, reason: Any, finish: str
) -> None:
    desk.script = told("x", reason=reason)
    answer = client.chat.completions.create(model=NAME, messages=SAID)
    assert answer.choices[0].finish_reason == finish
    assert answer.model_extra["omma"]["finish_reason"] == reason
    response = client.responses.create(model=NAME, input="Hello")
    assert response.status == ("completed" if reason == "stop" else "incomplete")


def test_choices_are_told_apart_and_seeds_count_up(client: openai.OpenAI, desk: ScriptDesk) -> None:
    answer = client.chat.completions.create(model=NAME, messages=SAID, n=3, seed=7)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert sorted(order.options.seed for order in desk.orders) == [7, 8, 9]
    assert answer.usage.completion_tokens == 6
    assert answer.usage.prompt_tokens == 10
    texts = ["", "", ""]
    for chunk in client.chat.completions.create(model=NAME, messages=SAID, n=3, stream=True):
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert texts == ["Hello there"] * 3


def test_log_probabilities_go_with_their_words(client: openai.OpenAI, desk: ScriptDesk) -> None:
    likeliest = (Likely(b"\xc3", -0.5), Likely(b"b", float("-inf")))
    desk.script = [
        Told(Delta("", chosen=(Chosen(b"\xc3", -0.5, likeliest),))),
        Told(Delta("é", chosen=(Chosen(b"\xa9", -0.25),))),
        *told("!")[1:],
    ]
    asked: Any = {"model": NAME, "messages": SAID, "logprobs": True, "top_logprobs": 2}
    whole = client.chat.completions.create(**asked).choices[0].logprobs.content
    assert [(one.bytes, one.logprob) for one in whole] == [([0xC3], -0.5), ([0xA9], -0.25)]
    assert [one.logprob for one in whole[0].top_logprobs] == [-0.5, -9999.0]
    chunks = list(client.chat.completions.create(**asked, stream=True))
    streamed = [
        one for chunk in chunks if chunk.choices[0].logprobs for one in chunk.choices[0].logprobs.content
    ]
    assert streamed == whole
    assert {order.options.logprobs for order in desk.orders} == {2}


@pytest.mark.parametrize("script", [told(CALL), in_letters(CALL)], ids=["at once", "in letters"])
def test_a_call_of_a_tool_is_told_apart(client: openai.OpenAI, desk: ScriptDesk, script: list[Told]) -> None:
    desk.script = script
    asked: Any = {"model": NAME, "messages": SAID, "tools": [LOOK]}
    choice = client.chat.completions.create(**asked).choices[0]
    (call,) = choice.message.tool_calls
    assert (choice.message.content, choice.finish_reason) == ("I look.", "tool_calls")
    assert (call.function.name, json.loads(call.function.arguments)) == ("look", {"at": 'the }cup"'})
    with client.chat.completions.stream(**asked) as stream:
        (again,) = stream.get_final_completion().choices[0].message.tool_calls
    assert again.function.arguments == call.function.arguments
    response = client.responses.create(
        model=NAME, input="Hello", tools=[{"type": "function", **LOOK["function"]}]
    )  # type: ignore[list-item]
    assert [item.type for item in response.output] == ["message", "function_call"]
    assert response.output[1].arguments == call.function.arguments


def test_events_of_a_response_with_a_call_are_whole(client: openai.OpenAI, desk: ScriptDesk) -> None:
    desk.script = in_letters(CALL + "\n" + CALL.partition("\n")[2])
    tools: Any = [{"type": "function", **LOOK["function"]}]
    with client.responses.stream(model=NAME, input="Hello", tools=tools) as stream:
        final = stream.get_final_response()
    assert [item.type for item in final.output] == ["message", "function_call", "function_call"]
    assert len({item.id for item in final.output}) == 3


TOOLS = (("look", LOOK["function"]["parameters"]),)
CHOICES: list[tuple[Any, Any, Calls | None]] = [
    ("auto", True, Calls(TOOLS, must=False)),
    ("required", False, Calls(TOOLS, must=True, several=False)),
    ({"type": "function", "function": {"name": "look"}}, True, Calls(TOOLS, must=True, several=False)),
    ("none", True, None),
]


@pytest.mark.parametrize(("choice", "several", "shape"), CHOICES)
def test_a_choice_of_tools_is_a_shape(
    client: openai.OpenAI, desk: ScriptDesk, choice: Any, several: bool, shape: Calls | None
) -> None:
    client.chat.completions.create(
        model=NAME, messages=SAID, tools=[LOOK], tool_choice=choice, parallel_tool_calls=several
    )
    (order,) = desk.orders
    assert order.options.shape == shape
    assert [tool.name for tool in order.options.tools] == ([] if choice == "none" else ["look"])


def test_a_format_is_a_shape(client: openai.OpenAI, desk: ScriptDesk) -> None:
    schema = {"type": "object"}
    formats: Any = [
        {"type": "text"},
        {"type": "json_object"},
        {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
    ]
    for form in formats:
        client.chat.completions.create(model=NAME, messages=SAID, response_format=form)
    client.chat.completions.create(model=NAME, messages=SAID, extra_body={"regex": "a+"})
    client.responses.create(
        model=NAME, input="x", text={"format": {"type": "json_schema", "name": "a", "schema": schema}}
    )
    shapes = [order.options.shape for order in desk.orders]
    assert shapes == [None, Json(), Schema(schema), Matching("a+"), Schema(schema)]


def test_a_conversation_with_calls_goes_back_as_it_came(client: openai.OpenAI, desk: ScriptDesk) -> None:
    desk.script = told(CALL)
    first = client.chat.completions.create(model=NAME, messages=SAID, tools=[LOOK]).choices[0].message
    result = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "a cup"}
    client.chat.completions.create(model=NAME, messages=[*SAID, first, result], tools=[LOOK])  # type: ignore[list-item]
    _, assistant, tool = desk.orders[-1].messages
    assert (assistant.text, assistant.calls[0].name) == ("I look.", "look")
    assert (tool.role, tool.answers, tool.text) == ("tool", assistant.calls[0].id, "a cup")


def test_thoughts_are_told_apart(client: openai.OpenAI, desk: ScriptDesk) -> None:
    desk.card = replace(CARD, thinks=True)
    desk.script = in_letters("It is\nred.\n</think>\n\nRed.")
    message = client.chat.completions.create(model=NAME, messages=SAID).choices[0].message
    assert (message.content, message.model_extra["reasoning_content"]) == ("Red.", "It is\nred.")
    response = client.responses.create(model=NAME, input="Hello")
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert response.output_text == "Red."
    client.responses.create(model=NAME, input=[*response.output, {"role": "user", "content": "Sure?"}])  # type: ignore[list-item]
    said = desk.orders[-1].messages
    assert [one.role for one in said] == ["assistant", "user"]
    assert said[0].text == "<think>\nIt is\nred.\n</think>\n\nRed."


def test_options_reach_the_desk_as_they_were_sent(client: openai.OpenAI, desk: ScriptDesk) -> None:
    sent = {"temperature": 0.5, "top_p": 0.9, "seed": 3, "presence_penalty": 1.0, "frequency_penalty": -1.0}
    extra = {"top_k": 5, "min_p": 0.1, "repetition_penalty": 1.2}
    client.chat.completions.create(
        model=NAME, messages=SAID, stop="\n", max_tokens=9, extra_body=extra, **sent
    )  # type: ignore[call-overload]
    options = desk.orders[0].options
    assert {name: getattr(options, name) for name in sent | extra} == sent | extra
    assert (options.stop, options.max_tokens) == (("\n",), 9)


def test_answers_are_what_the_document_says(served: Served, desk: ScriptDesk) -> None:
    with served.http() as http:
        chat = http.post("/v1/chat/completions", json={"messages": SAID, "logprobs": True, "n": 2})
        ChatCompletion.model_validate_json(chat.content, strict=True)
        ResponseObject.model_validate_json(http.post("/v1/responses", json={"input": "x"}).content)
        completion = http.post("/v1/completions", json={"prompt": "x", "logprobs": 1})
        Completion.model_validate_json(completion.content, strict=True)
        cost = CostPreview.model_validate_json(http.post("/v1/cost", json={"messages": SAID}).content)
        assert (cost.prompt_tokens, cost.fits, cost.shown[0].resized) == (12, True, [56, 28])
        assert [card.id for card in ModelList.model_validate_json(http.get("/v1/models").content).data] == [
            NAME
        ]
    assert desk.orders[3].messages[0].role == "raw"


def test_models_are_listed_and_described(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [NAME]
    assert client.models.retrieve(NAME).model_extra["omma"]["context"] == CARD.context


def test_seconds_of_frames_are_told_in_thousandths() -> None:
    seen = Seen("video", Size(40, 30), Size(56, 28), "relative", times=(0.2 * 3, 1 / 3))
    assert seen_form(seen)["times"] == [0.6, 0.333333]
