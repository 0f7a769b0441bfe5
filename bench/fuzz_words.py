"""The parsers of strangers' words, each as a function of bytes: schemas, messages, and text with places."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bench.fuzz_draw import Draw, as_body
from bench.results import ROOT

if TYPE_CHECKING:
    from omma.prep.processor import Processor

Run = Callable[[bytes], None]

SCHEMA_KEYS = (
    *("type", "properties", "required", "items", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "$defs"),
    *("minimum", "maximum", "exclusiveMinimum", "multipleOf", "minLength", "maxLength", "pattern", "format"),
    *("minItems", "maxItems", "prefixItems", "additionalProperties", "patternProperties", "minProperties"),
    *("a", "b", "not", "title", "uniqueItems", "propertyNames", "maxProperties", "nullable", "$schema"),
)
SCHEMA_WORDS = (
    *(
        "string",
        "integer",
        "number",
        "object",
        "array",
        "boolean",
        "null",
        "#/$defs/a",
        "#",
        "#/properties/a",
    ),
    *(
        "date",
        "email",
        "uuid",
        "^[a-z]+$",
        "(a|b){2,5}",
        "[",
        "(?=a)",
        "\\d{3}",
        ".*",
        "a",
        "b",
        "(a*)*",
        "\\p{L}",
    ),
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "a": {"type": "string", "pattern": "^[a-z]{1,8}$"},
        "b": {"type": "array", "items": {"$ref": "#/$defs/a"}, "maxItems": 3},
    },
    "required": ["a"],
    "additionalProperties": False,
    "$defs": {"a": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"enum": ["x", None]}]}},
}


def _nano() -> Processor:
    """omma-nano's words and rules, without its weights."""
    from omma.prep.processor import Processor
    from omma.weights.config import read_spec

    folder = ROOT / "src" / "omma" / "assets" / "omma-nano"
    return Processor.from_folder(folder, read_spec(folder))


def schema() -> Run:
    """Schemas, patterns and tools, compiled and walked at random."""
    from omma.engine.grammar import Vocabulary, compile_shape
    from omma.errors import BadInput
    from omma.shape import Calls, Matching, Schema

    nano = _nano()
    stops = frozenset({nano.spec.ids.turn_end, nano.spec.ids.end_of_text})
    vocabulary = Vocabulary(nano.tokenizer, nano.spec.decoder.vocabulary, stops)

    def run(data: bytes) -> None:
        draw = Draw(data)
        kind = draw.number(8)
        schema = (
            draw.changed(SCHEMA, SCHEMA_KEYS, SCHEMA_WORDS)
            if kind % 2
            else draw.object(SCHEMA_KEYS, SCHEMA_WORDS)
        )
        try:
            match kind:
                case 0:
                    shape: Any = Matching(draw.text(SCHEMA_WORDS) + draw.text(SCHEMA_WORDS))
                case 1:
                    shape = Calls((("f", schema), ("g", SCHEMA)), must=bool(draw.number(2)))
                case _:
                    shape = Schema(schema)
            walk = compile_shape(shape, vocabulary).walk()
            for _ in range(12):
                if walk.ended:
                    break
                allowed = walk.mask().nonzero()[0]
                assert len(allowed), "a mask that allows nothing"
                walk.take(int(allowed[draw.number(len(allowed))]))
        except BadInput:
            return

    return run


MESSAGE_KEYS = (
    *("messages", "role", "content", "type", "text", "image_url", "video_url", "url", "detail", "max_pixels"),
    *(
        "tools",
        "function",
        "name",
        "parameters",
        "tool_calls",
        "tool_call_id",
        "arguments",
        "id",
        "fps",
        "start",
    ),
    *("stop", "n", "seed", "response_format", "json_schema", "schema", "logprobs", "top_logprobs", "stream"),
    *("max_tokens", "temperature", "metadata", "reasoning_content", "tool_choice", "regex", "model", "stop"),
)
MESSAGE_WORDS = (
    *("user", "system", "assistant", "tool", "developer", "text", "image_url", "video_url", "function"),
    *(
        "data:image/png;base64,AAAA",
        "data:,x",
        "media:" + "0" * 40,
        "http://127.0.0.1/",
        "file:///etc/passwd",
    ),
    *(
        "auto",
        "none",
        "required",
        "low",
        "json_schema",
        "json_object",
        "{}",
        "f",
        "<|im_end|>",
        "<tool_call>",
    ),
)
REQUEST: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": [
            {"type": "text", "text": "a"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
            {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA", "fps": 1, "stop": 2.5}},
        ]},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]},
        {"role": "tool", "tool_call_id": "c", "content": "b"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
    "tool_choice": "auto", "stop": ["x"], "seed": 1, "n": 2, "max_tokens": 5, "logprobs": True,
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
}  # fmt: skip


