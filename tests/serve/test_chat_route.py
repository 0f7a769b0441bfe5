"""POST /v1/chat/completions, asked by the official client."""

from __future__ import annotations

import openai

from tests.serve.desks import NAME


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_a_conversation_is_answered(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model=NAME, messages=said("Describe the picture."), max_tokens=8)
    assert answer.choices[0].message.role == "assistant"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_stream_adds_up_to_the_whole(client: openai.OpenAI) -> None:
    asked = {"model": NAME, "messages": said("What is this?"), "max_tokens": 12, "temperature": 0}
    whole = client.chat.completions.create(**asked)
    with client.chat.completions.create(**asked, stream=True) as pieces:
        chunks = list(pieces)
    assert (
        "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.choices[0].message.content
    )
    assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason


def test_raw_words_are_continued(client: openai.OpenAI) -> None:
    answer = client.completions.create(model=NAME, prompt="The", max_tokens=4, temperature=0)
    assert answer.usage.completion_tokens <= 4
    with client.completions.create(
        model=NAME, prompt="The", max_tokens=4, temperature=0, stream=True
    ) as pieces:
        assert "".join(piece.choices[0].text for piece in pieces) == answer.choices[0].text
