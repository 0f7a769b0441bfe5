"""How much of a record in JSON was told: the F1 of its fields, lists of entries paired in their order."""

from __future__ import annotations

import json
import math
import re
from itertools import islice
from typing import Any, TypeAlias

from omma.evals.texts import near, normal

Json: TypeAlias = Any
TRIES = 20  # brackets from which JSON may begin: a text of brackets alone must not cost seconds
_DECODER = json.JSONDecoder()


def fields_told(wanted: Json, told: str, tolerance: float = 0.0) -> float:
    """The F1 of fields: those told rightly, out of those wanted and those told; 0 for a text without JSON.

    A field is a value that is neither an object nor a list, under its keys. Texts are compared as words are;
    figures may be off by a share of `tolerance`, whether they are told as figures or as texts.
    """
    found = first_json(told)
    count = leaves(wanted) + leaves(found)
    return 2 * shared(wanted, found, tolerance) / count if found is not None and count else 0.0


def first_json(text: str) -> Json:
    """The first object or list in a text, whatever stands around it; None where there is no whole one."""
    for opening in islice(re.finditer(r"[{\[]", text), TRIES):
        try:
            return _DECODER.raw_decode(text, opening.start())[0]
        except (ValueError, RecursionError):
            continue
    return None


def leaves(value: Json) -> int:
    """How many fields there are."""
    if isinstance(value, dict):
        return sum(leaves(inner) for inner in value.values())
    return sum(leaves(inner) for inner in value) if isinstance(value, list) else 1


def shared(wanted: Json, told: Json, tolerance: float) -> int:
    """How many fields both have alike."""
    if isinstance(wanted, dict) and isinstance(told, dict):
        named = {normal(key): inner for key, inner in told.items()}
        return sum(
            shared(inner, named[normal(key)], tolerance)
            for key, inner in wanted.items()
            if normal(key) in named
        )
    if isinstance(wanted, list) and isinstance(told, list):
        return _paired(wanted, told, tolerance)
    return (
        0
        if isinstance(wanted, (dict, list)) or isinstance(told, (dict, list))
        else same(wanted, told, tolerance)
    )


def _paired(wanted: list[Json], told: list[Json], tolerance: float) -> int:
    """The most fields alike when entries are paired without crossing; a missing entry costs itself alone."""
    row = [0] * (len(told) + 1)
    for entry in wanted:
        before = row
        row = [0]
        for place, other in enumerate(told):
            pair = before[place] + shared(entry, other, tolerance)
            row.append(max(pair, row[-1], before[place + 1]))
    return row[-1]


def same(wanted: Json, told: Json, tolerance: float) -> bool:
    """Whether two fields say the same."""
    if isinstance(wanted, bool) or isinstance(told, bool) or wanted is None or told is None:
        return wanted is told
    one, other = _figure(wanted), _figure(told)
    if one is not None and other is not None and not (isinstance(wanted, str) and isinstance(told, str)):
        return near(other, one, tolerance)
    return normal(str(wanted)) == normal(str(told))


def _figure(value: Json) -> float | None:
    """A value as a figure, where it is one or is written as one."""
    try:
        figure = float(value.replace(",", "").strip(" $%") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return figure if math.isfinite(figure) else None
