"""The official `openai` client as a suite, against the bundled model: what it can ask is answered."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator
from typing import Any, Literal

import jsonschema
import openai
import pytest
from PIL import Image, ImageDraw
from pydantic import BaseModel

import omma
from omma.serve.media import MediaShelf
from omma.serve.quota import Quota
from tests.host.media import film
from tests.serve.desks import NAME, ModelDesk, Served, serving

WORDS: Any = [{"role": "user", "content": "Describe the picture."}]
LOOK: Any = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Look at a place.",
        "parameters": {
            "type": "object",
            "properties": {"x": {"type": "integer", "minimum": 0, "maximum": 9}},
            "required": ["x"],
            "additionalProperties": False,
        },
    },
}


class Thing(BaseModel):
    """What a picture shows."""

    colour: Literal["red", "blue"]
    round: bool


@pytest.fixture(scope="module")
def desk() -> ModelDesk:
    return ModelDesk(omma.load("omma-nano"))


@pytest.fixture(scope="module")
def served(desk: ModelDesk) -> Iterator[Served]:
    with serving(desk, shelf=MediaShelf(), gate=Quota()) as served:
        yield served


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[openai.OpenAI]:
    with served.client(timeout=300) as client:
        yield client


def drawn(colour: str, size: tuple[int, int] = (96, 64)) -> bytes:
    """A picture of a disc."""
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).ellipse((20, 10, 60, 50), fill=colour)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def shown(*parts: Any) -> Any:
    return [{"role": "user", "content": list(parts)}]


def picture(raw: bytes, **limits: Any) -> Any:
    url = f"data:image/png;base64,{base64.b64encode(raw).decode()}"
    return {"type": "image_url", "image_url": {"url": url, **limits}}


def words(text: str) -> Any:
    return {"type": "text", "text": text}


def video(raw: bytes, **limits: Any) -> Any:
    url = f"data:video/mp4;base64,{base64.b64encode(raw).decode()}"
    return {"type": "video_url", "video_url": {"url": url, **limits}}


def chat(client: openai.OpenAI, messages: Any = WORDS, **more: Any) -> Any:
    return client.chat.completions.create(model=NAME, messages=messages, **({"max_tokens": 8} | more))


def details(usage: Any) -> Any:
    """What the prompt's tokens stand for."""
    return usage.prompt_tokens_details.to_dict()


def streamed(chunks: Any) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_a_stream_is_the_whole_answer_in_pieces(client: openai.OpenAI) -> None:
    whole = chat(client, temperature=0)
    chunks = list(chat(client, temperature=0, stream=True))
    assert streamed(chunks) == whole.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason


def test_several_pictures_are_seen(client: openai.OpenAI) -> None:
    said = shown(picture(drawn("red")), words("and"), picture(drawn("blue", (64, 128))), words("Same?"))
    answer = chat(client, said)
    seen = answer.model_extra["omma"]["seen"]
    assert [one["original"] for one in seen] == [[96, 64], [64, 128]]
    assert details(answer.usage)["image_tokens"] > 0


def test_limits_of_a_picture_change_its_tokens(client: openai.OpenAI) -> None:
    raw = drawn("red", (1024, 1024))

    def tokens(**limits: Any) -> int:
        answer = chat(client, shown(picture(raw, **limits), words("?")), max_tokens=1)
        return int(details(answer.usage)["image_tokens"])

    assert tokens(max_pixels=100 * 100) < tokens(max_pixels=200 * 200) < tokens(min_pixels=600 * 600)
    assert tokens(detail="low") == min(tokens(), tokens(max_pixels=512 * 512))
    assert tokens(detail="high") == tokens(detail="original") == tokens()


