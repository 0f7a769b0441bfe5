"""Whether a dataclass holds what its annotations say, all the way down; the first field amiss is told.

A recipe is a program of a person's own, and Python looks at no annotation: whatever reads a recipe later may
rely on what is looked at here, once.
"""

from __future__ import annotations

import types
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from omma.errors import BadRecipe

_WORDS: dict[Any, tuple[str, str]] = {  # one of them, and several
    bool: ("True or False", "True or False"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
    Path: ("a Path", "Paths"),
    type(None): ("None", "None"),
}


def check_fields(noun: Any, name: str) -> None:
    """Raise BadRecipe naming the first field of a dataclass or named tuple that holds something else.

    Fields are looked into: dataclasses, unions of them, tuples, mappings, literals. Nothing is converted: a
    list is no tuple, a text no path, True no number; a whole number does where a number is wanted.
    """
    kind: Any = type(noun)
    for field, wanted in _hints(kind).items():
        _check(getattr(noun, field), wanted, f"{name}.{field}")


@cache
def _hints(noun: type) -> dict[str, Any]:
    return get_type_hints(noun)


def _check(value: Any, wanted: Any, name: str) -> None:
    """Raise BadRecipe where the value, called `name`, is not what the annotation `wanted` says."""
    options = _options(wanted)
    fitting = next((option for option in options if _is(value, option)), None)
    if fitting is None:
        raise BadRecipe(f"{name} is {value!r:.80}; wanted {_told(options)}{_to_do(value, options)}")
    if is_dataclass(value) or hasattr(value, "_fields"):
        check_fields(value, name)
    elif isinstance(value, tuple):
        for number, (each, kind) in enumerate(zip(value, _kinds(fitting, len(value)), strict=True)):
            _check(each, kind, f"{name}[{number}]")
    elif isinstance(value, dict):
        key_kind, kind = get_args(fitting)
        for key, each in value.items():
            _check(key, key_kind, f"a name in {name}")
            _check(each, kind, f"{name}[{key!r}]")


def _options(wanted: Any) -> tuple[Any, ...]:
    """The kinds of which an annotation wants one."""
    return get_args(wanted) if get_origin(wanted) in (Union, types.UnionType) else (wanted,)


def _is(value: Any, wanted: Any) -> bool:
    """Whether it is one of these, by its outermost kind."""
    origin = get_origin(wanted)
    if origin is Literal:
        return any(type(value) is type(each) and value == each for each in get_args(wanted))
    if origin is tuple:  # a named one has fields of its own
        plain = isinstance(value, tuple) and not hasattr(value, "_fields")
        return plain and len(_kinds(wanted, len(value))) == len(value)
    if wanted is float:
        return _number(value)
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, origin or wanted)


def _number(value: Any) -> bool:
    """A number that arithmetic on floats takes: a whole one may have too many digits for that."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating)):
        return False
    try:
        float(value)
    except OverflowError:
        return False
    return True


def _kinds(wanted: Any, count: int) -> tuple[Any, ...]:
    """What each of a tuple's `count` values is to be; of another number where the tuple's is fixed."""
    kinds = get_args(wanted)
    return kinds[:1] * count if kinds[-1] is Ellipsis else kinds


def _told(options: tuple[Any, ...]) -> str:
    """The kinds in words: "a number", "a Path or None", "Worlds, Lines or Mix"."""
    *first, last = [_word(option) for option in options]
    return f"{', '.join(first)} or {last}" if first else last


def _word(kind: Any, *, several: bool = False) -> str:
    if len(options := _options(kind)) > 1:
        return _told(options)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(repr(value) for value in inner)
    if origin is tuple:
        count = "" if inner[-1] is Ellipsis else f"{len(inner)} "
        return f"a tuple of {count}{_word(inner[0], several=True)}"
    if origin is dict:
        return f"a dict of {_word(inner[0], several=True)} to {_word(inner[1], several=True)}"
    return _WORDS[kind][several] if kind in _WORDS else f"{kind.__name__}(…)"


def _to_do(value: object, options: tuple[Any, ...]) -> str:
    """What to write instead, where that can be told from what was got."""
    if isinstance(value, str) and Path in options:
        return f": write Path({value!r:.80})"
    if any(get_origin(option) is tuple for option in options):
        if isinstance(value, list):
            return ": write (…,) in the place of […]"
        if not isinstance(value, tuple) or hasattr(value, "_fields"):
            return ": write (…,), with a comma behind the last"
    return ""
