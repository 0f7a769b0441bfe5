"""The rule that keeps evaluation sets out of what is learned: what is near their pictures or texts goes."""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from omma.chat import Image, MediaSource
from omma.corpus.clean import KEEP, Drop, Pair, Rule, Sight, Verdict
from omma.corpus.clean_pairs import PICTURES, SPOKEN, pictures_of
from omma.corpus.clean_texts import words
from omma.corpus.forms import open_container, reader, recognise
from omma.corpus.near import PictureHash, looks_alike, picture_hash
from omma.corpus.near_groups import HammingIndex
from omma.corpus.near_texts import Shingles, TextIndex, in_common, shingles, sketch
from omma.corpus.reading import ENDINGS as LISTS
from omma.corpus.reading import is_data, is_packed
from omma.corpus.record import Loose
from omma.corpus.shards import PICTURES as ENDINGS
from omma.errors import BadData, MissingFile
from omma.prep.pictures import open_picture

SUITE = {"picture", "question", "truth"}  # what tells a line of omma's own suites
NAMED = 3  # files that are passed over and named


class HeldPicture(NamedTuple):
    """A picture of an evaluation set: the set, where it stands there, how it looks."""

    suite: str
    place: str
    looks: PictureHash


class HeldText(NamedTuple):
    """A text of an evaluation set: the set, where it stands there, its words."""

    suite: str
    place: str
    text: str


@dataclass(frozen=True, repr=False)
class HeldOut(Rule):
    """Drops a pair whose picture or text is near one of an evaluation set, and names the set.

    Pictures are near when `looks_alike` says so, their hashes at most `radius` of 64 bits apart; texts when
    they share `likeness` of their words and pairs of words. Texts of fewer than `least_words` words are said
    by everyone, and tell nothing.
    """

    pictures: tuple[HeldPicture, ...]
    texts: tuple[HeldText, ...] = ()
    radius: int = 6
    likeness: float = 0.8
    least_words: int = 8
    name: ClassVar[str] = "evaluation set"

    def __repr__(self) -> str:
        held = hashlib.blake2b(repr((self.pictures, self.texts)).encode("utf-8", "backslashreplace"))
        numbers = f"{self.radius}, {self.likeness}, {self.least_words}"
        return f"HeldOut({held.hexdigest()[:32]}, {numbers})"

    def judge(self, pair: Pair, sight: Sight) -> Verdict:
        for text in pair.texts:
            if (told := self._text_near(text)) is not None:
                return Drop(f"its text is near {told.suite}: {told.place}")
        if (
            sight.picture is not None
            and (seen := self._picture_near(picture_hash(sight.picture))) is not None
        ):
            return Drop(f"its picture is near {seen.suite}: {seen.place}")
        return KEEP

    def _picture_near(self, looks: PictureHash) -> HeldPicture | None:
        same, index = self._looks
        if (number := same.get(looks.pixels)) is not None:
            return self.pictures[number]
        for number in index.near(looks.waves) if looks.waves is not None else ():
            if looks_alike(looks, self.pictures[number].looks, self.radius):
                return self.pictures[number]
        return None

    def _text_near(self, text: str) -> HeldText | None:
        if words(text) < self.least_words:
            return None
        said, (index, known) = shingles(text), self._words
        for number in index.near(sketch(said)):
            if in_common(said, known[number]) >= self.likeness:
                return self.texts[number]
        return None

    @cached_property
    def _looks(self) -> tuple[dict[str, int], HammingIndex]:
        index = HammingIndex(self.radius)
        for number, held in enumerate(self.pictures):
            if held.looks.waves is not None:
                index.add(number, held.looks.waves)
        return {held.looks.pixels: number for number, held in enumerate(self.pictures)}, index

    @cached_property
    def _words(self) -> tuple[TextIndex, list[Shingles]]:
        index, known = TextIndex(), []
        for number, held in enumerate(self.texts):
            known.append(shingles(held.text))
            if words(held.text) >= self.least_words:
                index.add(number, sketch(known[-1]))
        return index, known


