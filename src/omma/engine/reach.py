"""How many bytes the shortest end of an answer of a shape can take, wherever in it the answer stands."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote

from omma.engine.patterns import length
from omma.engine.schema_rules import NAMED, ONE, SEVERAL
from omma.shape import Calls, Json, Matching, Places, Schema, Shape

NUMBER = 40  # bytes of a number between two bounds that are near each other
FORMAT = 48  # of the longest of the formats: a UUID, a moment with its zone
LEVEL = 16  # of what ends an object of any JSON that was begun: its key, a value, its bracket
PLACE = 128  # of a box that was begun, as any dialect writes it, and of the list around it
HEAD = 48  # of what stands around the arguments of a call
MOST = 1 << 20  # beyond every limit of tokens that is met
DEFINITIONS = ("$defs", "definitions")
SPOKEN: Mapping[str, tuple[str, ...]] = {
    "object": ("properties", "required", "patternProperties", "additionalProperties"),
    "array": ("items", "prefixItems", "minItems"),
    "string": ("pattern", "format", "minLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "integer": (),
}


class Reach(NamedTuple):
    """At most `within` bytes end an answer, and `level` more for each bracket that was opened in it.

    Looser than need be: it only says from where on an end is looked for. No token is without a byte, so the
    bounds are bounds of tokens too.
    """

    within: int
    level: int = 0


def reach_of(shape: Shape, *, thinks: bool = False) -> Reach:
    """The reach of a shape that was looked at already, as `lark.lark_of` does."""
    match shape:
        case Json():
            reach = Reach(LEVEL, LEVEL)
        case Schema(schema):
            reach = _reach(schema)
        case Matching(pattern):
            reach = Reach(_matched(pattern))
        case Places():
            reach = Reach(PLACE)
        case Calls(tools):
            parts = [_reach(schema) for _, schema in tools]
            head = HEAD + max(len(json.dumps(name)) for name, _ in tools)
            reach = Reach(head + max(part.within for part in parts), max(part.level for part in parts))
    return reach._replace(within=min(reach.within + (16 if thinks else 0), MOST))


def _reach(schema: Mapping[str, Any]) -> Reach:
    bound = _Bound(schema)
    bound.know(schema)
    within = bound.of(schema)
    level = within if bound.round else LEVEL if bound.free else 0
    return Reach(within, level)


@dataclass
class _Bound:
    """Goes through a schema; what it sees `round` a $ref or `free` of a schema can be nested without end."""

    root: Mapping[str, Any]
    round: bool = False
    free: bool = False
    known: dict[str, int] = field(default_factory=dict)
    inside: set[str] = field(default_factory=set)

    def know(self, schema: Mapping[str, Any]) -> None:
        """Go through every $ref that can be reached, those behind it first: a chain may be long."""
        waiting: list[tuple[str | None, Iterator[str]]] = [(None, _references(schema))]
        while waiting:
            target, rest = waiting[-1]
            behind = next((one for one in rest if one not in self.known and one not in self.inside), None)
            if behind is not None:
                self.inside.add(behind)
                waiting.append((behind, _references(_standing(self.root, behind))))
                continue
            waiting.pop()
            if target is not None:
                self.known[target] = self.of(_standing(self.root, target))
                self.inside.remove(target)

    def of(self, schema: Any) -> int:
        """Bytes that end any value of this schema that was begun; of a $ref inside itself, those of null."""
        if not isinstance(schema, Mapping):
            self.free = self.free or bool(schema)
            return LEVEL
        return min(sum(self._parts(schema)), MOST)

    def _parts(self, schema: Mapping[str, Any]) -> Iterator[int]:
        if "$ref" in schema:
            yield self._referred(unquote(schema["$ref"]))
        for key in ("anyOf", "oneOf"):
            if key in schema:
                yield max(map(self.of, schema[key]))
        yield sum(map(self.of, schema.get("allOf", ())))
        told = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]
        if told:
            yield max(2 * len(json.dumps(value).encode()) for value in told)
            return
        if not set(schema) & {"type", "$ref", "anyOf", "oneOf", "allOf"}:
            self.free = True
            yield LEVEL
        yield self._object(schema) + self._array(schema) + self._text(schema)
        yield NUMBER if _may_be("number", schema) or _may_be("integer", schema) else 5

    def _referred(self, target: str) -> int:
        if target in self.inside:
            self.round = True
            return LEVEL
        if target not in self.known:  # it was passed over on the way
            self.know({"$ref": target})
        return self.known[target]

    def _object(self, schema: Mapping[str, Any]) -> int:
        if not _may_be("object", schema):
            return 0
        properties = schema.get("properties", {})
        more = [*schema.get("patternProperties", {}).values()]
        other = schema.get("additionalProperties", True)
        if other is not False:
            more.append(other)
        values = {name: self.of(value) for name, value in properties.items()}
        required = set(schema.get("required", ()))
        must = sum(_key(name) + values.get(name, LEVEL) for name in required)
        may = [_key(name) + values[name] for name in properties if name not in required]
        may += [LEVEL + self.of(value) for value in more]
        may += [2 * _matched(pattern) for pattern in schema.get("patternProperties", {})]
        return 4 + must + max(may, default=0)

    def _array(self, schema: Mapping[str, Any]) -> int:
        if not _may_be("array", schema):
            return 0
        first = [self.of(one) for one in schema.get("prefixItems", ())]
        rest = self.of(schema.get("items", True)) + 1
        least: int = max(schema.get("minItems", 0) - len(first), 1)
        return 4 + sum(first) + len(first) + least * rest

    def _text(self, schema: Mapping[str, Any]) -> int:
        if not _may_be("string", schema):
            return 0
        least: int = schema.get("minLength", 0)
        pattern = 2 * _matched(schema["pattern"]) if "pattern" in schema else 0
        return 8 + 4 * least + pattern + (FORMAT if "format" in schema else 0)


def _may_be(kind: str, schema: Mapping[str, Any]) -> bool:
    """Whether a value may be of this kind; where no type is named, whether anything is said of the kind."""
    kinds = schema.get("type")
    if kinds is None:
        return any(key in schema for key in SPOKEN[kind])
    return kind in ([kinds] if isinstance(kinds, str) else kinds)


def _key(name: str) -> int:
    return len(json.dumps(name).encode()) + 4


def within(schema: Any, but: Collection[str] = ()) -> Iterator[Mapping[str, Any]]:
    """A schema and all that stand in it, `but` those beneath some keys. Titles and the like are none."""
    waiting = [schema]
    while waiting:
        if not isinstance(found := waiting.pop(), Mapping):
            continue
        yield found
        for key, value in found.items():
            if key in but:
                continue
            if key in ONE:
                waiting.append(value)
            elif key in SEVERAL and isinstance(value, (list, tuple)):
                waiting += value
            elif key in NAMED and isinstance(value, Mapping):
                waiting += value.values()


def _references(schema: Any) -> Iterator[str]:
    """Where the $refs point that stand in a schema, but for those of its definitions."""
    targets = (found.get("$ref") for found in within(schema, DEFINITIONS))
    return (unquote(target) for target in targets if isinstance(target, str))


def _standing(root: Any, target: str) -> Any:
    """What stands where a $ref points."""
    found = root
    for step in target.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = found[int(name)] if isinstance(found, Sequence) else found[name]
    return found


def _matched(pattern: str) -> int:
    """About how many bytes a match of a regular expression takes."""
    return length(pattern, lambda piece: 4 if piece[0] in "[\\" else len(piece.encode("utf-8", "ignore")))