def test_a_video_is_seen_at_its_rate_and_in_its_range(client: openai.OpenAI) -> None:
    raw = film(40)
    times = []
    for limits in ({"max_frames": 4}, {"fps": 2.0, "stop": 1.0}):
        answer = chat(client, shown(video(raw, **limits), words("What happens?")))
        (seen,) = answer.model_extra["omma"]["seen"]
        assert seen["kind"] == "video"
        assert details(answer.usage)["video_tokens"] > 0
        times.append(seen["times"])
    assert len(times[0]) <= 4
    assert max(times[1]) <= 1.0


def test_an_upload_is_shown_by_its_id(client: openai.OpenAI, served: Served) -> None:
    with served.http() as http:
        kept = http.post("/v1/media", content=drawn("red"), headers={"content-type": "image/png"}).json()
        assert (
            http.post("/v1/media", content=b"hello", headers={"content-type": "image/png"}).status_code == 400
        )
        assert (
            http.post("/v1/media", content=b"hello", headers={"content-type": "text/html"}).status_code == 415
        )
    part = {"type": "image_url", "image_url": {"url": f"media:{kept['id']}"}}
    assert chat(client, shown(part, words("?"))).model_extra["omma"]["seen"][0]["original"] == [96, 64]
    said: Any = shown({"type": "input_image", "file_id": kept["id"], "detail": "auto"})
    response = client.responses.create(model=NAME, input=said, max_output_tokens=4)
    assert response.model_extra["omma"]["seen"][0]["original"] == [96, 64]


def test_places_are_told_in_pixels_of_the_picture(
    client: openai.OpenAI, served: Served, desk: ModelDesk
) -> None:
    raw = drawn("red", (192, 128))
    answer = chat(
        client, shown(picture(raw), words("Locate every red circle.")), max_tokens=64, temperature=0
    )
    entry = answer.model_extra["omma"]["geometry"]["shown"][0]
    for box in entry.get("boxes", []):
        left, top, right, bottom = box["box"]
        assert 0 <= left <= right <= 192
        assert 0 <= top <= bottom <= 128


@pytest.mark.parametrize("kind", ["boxes", "points"])
def test_places_that_were_asked_for_lie_inside_the_picture(client: openai.OpenAI, kind: str) -> None:
    said = shown(picture(drawn("red", (192, 128))), words("Where is it?"))
    for seed in range(3):
        held: Any = {"places": {"kind": kind, "most": 3}}
        answer = chat(client, said, max_tokens=200, temperature=3, seed=seed, extra_body=held)
        (entry,) = answer.model_extra["omma"]["geometry"]["shown"]
        found = [one["box"] if kind == "boxes" else one["point"] for one in entry.get(kind, [])]
        assert len(found) <= 3
        assert json.loads(answer.choices[0].message.content) == [] or found
        for place in found:
            assert all(0 <= x <= 192 for x in place[::2])
            assert all(0 <= y <= 128 for y in place[1::2])
            assert kind == "points" or (place[0] < place[2] and place[1] < place[3])
    response = client.responses.create(
        model=NAME,
        input=said_newly(drawn("red")),
        max_output_tokens=60,
        extra_body={"places": {"kind": kind}},
    )
    assert isinstance(json.loads(response.output_text), list)


def said_newly(raw: bytes) -> Any:
    url = f"data:image/png;base64,{base64.b64encode(raw).decode()}"
    return [{"role": "user", "content": [{"type": "input_image", "image_url": url, "detail": "auto"}]}]


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"regex": "a"}, "two things"),
        ({"response_format": {"type": "json_object"}}, "two things"),
        ({"places": {"kind": "boxes", "picture": 1}}, "1 are shown"),
        ({"places": {"kind": "circles"}}, "boxes"),
        ({"places": {"kind": "boxes", "most": 0}}, "1 or more"),
    ],
    ids=str,
)
def test_places_that_cannot_be_had_are_refused_by_name(
    client: openai.OpenAI, wishes: Any, message: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=message) as refused:
        chat(client, shown(picture(drawn("red"))), extra_body={"places": {"kind": "boxes"}} | wishes)
    assert refused.value.param.startswith(("places", "regex"))


