"""Locate what happens in a video: words in, spans of seconds out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from omma.chat import MediaSource, Options, Responder, Video
from omma.prep.spans import Span, parse_spans
from omma.skills.asking import PLAIN, ask, seen, worded

PROMPT = "Locate this in time: {what}. Answer with spans in JSON."
_QWEN = (
    "When does this happen in the video: {what}? "
    "Give start_time, end_time and description of every time it does, in JSON format, times as {form}."
)
PROMPTS = {
    "grid": PROMPT,
    "marks": _QWEN.replace("{form}", "seconds"),
    "pixels": _QWEN.replace("{form}", "mm:ss.ff"),
    "relative": _QWEN.replace("{form}", "seconds"),
}


class Located(list[Span]):
    """Spans. `complete` is False when the answer was cut at max_tokens: there may be more of them."""

    def __init__(self, spans: Iterable[Span], *, complete: bool = True) -> None:
        super().__init__(spans)
        self.complete = complete


def locate(responder: Responder, video: MediaSource | Video, what: str, options: Options = PLAIN) -> Located:
    """When `what` happens, in seconds of the original video, in the model's order; never is [].

    A span that the model left without a label gets `what`.
    """
    shown = video if isinstance(video, Video) else Video(video)
    answer = ask(responder, shown, worded(responder, PROMPTS, what=what), options)
    spans = parse_spans(answer.text, seen(answer))
    named = (span if span.label else replace(span, label=what) for span in spans)
    return Located(named, complete=answer.finish_reason != "length")
