"""Which schemas have a value that ends: one that always holds another of itself has none. No torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote

SCALARS = frozenset(("null", "boolean", "integer", "number", "string"))


def endless(schemas: Mapping[str, Any]) -> list[str]:
    """The places of schemas of which every value would hold another without end; `schemas` by place, checked.

    They are told in the order of `schemas`. Only where a $ref leads back can there be any. A schema is taken
    to have a value that ends unless it is sure to have none: whether one satisfies all of it is not asked.
    """
    used_by, ends = defaultdict[str, list[str]](list), set[str]()

    def known(asker: str, place: str) -> bool:
        used_by[place].append(asker)
        return place in ends or place not in schemas

    waiting = [*schemas][::-1]
    while waiting:
        place = waiting.pop()
        if place not in ends and _ends(schemas[place], place, partial(known, place)):
            ends.add(place)
            waiting += used_by.pop(place, ())
    return [place for place in schemas if place not in ends]


def _ends(schema: Any, place: str, known: Callable[[str], bool]) -> bool:
    """Whether a schema has a value that ends, by what is `known` of those in it."""
    if isinstance(schema, bool):
        return True
    if "$ref" in schema and not known(unquote(schema["$ref"])):
        return False
    if not all(known(f"{place}/allOf/{i}") for i in range(len(schema.get("allOf", ())))):
        return False
    for key in ("anyOf", "oneOf"):
        if key in schema and not any(known(f"{place}/{key}/{i}") for i in range(len(schema[key]))):
            return False
    if "enum" in schema or "const" in schema or "type" not in schema:
        return True
    kinds = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
    if kinds & SCALARS:
        return True
    return ("array" in kinds and _array(schema, place, known)) or (
        "object" in kinds and _object(schema, place, known)
    )


def _array(schema: Mapping[str, Any], place: str, known: Callable[[str], bool]) -> bool:
    """Whether as many items as there must be can end."""
    least, first = schema.get("minItems", 0), len(schema.get("prefixItems", ()))
    must = [f"{place}/prefixItems/{i}" for i in range(min(least, first))]
    return all(map(known, [*must, *([f"{place}/items"] if least > first else ())]))


def _object(schema: Mapping[str, Any], place: str, known: Callable[[str], bool]) -> bool:
    """Whether what an object must have can end; what a pattern names is taken to."""
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        step = name.replace("~", "~0").replace("/", "~1")
        if name in properties and not known(f"{place}/properties/{step}"):
            return False
        others = "patternProperties" not in schema and name not in properties
        if others and not known(f"{place}/additionalProperties"):
            return False
    return True
