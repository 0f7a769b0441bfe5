"""Pairs out of data files of every form, and the lines they are written as."""

from __future__ import annotations

import base64
import json
import os.path
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from omma.chat import Image, MediaSource, Message, Text, Video
from omma.corpus.clean import Label, Pair
from omma.corpus.forms import open_container, reader, recognise
from omma.corpus.media import ELSEWHERE, Media, listed
from omma.corpus.native import KNOWN
from omma.corpus.reading import files_of
from omma.corpus.record import Loose, Raw
from omma.corpus.tagged import CAPTIONS, PROMPT
from omma.corpus.wording import weight_of
from omma.errors import BadData, BadInput

PICTURES = ("image", "images", "picture", "jpg", "jpeg", "png", "webp")
TEXTS = (*CAPTIONS, "texts", "captions", "TEXT", "alt", "alt_text")
LABELS = ("labels", "noun_chunks", "ref_exps")  # ours, and the two lists of GRIT
SPOKEN = ("messages", "conversations")
PLACE = {"type": "image"}  # where the picture stands in `Pair.asked`
NATIVE = KNOWN - {"id"}  # fields that mean something in a line that is written
LARGEST = sys.float_info.max  # of labels; whole numbers beyond it are no number of a place


@dataclass(frozen=True)
class Unread:
    """A record that is no pair, as far as it could be read, and why it is none."""

    value: Mapping[str, Any]
    why: str


class Found(NamedTuple):
    """What stands at one place of the data."""

    where: str
    pair: Pair | Unread


def read_pairs(path: Path | str) -> Iterator[Found]:
    """The pairs of a file, a folder of files, or a pattern, in their order; what is none comes as Unread.

    Captions beside a picture, several of them if need be, and conversations of one picture and one answer,
    in every form that `omma.corpus` reads. Names of pictures are relative to their file. Raises MissingFile
    and BadData for files that cannot be opened at all.
    """
    files = [open_container(file) for file in files_of(path)]
    for raw in chain.from_iterable(file.scan() for file in files):
        yield Found(str(raw.place), read_pair(raw))


def count_pairs(path: Path | str) -> int:
    """How many records `read_pairs` will give: the files are looked through once."""
    return sum(len(open_container(file)) for file in files_of(path))


def read_pair(raw: Raw) -> Pair | Unread:
    """One record as a pair."""
    value: Mapping[str, Any] = {}
    try:
        loose = raw.read()
        value = _rest(loose.value, ())
        return pair_of(loose, Path(raw.place.file).parent)
    except BadInput as problem:
        return Unread(value, str(problem))
    except RecursionError:
        return Unread({}, "it has lists in lists beyond all measure")


def pair_of(loose: Loose, folder: Path) -> Pair:
    """The pair that a record holds. Raises BadInput saying what is not understood."""
    if any(loose.value.get(key) is not None for key in SPOKEN):
        return _spoken(loose, folder)
    said = next((loose.value[key] for key in TEXTS if loose.value.get(key) is not None), None)
    texts = [said] if isinstance(said, str) else said
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise BadData(f"it says {type(said).__name__}; wanted a caption or a list of them")
    if not any(text.strip() for text in texts):
        raise BadData("it says nothing; wanted a caption of a word or more")
    question = loose.value.get("question")
    if not isinstance(question, (str, type(None))):
        raise BadData(f"the question is {type(question).__name__}; wanted text")
    words = {"type": "text", "text": question or PROMPT}
    asked = ({"role": "user", "content": [PLACE, words]},)
    meta = _rest(loose.value, (*SPOKEN, *PICTURES, *TEXTS, *LABELS, "question"))
    if _weight(meta.get("weight")) == 0:
        raise BadData("its weight is 0: nothing would be learned from it; wanted a weight over 0", "weight")
    return Pair(_picture(loose, folder), tuple(texts), meta, _labels(loose.value), asked)


def pictures_of(loose: Loose, folder: Path, fields: Sequence[str] = PICTURES) -> list[MediaSource]:
    """The pictures beside a text, of all the fields that name some."""
    named = [one for key in fields for one in listed(loose.value.get(key))]
    rest = {key: body for key, body in loose.value.items() if key not in fields}
    return Media(loose._replace(value={**rest, "image": named}), folder).given["image"]


def _picture(loose: Loose, folder: Path) -> MediaSource:
    images = pictures_of(loose, folder)
    if len(images) != 1:
        raise BadData(f"it has {len(images)} pictures; wanted one, under {', '.join(PICTURES[:3])}")
    return images[0]


