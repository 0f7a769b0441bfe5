"""What answers about time, order and reckoning are worth: spans, moments, events in order, results."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeAlias

from omma.prep.spans import spans_in

Truth: TypeAlias = Mapping[str, Any]
Span: TypeAlias = tuple[float, float]  # start and end, in seconds

_NUMBER = r"\d+(?:\.\d+)?"


def read_spans(text: str) -> list[Span]:
    """Spans in an answer, in the model's own time: in JSON, or pairs such as "1.5 to 3 s"."""
    return [(span.start, span.end) for span in spans_in(text)]


def overlap_in_time(wanted: Sequence[Span], told: Sequence[Span]) -> float:
    """Intersection over union of all that is covered, 0 to 1; a moment overlaps with itself wholly."""
    one, other = _joined(wanted), _joined(told)
    both = sum(max(0.0, min(a[1], b[1]) - max(a[0], b[0])) for a in one for b in other)
    whole = sum(end - start for start, end in (*one, *other)) - both
    return both / whole if whole > 0 else float(bool(one) and one == other)


def _joined(spans: Sequence[Span]) -> list[Span]:
    """The same time covered by spans that do not touch."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _spans(truth: Truth, text: str) -> float:
    return overlap_in_time([(start, end) for start, end in truth["spans"]], read_spans(text))


def _second(truth: Truth, text: str) -> float:
    """1 where the first number is the second, give or take `within`."""
    found = re.search(_NUMBER, text)
    return float(found is not None and abs(float(found[0]) - truth["second"]) <= truth.get("within", 0.5))


def _order(truth: Truth, text: str) -> float:
    """The share of pairs of events that are both told, and in their order."""
    said = " ".join(text.casefold().split())
    places = [said.find(" ".join(event.casefold().split())) for event in truth["order"]]
    pairs = list(combinations(places, 2))
    return (
        sum(0 <= first < second for first, second in pairs) / len(pairs) if pairs else float(places[0] >= 0)
    )


def _result(truth: Truth, text: str) -> float:
    """1 where the last number of the last line is the result."""
    lines = [line for line in text.splitlines() if line.strip()]
    told = re.findall(rf"-?{_NUMBER}", lines[-1].replace(",", "")) if lines else []
    wanted = re.findall(rf"-?{_NUMBER}", str(truth["result"]))
    return float(bool(told) and float(told[-1]) == float(wanted[-1]))


SHARES: Mapping[str, Callable[[Truth, str], float]] = {
    "spans": _spans,
    "second": _second,
    "order": _order,
    "result": _result,
}


def written(truth: Truth) -> str:
    """A truth of one of these forms as an answer that tells it."""
    if "spans" in truth:
        return json.dumps([{"start": start, "end": end} for start, end in truth["spans"]])
    if "order" in truth:
        return "\n".join(truth["order"])
    return str(truth["second"] if "second" in truth else truth["result"])


def sound_in_time(truth: Truth) -> tuple[bool, str]:
    """Whether a truth of one of these forms can be held against an answer, and what is wanted of it."""
    if "spans" in truth:
        spans = truth["spans"]
        good = isinstance(spans, list) and bool(spans) and all(_is_span(span) for span in spans)
        return good, "a list of [start, end] in seconds, the start first"
    if "second" in truth:
        sound = all(_is_time(truth.get(key, 0)) for key in ("second", "within"))
        return sound, "a number of seconds, 0 or more"
    if "order" in truth:
        order = truth["order"]
        texts = isinstance(order, list) and all(isinstance(event, str) for event in order)
        return texts and bool(order) and all(map(str.strip, order)), "a list of texts, none of them empty"
    result = truth["result"]
    return isinstance(result, str) and bool(re.search(r"\d", result)), "a text with a number"


def _is_span(span: Any) -> bool:
    return (
        isinstance(span, list)
        and len(span) == 2
        and all(_is_time(edge) for edge in span)
        and span[0] <= span[1]
    )


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= 0
