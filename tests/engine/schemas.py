"""Draws JSON Schemas of every kind that an answer can be held to, the same one for the same seed."""

from __future__ import annotations

from random import Random
from typing import Any

PATTERNS = (
    r"^[a-z]{1,8}$",
    r"^[A-Z]{2}-[0-9]{3,5}$",
    r"^(red|green|blue)$",
    r"^\d{1,3}(\.\d{1,2})?$",
    r"^(a|bc)*d$",
    r"[xyz]{2}",
    r"^#[0-9a-fA-F]{6}$",
    r"^\S{1,10}$",
    r"^é[à-ü]{0,4}$",
)
FORMATS = ("date", "time", "date-time", "ipv4", "ipv6", "uuid", "email", "hostname", "duration", "uri")
NAMES = (
    "id",
    "name",
    "age",
    "tags",
    "größe",
    "a b",
    'quo"te',
    "x/y",
    "~t",
    "back\\slash",
    "列",
    "total",
    "$id",
    "",
)
WORDS = ("red", "", "größer", "a\nb", 'say "no"', "列車", "\\", "\u0001", "🙂", "</tool_call>", "1", "null")


def schema_of(seed: int, deep: int = 3) -> dict[str, Any]:
    """A schema that some values satisfy."""
    return _Draw(Random(seed)).whole(deep)


class _Draw:
    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.named: dict[str, Any] = {}

    def whole(self, deep: int) -> dict[str, Any]:
        for name in ("one", "two words", "x/y"):
            if self.dice.random() < 0.3:
                self.named[name] = self.any(1)
        if self.dice.random() < 0.2:
            self.named["chain"] = self.chain()
        schema = self.object(deep) if self.dice.random() < 0.6 else self.any(deep)
        if self.dice.random() < 0.3:
            schema |= {
                "title": "A thing",
                "description": "what it is",
                "$schema": "https://json-schema.org/draft/2020-12/schema",
            }
        return schema | ({"$defs": self.named} if self.named else {})

    def any(self, deep: int) -> dict[str, Any]:
        kinds = [self.string, self.integer, self.number, self.boolean, self.nothing, self.enum, self.const]
        nested = [self.object, self.array, self.tuple, self.either, self.nullable, self.map, self.both]
        if deep > 0 and self.dice.random() < 0.6:
            return self.dice.choice(nested)(deep - 1)
        if self.named and self.dice.random() < 0.2:
            name = self.dice.choice(sorted(self.named)).replace("/", "~1")
            return {"$ref": f"#/$defs/{name}"}
        return self.dice.choice(kinds)()

    def object(self, deep: int) -> dict[str, Any]:
        names = self.dice.sample(NAMES, self.dice.randint(0, 5))
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: self.any(deep - 1) for name in names},
            "required": [name for name in names if self.dice.random() < 0.7],
        }
        match self.dice.choices(("shut", "patterned", "of a kind", "open"), (80, 14, 3, 3))[0]:
            case "shut":
                schema["additionalProperties"] = False
            case "patterned":
                schema |= {"patternProperties": {"^k[0-9]$": self.any(0)}, "additionalProperties": False}
            case "of a kind":
                schema["additionalProperties"] = self.any(0)
        return schema

    def map(self, deep: int) -> dict[str, Any]:
        value = self.any(deep - 1)
        keys = {"^k[0-9]{1,2}$": value, "^[xyz]{1,4}$": value}
        free = {"type": "object", "additionalProperties": value, "minProperties": 1, "maxProperties": 2}
        kept = {"type": "object", "patternProperties": keys, "additionalProperties": False}
        return free if self.dice.random() < 0.1 else kept

    def array(self, deep: int) -> dict[str, Any]:
        least = self.dice.randint(0, 2)
        schema = {"type": "array", "items": self.any(deep - 1), "maxItems": least + self.dice.randint(0, 2)}
        return schema | ({"minItems": least} if least else {})

    def tuple(self, deep: int) -> dict[str, Any]:
        first = [self.any(deep - 1) for _ in range(self.dice.randint(1, 3))]
        return {
            "type": "array",
            "prefixItems": first,
            "items": False,
            "minItems": self.dice.randint(0, len(first)),
        }

    def either(self, deep: int) -> dict[str, Any]:
        return {"anyOf": [self.any(deep - 1) for _ in range(self.dice.randint(1, 3))]}

    def nullable(self, deep: int) -> dict[str, Any]:
        return {"anyOf": [self.any(deep - 1), {"type": "null"}]}

    def both(self, deep: int) -> dict[str, Any]:
        """Two objects that are one, of names that differ."""
        parts: list[dict[str, Any]] = [
            {
                "type": "object",
                "properties": {f"{part}{i}": self.any(0) for i in range(2)},
                "required": [f"{part}0", f"{part}1"],
            }
            for part in "pq"
        ]
        return {"allOf": parts, "maxProperties": 4}

    def chain(self) -> dict[str, Any]:
        """A list that holds itself."""
        follows = {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/chain"}]}
        return {
            "type": "object",
            "properties": {"value": self.integer(), "next": follows},
            "required": ["value", "next"],
            "additionalProperties": False,
        }

    def string(self) -> dict[str, Any]:
        match self.dice.randint(0, 4):
            case 0:
                return {"type": "string", "pattern": self.dice.choice(PATTERNS), "maxLength": 20}
            case 1:
                return {"type": "string", "format": self.dice.choice(FORMATS), "maxLength": 45}
            case 2:
                least = self.dice.randint(0, 5)
                return {"type": "string", "minLength": least, "maxLength": least + self.dice.randint(0, 9)}
            case 3:
                return {"type": ["string", "null"], "maxLength": self.dice.randint(0, 12)}
            case _:
                return {"type": "string", "pattern": "^[a-z ]+$", "minLength": 2, "maxLength": 12}

    def integer(self) -> dict[str, Any]:
        low = self.dice.randint(-2000, 2000)
        high = low + self.dice.choice((0, 1, 9, 10, 99, 1000, 10**6))
        schema: dict[str, Any] = {"type": "integer"}
        if self.dice.random() < 0.7:
            schema[self.dice.choice(("minimum", "exclusiveMinimum"))] = low
        if self.dice.random() < 0.7:
            schema["maximum"] = high + 1
            if self.dice.random() < 0.3:
                schema["exclusiveMaximum"] = high + 3
        elif self.dice.random() < 0.5:
            schema["multipleOf"] = self.dice.choice((2, 5, 7, 10, 25))
        return schema

    def number(self) -> dict[str, Any]:
        low = self.dice.choice((-1e6, -17.25, -1, 0, 0.5, 3, 100.125))
        schema: dict[str, Any] = {"type": "number"}
        if self.dice.random() < 0.7:
            schema[self.dice.choice(("minimum", "exclusiveMinimum"))] = low
        if self.dice.random() < 0.7:
            schema[self.dice.choice(("maximum", "exclusiveMaximum"))] = low + self.dice.choice(
                (0.125, 1, 7.5, 1e4)
            )
        return schema

    def boolean(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def nothing(self) -> dict[str, Any]:
        return {"type": "null"}

    def enum(self) -> dict[str, Any]:
        values: list[Any] = [*self.dice.sample(WORDS, 3), 1, -2.5, None, True, [1, "a"], {"k": {"l": []}}]
        return {"enum": self.dice.sample(values, self.dice.randint(1, 4))}

    def const(self) -> dict[str, Any]:
        return {"const": self.dice.choice((*WORDS, 0, 12.75, False, None, [], {}, {"a": [1, {"b": "c"}]}))}
