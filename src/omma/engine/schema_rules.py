"""Which JSON Schemas and patterns an answer can be held to, and how large they may be."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from omma.engine.constants import constant
from omma.engine.finite import endless
from omma.engine.moments import MOMENTS
from omma.engine.patterns import pattern_of
from omma.errors import BadShape, halved


@dataclass(frozen=True)
class Limits:
    """How much a shape may ask for. What is beyond is refused before it costs anything.

    `nodes` are schemas inside a schema, `deep` how many stand in one another, `reach` how many do so by way
    of $ref, each target counted with all that is deep in it. `names` are the properties of one object,
    `kinds` its patterns of properties, `choices` all values of all enums together. `count` is the most that a
    length or number of items may be, `meeting` how many different patterns and formats there are where
    schemas are joined, `multiple` what all different `multipleOf` may come to, multiplied. `letters` are of
    one pattern. `compile_fuel`, `grammar_size` and `lexer_states` bound what llguidance spends.
    """

    bytes: int = 65_536
    nodes: int = 2_000
    deep: int = 48
    reach: int = 400
    names: int = 256
    kinds: int = 16
    choices: int = 2_000
    count: int = 100_000
    letters: int = 512
    unfolded: int = 10_000
    meeting: int = 10
    multiple: int = 10_000
    tools: int = 64
    compile_fuel: int = 1_000_000
    grammar_size: int = 200_000
    lexer_states: int = 50_000


USUAL = Limits()

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
FORMATS = (
    *("date-time", "time", "date", "duration", "email"),
    *("hostname", "ipv4", "ipv6", "uuid", "uri"),
)
# What says something about a value to its reader, and nothing about which values there are.
SAID = frozenset(
    (
        *("$schema", "$comment", "title", "description", "default", "examples"),
        *("deprecated", "readOnly", "writeOnly", "discriminator"),
    )
)
JOINING = frozenset(("allOf", "anyOf", "oneOf", "$ref", "enum", "const"))
ONE = ("items", "additionalProperties")
SEVERAL = ("anyOf", "oneOf", "allOf", "prefixItems")
NAMED = ("properties", "patternProperties", "$defs", "definitions")
COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
INSTEAD = {
    "nullable": 'write type ["…", "null"]',
    "not": "name what is wanted",
    "if": "use anyOf",
    "uniqueItems": "take it out, and look for doubles in what comes",
    "$dynamicRef": "use $ref",
    "additionalItems": "use items beside prefixItems",
}


def readable(schema: Mapping[str, Any], limits: Limits = USUAL) -> str:
    """The schema as JSON, without what only tells its reader something.

    Raises BadShape, naming the place, for every keyword that an answer cannot be held to, for values that
    are none, and for a schema beyond the limits. Nothing is left out silently.
    """
    check = _Check(schema, limits)
    for place in check.places():
        check.look(place)
    check.together()
    return json.dumps(_plain(schema))


class _Place(NamedTuple):
    """A schema inside the schema, where it stands, and how deep."""

    schema: Any
    where: str
    deep: int


@dataclass
class _Check:
    root: Mapping[str, Any]
    limits: Limits
    choices: int = 0
    joined: bool = False
    patterns: set[str] = field(default_factory=set)
    multiples: set[Decimal] = field(default_factory=set)
    known: dict[str, int] = field(default_factory=dict)  # where there are schemas, and how deep
    schemas: dict[str, Any] = field(default_factory=dict)
    named_by: dict[str, str] = field(default_factory=dict)  # where a $ref points, and where it stands

    def __post_init__(self) -> None:
        if not isinstance(self.root, Mapping):
            raise BadShape(f"the schema is {type(self.root).__name__}; wanted an object")
        try:
            size = len(json.dumps(self.root, allow_nan=False))
            told = halved(json.dumps(self.root, ensure_ascii=False))
        except (TypeError, ValueError, RecursionError) as wrong:
            raise BadShape(f"the schema is no JSON: {wrong}; wanted values of JSON alone") from None
        if told:
            raise BadShape(f"the schema holds {told}")
        if size > self.limits.bytes:
            raise BadShape(f"the schema has {size:,} bytes; at most {self.limits.bytes:,} are taken")

    def places(self) -> Iterator[_Place]:
        """Every schema inside, itself first."""
        waiting, seen = [_Place(self.root, "#", 0)], 0
        while waiting:
            place = waiting.pop()
            seen += 1
            if seen > self.limits.nodes:
                raise BadShape(f"the schema holds over {self.limits.nodes:,} schemas; say it with fewer")
            if place.deep > self.limits.deep:
                raise BadShape(
                    f"{place.where[:200]} is over {self.limits.deep} deep; make the schema flatter"
                )
            self.known[place.where], self.schemas[place.where] = place.deep, place.schema
            yield place
            if isinstance(place.schema, Mapping):
                waiting += reversed(list(_inner(place)))

    def look(self, place: _Place) -> None:
        """One schema: each of its keywords, and what they are together."""
        schema, where = place.schema, place.where
        if isinstance(schema, bool):
            return
        if not isinstance(schema, Mapping):
            raise BadShape(f"{where} is {_short(schema)}; wanted a schema: an object, true or false")
        for key, value in schema.items():
            if not isinstance(key, str) or (key not in SAID and key not in _LOOKS):
                todo = INSTEAD.get(key, "take it out")
                raise BadShape(f"{where} has {key!r}, to which an answer cannot be held; {todo}")
            if key in _LOOKS:
                _LOOKS[key](self, key, value, f"{where}/{key}")
        self._number_of_names(schema, where)
        own = [key for key in schema if key not in SAID and key not in ("$defs", "definitions")]
        joins = [key for key in own if key in JOINING]
        if (len(own) > 1 and joins) or len(schema.get("allOf", ())) > 1:
            self.joined = True

    def together(self) -> None:
        """What can only be said of all of it."""
        for target, where in self.named_by.items():
            if target not in self.known:
                raise BadShape(f"{where} is {target!r}, where no schema stands; wanted one like #/$defs/name")
        reach = max(self.known.values()) + sum(map(self._depth, self.named_by))
        if reach > self.limits.reach:
            raise BadShape(
                f"the schema's $refs, one in another, reach over {self.limits.reach} deep; use fewer"
            )
        if self.joined and len(self.patterns) > self.limits.meeting:
            raise BadShape(
                f"the schema joins schemas (by allOf, or by keywords beside $ref, anyOf or enum) and has "
                f"{len(self.patterns)} patterns and formats; at most {self.limits.meeting} there: join less"
            )
        for where in endless(self.schemas) if self.named_by else ():
            raise BadShape(
                f"{where[:200]} leads back to itself: every value of it would hold another, without end; "
                "let what comes back be left out, be null, or be an empty list"
            )
        product = math.prod(self.multiples)
        if product > self.limits.multiple:
            raise BadShape(
                f"multipleOf: the different ones come to {product:,} together; at most "
                f"{self.limits.multiple:,}: use rounder numbers"
            )

    def _depth(self, target: str) -> int:
        """How many schemas stand in one another where a $ref points."""
        inside = (deep for where, deep in self.known.items() if where.startswith(f"{target}/"))
        return max(inside, default=self.known[target]) - self.known[target] + 1

    def _number_of_names(self, schema: Mapping[str, Any], where: str) -> None:
        for key, most in (("properties", self.limits.names), ("patternProperties", self.limits.kinds)):
            if (count := len(schema.get(key, ()))) > most:
                raise BadShape(f"{where}/{key} has {count:,} names; at most {most:,} are taken")
        # Names that the schema does not list may be said twice, and would then count once.
        if schema.get("minProperties", 0) > max(1, len(schema.get("required", ()))):
            raise BadShape(
                f"{where}/minProperties is {schema['minProperties']}, more than what is required; "
                "list the names in required"
            )

    # Keyword by keyword

    def one(self, key: str, value: Any, where: str) -> None:
        """A schema; it is looked at in its turn."""

    def several(self, key: str, value: Any, where: str) -> None:
        if not isinstance(value, (list, tuple)) or not value:
            raise BadShape(f"{where} is {_short(value)}; wanted a list of schemas, of one or more")

    def named(self, key: str, value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            raise BadShape(f"{where} is {_short(value)}; wanted an object of schemas by name")
        if key == "patternProperties":
            for pattern in value:
                self.pattern(key, pattern, where)

    def count(self, key: str, value: Any, where: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= self.limits.count:
            raise BadShape(
                f"{where} is {_short(value)}; wanted a whole number from 0 to {self.limits.count:,}"
            )

    def number(self, key: str, value: Any, where: str) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e15:
            raise BadShape(f"{where} is {_short(value)}; wanted a number within ±10^15")
        if key == "multipleOf":
            if value <= 0:
                raise BadShape(f"{where} is {value}; wanted a number above 0")
            digits = int("".join(map(str, Decimal(str(value)).normalize().as_tuple().digits)))
            self.multiples.add(Decimal(digits))

    def kind(self, key: str, value: Any, where: str) -> None:
        listed = value if isinstance(value, (list, tuple)) else [value]
        if not listed or any(one not in TYPES for one in listed):
            raise BadShape(f"{where} is {_short(value)}; wanted one of {', '.join(TYPES)}, or a list of them")

    def choice(self, key: str, value: Any, where: str) -> None:
        if not isinstance(value, (list, tuple)) or not value:
            raise BadShape(f"{where} is {_short(value)}; wanted a list of one value or more")
        self.choices += len(value)
        if self.choices > self.limits.choices:
            raise BadShape(f"the schema's enums list over {self.limits.choices:,} values; list fewer")
        constant(value, where)

    def const(self, key: str, value: Any, where: str) -> None:
        constant(value, where)

    def pattern(self, key: str, value: Any, where: str) -> None:
        letters, unfolded = self.limits.letters, self.limits.unfolded
        self.patterns.add(pattern_of(value, where, letters=letters, unfolded=unfolded))

    def format(self, key: str, value: Any, where: str) -> None:
        if value not in FORMATS:
            raise BadShape(f"{where} is {_short(value)}; wanted one of {', '.join(FORMATS)}")
        self.patterns.add(f"format:{value}")

    def required(self, key: str, value: Any, where: str) -> None:
        if not isinstance(value, (list, tuple)) or any(not isinstance(name, str) for name in value):
            raise BadShape(f"{where} is {_short(value)}; wanted a list of names")
        if len(value) > self.limits.names:
            raise BadShape(f"{where} has {len(value):,} names; at most {self.limits.names:,} are taken")

    def reference(self, key: str, value: Any, where: str) -> None:
        if not isinstance(value, str) or not (value == "#" or value.startswith("#/")):
            raise BadShape(f"{where} is {_short(value)}; wanted a place in the schema, such as #/$defs/name")
        self.named_by[unquote(value)] = where
        if len(self.named_by) > self.limits.reach:
            raise BadShape(f"the schema's $refs point to over {self.limits.reach} places; use fewer")


def _inner(place: _Place) -> Iterator[_Place]:
    """The schemas that one holds, in their order."""
    for key, value in place.schema.items():
        at, deep = f"{place.where}/{key}", place.deep + 1
        if key in ONE:
            yield _Place(value, at, deep)
        elif key in SEVERAL and isinstance(value, (list, tuple)):
            yield from (_Place(one, f"{at}/{i}", deep) for i, one in enumerate(value))
        elif key in NAMED and isinstance(value, Mapping):
            steps = ((str(name).replace("~", "~0").replace("/", "~1"), one) for name, one in value.items())
            yield from (_Place(one, f"{at}/{step}", deep) for step, one in steps)


def _closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with the bounds of numbers among what they bound: `exclusiveMinimum` 3 is 3.000000001.

    llguidance lets 3 itself pass where the maximum begins with the same digits, and 3.00…01 is 3 to a reader.
    """
    told, kinds = dict(schema), schema.get("type", "number")
    if "number" not in ([kinds] if isinstance(kinds, str) else kinds):
        return told
    for key, bound, far, closer in (
        ("exclusiveMinimum", "minimum", math.inf, max),
        ("exclusiveMaximum", "maximum", -math.inf, min),
    ):
        if key in told:
            edge = told.pop(key)
            least = math.copysign(1e-9, far)
            inside = closer(edge + least, math.nextafter(edge, far))
            told[bound] = closer(inside, told.get(bound, inside))
    return told


