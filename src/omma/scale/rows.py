"""The rows of a batch: what a line asks, and the lines that tell its answer or why there is none."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from omma.chat import Answer, Image, Message, Options, Video, messages
from omma.errors import (
    BadData,
    BadInput,
    BadMessage,
    MissingFile,
    OmmaError,
    OutOfMemory,
    UnknownOption,
    unread,
)
from omma.prep.calls import Called, parse_calls
from omma.prep.geometry import geometry
from omma.prep.sources import ADDRESS, check_plain
from omma.remote.asking import call_form
from omma.scale.choosing import chosen
from omma.shape import Json, Matching, Schema, Shape

Form = Literal["openai", "own"]
ENDPOINT = "/v1/chat/completions"
_OPTIONS = {field.name for field in fields(Options)} - {"shape", "logprobs", "prompt_logprobs"}
_ALSO = ("max_completion_tokens", "parallel_tool_calls", "regex", "response_format", "tool_choice")
_NOTHING = {  # of a body: read elsewhere, or changes nothing
    "model", "messages", "user", "metadata", "store", "safety_identifier", "service_tier", "prediction",
    "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options",
}  # fmt: skip
_OWN = {"custom_id", "messages"}
_BESIDE = {"custom_id", "method", "url", "body"}  # what a row of OpenAI's form is made of
LONGEST = 4096  # letters of a regex


class Place(NamedTuple):
    """A line of a file: its number, from 1, and its bytes."""

    number: int
    offset: int
    length: int


@dataclass(frozen=True)
class Row:
    """A line of the input. `digest` tells it from any other; `place` is where it stands.

    Of a line that is no row `wrong` says why; its answer is that. `twice` is a name that one of its objects
    has twice: one reader would take the first value and another the last. Where it is not `named`, its name
    is made of its line's number.
    """

    name: str
    form: Form
    digest: str
    place: Place
    raw: Mapping[str, Any]
    wrong: BadData | None = None
    twice: str | None = None
    named: bool = True


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, one after the other. Raises MissingFile, and BadData where a name comes twice.

    A row of OpenAI's form is ``{"custom_id", "method", "url", "body"}``; one of ours has `messages`, options
    by their names, and a `custom_id`, without which its line's number is its name. Names come once. A line
    that is neither is a row that has gone `wrong`.
    """
    names, made = set[str](), set[str]()
    try:
        check_plain(path, str(path))
        with path.open("rb") as file:
            offset = 0
            for number, line in enumerate(file, 1):
                if number == 1:
                    _check_utf8(line, path)
                place, offset = Place(number, offset, len(line)), offset + len(line)
                if line.strip():
                    row = _row(line, place, path)
                    if row.name in names:
                        raise BadData(f"{path}, line {number}: {_twice(row, made)}")
                    names.add(row.name)
                    if not row.named:
                        made.add(row.name)
                    yield row
    except OSError as wrong:
        raise MissingFile(f"{path}: {wrong.strerror}; wanted rows of JSON, one a line") from wrong


def _twice(row: Row, made: set[str]) -> str:
    """How a row comes by a name that another has; `made` are those of rows without one."""
    if not row.named:
        return f"without a custom_id it is called {row.name!r}, as another row is; give it one"
    if row.name in made:
        return f"a row without a custom_id is called {row.name!r} already, by its line; give it one"
    return f"custom_id {row.name!r} is there twice"


def _check_utf8(line: bytes, path: Path) -> None:
    """Raise BadData for a file in UTF-16 or UTF-32: its line ends are not bytes, and rows would be torn."""
    marked = line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if marked or line[:2].count(0) == 1:
        raise BadData(f"{path} is UTF-16; wanted UTF-8: iconv -f UTF-16 -t UTF-8 writes it anew")


def row_at(path: Path, place: Place) -> Row:
    """The row that stands at a place. Raises MissingFile."""
    try:
        with path.open("rb") as file:
            file.seek(place.offset)
            return _row(file.read(place.length), place, path)
    except OSError as wrong:
        raise MissingFile(f"{path}: {wrong.strerror}; wanted it on every machine, by this name") from wrong


