"""What people say is read whole: a field that nobody reads is refused, and so is one that says two things."""

from __future__ import annotations

from typing import Any

import pytest

from omma.chat import LOW_DETAIL, Answer, Image, Message, Text, Usage, Video, messages
from omma.errors import BadMessage


def said(**part: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [part]}]


def test_the_form_of_openai_is_read() -> None:
    url = {"url": "a.png", "max_pixels": 50_000}
    content = [{"type": "image_url", "image_url": url}, {"type": "text", "text": "What?"}]
    assert messages([{"role": "user", "content": content}]) == (
        Message("user", (Image("a.png", max_pixels=50_000), Text("What?"))),
    )
    assert messages(said(type="video", video="a.mp4", fps=2))[0].parts == (Video("a.mp4", fps=2),)


@pytest.mark.parametrize(
    ("detail", "most"), [("low", LOW_DETAIL), ("high", None), ("auto", None), (None, None)]
)
def test_low_detail_is_a_small_picture(detail: str | None, most: int | None) -> None:
    (read,) = messages(said(type="image_url", image_url={"url": "a.png", "detail": detail}))
    assert read.parts == (Image("a.png", max_pixels=most),)


@pytest.mark.parametrize(
    ("spoken", "named"),
    [
        (said(type="image_url", image_url={"url": "a.png", "detail": "best"}), "detail is 'best'"),
        (said(type="image_url", image_url={"url": "a.png", "detail": "low", "max_pixels": 9}), "two things"),
        (said(type="image_url", image_url={"url": "a.png", "detail": "low"}, detail="high"), "detail twice"),
        (said(type="image_url", image_url={"url": "a.png", "width": 9}), "width"),
        (said(type="video_url", video_url={"url": "a.mp4", "detail": "low"}), "detail"),
        (said(type="text", text="Hello", lang="en"), "lang"),
        ([{"role": "user", "content": "Hello", "name": "anna"}], "name"),
        ([{"role": "user", "content": "Hello", "cache": True}], "cache"),
    ],
)
def test_what_nobody_reads_is_refused_and_named(spoken: list[dict[str, Any]], named: str) -> None:
    with pytest.raises(BadMessage, match=r"messages\[0\].*" + named):
        messages(spoken)


def test_what_was_thought_is_told_from_what_was_said() -> None:
    usage = Usage(1, 1)
    thinking = Answer("a red one?\n</think>\n\nRed.", "stop", usage)
    assert (thinking.thoughts, thinking.said) == ("a red one?", "Red.")
    plain = Answer("Red.\n", "stop", usage)
    assert (plain.thoughts, plain.said) == ("", "Red.\n")
