"""A body of JSON into what it should be; what is wrong with it in one sentence that names the place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from omma.serve.faults import Refused

Read = TypeVar("Read", bound=BaseModel)

INSTEAD = {  # fields that others know, or that belong elsewhere, and what to do about them here
    "functions": "use tools",
    "function_call": "use tool_choice",
    "max_tokens": "use max_output_tokens",
    "max_completion_tokens": "use max_output_tokens",
    "max_output_tokens": "use max_tokens",
    "response_format": "use text.format",
    "guided_json": "use response_format",
    "messages": "it belongs to /v1/chat/completions",
    "input": "it belongs to /v1/responses",
    "instructions": "say it in a system message",
    "prompt": "it belongs to /v1/completions",
    "n": "one answer comes here; ask again, or ask /v1/chat/completions",
    "stop": "nothing but the model ends an answer here; ask /v1/chat/completions",
    "logit_bias": "no token is favoured or barred here; take it out",
    "verbosity": "say in words how long the answer should be",
    "web_search_options": "no model here searches",
    "moderation": "nothing is moderated here",
    "truncation": "nothing is dropped from a conversation unseen; send less, and 'disabled' or nothing",
    "background": "every answer is waited for; take it out",
    "suffix": "words are continued at their end only; take it out",
    "item_reference": "nothing is kept between requests; send the item itself",
    "previous_response_id": "nothing is kept between requests; send the whole conversation as input",
    "conversation": "nothing is kept between requests; send the whole conversation as input",
    "audio": "no model here hears or speaks",
    "reasoning_effort": "a model thinks or does not; choose another model",
    "reasoning": "a model thinks or does not; choose another model",
}

_WANTED = {  # pydantic's kinds of errors in words for people
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "too_short": "{min_length} or more",
    "too_long": "{max_length} at most",
    "string_too_short": "a text that is not empty",
    "string_too_long": "a text of {max_length} characters at most",
    "string_pattern_mismatch": "a text of the form {pattern}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} at most",
}
_EITHER = {"words": "text or a list", "one": "text or a list of texts"}  # by the side of a union
_MARK = b"\xef\xbb\xbf"  # some programs begin UTF-8 with it; RFC 8259 lets it be passed over


def read(kind: type[Read], raw: bytes) -> Read:
    """The body as a `kind`. Raises Refused (400) with the first thing that is wrong."""
    raw = raw.removeprefix(_MARK)
    try:
        made = kind.model_validate_json(raw)
    except ValidationError as error:
        raise _refused(error, raw) from None
    json.loads(raw, object_pairs_hook=_once, parse_int=str, parse_float=str)
    return made


def _once(pairs: Sequence[tuple[str, Any]]) -> None:
    """An object's names stand once: of two values one reader takes the first and another the last."""
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        text = f"an object of the body has {shortened(twice)} twice; take one out"
        raise Refused(400, text, code="invalid_json")


def _refused(error: ValidationError, raw: bytes) -> Refused:
    first, *more = error.errors(include_url=False, include_context=True)
    if first["type"] == "json_invalid":
        what = str(first.get("ctx", {}).get("error", "it breaks off"))
        if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            what = "it is UTF-16; wanted UTF-8"
        text = f"the body is not JSON: {what}" if raw else "the body is empty; wanted a JSON object"
        return Refused(400, text, code="invalid_json")
    given = from_json(raw)
    param, got = _place(first["loc"], given, first["type"])
    text, code = _sentence(param, got, first)
    if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
        param = f"{param}.{_field(first)}" if param else _field(first)
    if more:
        text += f" ({len(more)} more {'thing is' if len(more) == 1 else 'things are'} wrong)"
    return Refused(400, text, code=code, param=param or None)


def _place(steps: Sequence[str | int], given: Any, kind: str) -> tuple[str, Any]:
    """Where in the body the error is, and what stands there. Names of a union's sides are no places."""
    place = ""
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        match given, step:
            case dict(), str() if step in given or (last and kind == "missing"):
                place, given = f"{place}.{step}" if place else step, given.get(step)
            case list(), int() if 0 <= step < len(given):
                place, given = f"{place}[{step}]", given[step]
            case _:
                continue
    return place, given


def _sentence(param: str, got: Any, error: Mapping[str, Any]) -> tuple[str, str]:
    """The sentence and the code of one error."""
    here, wanted = param or "the body", str(error["msg"])
    name = param.rpartition(".")[2]
    match error["type"]:
        case "extra_forbidden":
            return f"{here} is not known here; {INSTEAD.get(name, 'take it out')}", "unknown_parameter"
        case "missing":
            return f"{here} is missing", "missing_required_parameter"
        case "union_tag_not_found":
            return f"{here} has no {_field(error)}", "missing_required_parameter"
        case "union_tag_invalid":
            expected = str(error["ctx"]["expected_tags"]).replace("'", "")
            tag = shortened(error["ctx"]["tag"])
            more = INSTEAD.get(error["ctx"]["tag"], f"wanted {expected}")
            return f"{here}.{_field(error)} is {tag}; {more}", "invalid_value"
        case "none_required" | "literal_error" if name in INSTEAD:
            return f"{here} is {shortened(got)}; {INSTEAD[name]}", "invalid_value"
        case "too_long" if name == "logit_bias":
            return f"{here} is {shortened(got)}; {INSTEAD[name]}", "invalid_value"
        case "none_required":
            return f"{here} is {shortened(got)}; only null is taken here", "invalid_value"
        case "string_type" if error["loc"][-1] in _EITHER:
            return f"{here} is {shortened(got)}; wanted {_EITHER[error['loc'][-1]]}", "invalid_value"
        case "model_type" | "model_attributes_type" if name in ("image_url", "video_url"):
            return f'{here} is {shortened(got)}; wanted an object {{"url": …}}', "invalid_value"
        case _:
            limits = error.get("ctx", {}).items()
            limits = {name: _number(limit) for name, limit in limits}
            told = _WANTED.get(error["type"], "").format(**limits)
            told = told or wanted.removeprefix("Input should be ").removeprefix("Input should ")
            return f"{here} is {shortened(got)}; wanted {_lowered(told)}", "invalid_value"


def _number(limit: Any) -> Any:
    """A limit as one reads it: a million is 1,000,000."""
    if isinstance(limit, float):
        return f"{limit:g}"
    return f"{limit:,}" if type(limit) is int else limit


def _field(error: Mapping[str, Any]) -> str:
    """The field that says which kind an object is; where a function looks, it looks at the type."""
    name = str(error["ctx"]["discriminator"]).strip("'")
    return "type" if name.endswith("()") else name


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def shortened(value: Any) -> str:
    """A value for a sentence to the one who sent it: never long."""
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case int():
            return str(value)[:40]
        case float():
            text = f"{value:.15g}"
            return f"{text}.0" if text.lstrip("-").isdigit() else text  # 2.0 is no whole number
        case str():
            text = value if len(value) <= 60 else f"{value[:50]}…"
            return repr(text)
        case list():
            return f"a list of {len(value)}"
        case dict():
            return f"an object of {len(value)}"
        case _:
            return type(value).__name__
