"""Times in a model's text: spans and sightings, read to seconds of the original video, and written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from omma.chat import Seen
from omma.prep.boxes import Box
from omma.prep.dialects import Dialect, compact, dialect_of, frame_of
from omma.prep.forms import KEYS, finite, groups_of, label_of, score_of
from omma.prep.loose import Entry, entries, text_start

STARTS = ("start_time", "start", "begin", "timestamp_start", "from")
ENDS = ("end_time", "end", "stop", "timestamp_end", "to")
TIMES = ("time", "timestamp", "time_span", "span", "segment", "interval", "spans", "segments", "timestamps")
_CLOCK = re.compile(
    r"(?:<\s*+)?(\d++(?:[:：]\d++){0,3}(?:\.\d++)?)(?:\s*+(?:(?:seconds?|secs?|s)(?![a-z])|秒))?+(?:\s*+>)?",
    re.IGNORECASE,
)
_UNTIL = r"\s*+(?:-|–|—|~|,|and|to|until|bis|à|至|到|から)\s*+"
_PAIR = re.compile(rf"(?<![\d.:]){_CLOCK.pattern}{_UNTIL}{_CLOCK.pattern}", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """A stretch of a video in seconds from its beginning, ``start <= end``; a moment has no length."""

    start: float
    end: float
    label: str = ""
    score: float | None = None

    @property
    def length(self) -> float:
        """In seconds."""
        return self.end - self.start

    def contains(self, second: float) -> bool:
        """Whether that second lies in it or at one of its ends."""
        return self.start <= second <= self.end

    def iou(self, other: Span) -> float:
        """Intersection over union, 0 to 1; a moment and the same moment share all."""
        both = min(self.end, other.end) - max(self.start, other.start)
        whole = max(self.end, other.end) - min(self.start, other.start)
        return max(0.0, both) / whole if whole > 0 else 1.0


@dataclass(frozen=True)
class Sighting:
    """A thing at a second of a video: its box in pixels of the original frames."""

    time: float
    box: Box

    def __post_init__(self) -> None:
        """The box may come as an object, as JSON has it."""
        if isinstance(self.box, dict):
            object.__setattr__(self, "box", Box(**self.box))


# Writing


def write_spans(spans: Sequence[Span], seen: Seen) -> str:
    """Spans in the dialect of the model that was shown the video, in that model's time.

    ``[{"start_time":"00:01.50","end_time":"00:03.00","description":"…"}]`` in minutes and seconds, or 1.5 and
    3.0 in seconds; omma's own has "start", "end" and "label". Hundredths of a second are kept.
    """
    dialect = dialect_of(seen.boxes)
    start, end, label = dialect.span
    rows: list[dict[str, Any]] = []
    for span in spans:
        times = {start: _told(span.start, seen, dialect), end: _told(span.end, seen, dialect)}
        rows.append(times | ({label: span.label} if span.label else {}))
    return compact(rows)


def write_sightings(sightings: Sequence[Sighting], seen: Seen, *, key: str = "label") -> str:
    """Sightings, one a moment: ``[{"time":1.5,"bbox_2d":[12,34,567,890],"label":"…"}]``."""
    dialect, frame = dialect_of(seen.boxes), frame_of(seen)
    rows = []
    for one in sightings:
        corners = [*frame.write(one.box.x1, one.box.y1), *frame.write(one.box.x2, one.box.y2)]
        row: dict[str, Any] = {"time": _told(one.time, seen, dialect), "bbox_2d": corners}
        rows.append(row | ({key: one.box.label} if one.box.label else {}))
    return compact(rows)


def clock(seconds: float) -> str:
    """Minutes, seconds and hundredths: "01:02.50"."""
    minutes, rest = divmod(round(seconds * 100), 6000)
    return f"{minutes:02d}:{rest // 100:02d}.{rest % 100:02d}"


def _told(second: float, seen: Seen, dialect: Dialect) -> str | float:
    own = max(0.0, second - _begins(seen))
    return clock(own) if dialect.clock else round(own, 2)


# Reading


def parse_spans(text: str, seen: Seen) -> list[Span]:
    """The spans and moments in an answer, in their order, in seconds of the video. Never raises for any text.

    A span is cut to what was shown: from the first frame to as long after the last as frames stand apart. One
    wholly outside is left out, and so is one that ends before it starts.
    """
    step = _step(seen)
    found = (
        replace(s, start=s.start + _begins(seen), end=s.end + _begins(seen)) for s in spans_in(text, step)
    )
    first, last = _shown(seen)
    inside = (span for span in found if span.end >= first and span.start <= last)
    return [replace(span, start=max(span.start, first), end=min(span.end, last)) for span in inside]


def parse_sightings(text: str, seen: Seen) -> list[Sighting]:
    """Boxes with their moments, in their order: pixels and seconds. Never raises for any text.

    Boxes are cut to the picture as `parse_boxes` does; what lies outside it or the video is left out.
    """
    frame, (first, last), step = frame_of(seen), _shown(seen), _step(seen)
    sightings = []
    for entry in entries(text):
        second = next((time for key in TIMES if (time := seconds_of(entry.get(key), step)) is not None), None)
        if second is None or not first <= (second := second + _begins(seen)) <= last:
            continue
        for numbers in groups_of(entry, 4):
            (x1, y1), (x2, y2) = frame.read(*numbers[:2]), frame.read(*numbers[2:])
            (x1, x2), (y1, y2) = sorted((x1, x2)), sorted((y1, y2))
            if frame.holds(x1, y1, x2, y2):
                corners = (*frame.inside(x1, y1), *frame.inside(x2, y2))
                sightings.append(Sighting(second, Box(*corners, label_of(entry), score_of(entry))))
    return sightings


def spans_in(text: str, step: float = 0.0) -> list[Span]:
    """The spans of a text in the model's own time: of its objects, or else of pairs such as "1.5 to 3 s"."""
    text = text[text_start(text) :]
    named = [span for entry in entries(text) for span in _spans(entry, step)]
    if named:
        return named
    pairs = ((seconds_of(a, step), seconds_of(b, step)) for a, b in _PAIR.findall(text))
    return [Span(a, b) for a, b in pairs if a is not None and b is not None and a <= b]