def _spoken(loose: Loose, folder: Path) -> Pair:
    """A conversation that is a pair: one picture is shown, one thing is said."""
    form = recognise([loose.value]) or "native"
    record = reader(form)(loose, folder)
    *asked, answer = record.messages
    shown = [part for said in asked for part in said.parts if isinstance(part, (Image, Video))]
    roles = [said.role for said in record.messages]
    if record.tools or any(said.calls or said.role == "tool" for said in record.messages):
        raise BadData("it offers or calls tools; wanted a pair: one picture and one answer in words")
    if len(shown) != 1 or isinstance(shown[0], Video) or record.boxes or roles.count("assistant") != 1:
        boxes = " with boxes to write" if record.boxes else ""
        raise BadData(
            f"it has {len(roles)} messages{boxes} and {len(shown)} pictures or videos; "
            "wanted a pair: one picture and one answer in words"
        )
    # What the record means by these is in the pair already.
    read = NATIVE if form == "native" else ("system", "weight")
    meta = _rest(loose.value, (*SPOKEN, *PICTURES, *LABELS, *read))
    if record.weights[-1] != 1.0:
        meta["weight"] = record.weights[-1]
    return Pair(shown[0].source, (answer.text,), meta, _labels(loose.value), tuple(map(_as_asked, asked)))


def _as_asked(said: Message) -> Mapping[str, Any]:
    parts = [
        {"type": "text", "text": part.text} if isinstance(part, Text) else PLACE | _limits(part)
        for part in said.parts
    ]
    return {"role": said.role, "content": parts}


def _limits(part: Any) -> dict[str, Any]:
    named = {name: getattr(part, name, None) for name in ("min_pixels", "max_pixels", "detail")}
    return {name: value for name, value in named.items() if value is not None}


def _rest(value: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """What else the record says, as JSON has it: a number that is none becomes null."""
    text = json.dumps({str(k): v for k, v in value.items() if k not in known}, default=_plain)
    rest: dict[str, Any] = json.loads(text, parse_constant=lambda _: None)
    return rest


def _weight(value: Any) -> float | None:
    """What a field `weight` says of the loss; None where it is a number of something else."""
    try:
        return weight_of(value, "weight")
    except BadData:
        return None


def _plain(value: Any) -> Any:
    """What tables hold and JSON does not."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    return str(value)


def _labels(value: Mapping[str, Any]) -> tuple[Label, ...]:
    found = []
    for key in LABELS:
        entries = value.get(key)
        if not isinstance(entries, (list, type(None))):
            raise BadData(f"{key} is {type(entries).__name__}; wanted a list")
        found += [_label(entry, key) for entry in entries or ()]
    return tuple(found)


def _label(entry: Any, key: str) -> Label:
    """[start, stop, left, top, right, bottom] and a score if there is one."""
    if not isinstance(entry, (list, tuple)) or len(entry) not in (6, 7) or not all(map(_is_number, entry)):
        raise BadData(f"{key} holds {str(entry)[:60]}; wanted [start, stop, left, top, right, bottom, score]")
    start, stop, left, top, right, bottom, *score = entry
    if start != int(start) or stop != int(stop):
        raise BadData(f"{key} holds letters {start} to {stop}; wanted whole numbers")
    return Label(int(start), int(stop), (left, top, right, bottom), *score)


def _is_number(value: Any) -> bool:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return plain and abs(value) <= LARGEST


def lines_of(pair: Pair, address: str) -> list[dict[str, Any]]:
    """The pair as lines of the native form, one for each text; the picture is named by `address`.

    Labels stand beside the first text, as [start, stop, left, top, right, bottom, score] each. A text of no
    word has no line. What else the file said stands in fields of the same names, but where a name means
    something in the native form: "objects" become "source_objects". A weight stays where it is one.
    """
    meta = _beside(pair.meta)
    asked = [_filled(said, address) for said in pair.asked or ({"role": "user", "content": [PLACE]},)]
    lines = []
    for number, text in enumerate(pair.texts):
        if text.strip():
            line = {"messages": [*asked, {"role": "assistant", "content": text}], **meta}
            lines.append(line | ({"labels": label_forms(pair)} if pair.labels and not number else {}))
    return lines


def _beside(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a file beside messages of ours: none takes the place of a native one."""
    told = {key: value for key, value in meta.items() if key not in NATIVE}
    for key in (key for key in meta if key in NATIVE and meta[key] is not None):
        name = key if key == "weight" and _weight(meta[key]) else f"source_{key}"
        while name in told:
            name = f"source_{name}"
        told[name] = meta[key]
    return told


def _filled(said: Mapping[str, Any], address: str) -> dict[str, Any]:
    parts = [
        part
        if part["type"] != "image"
        else {
            "type": "image_url",
            "image_url": {"url": address, **{k: v for k, v in part.items() if k != "type"}},
        }
        for part in said["content"]
    ]
    return {**said, "content": parts}


def label_forms(pair: Pair) -> list[list[float]]:
    """The labels of a pair as JSON has them."""
    return [
        [label.start, label.stop, *label.box, *([] if label.score is None else [label.score])]
        for label in pair.labels
    ]


def picture_address(source: Any, folder: Path) -> str | None:
    """How a line in `folder` names the picture: relative to it where that can be; None for bytes."""
    if isinstance(source, str) and ELSEWHERE.match(source):
        return source
    if isinstance(source, (str, Path)):
        return _relative(Path(source), folder)
    return None


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
