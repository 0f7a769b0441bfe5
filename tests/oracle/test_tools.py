"""Tools are declared, called and answered in the words of the public templates, whatever the vocabulary."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from omma import chat
from omma.chat import Tool, messages
from omma.prep.processor import Processor
from omma.prep.rules import PictureRules
from omma.prep.tokenizer import Tokenizer
from omma.prep.vocabulary import train_tokenizer
from omma.spec import DecoderSpec, ModelSpec, SwiGLU, VisionSpec

TRAINED = train_tokenizer(iter(['function name arguments tools You may call été 日本語 {"x": 1}'] * 4), 400)
GATES = SwiGLU(8)
SPEC = ModelSpec(
    VisionSpec(depth=1, width=8, heads=1, feed_forward=GATES, out_width=8),
    DecoderSpec(1, 8, 1, 1, 8, GATES, vocabulary=TRAINED.size, tied=True),
    TRAINED.token_ids,
)
LOOK = {
    "type": "function",
    "function": {
        "name": "look_at",
        "description": "Look closer, même là.",
        "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
    },
}
TIME = {"type": "function", "function": {"name": "time", "parameters": {"type": "object", "properties": {}}}}
TOOLS = chat.tools([LOOK, TIME])


def called(*calls: tuple[str, Any], content: str | None = None) -> dict[str, Any]:
    """A turn of the assistant with calls, as OpenAI's clients send it back."""
    listed = [
        {
            "id": f"call_{i}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for i, (name, arguments) in enumerate(calls)
    ]
    return {"role": "assistant", "content": content, "tool_calls": listed}


def lacking(*names: str) -> Tokenizer:
    """The vocabulary without some added tokens."""
    raw = json.loads(TRAINED.source)
    raw["added_tokens"] = [entry for entry in raw["added_tokens"] if entry["content"] not in names]
    return Tokenizer(json.dumps(raw))


RESULTS = ("<tool_response>", "</tool_response>")
PROCESSORS = {
    "qwen2.5-vl": Processor(lacking(*RESULTS), SPEC, PictureRules()),
    "qwen2-vl": Processor(lacking(*RESULTS, "<tool_call>", "</tool_call>"), SPEC, PictureRules()),
    "qwen3-vl": Processor(TRAINED, replace(SPEC, default_system=False), PictureRules()),
    "qwen3-vl-thinking": Processor(TRAINED, replace(SPEC, default_system=False), PictureRules(), True),
}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    told = {}
    for name, processor in PROCESSORS.items():
        folder = tmp_path_factory.mktemp(name)
        processor.save(folder)
        told[name] = AutoTokenizer.from_pretrained(folder)
    return told


TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is at 3 and 4?"},
    called(("look_at", {"x": 3}), ("look_at", {"x": 4}), content="Let me look."),
    {"role": "tool", "tool_call_id": "call_0", "content": "a cup"},
    {"role": "tool", "tool_call_id": "call_1", "content": 'a "plate"'},
]
# Facts §5.4, by hand.
WRITTEN = """<|im_start|>system
Be brief.

# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{"type": "function", "function": {"name": "look_at", "description": "Look closer, même là.", \
"parameters": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}}}
{"type": "function", "function": {"name": "time", "parameters": {"type": "object", "properties": {}}}}
</tools>

For each function call, return a json object with function name and arguments within \
<tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call><|im_end|>
<|im_start|>user
What is at 3 and 4?<|im_end|>
<|im_start|>assistant
Let me look.
<tool_call>
{"name": "look_at", "arguments": {"x": 3}}
</tool_call>
<tool_call>
{"name": "look_at", "arguments": {"x": 4}}
</tool_call><|im_end|>
<|im_start|>user
<tool_response>
a cup
</tool_response>
<tool_response>
a "plate"
</tool_response><|im_end|>
<|im_start|>assistant
"""


@pytest.mark.parametrize("name", ["qwen2.5-vl", "qwen2-vl", "qwen3-vl"])
def test_tools_stand_in_a_prompt_as_the_public_templates_write_them(name: str) -> None:
    processor = PROCESSORS[name]
    ids = processor.sample(messages(TALK), tools=TOOLS).ids_T.tolist()
    assert processor.tokenizer.decode(ids, skip_marks=False) == WRITTEN


words = st.text(st.characters(codec="utf-8", exclude_characters="<\r\n"), max_size=12)
values = st.dictionaries(
    words, st.one_of(words, st.integers(), st.none(), st.lists(st.booleans())), max_size=3
)
asked = st.builds(lambda text: [{"role": "user", "content": text}], words)
said = st.builds(lambda text: [{"role": "assistant", "content": f"a{text}"}], words)
used = st.builds(
    lambda calls, content, told: [
        called(*calls, content=content),
        *({"role": "tool", "content": text} for text in told),
    ],
    st.lists(st.tuples(st.sampled_from(["look_at", "time"]), values), min_size=1, max_size=3),
    st.one_of(st.none(), words),
    st.lists(words, max_size=3),
)
system = st.one_of(st.just([]), st.builds(lambda text: [{"role": "system", "content": text}], words))
talks = st.builds(
    lambda first, rest: [*first, *(turn for part in rest for turn in part)],
    system,
    st.lists(st.one_of(asked, said, used), min_size=1, max_size=5),
)


@pytest.mark.parametrize("name", PROCESSORS)
@settings(max_examples=30)
@given(talks, st.sampled_from([(), TOOLS, TOOLS[:1]]))
def test_a_conversation_with_tools_has_the_ids_of_transformers(
    name: str, theirs: dict[str, Any], talk: list[dict[str, Any]], tools: tuple[Tool, ...]
) -> None:
    wanted = theirs[name].apply_chat_template(
        [_objects(turn) for turn in talk],
        tools=[tool.form for tool in tools] or None,
        add_generation_prompt=True,
        return_dict=False,
    )
    assert PROCESSORS[name].sample(messages(talk), tools=tools).ids_T.tolist() == wanted


def _objects(turn: dict[str, Any]) -> dict[str, Any]:
    """A turn with its arguments as objects, as the templates of transformers want them."""
    turn = json.loads(json.dumps(turn))
    for call in turn.get("tool_calls", ()):
        call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return turn


@pytest.mark.parametrize("name", ["qwen3-vl", "qwen3-vl-thinking"])
@settings(max_examples=30)
@given(st.sampled_from(["user", "tool", "system"]), st.sampled_from(["<tool_call>", *RESULTS]), words)
def test_nobody_forges_a_mark_of_tools(name: str, role: chat.Role, forged: str, rest: str) -> None:
    tokenizer = PROCESSORS[name].tokenizer
    marks = {tokenizer.mark(mark) for mark in ("<tool_call>", "</tool_call>", *RESULTS)}
    spoken = lambda text: [{"role": role, "content": text}, {"role": "user", "content": "?"}]  # noqa: E731
    honest = PROCESSORS[name].sample(messages(spoken(rest))).ids_T.tolist()
    forging = PROCESSORS[name].sample(messages(spoken(f"{forged}\n{rest}"))).ids_T.tolist()
    assert [token for token in forging if token in marks] == [token for token in honest if token in marks]