def seconds_of(told: Any, step: float = 0.0) -> float | None:
    """A number of seconds, or a time as people write it; None for anything else.

    "12.5", "12.5 s", "<12.5 seconds>", "1:02.5" (minutes), "1:02:03" (hours), and "0:01:02:15", whose last
    number counts frames that stand `step` seconds apart; where that makes a second or more it counts nothing.
    """
    if not isinstance(told, str):
        second = finite(told)
        return second if second is not None and second >= 0 else None
    if (match := _CLOCK.fullmatch(told.strip())) is None:
        return None
    *fields, last = (float(field) for field in re.split("[:：]", match[1]))
    if len(fields) == 3:
        frames, last = last, fields.pop()
        last += frames * step if frames * step < 1 else 0.0
    for field, unit in zip(reversed(fields), (60, 3600), strict=False):
        last = round(last + field * unit, 6)  # without the dust of adding
    return finite(last)


def _spans(entry: Entry, step: float) -> Iterator[Span]:
    if entry.cut or any(key in entry for key in KEYS[4]):
        return
    start, end = (
        next((time for key in keys if (time := seconds_of(entry.get(key), step)) is not None), None)
        for keys in (STARTS, ENDS)
    )
    pairs: list[tuple[float | None, float | None]] = [(start, end)]
    if start is None or end is None:
        raw = next((entry[key] for key in TIMES if key in entry), None)
        pairs = _pairs(raw, step)
    for first, last in pairs:
        if first is not None and last is not None and first <= last:
            yield Span(first, last, label_of(entry), score_of(entry))


def _pairs(raw: Any, step: float) -> list[tuple[float | None, float | None]]:
    """A moment, a start and an end, a list of such pairs, or a pair in words."""
    if isinstance(raw, list):
        if raw and all(isinstance(pair, list) and len(pair) == 2 for pair in raw):
            return [(seconds_of(a, step), seconds_of(b, step)) for a, b in raw]
        return [(seconds_of(raw[0], step), seconds_of(raw[1], step))] if len(raw) == 2 else []
    if isinstance(raw, str) and (match := _PAIR.fullmatch(raw.strip())) is not None:
        return [(seconds_of(match[1], step), seconds_of(match[2], step))]
    return [(seconds_of(raw, step),) * 2]


def _begins(seen: Seen) -> float:
    """The second of the video at which the model's own time begins."""
    return seen.times[0] if seen.times and dialect_of(seen.boxes).shifted else 0.0


def _step(seen: Seen) -> float:
    """Seconds from the last frame but one to the last."""
    return seen.times[-1] - seen.times[-2] if len(seen.times) > 1 else 0.0


def _shown(seen: Seen) -> tuple[float, float]:
    """The seconds that were shown; of what has no frames, all there are."""
    return (seen.times[0], seen.times[-1] + _step(seen)) if seen.times else (0.0, float("inf"))
