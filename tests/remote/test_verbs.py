"""Every verb over others' servers gives what it gives in this process: the same answers, the same pixels."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import omma
from omma.chat import Answer, Image, Message, Video, message
from omma.prep.sources import open_bytes
from omma.remote.model import Remote
from omma.verbs import Verbs
from tests.remote.foreign import FORMS, Foreign, serving

EXAMPLES = Path(__file__).parents[2] / "examples"
SHAPES, HEADING, FORM = (EXAMPLES / name for name in ("shapes.png", "heading.png", "form.png"))


@lru_cache(maxsize=1)
def nano() -> omma.Model:
    return omma.load("omma-nano")


@lru_cache(maxsize=64)
def _told(said: tuple[tuple[str, tuple[Any, ...]], ...], wishes: tuple[tuple[str, Any], ...]) -> Answer:
    parts = [
        Message(role, tuple(Image(part) if isinstance(part, bytes) else omma.Text(part) for part in each))  # type: ignore[arg-type]
        for role, each in said
    ]
    return nano().chat(parts, **dict(wishes))


def answer(said: tuple[Message, ...], body: Mapping[str, Any]) -> Answer:
    """What nano says; the same question is answered once for all forms."""
    flat = []
    for one in said:
        parts: list[Any] = []
        for part in one.parts:
            if isinstance(part, Image):
                with open_bytes(part.source, "picture", omma.errors.BadPicture, 1 << 30) as file:
                    parts.append(file.read())
            else:
                assert isinstance(part, omma.Text)
                parts.append(part.text)
        flat.append((one.role, tuple(parts)))
    return _told(tuple(flat), (("max_tokens", body.get("max_tokens")),))


@pytest.fixture(params=FORMS)
def remote(request: pytest.FixtureRequest) -> Iterator[Remote]:
    with serving(Foreign(answer, request.param)) as foreign:
        there = omma.connect(foreign.url, "omma-nano", retries=0)
        yield there
        there.close()


VERBS = {
    "find": lambda model: model.find(SHAPES, "red circle", max_tokens=48),
    "read": lambda model: model.read(HEADING, max_tokens=48),
    "point": lambda model: model.point(FORM, 'the "Save" button', max_tokens=24),
    "document": lambda model: model.document(HEADING, max_tokens=24),
    "describe": lambda model: model.describe(SHAPES, max_tokens=16),
    "boxes": lambda model: model.ask(SHAPES, "Locate every circle. Answer with boxes in JSON.").boxes(),
    "chat": lambda model: model.chat([{"role": "user", "content": "Hello?"}], max_tokens=8).text,
    "streamed": lambda model: "".join(
        piece.text
        for piece in model.chat(
            [message("system", "Be brief."), message("user", Image(SHAPES), "What is this?")],
            stream=True,
            max_tokens=8,
        )
    ),
    "seen": lambda model: model.ask([SHAPES, HEADING], "Which?", max_tokens=4).seen,
}


@lru_cache(maxsize=16)
def here(verb: str) -> Any:
    return VERBS[verb](nano())


def test_every_verb_gives_the_same_over_a_server_as_in_this_process(remote: Remote) -> None:
    for verb, use in VERBS.items():
        there = use(remote)
        if verb == "seen":  # a server that is not ours does not say how it resized
            assert [(s.original, s.name) for s in there] == [(s.original, s.name) for s in here(verb)]
        else:
            assert there == here(verb), verb
            assert type(there) is type(here(verb))


def test_many_at_once_come_back_in_their_places_and_errors_in_theirs(remote: Remote) -> None:
    said: list[Any] = [
        [message("user", "One?")],
        [message("user", Image(b"nonsense"), "Two?")],
        [message("user", "Three?")],
        [{"role": "nobody", "content": "Four?"}],
    ]
    there = remote.generate(said, errors="return", max_tokens=4)
    alone = nano().generate(said, errors="return", max_tokens=4)
    assert [type(one) for one in there] == [type(one) for one in alone]
    assert [str(one) for one in there] == [str(one) for one in alone]


def test_a_remote_is_a_model_to_whoever_asks(remote: Remote) -> None:
    assert isinstance(remote, Verbs)
    assert isinstance(remote, omma.chat.Responder)
    assert remote.dialect == nano().dialect


def picture(mode: str, form: str, **how: Any) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 4), dtype=np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).convert(mode).save(file, form, **how)
    return file.getvalue()


TURNED = PIL.Image.Exif()
TURNED[0x0112] = 6


@pytest.mark.parametrize(
    ("raw", "own"),
    [
        (picture("RGB", "PNG"), True),
        (picture("RGB", "JPEG"), True),
        (picture("L", "WEBP", lossless=True), True),
        (picture("RGBA", "PNG"), False),
        (picture("RGB", "JPEG", exif=TURNED), False),
        (picture("CMYK", "JPEG"), False),
        (picture("RGB", "TIFF"), False),
        (picture("RGB", "GIF"), False),
    ],
    ids=["png", "jpeg", "webp", "transparent", "turned", "cmyk", "tiff", "gif"],
)
def test_a_picture_goes_in_its_own_bytes_only_where_every_server_reads_them_alike(
    raw: bytes, own: bool
) -> None:
    with serving(Foreign(lambda said, body: nothing(), "vllm", "Qwen2.5-VL-3B")) as foreign:
        there = omma.connect(foreign.url)
        (seen,) = there.ask(raw, "?").seen
        there.close()
    (part, _) = foreign.asked[0]["messages"][0]["content"]
    sent = base64.b64decode(part["image_url"]["url"].partition(",")[2])
    shown = omma.prep.pictures.open_picture(raw)
    assert (sent == raw) is own
    assert np.array_equal(np.asarray(PIL.Image.open(io.BytesIO(sent)).convert("RGB")), np.asarray(shown))
    assert tuple(seen.original) == shown.size


def nothing() -> Answer:
    return Answer("[]", "stop", omma.chat.Usage(1, 1))


@pytest.mark.parametrize(
    ("model", "dialect", "text", "box"),
    [
        ("Qwen/Qwen-VL-Chat", "tags", "<ref>a</ref><box>(100,500),(200,999)</box>", (40, 150, 80, 299.7)),
        (
            "Qwen2-VL-7B-Instruct",
            "marks",
            "<|object_ref_start|>a<|object_ref_end|><|box_start|>(100,500),(200,1000)<|box_end|>",
            (40, 150, 80, 300),
        ),
        # 400 × 300 pixels become 392 × 308 before the model, and it counts those.
        ("qwen2.5-vl-7b-awq", "pixels", '[{"bbox_2d":[98,77,196,308],"label":"a"}]', (100, 75, 200, 300)),
        ("Qwen3-VL-30B-A3B", "relative", '[{"bbox_2d":[100,500,200,1000],"label":"a"}]', (40, 150, 80, 300)),
    ],
)
def test_boxes_of_every_generation_come_back_in_pixels_of_the_picture(
    model: str, dialect: str, text: str, box: tuple[float, ...]
) -> None:
    with serving(Foreign(lambda said, body: Answer(text, "stop", nothing().usage), "vllm", model)) as foreign:
        there = omma.connect(foreign.url)
        (found,) = there.find(np.zeros((300, 400, 3), np.uint8), "a")
        there.close()
    assert there.dialect == dialect
    assert (found.x1, found.y1, found.x2, found.y2) == pytest.approx(box)


def test_limits_of_a_picture_are_kept_here_where_a_server_knows_none() -> None:
    with serving(Foreign(lambda said, body: nothing(), "vllm", "Qwen2.5-VL-3B")) as foreign:
        there = omma.connect(foreign.url)
        (seen,) = there.ask(Image(np.zeros((300, 400, 3), np.uint8), max_pixels=50_000), "?").seen
        there.close()
    (part, _) = foreign.asked[0]["messages"][0]["content"]
    sent = PIL.Image.open(io.BytesIO(base64.b64decode(part["image_url"]["url"].partition(",")[2])))
    assert set(part["image_url"]) == {"url"}
    assert tuple(seen.original) == (400, 300)
    assert tuple(seen.resized) == sent.size
    assert sent.width * sent.height <= 50_000


def test_a_video_goes_whole_and_its_cuts_are_refused_where_a_server_knows_none(tmp_path: Path) -> None:
    frames = [PIL.Image.new("RGB", (64, 48), (40 * i, 0, 0)) for i in range(6)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=500)
    told = Answer('[{"start_time":1,"end_time":2}]', "stop", nothing().usage)
    with serving(Foreign(lambda said, body: told, "vllm", "Qwen3-VL-4B")) as foreign:
        there = omma.connect(foreign.url)
        (span,) = there.locate(Video(tmp_path / "a.gif"), "a change")
        with pytest.raises(omma.errors.UnknownOption, match="fps"):
            there.locate(Video(tmp_path / "a.gif", fps=1.0), "a change")
        there.close()
    assert (span.start, span.end) == (1, 2)
    (part, _) = foreign.asked[0]["messages"][0]["content"]
    sent = base64.b64decode(part["video_url"]["url"].partition(",")[2])
    assert sent == (tmp_path / "a.gif").read_bytes()
