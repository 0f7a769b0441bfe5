"""POST /v1/completions, asked by the official client: echoed prompts, their scores, choices, and stops."""

from __future__ import annotations

import math
from typing import Any

import openai
import pytest
import torch

from omma.chat import message
from tests.serve.desks import NAME, ModelDesk

PROMPT = "The naïve 漢字 cat 🐈 sat on a mat"


def complete(client: openai.OpenAI, **asked: Any) -> Any:
    return client.completions.create(model=NAME, **({"prompt": PROMPT, "temperature": 0} | asked))


def test_an_echoed_prompt_stands_before_what_continues_it(client: openai.OpenAI) -> None:
    plain = complete(client, max_tokens=5).choices[0]
    echoed = complete(client, max_tokens=5, echo=True)
    assert echoed.choices[0].text == PROMPT + plain.text
    assert echoed.choices[0].finish_reason == plain.finish_reason
    assert echoed.usage.completion_tokens <= 5


def test_an_echoed_prompts_tokens_have_the_chances_that_the_model_gives_them(
    client: openai.OpenAI, desk: ModelDesk
) -> None:
    told = complete(client, max_tokens=0, echo=True, logprobs=2)
    scores = told.choices[0].logprobs
    (ids,) = [desk.model.processor.sample([message("raw", PROMPT)]).ids_T.tolist()]
    chances = desk.model.logits([message("raw", PROMPT)]).log_softmax(-1)
    assert scores.token_logprobs[0] is scores.top_logprobs[0] is None
    own = [float(chances[i, token]) for i, token in enumerate(ids[1:])]
    assert scores.token_logprobs[1:] == pytest.approx(own, abs=2e-3)
    for i, likeliest in enumerate(scores.top_logprobs[1:]):
        assert max(likeliest.values()) == pytest.approx(float(chances[i].max()), abs=2e-3)
    assert torch.isfinite(chances).any()
    assert (told.choices[0].text, told.choices[0].finish_reason) == (PROMPT, "length")
    assert (told.usage.prompt_tokens, told.usage.completion_tokens) == (len(ids), 0)


def test_each_token_stands_where_it_is_said_to(client: openai.OpenAI) -> None:
    choice = complete(client, max_tokens=6, echo=True, logprobs=0).choices[0]
    told = choice.logprobs
    lists = (told.tokens, told.token_logprobs, told.top_logprobs, told.text_offset)
    assert len({len(one) for one in lists}) == 1
    assert told.text_offset == sorted(told.text_offset)
    for token, place in zip(told.tokens, told.text_offset, strict=True):
        if "\ufffd" not in token:  # a part of a letter has no spelling of its own
            assert choice.text[place : place + len(token)] == token


@pytest.mark.parametrize("wishes", [{}, {"echo": True}, {"echo": True, "max_tokens": 0}])
def test_a_stream_adds_up_to_the_whole(client: openai.OpenAI, wishes: dict[str, Any]) -> None:
    asked = {"max_tokens": 5, "logprobs": 1, "prompt": [PROMPT, "One two"], "n": 2, "seed": 3} | wishes
    whole = complete(client, **asked)
    chunks = list(complete(client, stream=True, stream_options={"include_usage": True}, **asked))
    assert chunks[-1].usage == whole.usage
    for choice in whole.choices:
        mine = [one for chunk in chunks for one in chunk.choices if one.index == choice.index]
        assert "".join(one.text for one in mine) == choice.text
        for name in ("tokens", "token_logprobs", "text_offset"):
            assert [one for each in mine for one in getattr(each.logprobs, name)] == getattr(
                choice.logprobs, name
            )
        assert [one.finish_reason for one in mine][-1] == choice.finish_reason
    assert {choice.index for choice in whole.choices} == {0, 1, 2, 3}


def test_a_stop_text_and_its_tokens_are_no_part_of_what_is_told(client: openai.OpenAI) -> None:
    letters: Any = {"extra_body": {"regex": "ab{4,9}c[d-z]{200}"}, "max_tokens": 32, "logprobs": 0}
    choice = complete(client, stop="c", **letters).choices[0]
    assert choice.finish_reason == "stop"
    assert choice.text.startswith("ab")
    assert "".join(choice.logprobs.tokens) == choice.text
    assert all(math.isfinite(one) for one in choice.logprobs.token_logprobs)


def test_nothing_to_come_and_nothing_to_echo_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="nothing would come") as refused:
        complete(client, max_tokens=0)
    assert refused.value.param == "max_tokens"
