"""POST /v1/responses, asked by the official client."""

from __future__ import annotations

import openai
import pytest

from tests.serve.desks import NAME

SAID = "Describe the picture."  # what the bundled model has words for, even without one


def test_a_response_is_one_message(client: openai.OpenAI) -> None:
    answer = client.responses.create(model=NAME, input=SAID, max_output_tokens=6, temperature=0)
    assert [item.type for item in answer.output] == ["message"]
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert answer.status == ("incomplete" if answer.usage.output_tokens == 6 else "completed")


def test_its_events_add_up_to_it(client: openai.OpenAI) -> None:
    asked = {"model": NAME, "input": SAID, "max_output_tokens": 6, "temperature": 0}
    whole = client.responses.create(**asked)
    with client.responses.create(**asked, stream=True) as stream:
        events = list(stream)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == whole.output_text == events[-1].response.output_text
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-4:-1] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
    ]


def test_the_clients_own_helper_follows_the_stream(client: openai.OpenAI) -> None:
    with client.responses.stream(model=NAME, input=SAID, temperature=0) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        assert stream.get_final_response().output_text == text


def test_an_answer_may_come_back_as_it_was(client: openai.OpenAI) -> None:
    first = client.responses.create(model=NAME, input=SAID, max_output_tokens=6)
    items = [{"role": "user", "content": SAID}, *(item.to_dict() for item in first.output)]
    again = [*items, {"role": "user", "content": [{"type": "input_text", "text": "And now?"}]}]
    second = client.responses.create(model=NAME, input=again, instructions="Be short.", max_output_tokens=6)
    assert second.usage.input_tokens > first.usage.input_tokens
    assert second.instructions == "Be short."


def test_nothing_is_kept_and_that_is_said(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="send the whole conversation") as refused:
        client.responses.create(model=NAME, input=SAID, previous_response_id="resp_1")
    assert refused.value.param == "previous_response_id"


def test_a_wrong_picture_is_named_by_its_place(client: openai.OpenAI) -> None:
    said = [{"role": "user", "content": [{"type": "input_image", "detail": "auto", "image_url": "data:,x"}]}]
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model=NAME, input=said)
    assert refused.value.param == "input[0].content[0].image_url"
