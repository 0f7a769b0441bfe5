"""Shapes written as grammars in llguidance's Lark."""

from __future__ import annotations

import json
from collections.abc import Mapping

from omma.engine.schema_rules import Limits
from omma.errors import BadShape
from omma.shape import Json, Matching, Schema, Shape


def lark_of(shape: Shape, marks: Mapping[str, int], limits: Limits, *, thinks: bool = False) -> str:
    """The grammar of an answer of this shape; `marks` are the vocabulary's added tokens by name."""
    match shape:
        case Json():
            return '%llguidance {}\nstart: %json {"type":"object"}\n'
        case Schema(schema):
            return f"%llguidance {{}}\nstart: %json {json.dumps(schema)}\n"
        case Matching(pattern):
            return f"%llguidance {{}}\nstart: /{pattern}/\n"
        case other:
            raise BadShape(f"no grammar is made of {other!r} yet; wanted Json, Schema or Matching")