def _plain(schema: Any) -> Any:
    """A schema that was looked at, without what is only said of it."""
    if not isinstance(schema, Mapping):
        return schema
    told: dict[str, Any] = {}
    for key, value in _closed(schema).items():
        if key in ONE:
            told[key] = _plain(value)
        elif key in SEVERAL:
            told[key] = [*told.get(key, ()), *map(_plain, value)]
        elif key in NAMED:
            told[key] = {name: _plain(one) for name, one in value.items()}
        elif key == "$ref":
            told[key] = quote(unquote(value), safe="#/$~")
        elif key == "format" and value in MOMENTS:
            moment = {"pattern": MOMENTS[value]}
            joined = "pattern" in schema
            told |= {"allOf": [*told.get("allOf", ()), moment]} if joined else moment
        elif key not in SAID:
            told[key] = value
    return told


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


_LOOKS: Mapping[str, Callable[[_Check, str, Any, str], None]] = {
    **dict.fromkeys(ONE, _Check.one),
    **dict.fromkeys(SEVERAL, _Check.several),
    **dict.fromkeys(NAMED, _Check.named),
    **dict.fromkeys(COUNTS, _Check.count),
    **dict.fromkeys(NUMBERS, _Check.number),
    "type": _Check.kind,
    "enum": _Check.choice,
    "const": _Check.const,
    "pattern": _Check.pattern,
    "format": _Check.format,
    "required": _Check.required,
    "$ref": _Check.reference,
}