def _row(line: bytes, place: Place, path: Path) -> Row:
    where, digest = f"{path}, line {place.number}", hashlib.sha256(line.strip()).hexdigest()[:16]
    form: Form = "openai" if b'"body"' in line else "own"
    raw: Mapping[str, Any] = {}
    name: Any = None
    twice: list[str] = []
    try:
        raw = _object(line, where, twice)
        form = "openai" if "body" in raw else "own"
        name = raw.get("custom_id", None if form == "openai" else f"line-{place.number}")
        if not isinstance(name, str) or not name:
            raise BadData(f"{where}: custom_id is {name!r}; wanted a text")
        if not ("body" in raw or "messages" in raw):
            raise BadData(
                f"{where} is no row; wanted an object with messages, or with custom_id, url and body"
            )
    except BadData as wrong:
        given = isinstance(name, str) and bool(name) and "custom_id" in raw
        called = name if isinstance(name, str) and name else f"line-{place.number}"
        return Row(called, form, digest, place, raw, wrong, named=given)
    first = twice[0] if twice else None
    return Row(name, form, digest, place, raw, twice=first, named="custom_id" in raw)


def _object(line: bytes, where: str, twice: list[str]) -> Mapping[str, Any]:
    """The object of a line; names that stand twice in one of its objects are added to `twice`."""

    def told(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = Counter(name for name, _ in pairs)
        twice.extend(name for name, count in names.items() if count > 1)
        return dict(pairs)

    try:
        raw = json.loads(line, object_pairs_hook=told)
    except (ValueError, RecursionError) as wrong:
        raise BadData(f"{where} is no JSON: {unread(wrong)}") from None
    if not isinstance(raw, dict):
        raise BadData(f"{where} is no row; wanted an object with messages, or with custom_id, url and body")
    return raw


@dataclass(frozen=True)
class Asked:
    """A row's conversation, how it is to be answered, and the model it names, if it names one."""

    messages: tuple[Message, ...]
    options: Options
    model: str | None = None


def read_asked(row: Row, folder: Path) -> Asked:
    """What a row asks. Media that are named by a path lie beside the file, in `folder`.

    Raises BadMessage, UnknownOption and others of BadInput for what cannot be asked.
    """
    if row.wrong is not None:
        raise row.wrong
    if row.twice is not None:
        raise BadData(f"an object of the row has {row.twice[:60]!r} twice; take one out")
    body, known = row.raw, _OWN
    if row.form == "openai":
        body, known = _body(row.raw), _NOTHING
    wishes = {key: value for key, value in body.items() if key not in known and value is not None}
    said = messages(body.get("messages") or ())
    if said[-1].role == "assistant":
        raise BadMessage("the conversation ends with the assistant: nothing is asked; take its answer out")
    model = body.get("model") if row.form == "openai" else None
    placed = tuple(_placed(one, folder) for one in said)
    return Asked(placed, _options(wishes), model if isinstance(model, str) else None)


def _body(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    body, url, method = raw["body"], raw.get("url"), raw.get("method", "POST")
    if not isinstance(body, Mapping):
        raise BadMessage(f"body is {type(body).__name__}; wanted an object")
    if unread := [key for key in raw if key not in _BESIDE and raw[key] is not None]:
        raise UnknownOption(f"{', '.join(unread)}: nobody reads that beside body; put it inside")
    if (method, url) != ("POST", ENDPOINT):
        raise BadMessage(f"{method} {url} is not answered here; wanted POST {ENDPOINT}")
    return body


def _options(wishes: dict[str, Any]) -> Options:
    """The options of a body in OpenAI's names and ours. What nobody reads is refused."""
    if wishes.pop("n", 1) != 1 or wishes.pop("stream", False):
        raise UnknownOption("a row is answered once and whole; leave n and stream out")
    if "stream_options" in wishes:
        raise UnknownOption("stream_options is for streams; take it out")
    most = wishes.pop("max_completion_tokens", None)
    if most is not None and wishes.setdefault("max_tokens", most) != most:
        raise UnknownOption("max_tokens and max_completion_tokens say two things; take one out")
    if wishes.pop("logprobs", False) is not False or "top_logprobs" in wishes:
        raise UnknownOption("log-probabilities are not written by a batch; leave them out")
    shape = _shape(wishes.pop("response_format", None), wishes.pop("regex", None))
    choice, several = wishes.pop("tool_choice", None), wishes.pop("parallel_tool_calls", None)
    if unread := sorted(set(wishes) - _OPTIONS):
        known = ", ".join(sorted((*_OPTIONS, *_ALSO)))
        raise UnknownOption(f"{', '.join(unread)}: nobody reads that; known: {known}")
    options = Options.of(**wishes)
    tools, calls = chosen(options.tools, choice, several)
    if shape is not None and calls is not None:
        one = "regex" if isinstance(shape, Matching) else "response_format"
        raise UnknownOption(f"{one} and tools hold the answer to two things; ask in two requests")
    return replace(options, tools=tools, shape=shape or calls)


def _shape(format: Any, pattern: Any) -> Shape | None:
    """What the text is held to. Raises UnknownOption where that is two things, or nobody reads it."""
    shape = _formed(format)
    if pattern is None:
        return shape
    if not isinstance(pattern, str) or not 1 <= len(pattern) <= LONGEST:
        got = pattern if not isinstance(pattern, str) else f"{pattern[:50]}…" if pattern else ""
        raise UnknownOption(f"regex is {got!r}; wanted a text of 1 to {LONGEST:,} letters")
    if shape is not None:
        raise UnknownOption("regex and a format, places or tools say two things; take one out")
    return Matching(pattern)


def _formed(format: Any) -> Shape | None:
    """What response_format holds the text to."""
    if isinstance(format, Mapping):
        _read_all(format, {"type", "json_schema"} if format.get("type") == "json_schema" else {"type"}, "")
        if isinstance(named := format.get("json_schema"), Mapping):
            _read_all(named, {"name", "description", "schema", "strict"}, ".json_schema")
    match format:
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return Json()
        case {"type": "json_schema", "json_schema": {"schema": dict() as schema}}:
            return Schema(schema)
        case _:
            raise UnknownOption(
                f"response_format is {str(format)[:80]}; wanted text, json_object or json_schema"
            )


def _read_all(given: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in given:
        if key not in known:
            raise UnknownOption(f"response_format{where}.{key} is not known here; take it out")


def _placed(said: Message, folder: Path) -> Message:
    """The message with its media's paths as they are from here."""
    return replace(said, parts=tuple(_beside(part, folder) for part in said.parts))


def _beside(part: Any, folder: Path) -> Any:
    if not isinstance(part, (Image, Video)) or not isinstance(part.source, str):
        return part
    if part.source[:5].lower() in ("data:", "file:") or ADDRESS.match(part.source):
        return part
    return replace(part, source=str(folder / part.source))


# Lines of the output


def answer_line(row: Row, answer: Answer, model: str, *, called_for: bool = False) -> dict[str, Any]:
    """An answer in the form of its row. The same answer is the same line: no clock and no dice are in it.

    With `called_for` there were tools, and their calls are taken out of the text: of a row of ours they are
    `calls`, each a name and its arguments.
    """
    usage = {
        "prompt_tokens": answer.usage.prompt_tokens,
        "completion_tokens": answer.usage.completion_tokens,
        "total_tokens": answer.usage.prompt_tokens + answer.usage.completion_tokens,
    }
    places = geometry(answer.text, answer.seen)["shown"]
    if row.form == "own":
        told = _own_answer(answer, called_for) | {"usage": usage, "shown": places}
        return {"custom_id": row.name, **told, "error": None, "of": _of(row, model)}
    called = parse_calls(answer.said) if called_for else Called(answer.said)
    said: dict[str, Any] = {"role": "assistant", "content": called.text}
    if called.calls:
        said["tool_calls"] = [call_form(call) for call in called.calls]
    if answer.thoughts:
        said["reasoning_content"] = answer.thoughts
    reason = "length" if answer.finish_reason != "stop" else "tool_calls" if called.calls else "stop"
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": reason}
    body = {
        "id": f"chatcmpl-{row.digest}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [choice],
        "usage": usage,
        "omma": {"finish_reason": answer.finish_reason, "shown": places},
    }
    return _line(row, {"status_code": 200, "request_id": row.digest, "body": body}, None, model)


def _own_answer(answer: Answer, called_for: bool) -> dict[str, Any]:
    if not called_for:
        return {"text": answer.text, "finish_reason": answer.finish_reason}
    called = parse_calls(answer.text)
    calls = [{"name": call.name, "arguments": dict(call.arguments)} for call in called.calls]
    return {"text": called.text, "calls": calls, "finish_reason": answer.finish_reason}


def error_line(row: Row, wrong: OmmaError, model: str) -> dict[str, Any]:
    """Why a row has no answer, in the form of its row."""
    code, text = type(wrong).__name__, str(wrong)
    if row.form == "own":
        return {"custom_id": row.name, "error": {"code": code, "message": text}, "of": _of(row, model)}
    status = 507 if isinstance(wrong, OutOfMemory) else 400 if isinstance(wrong, BadInput) else 500
    body = {"error": {"message": text, "type": "invalid_request_error", "param": None, "code": code}}
    told = {"status_code": status, "request_id": row.digest, "body": body}
    return _line(row, told, {"code": code, "message": text}, model)


def _line(row: Row, response: Any, error: Any, model: str) -> dict[str, Any]:
    name = {"id": f"batch_req_{row.digest}", "custom_id": row.name}
    return name | {"response": response, "error": error, "of": _of(row, model)}


def _of(row: Row, model: str) -> dict[str, str]:
    """What the line is an answer to, and whose: a run that goes on holds itself to that."""
    return {"row": row.digest, "model": model}
