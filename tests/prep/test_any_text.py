"""Every reader of geometry takes any text in one pass: long, hostile, or cut."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any

import pytest

from omma.chat import Seen
from omma.prep.actions import parse_looks, parse_step
from omma.prep.boxes import parse_boxes, parse_points
from omma.prep.document_html import parse_html
from omma.prep.document_markdown import parse_document, parse_markdown
from omma.prep.polygons import parse_polygons
from omma.prep.solids import parse_solids
from omma.prep.spans import parse_sightings, parse_spans
from tests.prep.shown import SCRAPS, shown

READERS: tuple[Callable[[str, Seen], Any], ...] = (
    parse_boxes,
    parse_points,
    parse_polygons,
    parse_solids,
    parse_spans,
    parse_sightings,
    parse_html,
    parse_markdown,
    parse_document,
    parse_step,
    parse_looks,
)
SEEN = shown("relative", times=(0.0, 1.0))
ONE_MEGABYTE = 1_000_000


HARD = [*SCRAPS, '{"', "{'a':'", '{"a":"b\n', "<p '", "<td rowspan=99 colspan=99>", "[![", "a & "]
every_reader = pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)


def calls(read: Callable[[str, Seen], Any], text: str) -> int:
    """How many functions are called to read a text, searches among them."""
    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        read(text, SEEN)
    finally:
        sys.setprofile(before)
    return count


@every_reader
def test_twice_the_text_takes_about_twice_the_calls(read: Callable[[str, Seen], Any]) -> None:
    for scrap in HARD:
        once, twice = (calls(read, scrap * (size // len(scrap) + 1)) for size in (2_000, 4_000))
        assert twice < 2.5 * once + 500, scrap[:40]


@pytest.mark.soak
@every_reader
def test_long_texts_of_one_scrap_are_read(read: Callable[[str, Seen], Any]) -> None:
    for scrap in HARD:  # a search that begins anew at each sign would not come to an end
        read(scrap * (ONE_MEGABYTE // 2 // len(scrap)), SEEN)


@pytest.mark.soak
@every_reader
def test_a_megabyte_is_read(read: Callable[[str, Seen], Any]) -> None:
    dice = random.Random(0)
    scraps = [scrap for scrap in SCRAPS if scrap != "</think>\n"]  # behind which alone an answer is read
    noise = "".join(dice.choices(scraps, k=ONE_MEGABYTE // 50))
    assert len(noise) > ONE_MEGABYTE
    read(noise, SEEN)


@every_reader
def test_random_bytes_raise_nothing(read: Callable[[str, Seen], Any]) -> None:
    dice = random.Random(0)
    for _ in range(20):
        read(dice.randbytes(2000).decode("latin-1"), SEEN)
        read(dice.randbytes(2000).decode("utf-16-le", errors="replace"), SEEN)
