"""A data file looked through: what it says and shows, how large it is for a model, what cannot be used."""

from __future__ import annotations

import os.path
from collections import Counter
from collections.abc import Callable
from typing import Any

from omma.corpus.aside import Aside, aside
from omma.corpus.dialogue import Measure, check_length, measure, media_of
from omma.corpus.duplicates import Pair, Sightings, media_digest, record_digest
from omma.corpus.media import ELSEWHERE
from omma.corpus.reading import Corpus
from omma.corpus.record import Raw, Record
from omma.corpus.spread import Spread
from omma.errors import BadInput
from omma.prep.processor import Processor
from omma.sample import Size

EXAMPLES = 3
COMMON = 5  # picture sizes that are named

# How much was looked through, of how much; in bytes or rows.
Progress = Callable[[int, int], None]


class Survey:
    """What is known of a corpus so far. `take` looks at one record more."""

    def __init__(self, corpus: Corpus, processor: Processor) -> None:
        self.corpus, self.processor = corpus, processor
        self.records = self.usable = self.answers = self.videos = self.boxed = 0
        self.whole = self.seen = 0  # tokens of usable records, and those of their pictures and videos
        self.roles: Counter[str] = Counter()
        self.unread: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.examples: dict[str, list[Aside]] = {}
        self.sizes: Counter[Size] = Counter()
        self.shown: Counter[int] = Counter()  # pictures and videos in a record
        self.shrunk = self.grown = 0
        self.turns, self.tokens, self.learned = Spread(), Spread(), Spread()
        self.visual, self.pixels = Spread(), Spread()
        self.sayings, self.media = Sightings(), Sightings()

    def take(self, raw: Raw) -> Aside | None:
        """Look at a record; what is wrong with it, if anything."""
        self.records += 1
        try:
            record = self.corpus.record(raw)
            measured = measure(record, self.processor, any_length=True)
            self._count(record, measured)
            check_length(measured, self.processor)
            self._count_usable(record, measured)
        except BadInput as problem:
            found = aside(raw.place, problem)
            self.kinds[found.kind] += 1
            examples = self.examples.setdefault(found.kind, [])
            if len(examples) < EXAMPLES:
                examples.append(found)
            return found
        return None

    def _count(self, record: Record, measured: Measure) -> None:
        number = self.records - 1
        self.roles.update(said.role for said in record.messages)
        self.unread.update(record.unread)
        self.boxed += bool(record.boxes)
        self.turns.take(len(record.messages))
        self.tokens.take(measured.tokens)
        self.visual.take(measured.visual)
        self.videos += measured.videos
        self.shown[len(measured.pictures) + measured.videos] += 1
        for original, resized in zip(measured.pictures, measured.resized, strict=True):
            area = original.width * original.height
            self.pixels.take(area)
            self._size(original)
            self.shrunk += resized.width * resized.height < area * 0.9
            self.grown += resized.width * resized.height > area * 1.1
        self.sayings.see(record_digest(record), number)
        for part in media_of(record.messages):
            content = media_digest(part.source)
            name = _name(part.source)
            self.media.see(content, number, content if name is None else name)

    def _count_usable(self, record: Record, measured: Measure) -> None:
        """Count what only records have that are learned from; those too long are measured and set aside."""
        self.usable += 1
        self.answers += record.answers
        self.whole += measured.tokens
        self.seen += measured.visual
        self.learned.take(measured.learned)

    def _size(self, size: Size) -> None:
        """Count a size; of very many the rare ones are let go, so that memory has an end."""
        self.sizes[size] += 1
        if len(self.sizes) > 20_000:
            self.sizes = Counter(dict(self.sizes.most_common(10_000)))

    @property
    def repeats(self) -> int:
        """Records that say and show what an earlier one did."""
        return self.sayings.seen - self.sayings.different

    def places(self, pairs: list[Pair]) -> list[tuple[str, str]]:
        """Where the records of pairs stand."""
        return [
            (str(self.corpus.at(first).place), str(self.corpus.at(again).place)) for first, again in pairs
        ]

    def form(self) -> dict[str, Any]:
        """Everything, as JSON has it."""
        return {
            "data": self.corpus.name,
            "form": self.corpus.form,
            "what": self.corpus.what,
            "files": len(self.corpus.files),
            "records": self.records,
            "usable": self.usable,
            "set_aside": {
                kind: {"count": count, "examples": [found.form() for found in self.examples[kind]]}
                for kind, count in self.kinds.most_common()
            },
            "roles": dict(self.roles),
            "answers": self.answers,
            "with_boxes": self.boxed,
            "turns": self.turns.form(),
            "tokens": {**self.tokens.form(), "usable": self.whole},
            "learned_tokens": self.learned.form(),
            "visual_tokens": {**self.visual.form(), "usable": self.seen},
            "context": self.processor.spec.decoder.context,
            "pictures": {
                "count": len(self.pixels),
                "made_smaller": self.shrunk,
                "made_larger": self.grown,
                "pixels": self.pixels.form(),
                "sizes": [[*size, count] for size, count in self.sizes.most_common(COMMON)],
            },
            "videos": self.videos,
            "media_in_a_record": {str(number): count for number, count in sorted(self.shown.items())},
            "media": {
                "shown": self.media.seen,
                "different": self.media.different,
                "copies": self.media.copies,
            },
            "repeated_records": self.repeats,
            "repeats": self.places(self.sayings.pairs(EXAMPLES)),
            "fields_nobody_reads": dict(self.unread.most_common()),
        }


def _name(source: Any) -> bytes | None:
    """What tells a named file from others, however its path is spelled; None for bytes and frames."""
    if not isinstance(source, str):
        return None
    name = source if ELSEWHERE.match(source) else os.path.realpath(source)
    return name.encode("utf-8", "replace")


def survey(
    corpus: Corpus,
    processor: Processor,
    tell: Callable[[Aside], object] | None = None,
    progress: Progress | None = None,
) -> Survey:
    """Look through all records; `tell` hears of each that is set aside, as it is found."""
    told = Survey(corpus, processor)
    whole = sum(file.extent for file in corpus.files)
    before = {str(file.path): sum(f.extent for f in corpus.files[:i]) for i, file in enumerate(corpus.files)}
    for raw in corpus.scan():
        if (found := told.take(raw)) is not None and tell is not None:
            tell(found)
        if progress is not None:
            progress(min(before[raw.place.file] + raw.offset, whole), whole)
    if progress is not None:
        progress(whole, whole)
    return told
