"""Bytes that brought a decoder down are refused after the second time, and the table has an end."""

from __future__ import annotations

import numpy as np

from omma.host.clips import Clips
from omma.host.poison import Poison
from omma.prep.video import Clip
from omma.sample import Size


def test_the_second_death_is_the_last() -> None:
    poison = Poison()
    poison.died("a")
    assert not poison.refused("a")
    poison.died("a")
    assert poison.refused("a")
    assert not poison.refused("b")
    assert len(poison) == 1


def test_bytes_that_went_through_are_not_blamed() -> None:
    poison = Poison()
    poison.died("a")
    poison.lived("a")
    poison.died("a")
    assert not poison.refused("a")


def test_the_table_forgets_those_met_longest_ago() -> None:
    poison = Poison(most=1, room=3)
    for digest in "abcd":
        poison.died(digest)
    assert [poison.refused(digest) for digest in "abcd"] == [False, True, True, True]


def test_clips_are_kept_up_to_their_bytes() -> None:
    clips = Clips(most=3 * 12)
    for key in "abcd":
        clips.put(key, Clip(np.zeros((1, 2, 2, 3), np.uint8), (), 0.0, Size(2, 2), Size(2, 2)))
        clips.get("a")
    assert [clips.get(key) is not None for key in "abcd"] == [True, False, True, True]
    assert clips.bytes == 36
    clips.put("e", Clip(np.zeros((9, 2, 2, 3), np.uint8), (), 0.0, Size(2, 2), Size(2, 2)))
    assert clips.get("e") is None