def message() -> Run:
    """Requests and conversations, as the server reads them."""
    from omma.chat import messages
    from omma.errors import OmmaError
    from omma.serve import wire
    from omma.serve.conversation import taken
    from omma.serve.desk import Card
    from omma.serve.faults import Refused, refusal
    from omma.serve.orders import chat_options
    from omma.serve.reading import read
    from omma.serve.settings import Settings
    from omma.serve.sources import Sources

    processor = _nano()
    card = Card("omma-nano", "qwen3-vl", 4096, "grid")

    def told(error: Exception) -> None:
        refused = refusal(error)
        assert refused.status < 500, "a fault of ours"
        assert str(refused).strip(), "a refusal without a word"
        assert json.loads(refused.raw)["error"]["message"] == str(refused)

    def run(data: bytes) -> None:
        draw = Draw(data[1:])
        value = draw.changed(REQUEST, MESSAGE_KEYS, MESSAGE_WORDS)
        body = data[1:] if data[:1] < b"\x40" else as_body(value)
        try:
            asked = read(wire.ChatRequest, body)
            chat_options(asked, card)
            said = taken(asked.messages, Sources(), Settings(), tenant="", thinks=bool(draw.number(2)))
            processor.pieces(asyncio.run(said).messages, prompt=True)
        except (OmmaError, Refused) as error:
            told(error)
        as_it_is: Any = value.get("messages") if isinstance(value, dict) else value
        try:
            messages(as_it_is)
        except OmmaError as error:
            told(error)

    return run


SCRAPS = (
    *(
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        ",",
        ":",
        '"',
        "'",
        "\\",
        "\n",
        " ",
        "-",
        "1e999",
        "NaN",
        "9" * 400,
        "```",
    ),
    *(
        '{"bbox_2d":[1,2,3,4]',
        '"label":"a"',
        '"point_2d":[1,2]',
        '"quad_2d":[1,2,3,4,5,6,7,8]',
        '"start":1,"end":2',
    ),
    *(
        "<box>(1,2),(3,4)</box>",
        "<ref>a</ref>",
        "<quad>",
        "<|box_start|>",
        "<|object_ref_end|>",
        '"time":"1:2"',
    ),
    *(
        "<table>",
        "<tr><td rowspan=99>",
        "</td>",
        '<p data-bbox="1 2 3 4">',
        "<!--",
        "-->",
        "&#99999999;",
        "| a |",
    ),
    *("<tool_call>", "</tool_call>", '{"action":"left_click","coordinate":[1,2]}', "</think>", "# ", "$$"),
    *("\x00", "\ud800", "\u202e", "0", "-1", "1000", "1.5"),
)


def box() -> Run:
    """Texts of answers, read by everything that finds places and times."""
    from omma.chat import Seen
    from omma.errors import BadInput
    from omma.prep.actions import parse_looks, parse_step
    from omma.prep.boxes import parse_boxes, parse_points
    from omma.prep.dialects import DIALECTS
    from omma.prep.document_html import parse_html
    from omma.prep.document_markdown import parse_document, parse_markdown
    from omma.prep.geometry import geometry
    from omma.prep.polygons import parse_polygons
    from omma.prep.solids import parse_solids
    from omma.prep.spans import parse_sightings, parse_spans
    from omma.sample import Size

    places = [parse_boxes, parse_points, parse_polygons, parse_solids, parse_spans, parse_sightings]
    pages = [parse_html, parse_markdown, parse_document]
    readers: list[Callable[[str, Seen], Any]] = [*places, *pages, parse_step, parse_looks]
    readers.append(lambda text, seen: geometry(text, (seen,)))
    names = sorted(DIALECTS)

    def run(data: bytes) -> None:
        draw = Draw(data)
        size = Size(1 + draw.number(60_000), 1 + draw.number(60_000))
        times = tuple(float(i) for i in range(draw.number(4)))
        seen = Seen("video" if times else "image", size, Size(280, 280), draw.one(names), times)
        text, most = "", draw.one((200, 500, 2_000, 10_000))
        while draw.left and len(text) < most:
            text += draw.one(SCRAPS) if draw.number(4) else draw.bytes().decode("latin-1")
        for reader in readers:
            try:
                found = reader(text, seen)
            except BadInput:
                continue
            assert reader is not parse_boxes or _inside(found, size)

    return run


def _inside(boxes: list[Any], size: Any) -> bool:
    return all(0 <= b.x1 <= b.x2 <= size.width and 0 <= b.y1 <= b.y2 <= size.height for b in boxes)
