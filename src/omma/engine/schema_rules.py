"""Which JSON Schemas and patterns an answer can be held to, and how large they may be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How much a shape may ask for. What is beyond is refused before it costs anything.

    `compile_fuel`, `grammar_size` and `lexer_states` bound what llguidance spends.
    """

    schema_bytes: int = 65_536
    compile_fuel: int = 1_000_000
    grammar_size: int = 200_000
    lexer_states: int = 50_000


USUAL = Limits()
