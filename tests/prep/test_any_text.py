"""Every reader of geometry takes any text in one pass: long, hostile, or cut."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import thread_time
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


def taken(read: Callable[[str, Seen], Any], text: str) -> float:
    """Seconds of this thread's own work, whoever else is at work on the machine."""
    started = thread_time()
    read(text, SEEN)
    return thread_time() - started


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_twice_the_text_takes_about_twice_the_work(read: Callable[[str, Seen], Any]) -> None:
    for scrap in [*SCRAPS, '{"', "{'a':'", '{"a":"b\n', "<p '", "<td rowspan=99 colspan=99>", "[![", "a & "]:
        once, twice = (taken(read, scrap * (size // len(scrap))) for size in (10_000, 20_000))
        assert twice < 8 * once + 0.3, scrap[:40]  # what grows with the square takes minutes at a megabyte


@pytest.mark.slow
@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_a_megabyte_is_read(read: Callable[[str, Seen], Any]) -> None:
    dice = random.Random(0)
    scraps = [scrap for scrap in SCRAPS if scrap != "</think>\n"]  # behind which alone an answer is read
    noise = "".join(dice.choices(scraps, k=ONE_MEGABYTE // 50))
    assert len(noise) > ONE_MEGABYTE
    assert taken(read, noise) < 60


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_random_bytes_raise_nothing(read: Callable[[str, Seen], Any]) -> None:
    dice = random.Random(0)
    for _ in range(20):
        read(dice.randbytes(2000).decode("latin-1"), SEEN)
        read(dice.randbytes(2000).decode("utf-16-le", errors="replace"), SEEN)