def test_a_picture_that_is_none_is_400(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        chat(client, shown(picture(b"\x89PNG\r\n\x1a\nbroken")))
    assert refused.value.code == "invalid_image"


def test_a_prompt_that_is_too_long_is_400(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        chat(client, [{"role": "user", "content": "word " * 60_000}])
    assert refused.value.code == "context_length_exceeded"


def test_seeds_fix_the_draws(client: openai.OpenAI) -> None:
    how: Any = {"temperature": 2.0, "max_tokens": 12}
    first, again = (chat(client, seed=5, **how).choices[0].message.content for _ in range(2))
    assert first == again
    several = chat(client, seed=5, n=3, **how)
    texts = [choice.message.content for choice in several.choices]
    assert texts[0] == first
    assert texts[1] == chat(client, seed=6, **how).choices[0].message.content


def test_a_stop_text_ends_the_answer_and_is_no_part_of_it(client: openai.OpenAI) -> None:
    letters: Any = {"extra_body": {"regex": "ab{4,9}c[d-z]{200}"}, "temperature": 0, "max_tokens": 32}
    whole = chat(client, **letters).choices[0].message.content
    answer = chat(client, stop=["c", "never this"], **letters).choices[0]
    assert answer.message.content == whole.partition("c")[0] != whole
    assert answer.finish_reason == "stop"
    assert streamed(chat(client, stop="c", stream=True, **letters)) == answer.message.content


def test_max_tokens_cuts_and_says_so(client: openai.OpenAI) -> None:
    letters: Any = {"extra_body": {"regex": "[a-z]{200}"}, "temperature": 0}
    answer = chat(client, max_tokens=2, **letters)
    assert (answer.choices[0].finish_reason, answer.usage.completion_tokens) == ("length", 2)
    newer = client.chat.completions.create(model=NAME, messages=WORDS, max_completion_tokens=2, **letters)
    assert newer.choices[0].message.content == answer.choices[0].message.content


def test_log_probabilities_spell_the_answer(client: openai.OpenAI) -> None:
    answer = chat(client, temperature=0, logprobs=True, top_logprobs=3).choices[0]
    tokens = answer.logprobs.content
    assert (
        b"".join(bytes(one.bytes) for one in tokens)
        .decode("utf-8", "replace")
        .startswith(answer.message.content)
    )
    for one in tokens:
        assert len(one.top_logprobs) == 3
        assert one.logprob == one.top_logprobs[0].logprob  # greedy takes the likeliest
        assert one.logprob <= 0
    chunks = list(chat(client, temperature=0, logprobs=True, top_logprobs=3, stream=True))
    got = [one for chunk in chunks if chunk.choices[0].logprobs for one in chunk.choices[0].logprobs.content]
    assert [one.bytes for one in got] == [one.bytes for one in tokens]


@pytest.mark.parametrize("temperature", [0, 10])
def test_json_of_a_schema_parses_and_validates(client: openai.OpenAI, temperature: float) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 99}, "b": {"enum": ["x", "y"]}},
        "required": ["a", "b"],
        "additionalProperties": False,
    }
    form: Any = {"type": "json_schema", "json_schema": {"name": "ab", "schema": schema, "strict": True}}
    answer = chat(client, response_format=form, temperature=temperature, seed=1, max_tokens=256)
    assert answer.choices[0].finish_reason == "stop"
    jsonschema.validate(json.loads(answer.choices[0].message.content), schema)


def test_a_pydantic_class_comes_back(client: openai.OpenAI) -> None:
    said = shown(picture(drawn("red")), words("What is shown?"))
    answer = client.chat.completions.parse(model=NAME, messages=said, response_format=Thing, max_tokens=256)
    assert isinstance(answer.choices[0].message.parsed, Thing)
    response = client.responses.parse(model=NAME, input="What?", text_format=Thing, max_output_tokens=256)
    assert isinstance(response.output_parsed, Thing)


