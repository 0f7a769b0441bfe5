"""Texts compared: what counts as the same, how many letters apart, and the figure that a text gives."""

from __future__ import annotations

import re
import unicodedata

_FIGURE = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\d])|[-+]?\.\d+")


def normal(text: str) -> str:
    """Small letters, one blank between words, no article in front, no punctuation around, gray for grey."""
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).casefold()).strip(
        " .,;:!?\"'`*()[]。、！？「」“”„«»¿¡"
    )
    return re.sub(r"\bgrey\b", "gray", re.sub(r"^(?:an?|the) ", "", text))


def distance(one: str, other: str) -> int:
    """The fewest letters to change, put in or take out to make one text the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, its in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (letter != its))
    return row[-1]


def first_figure(text: str) -> float | None:
    """The first figure in a text, in digits: "$1,234.50", "-3" or "12 %". None where there is none."""
    found = _FIGURE.search(text)
    return float(found[0].replace(",", "")) if found else None


def near(told: float, wanted: float, tolerance: float) -> bool:
    """Whether a figure lies within a share of the wanted one; rounding in the last place does not count."""
    return abs(told - wanted) <= tolerance * abs(wanted) + 1e-9 * max(1.0, abs(wanted))
