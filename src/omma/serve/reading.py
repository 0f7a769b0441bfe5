"""A body of JSON into what it should be; what is wrong with it in one sentence that names the place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from omma.serve.faults import Refused

Read = TypeVar("Read", bound=BaseModel)

INSTEAD = {  # fields that others know, and what to do about them here
    "functions": "use tools",
    "function_call": "use tool_choice",
    "previous_response_id": "nothing is kept between requests; send the whole conversation as input",
    "conversation": "nothing is kept between requests; send the whole conversation as input",
    "audio": "no model here hears or speaks",
    "reasoning_effort": "a model thinks or does not; choose another model",
    "name": "no model is told names; write it into the text",
}

_WANTED = {  # pydantic's kinds of errors in words for people
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "too_short": "{min_length} or more",
    "too_long": "{max_length} at most",
    "string_too_short": "a text of {min_length} characters or more",
    "string_too_long": "a text of {max_length} characters at most",
    "string_pattern_mismatch": "a text of the form {pattern}",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:.12g} or more",
    "less_than_equal": "{le:.12g} at most",
}


def read(kind: type[Read], raw: bytes) -> Read:
    """The body as a `kind`. Raises Refused (400) with the first thing that is wrong."""
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
    match error["type"]:
        case "extra_forbidden":
            name = param.rpartition(".")[2]
            return f"{here} is not known here; {INSTEAD.get(name, 'take it out')}", "unknown_parameter"
        case "missing":
            return f"{here} is missing", "missing_required_parameter"
        case "union_tag_not_found":
            return f"{here} has no {_field(error)}", "missing_required_parameter"
        case "union_tag_invalid":
            expected = str(error["ctx"]["expected_tags"]).replace("'", "")
            tag = shortened(error["ctx"]["tag"])
            return f"{here}.{_field(error)} is {tag}; wanted {expected}", "invalid_value"
        case "none_required":
            more = INSTEAD.get(param.rpartition(".")[2], "only null is taken here")
            return f"{here} is {shortened(got)}; {more}", "invalid_value"
        case _:
            told = _WANTED.get(error["type"], "").format(**error.get("ctx", {}))
            told = told or wanted.removeprefix("Input should be ").removeprefix("Input should ")
            return f"{here} is {shortened(got)}; wanted {_lowered(told)}", "invalid_value"


def _field(error: Mapping[str, Any]) -> str:
    return str(error["ctx"]["discriminator"]).strip("'")


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def shortened(value: Any) -> str:
    """A value for a sentence to the one who sent it: never long."""
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case int() | float():
            return f"{value:.15g}" if isinstance(value, float) else str(value)[:40]
        case str():
            text = value if len(value) <= 60 else f"{value[:50]}…"
            return repr(text)
        case list():
            return f"a list of {len(value)}"
        case dict():
            return f"an object of {len(value)}"
        case _:
            return type(value).__name__