def test_any_object_and_any_pattern(client: openai.OpenAI) -> None:
    form: Any = {"type": "json_object"}
    answer = chat(client, response_format=form, temperature=0, max_tokens=512)
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(answer.choices[0].message.content), dict)
    dated = chat(client, extra_body={"regex": "[0-9]{4}-[0-9]{2}"}, max_tokens=32)
    year, month = dated.choices[0].message.content.split("-")
    assert (len(year), len(month)) == (4, 2)


def test_a_schema_that_cannot_be_held_to_is_400(client: openai.OpenAI) -> None:
    form: Any = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "nonsense"}}}
    with pytest.raises(openai.BadRequestError) as refused:
        chat(client, response_format=form)
    assert refused.value.code == "invalid_schema"


def test_a_tool_that_must_be_called_is_called(client: openai.OpenAI) -> None:
    for choice in ("required", {"type": "function", "function": {"name": "look"}}):
        asked: Any = {"tools": [LOOK], "tool_choice": choice, "parallel_tool_calls": False, "max_tokens": 128}
        answer = chat(client, temperature=0, **asked).choices[0]
        (call,) = answer.message.tool_calls
        assert answer.finish_reason == "tool_calls"
        jsonschema.validate(json.loads(call.function.arguments), LOOK["function"]["parameters"])
        pieces = [
            piece
            for chunk in chat(client, temperature=0, stream=True, **asked)
            for piece in chunk.choices[0].delta.tool_calls or ()
        ]
        assert pieces[0].function.name == "look"
        assert pieces[0].id
        assert "".join(piece.function.arguments for piece in pieces) == call.function.arguments


def test_tools_that_may_be_called_leave_words_alone(client: openai.OpenAI) -> None:
    for choice in ("auto", "none"):
        answer = chat(client, tools=[LOOK], tool_choice=choice, temperature=0).choices[0]
        assert answer.message.content or answer.message.tool_calls


def test_the_result_of_a_call_goes_back_in(client: openai.OpenAI) -> None:
    asked: Any = {"tools": [LOOK], "tool_choice": "required", "parallel_tool_calls": False, "max_tokens": 128}
    called = chat(client, temperature=0, **asked).choices[0].message
    result = {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": '{"there": "a cup"}'}
    answer = chat(client, [*WORDS, called, result], tools=[LOOK])
    assert answer.usage.prompt_tokens > 20


def test_the_cost_is_what_is_then_read(client: openai.OpenAI, served: Served) -> None:
    said = shown(picture(drawn("red")), words("What?"))
    with served.http() as http:
        cost = http.post("/v1/cost", json={"messages": said}).json()
    usage = chat(client, said).usage
    assert cost["prompt_tokens"] == usage.prompt_tokens
    assert cost["prompt_tokens_details"]["image_tokens"] == details(usage)["image_tokens"]


def test_a_stream_that_is_closed_cancels_its_answer(client: openai.OpenAI, desk: ModelDesk) -> None:
    gone = threading.Event()
    desk.closed = gone.set
    with chat(client, max_tokens=4096, extra_body={"regex": "[a-z]{3000}"}, stream=True) as pieces:
        next(iter(pieces))
    assert gone.wait(60)


def test_many_ask_at_once(served: Served) -> None:
    async def run() -> list[str]:
        import asyncio

        address = f"{served.address}/v1"
        async with openai.AsyncOpenAI(base_url=address, api_key="none", max_retries=0, timeout=300) as client:
            asked = [
                client.chat.completions.create(model=NAME, messages=WORDS, max_tokens=4, temperature=0)
                for _ in range(6)
            ]
            return [answer.choices[0].message.content or "" for answer in await asyncio.gather(*asked)]

    import asyncio

    assert len(set(asyncio.run(run()))) == 1