def held_out(paths: Iterable[Path], tell: Callable[[str], object] | None = None) -> HeldOut:
    """The rule against these evaluation sets: data files, or folders of them and of pictures.

    A folder is read with the folders in it: every data file, and every picture that none of them shows. A set
    is called as its file (or its folder of pictures). Raises BadInput for one that cannot be read to the end:
    what has not been seen cannot be kept out. `tell` hears of files in a folder that are neither.
    """
    pictures: list[HeldPicture] = []
    texts: list[HeldText] = []
    for path in paths:
        for held in _held(path, tell):
            if isinstance(held, HeldPicture):
                pictures.append(held)
            else:
                texts.append(held)
    return HeldOut(tuple(pictures), tuple(dict.fromkeys(texts)))


def _held(path: Path, tell: Callable[[str], object] | None) -> Iterator[HeldPicture | HeldText]:
    if not path.exists():
        raise MissingFile(
            f"{path} is not there; wanted an evaluation set: a data file, or a folder of pictures"
        )
    inside = list(_files(path)) if path.is_dir() else []
    lists = [file for file in inside if is_data(file)] if path.is_dir() else [path]
    bare = [file for file in inside if file.suffix[1:].lower() in ENDINGS]
    _check_rest(path, sorted({*inside} - {*lists, *bare}), tell)
    if not lists and not bare:
        raise MissingFile(f"{path} holds no evaluation set; wanted {', '.join(LISTS)} files, or pictures")
    shown: set[str] = set()
    for file in lists:
        for raw in open_container(file).scan():
            yield from _of(raw.read(), file, f"{raw.place.unit} {raw.place.number}", shown)
    for file in bare:
        if os.path.realpath(file) not in shown:
            place = file.relative_to(path).as_posix()
            yield HeldPicture(path.name, place, picture_hash(open_picture(file)))


def _files(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """The files of a folder and of those in it, in order. Links are followed, but not round in a circle."""
    real = folder.resolve()
    if real in above:
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError as problem:
        raise MissingFile(f"{folder} cannot be read: {(problem.strerror or str(problem)).lower()}") from None
    for entry in entries:
        if entry.is_dir():
            yield from _files(entry, (*above, real))
        else:
            yield entry


def _check_rest(folder: Path, rest: Sequence[Path], tell: Callable[[str], object] | None) -> None:
    """Tell of files that hold no evaluation set. Raises BadData for one that does and cannot be read."""
    if packed := next((file for file in rest if is_packed(file)), None):
        raise BadData(f"{packed} is packed; unpack it first, or name the other sets one by one")
    if rest and tell is not None:
        named = ", ".join(file.relative_to(folder).as_posix() for file in rest[:NAMED])
        more = ", …" if len(rest) > NAMED else ""
        tell(
            f"{folder}: {len(rest):,} files are no data and no pictures, and are not looked at: {named}{more}"
        )


def _set_name(file: Path) -> str:
    """What the set in a file is called: its name without what tells the kind of file."""
    found = next((end for end in LISTS if file.name.lower().endswith(end)), file.suffix)
    return file.name[: len(file.name) - len(found)]


def _of(loose: Loose, file: Path, place: str, seen: set[str]) -> Iterator[HeldPicture | HeldText]:
    """What one record of a set shows and says. The files it shows are added to `seen`."""
    name = _set_name(file)
    shown: list[MediaSource]
    if any(loose.value.get(key) is not None for key in SPOKEN):
        said = reader(recognise([loose.value]) or "native")(loose, file.parent).messages
        shown = [part.source for one in said for part in one.parts if isinstance(part, Image)]
        texts = [one.text for one in said if one.role != "system"]
    else:
        named = (*PICTURES, "more") if loose.value.keys() >= SUITE else PICTURES
        shown = pictures_of(loose, file.parent, named)
        texts = list(_texts({key: body for key, body in loose.value.items() if key not in named}))
    for source in shown:
        if isinstance(source, str):
            seen.add(os.path.realpath(source))
        yield HeldPicture(name, place, picture_hash(open_picture(source)))
    for text in texts:
        yield HeldText(name, place, text)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value; a list of texts is also one text, as printed lines are."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        if len(value) > 1 and all(isinstance(inner, str) for inner in value):
            yield " ".join(value)
        for inner in value:
            yield from _texts(inner)
