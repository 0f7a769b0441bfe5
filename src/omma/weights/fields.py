"""A JSON object of a model's folder, read field by field: a wrong one is named with its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omma.errors import BadFolder

# Far above any model, and small enough that nothing made of such numbers overflows or takes forever.
LARGEST, LARGEST_NUMBER, DEEPEST, WIDEST_PATCH = 10**7, 10**15, 1000, 64


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises BadFolder naming the file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadFolder(f"{path} is missing; a model's folder has one") from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadFolder(f"{path} cannot be read: {error}; fetch it again") from None
    if not isinstance(content, dict):
        raise BadFolder(f"{path} holds a {type(content).__name__}; wanted a JSON object")
    return content


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object as the public folders do, indented; a file that is there is replaced whole."""
    half_made = path.with_name(f".{path.name}.new")
    half_made.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    half_made.replace(path)


class Fields:
    """One object of a config, read field by field with the place named when a value is of a wrong kind."""

    def __init__(self, raw: dict[str, Any], where: object) -> None:
        self.raw, self.where = raw, where

    def inner(self, name: str) -> Fields:
        """The object of this name; an empty one where there is none."""
        raw = self.raw.get(name)
        if raw is None:
            return Fields({}, f"{self.where}: {name}")
        if not isinstance(raw, dict):
            raise BadFolder(f"{self.where}: {name} is {raw!r}; wanted an object")
        return Fields(raw, f"{self.where}: {name}")

    def whole(self, name: str, default: int, least: int = 1, most: int = LARGEST) -> int:
        """A whole number in its range."""
        value = self.raw.get(name, default)
        if type(value) is not int or not least <= value <= most:
            raise BadFolder(
                f"{self.where}: {name} is {value!r}; wanted a whole number from {least} to {most:,}"
            )
        return value

    def number(self, name: str, default: float) -> float:
        """A number above 0."""
        value = self.raw.get(name, default)
        if type(value) not in (int, float) or not 0 < value < LARGEST_NUMBER:
            raise BadFolder(f"{self.where}: {name} is {value!r}; wanted a number above 0")
        return float(value)

    def flag(self, name: str) -> bool:
        """True or false; absent is false."""
        value = self.raw.get(name)
        if value is not None and not isinstance(value, bool):
            raise BadFolder(f"{self.where}: {name} is {value!r}; wanted true or false")
        return bool(value)

    def wholes(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """A list of whole numbers."""
        value = self.raw.get(name, default)
        if not isinstance(value, (list, tuple)) or any(type(one) is not int or one < 0 for one in value):
            raise BadFolder(f"{self.where}: {name} is {value!r}; wanted a list of whole numbers")
        return tuple(value)

    def fixed(self, name: str, built: object) -> None:
        """Refuse any value but the one that is built here."""
        if (value := self.raw.get(name, built)) != built:
            raise BadFolder(f"{self.where}: {name} is {value!r}, which is not built here; wanted {built!r}")
