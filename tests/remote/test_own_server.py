"""Over our own server every verb gives just what it gives in this process, geometry and usage with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import PIL.Image
import pytest

import omma
from omma.chat import Image, Video, message
from omma.errors import BadPicture, BadShape, PromptTooLong, UnknownOption
from omma.remote.model import Remote
from omma.serve.keys import KeyRing
from omma.shape import Matching
from tests.serve.desks import ModelDesk, serving

EXAMPLES = Path(__file__).parents[2] / "examples"
SHAPES, HEADING = EXAMPLES / "shapes.png", EXAMPLES / "heading.png"


@pytest.fixture(scope="module")
def nano() -> omma.Model:
    return omma.load("omma-nano")


@pytest.fixture(scope="module")
def remote(nano: omma.Model) -> Iterator[Remote]:
    with serving(ModelDesk(nano), keys=KeyRing.of({"open-sesame-1234": "me"})) as served:
        there = omma.connect(served.address, key="open-sesame-1234", retries=0)
        yield there
        there.close()


def test_the_server_says_what_it_is(remote: Remote, nano: omma.Model) -> None:
    assert (remote.name, remote.dialect, remote.thinks) == ("omma-nano", nano.dialect, nano.thinks)
    assert remote.peer.make == "omma"


def test_whole_replies_are_equal(remote: Remote, nano: omma.Model) -> None:
    small = Image(SHAPES, max_pixels=20_000)
    for part in (SHAPES, small, [SHAPES, HEADING]):
        there, here = (model.ask(part, "What is this?", max_tokens=8) for model in (remote, nano))
        assert there == here
    assert remote.find(SHAPES, "red circle") == nano.find(SHAPES, "red circle")
    assert remote.find(SHAPES, "red circle", inside=True) == nano.find(SHAPES, "red circle", inside=True)
    assert remote.point(SHAPES, "circle", inside=True) == nano.point(SHAPES, "circle", inside=True)
    assert remote.read(HEADING, max_tokens=40) == nano.read(HEADING, max_tokens=40)


def test_a_cut_video_is_cut_there(remote: Remote, nano: omma.Model, tmp_path: Path) -> None:
    frames = [PIL.Image.new("RGB", (64, 48), (40 * i, 0, 0)) for i in range(6)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=500)
    clip = Video(tmp_path / "a.gif", fps=2.0, start=0.5)
    there, here = (model.ask(clip, "What?", max_tokens=4) for model in (remote, nano))
    assert there == here
    assert there.seen[0].times == here.seen[0].times != ()
    assert there.seen[0].tokens == here.seen[0].tokens == here.usage.video_tokens


def test_drawn_tokens_and_their_probabilities_are_equal(remote: Remote, nano: omma.Model) -> None:
    said = [message("user", "Say something.")]
    wish = {"temperature": 1.5, "seed": 5, "max_tokens": 12}
    assert remote.chat(said, **wish).text == nano.chat(said, **wish).text
    pieces = list(remote.chat(said, stream=True, logprobs=2, max_tokens=6))
    chosen = [one for piece in pieces for one in piece.chosen]
    assert b"".join(one.bytes for one in chosen).decode().startswith("".join(p.text for p in pieces)[:3])
    assert all(len(one.likeliest) == 2 for one in chosen)


def test_a_no_keeps_its_kind_over_the_wire(remote: Remote, tmp_path: Path) -> None:
    with pytest.raises(PromptTooLong):
        remote.ask(None, "word " * 9000)
    with pytest.raises(BadPicture):
        remote.ask(b"nonsense", "What?")
    with pytest.raises(UnknownOption):
        remote.ask(None, "Hello?", temperature=-1)
    with pytest.raises(BadShape):
        remote.ask(None, "Hello?", shape=Matching("("))
