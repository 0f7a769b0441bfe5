"""The work as one callable over batches of columns: a pool of processes maps it, and so does Ray Data."""

from __future__ import annotations

import json
import os.path
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from omma.chat import source_name
from omma.corpus.clean import LIMITS, TOGETHER, Judged, Label, Pair, Rule, Step, clean
from omma.corpus.clean_pairs import Found, Unread, label_forms
from omma.corpus.media import ELSEWHERE
from omma.corpus.near import picture_hash
from omma.errors import BadInput
from omma.prep.pictures import PictureLimits

Batch: TypeAlias = dict[str, list[Any]]
Rules: TypeAlias = tuple[Rule, ...] | Callable[[], Sequence[Rule]]


class Row(NamedTuple):
    """A pair on its way to a worker, in columns that any table can hold.

    `line` is the pair, or what could be read of it, as JSON; `picture` are the bytes of a picture that has
    no file of its own, else empty.
    """

    number: int
    where: str
    line: str
    picture: bytes


def row_of(number: int, found: Found) -> Row:
    """Pack what was found, its picture under a path that holds in every folder.

    Raises BadInput for a picture that is neither named nor bytes.
    """
    pair = found.pair
    if isinstance(pair, Unread):
        return Row(number, found.where, json.dumps({"value": pair.value, "why": pair.why}), b"")
    source = pair.picture
    if isinstance(source, (bytes, bytearray, memoryview)):
        return Row(number, found.where, json.dumps(pair_form(pair)), bytes(source))
    if not isinstance(source, (str, Path)):
        raise BadInput(f"{found.where}: the picture is {source_name(source)}; wanted its path or its bytes")
    elsewhere = isinstance(source, str) and ELSEWHERE.match(source)
    named = source if elsewhere else os.path.abspath(source)
    return Row(number, found.where, json.dumps(pair_form(pair) | {"picture": named}), b"")


def pair_form(pair: Pair) -> dict[str, Any]:
    """A pair as JSON has it; a picture of bytes is null."""
    named = str(pair.picture) if isinstance(pair.picture, (str, Path)) else None
    return {
        "picture": named,
        "texts": list(pair.texts),
        "labels": label_forms(pair),
        "asked": list(pair.asked),
        "meta": dict(pair.meta),
    }


def pair_of_form(form: Mapping[str, Any], picture: bytes = b"") -> Pair:
    """A pair from what `pair_form` made of it."""
    labels = tuple(
        Label(start, stop, (left, top, right, bottom), *score)
        for start, stop, left, top, right, bottom, *score in form["labels"]
    )
    source = picture if form["picture"] is None else form["picture"]
    return Pair(source, tuple(form["texts"]), form["meta"], labels, tuple(form["asked"]))


@dataclass(frozen=True)
class CleanBatch:
    """Rules over batches: {"number", "where", "line", "picture"} in, {"number", "outcome"} out, lists each.

    `rules` are the rules, or a function that makes them: it is called once where the work is done, which is
    how a rule that holds a model gets to other processes and machines. With `hashed`, an outcome carries the
    looks of the picture, for the search for copies. `together` pairs are judged side by side, their pictures
    in memory.
    """

    rules: Rules
    hashed: bool = True
    limits: PictureLimits = LIMITS
    together: int = TOGETHER

    @cached_property
    def line_up(self) -> tuple[Rule, ...]:
        """The rules in their order. Raises BadInput when two have one name."""
        rules = tuple(self.rules() if callable(self.rules) else self.rules)
        names = [rule.name for rule in rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise BadInput(f"two rules are called {', '.join(twice)}; one of them is enough")
        return rules

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> Batch:
        outcomes: list[str] = []
        rows = iter(zip(batch["line"], batch["picture"], strict=True))
        while some := list(islice(rows, self.together)):
            outcomes += map(json.dumps, self._outcomes(some))
        return {"number": list(batch["number"]), "outcome": outcomes}

    def _outcomes(self, rows: Sequence[tuple[str, bytes]]) -> list[dict[str, Any]]:
        forms = [json.loads(line) for line, _ in rows]
        pairs = {
            place: pair_of_form(form, bytes(picture))
            for place, (form, (_, picture)) in enumerate(zip(forms, rows, strict=True))
            if "texts" in form
        }
        judged = dict(zip(pairs, clean(list(pairs.values()), self.line_up, self.limits), strict=True))
        return [
            self._outcome(judged[place]) if place in judged else {"unread": form}
            for place, form in enumerate(forms)
        ]

    def _outcome(self, judged: Judged) -> dict[str, Any]:
        outcome: dict[str, Any] = {"steps": [_step_form(step) for step in judged.steps]}
        if judged.pair is not None:
            outcome["kept"] = pair_form(judged.pair)
            if self.hashed and (picture := judged.sight.picture) is not None:
                looks = picture_hash(picture)
                area = picture.width * picture.height
                outcome["looks"] = [
                    _hex(looks.waves),
                    _hex(looks.steps),
                    looks.pixels,
                    looks.greys.hex(),
                    area,
                ]
        return outcome


def _hex(number: int | None) -> str | None:
    return None if number is None else f"{number:016x}"


def _step_form(step: Step) -> dict[str, Any]:
    """A step as JSON: the whole pair before it where it fell, else what changed."""
    before = pair_form(step.before)
    if step.after is None:
        return {"rule": step.rule, "why": step.why, "before": before}
    after = pair_form(step.after)
    changed = [key for key in before if before[key] != after[key]]
    return {
        "rule": step.rule,
        "why": step.why,
        "before": {key: before[key] for key in changed},
        "after": {key: after[key] for key in changed},
    }
