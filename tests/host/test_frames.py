"""What one process tells another arrives as it was said, and what was not said is not believed."""

from __future__ import annotations

import socket
import struct
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma import errors
from omma.chat import Chosen, Delta, Image, Likely, Message, Options, Seen, Text, Usage, Video
from omma.errors import BadData, Busy, OmmaError
from omma.host.frames import MARK, Blob, Bounds, Broken, HungUp, receive, send
from omma.host.nouns import KINDS, error_of, noun, plain, plain_error
from omma.prep.rules import QWEN3, PictureRules
from omma.prep.video import Clip
from omma.sample import Size
from omma.shape import Calls, Json, Matching, Places, Schema

words = st.text(max_size=40)
data = st.binary(max_size=3000)
numbers = st.integers(-(2**70), 2**70)
fractions = st.floats(allow_nan=False)
sizes = st.builds(Size, st.integers(1, 9999), st.integers(1, 9999))
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | fractions | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.just("!"), inner, max_size=3),
    max_leaves=8,
)
schemas = st.dictionaries(words, json_values, max_size=3)
shapes = st.one_of(
    st.just(Json()),
    st.builds(Schema, schemas),
    st.builds(Matching, words),
    st.builds(Places, sizes, words, numbers, st.booleans()),
    st.builds(Calls, st.lists(st.tuples(words, schemas), max_size=2).map(tuple), st.booleans()),
)
parts = st.one_of(
    st.builds(Text, words),
    st.builds(Image, data, st.none() | numbers, st.none() | numbers),
    st.builds(Video, data, st.none() | fractions, start=st.none() | fractions),
)
messages = st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.lists(parts).map(tuple))
options = st.builds(
    Options,
    max_tokens=st.none() | numbers,
    temperature=st.none() | fractions,
    shape=st.none() | shapes,
    stop=st.lists(words, max_size=3).map(tuple),
)
likely = st.builds(Likely, st.binary(max_size=9), fractions)
deltas = st.builds(
    Delta,
    words,
    st.sampled_from([None, "stop", "length", "loop"]),
    st.none() | st.builds(Usage, numbers, numbers, numbers),
    st.lists(st.builds(Seen, words, sizes, sizes, words, st.tuples(fractions))).map(tuple),
    st.lists(st.builds(Chosen, st.binary(max_size=9), fractions, st.lists(likely).map(tuple))).map(tuple),
)


def through(value: Any) -> Any:
    """The value after a walk over a socket."""
    mine, its = socket.socketpair()
    blobs: list[Blob] = []
    with mine, its:
        for one in (mine, its):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        send(mine, {"value": plain(value, blobs)}, blobs)
        frame = receive(its)
    return noun(frame.header["value"], frame.blobs)


@given(st.one_of(st.lists(messages, max_size=3).map(tuple), options, deltas, json_values))
def test_what_is_said_arrives_as_it_was(value: Any) -> None:
    arrived = through(value)
    assert arrived == value
    assert repr(arrived) == repr(value)


@pytest.mark.parametrize("rules", [PictureRules(), QWEN3])
def test_rules_arrive_as_they_were(rules: PictureRules) -> None:
    assert through(rules) == rules


@given(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
def test_pixels_arrive_as_they_were(count: int, height: int, width: int) -> None:
    frames = np.random.default_rng(count).integers(0, 256, (count, height, width, 3), np.uint8)
    clip = Clip(frames, (0.1,) * count, 0.5, Size(7, 8), Size(width, height), "a film")
    arrived = through(clip)
    assert np.array_equal(arrived.frames, frames)
    assert arrived.frames.dtype == np.uint8
    assert [getattr(arrived, f.name) for f in fields(Clip)[1:]] == [
        getattr(clip, f.name) for f in fields(Clip)[1:]
    ]


@pytest.mark.parametrize("name", [name for name in dir(errors) if isinstance(getattr(errors, name), type)])
def test_an_error_arrives_as_it_was(name: str) -> None:
    cls = getattr(errors, name)
    wrong: OmmaError = cls("what was got") if cls is not Busy else Busy("later", 7.5)
    wrong = BadData("a line", "line") if cls is BadData else wrong
    arrived = error_of(plain_error(wrong))
    assert type(arrived) is cls
    assert str(arrived) == str(wrong)
    assert vars(arrived) == vars(wrong)


def test_what_is_no_noun_is_never_told() -> None:
    for stranger in (object(), {1, 2}, np.zeros(3), Broken("x")):
        with pytest.raises(TypeError):
            plain(stranger, [])


@given(st.dictionaries(st.sampled_from(["!", "of", "at", "shape", "text", "source"]), json_values))
def test_a_stranger_makes_no_value_but_those_of_the_house(raw: dict[str, Any]) -> None:
    try:
        value = noun(raw, [bytearray(b"abc")])
    except Broken:
        return
    assert isinstance(value, (dict, tuple, bytes, Size, np.ndarray, *KINDS.values()))


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        struct.pack("!4sII", MARK, 1 << 30, 0),
        struct.pack("!4sII", MARK, 2, 1 << 20),
        struct.pack("!4sIIQ", MARK, 2, 1, 1 << 60) + b"{}",
        struct.pack("!4sII", MARK, 2, 0) + b"[]",
        struct.pack("!4sII", MARK, 3, 0) + b"{a}",
        struct.pack("!4sII", MARK, 40000, 0) + b"[" * 40000,
    ],
)
def test_what_is_no_frame_is_not_taken_in(sent: bytes) -> None:
    mine, its = socket.socketpair()
    with mine, its:
        mine.sendall(sent)
        mine.shutdown(socket.SHUT_WR)
        with pytest.raises(Broken):
            receive(its, Bounds(header=1 << 20, blobs=8, bytes=1 << 20))


@pytest.mark.parametrize("cut", [0, 3, 12, 20, 24])
def test_a_frame_that_breaks_off_is_an_end(cut: int) -> None:
    whole = struct.pack("!4sIIQ", MARK, 2, 1, 5) + b"{}" + b"12345"
    mine, its = socket.socketpair()
    with mine, its:
        mine.sendall(whole[:cut])
        mine.shutdown(socket.SHUT_WR)
        with pytest.raises(HungUp):
            receive(its)
