"""Shapes written as grammars in llguidance's Lark."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from omma.engine.patterns import pattern_of
from omma.engine.schema_rules import USUAL, Limits, readable
from omma.errors import BadShape, MissingExtra
from omma.prep.dialects import MARKS, dialect_of
from omma.shape import Calls, Json, Matching, Places, Schema, Shape

# Between the parts of JSON: a line end and what indents the next line, or two blanks. Never without end.
BLANK = r"\n[\x20\t]{0,32}|[\x20]{1,2}"
CALL = ("<tool_call>", "</tool_call>")
NUMBER = "/0|[1-9][0-9]{0,5}/"
LABEL = 200  # letters of what is said of a place
THOUGHTS_END = "</think>"


def lark_of(shape: Shape, marks: Mapping[str, int], limits: Limits = USUAL, *, thinks: bool = False) -> str:
    """The grammar of an answer of this shape; `marks` are the vocabulary's added tokens by name.

    Of places it leaves open how large numbers are: `corners.Corners` sees to that. Raises BadShape.
    """
    match shape:
        case Json():
            rules = f"answer: {_json({'type': 'object'})}\n"
        case Schema(schema):
            rules = f"answer: {_json(json.loads(readable(schema, limits)))}\n"
        case Matching(pattern):
            told = pattern_of(pattern, "the pattern", letters=limits.letters, unfolded=limits.unfolded)
            rules = f"answer: {_regex(told)}\n"
        case Places():
            rules = _places(shape, marks)
        case Calls():
            rules = _calls(shape, marks, limits)
        case _:
            raise BadShape(f"the shape is {shape!r}; wanted Json, Schema, Matching, Places or Calls")
    if not thinks:
        return f"%llguidance {{}}\nstart: answer\n{rules}"
    return (
        f"%llguidance {{}}\nstart: thoughts {_mark(THOUGHTS_END, marks)} /\\n{{0,2}}/ answer\n"
        f"thoughts: THOUGHTS\nTHOUGHTS: {_without(THOUGHTS_END)}\n{rules}"
    )


def llguidance() -> Any:
    """The library of grammars. Raises MissingExtra."""
    try:
        import llguidance
    except ModuleNotFoundError as absent:
        raise MissingExtra(
            "answers are held to a shape by llguidance, which is not installed; "
            'get it with: pip install "omma[grammar]"'
        ) from absent
    return llguidance


def _json(schema: Mapping[str, Any]) -> str:
    """A place in a grammar where JSON of a schema stands, which must have been looked at."""
    settings = {"whitespace_pattern": BLANK, "whitespace_flexible": True}
    return "%json " + json.dumps({"x-guidance": settings, **schema})


def _regex(pattern: str) -> str:
    """A regular expression between strokes; `\\d` and `\\w` are of ASCII, as in a JSON Schema."""
    return f"/{llguidance().regex_to_lark(pattern, 'dw')}/"


def _mark(name: str, marks: Mapping[str, int]) -> str:
    """A mark: the added token of this name, or its letters where the vocabulary has none."""
    return f"<[{marks[name]}]>" if name in marks else json.dumps(name)


def _without(word: str) -> str:
    """Any text, even none, that does not hold a word."""
    within = word.replace("/", "\\/")
    return f"/(?s:.*)/ & ~/(?s:.*){within}(?s:.*)/"


def _places(shape: Places, marks: Mapping[str, int]) -> str:
    dialect = dialect_of(shape.boxes or "")
    if shape.most < 1:
        raise BadShape(f"most is {shape.most}; wanted 1 place or more")
    if dialect.dress == "json":
        return _places_in_json(shape)
    phrase, box = ([_mark(name, marks) for name in MARKS[dialect.dress][kind]] for kind in ("phrase", "box"))
    corners = 'pair "," pair' if not shape.points else "pair"
    return (
        f"answer: (first{_more('rest', shape.most)})?\n"
        f"first: {box[0]}? place | phrase {box[0]} place\n"
        f"rest: phrase? {box[0]} place\n"
        f"place: {corners} {box[1]}\n"
        f'pair: "(" NUMBER "," NUMBER ")"\n'
        f"phrase: {phrase[0]} LABEL {phrase[1]}\n"
        f"NUMBER: {NUMBER}\n"
        f"LABEL: /[^<>\\x00-\\x1f]{{0,{LABEL}}}/\n"
    )


def _more(one: str, most: int) -> str:
    """What follows the first of at most so many."""
    return f" {one}{{0,{most - 1}}}" if most > 1 else ""


def _places_in_json(shape: Places) -> str:
    key, numbers = ("point_2d", 2) if shape.points else ("bbox_2d", 4)
    comma = ' BLANK? "," BLANK? '
    more = _more(f"({comma}place)", shape.most)
    return (
        f'answer: "[" BLANK? (place{more} BLANK?)? "]"\n'
        f'place: "{{" BLANK? "\\"{key}\\"" BLANK? ":" BLANK? '
        f'"[" BLANK? {comma.join(["NUMBER"] * numbers)} BLANK? "]" label? BLANK? "}}"\n'
        'label: BLANK? "," BLANK? "\\"label\\"" BLANK? ":" BLANK? LABEL\n'
        f"NUMBER: {NUMBER}\n"
        f"BLANK: /{BLANK}/\n"
        f'LABEL: /"([^"\\\\\\x00-\\x1f]|\\\\["\\\\nt]){{0,{LABEL}}}"/\n'
    )


def _calls(shape: Calls, marks: Mapping[str, int], limits: Limits) -> str:
    """Calls as the family writes them (facts §5.4), each of a tool's own parameters."""
    if not 1 <= len(shape.tools) <= limits.tools:
        raise BadShape(f"there are {len(shape.tools)} tools; wanted 1 to {limits.tools}")
    first, last = (_mark(name, marks) for name in CALL)
    calls = 'call ("\\n" call)*' if shape.several else "call"
    answer = calls if shape.must else f"TEXT ({calls})?"
    rules = [f"answer: {answer}", f'call: {first} "\\n" body "\\n" {last}']
    if not shape.must:
        rules.append(f"TEXT: {_without(CALL[0])}")
    bodies = []
    for number, (name, parameters) in enumerate(shape.tools):
        checked = json.loads(readable(parameters, limits))
        if checked.setdefault("type", "object") != "object":
            raise BadShape(f"the parameters of {name!r} are {checked['type']}; wanted an object's schema")
        bodies.append(f"body_{number}")
        head = f'"{{" BLANK? "\\"name\\"" BLANK? ":" BLANK? {json.dumps(json.dumps(name))}'
        rest = f'BLANK? "," BLANK? "\\"arguments\\"" BLANK? ":" BLANK? args_{number} BLANK? "}}"'
        rules += [f"body_{number}: {head} {rest}", f"args_{number}: {_json(checked)}"]
    return "\n".join([*rules, f"body: {' | '.join(bodies)}", f"BLANK: /{BLANK}/", ""])
