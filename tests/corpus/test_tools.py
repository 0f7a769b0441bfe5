"""Tools in training data: declared, called and answered as the model's own template has it, calls learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omma import chat
from omma.corpus.clean_pairs import Unread, read_pairs
from omma.corpus.dialogue import measure, sample_of
from omma.corpus.native import read_messages
from omma.corpus.reading import Corpus
from omma.corpus.record import Loose, Record
from omma.errors import BadInput
from omma.prep.processor import Processor
from omma.presets import GENERATIONS
from tests.corpus.goods import write_lines, write_table
from tests.train.school import small_spec

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Tells it.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    },
    {"type": "function", "function": {"name": "clock"}},
]


def call(name: str, arguments: Any, called: str) -> dict[str, Any]:
    return {"id": called, "type": "function", "function": {"name": name, "arguments": arguments}}


CALLS = [call("weather", '{"city": "Rome"}', "a"), call("clock", {}, "b")]
TALK = [
    {"role": "user", "content": "Rome?"},
    {"role": "assistant", "content": None, "tool_calls": CALLS},
    {"role": "tool", "tool_call_id": "a", "content": "sunny"},
    {"role": "tool", "tool_call_id": "b", "content": "noon"},
    {"role": "assistant", "content": "Sunny at noon."},
]


@pytest.fixture(scope="module", params=GENERATIONS)
def processor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Processor:
    folder = tmp_path_factory.mktemp("model")
    return Processor.from_folder(folder, small_spec(request.param, folder))


def record_of(talk: list[dict[str, Any]], **beside: Any) -> Record:
    return read_messages(Loose({"messages": talk, "tools": TOOLS, **beside}), Path())


def learned(record: Record, processor: Processor) -> list[str]:
    sample = sample_of(record, processor)
    assert sample.weights_T is not None
    at_A = np.flatnonzero(sample.weights_T)
    runs = np.split(sample.ids_T[at_A], np.flatnonzero(np.diff(at_A) > 1) + 1)
    return [processor.tokenizer.decode(run, skip_marks=False) for run in runs]


def test_a_record_is_the_sample_that_serving_makes(processor: Processor) -> None:
    sample = sample_of(record_of(TALK), processor)
    served = processor.sample(chat.messages(TALK), prompt=False, tools=chat.tools(TOOLS))
    assert list(sample.ids_T) == list(served.ids_T)
    assert np.array_equal(sample.weights_T, served.weights_T)  # type: ignore[arg-type]


def test_calls_are_learned_and_what_tools_answer_is_not(processor: Processor) -> None:
    first, second = learned(record_of(TALK), processor)
    assert first == (
        '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>\n'
        '<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call><|im_end|>'
    )
    assert second == "Sunny at noon.<|im_end|>"


def test_answers_of_tools_stand_in_the_order_of_the_calls(processor: Processor) -> None:
    swapped = [*TALK[:2], TALK[3], TALK[2], TALK[4]]
    assert np.array_equal(
        sample_of(record_of(swapped), processor).ids_T, sample_of(record_of(TALK), processor).ids_T
    )


@pytest.mark.parametrize("weights", [(0, 1), (1, 0), (2, 0.5), (3, 3)])
def test_each_answer_keeps_its_weight(weights: tuple[float, float], processor: Processor) -> None:
    talk = [dict(turn) for turn in TALK]
    talk[1]["weight"], talk[4]["weight"] = weights
    record = record_of(talk)
    sample, measured = sample_of(record, processor), measure(record, processor)
    assert sample.weights_T is not None
    assert set(sample.weights_T.tolist()) == {0.0, *map(float, weights)}
    assert (measured.tokens, measured.learned) == (sample.length, np.count_nonzero(sample.weights_T))


def test_thoughts_are_measured_with_the_answer_that_they_belong_to(processor: Processor) -> None:
    thinking = Processor(processor.tokenizer, processor.spec, processor.rules, thinks=True)
    talk = [TALK[0], {"role": "assistant", "content": "<think>\nwhat\n</think>\n\nUser", "weight": 2}]
    record = record_of(talk)
    sample = sample_of(record, thinking)
    assert sample.weights_T is not None
    assert measure(record, thinking).learned == np.count_nonzero(sample.weights_T)


def test_tables_have_tools_as_text_and_fields_of_nothing(tmp_path: Path) -> None:
    rows = [{"messages": TALK[:1] + TALK[4:], "tools": None}, {"messages": TALK, "tools": json.dumps(TOOLS)}]
    rows[1]["messages"] = [
        {**turn, "tool_calls": [call("weather", '{"city": "Rome"}', "a"), call("clock", "{}", "b")]}
        if turn.get("tool_calls")
        else turn
        for turn in TALK
    ]
    corpus = Corpus(write_table(tmp_path / "data.parquet", rows))
    plain, calling = (corpus.record(raw) for raw in corpus.scan())
    assert not plain.tools
    assert calling.tools == chat.tools(TOOLS)
    assert calling.messages == chat.messages(TALK)


@pytest.mark.parametrize(
    ("talk", "beside", "words"),
    [
        (
            [*TALK[:1], TALK[2], TALK[4]],
            {},
            "message 2 answers the call 'a', which no message before it makes",
        ),
        ([*TALK[:2], {**TALK[2], "tool_call_id": "z"}, TALK[4]], {}, "answers the call 'z'"),
        ([TALK[0], {"role": "tool", "content": "sunny"}, TALK[4]], {}, "answers a call"),
        (
            [TALK[0], {**TALK[1], "tool_calls": [call("fly", {}, "a")]}],
            {},
            "calls 'fly', and tools offers clock",
        ),
        ([TALK[0], {**TALK[1], "tool_calls": [call("clock", "{", "a")]}], {}, "messages\\[1\\].*is no JSON"),
        ([TALK[0], {**TALK[1], "tool_calls": [{"name": "clock"}]}], {}, "messages\\[1\\].*is no call"),
        (
            [{**TALK[0], "tool_calls": CALLS}, TALK[4]],
            {},
            "messages\\[0\\] has tool_calls, which nobody reads",
        ),
        (TALK, {"tools": "["}, "tools is no JSON"),
        (TALK, {"tools": [{"name": "clock"}]}, "tools\\[0\\] is no tool"),
        (TALK, {"tools": {"clock": {}}}, "tools is dict"),
    ],
)
def test_what_cannot_be_called_is_told(
    talk: list[dict[str, Any]], beside: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        record_of(talk, **beside)


def test_a_dialogue_with_tools_is_no_pair(tmp_path: Path) -> None:
    (found,) = read_pairs(write_lines(tmp_path / "data.jsonl", [{"messages": TALK, "tools": TOOLS}]))
    assert isinstance(found.pair, Unread)
    assert "tools" in found.pair.why
