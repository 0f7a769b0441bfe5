"""Six languages to ask in: their words, their sentences and their wordings, from one list for each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from types import MappingProxyType

from omma.synth.grammar import GRAMMARS, Forms
from omma.synth.wordings import Wording, read_wordings
from omma.synth.world import Split

TONGUES = ("en", "zh", "es", "de", "fr", "ja")
_TABLES = ("words", "places", "several", "numbers", "colours", "nouns")


@dataclass(frozen=True)
class Tongue:
    """One language. `tables` hold its rows by their first column; `wordings` are those of its tasks."""

    name: str
    tables: MappingProxyType[str, MappingProxyType[str, tuple[str, ...]]]
    wordings: MappingProxyType[str, Wording]

    def word(self, key: str) -> str:
        """A word or a pattern of the language, such as "yes" or "there"."""
        return self.tables["words"][key][0]

    def place(self, name: str, *, said: bool = False) -> str:
        """A part of the picture as an answer, or as it is `said` in a sentence."""
        return self.tables["places"][name][1 if said else 0]

    def colour(self, name: str) -> str:
        """A colour as an answer."""
        return self.tables["colours"][name][0].split()[0] if self.tables["colours"] else name

    def thing(self, kind: str, colour: str | None = None) -> Forms:
        """All forms of a drawn thing of scenes, with its colour where that is named; "thing" for any."""
        noun = self.tables["nouns"].get(kind, (kind,))
        tint = self.tables["colours"].get(colour, (colour,)) if colour else ()
        return _capitals(GRAMMARS[self.name](noun, tint))

    def quoted(self, name: str) -> Forms:
        """All forms of a name whose gender nobody knows: it stands in quotation marks everywhere."""
        marked = self.word("quote").format(name)
        forms = GRAMMARS[self.name](self.tables["nouns"].get("thing", ("thing",)), ())
        joined = dict.fromkeys(("of", "demany", "de"), f"de {marked}")  # no article, so nothing melts
        kept = {key: forms.get(key, "") for key in ("how", "is", "isnot", "asks")}
        bare = {"bare": marked if self.name in ("zh", "ja") else name}
        told = dict.fromkeys(forms, marked) | joined | bare | kept
        return _capitals({key: told[key] for key in forms})

    def counted(self, number: int, kind: str, colour: str | None = None) -> str:
        """How many there are, as a whole sentence: no number above 12."""
        forms = self.thing(kind, colour)
        which = "none" if number == 0 else "one" if number == 1 else "more"
        pattern = self.tables["several"][which][0]
        return first_large(pattern.format(x=forms, n=self._number(number, kind)))

    def _number(self, number: int, kind: str) -> str:
        """The number as a word, with what is counted by where the language has such words."""
        words = " ".join(self.tables["numbers"]).split()
        one = {"zh": "一", "ja": "一"}.get(self.name, "")
        said = words[number - 2] if number > 1 else one
        if self.name not in ("zh", "ja"):
            return said
        counter = self.tables["nouns"].get(kind, self.tables["nouns"]["thing"])[1]
        return said + ("個" if counter == "つ" and number > 9 else counter)

    def phrase(self, task: str, split: Split, dice: Random) -> str:
        """A wording of this task and split."""
        wording = self.wordings[task]
        return dice.choice((wording.train if split == "train" else wording.test) + wording.shared)


def first_large(text: str) -> str:
    """With a capital at its beginning, where the script has capitals."""
    return text[:1].upper() + text[1:]


def _capitals(forms: Forms) -> Forms:
    """Each form also with a capital, under its key with a capital: "the" and "The"."""
    return forms | {first_large(key): first_large(text) for key, text in forms.items()}


@cache
def tongue(name: str) -> Tongue:
    """The language of this name, one of TONGUES."""
    text = (files("omma.synth") / f"tongue_{name}.txt").read_text("utf-8")
    parts = ("\n" + text).split("\n[")[1:]
    tables: dict[str, dict[str, tuple[str, ...]]] = {title: {} for title in _TABLES}
    asked = []
    for part in parts:
        title, _, body = part.partition("]\n")
        if title not in _TABLES:
            asked.append(f"[{part}")
            continue
        for row in filter(None, body.splitlines()):
            key, *rest = (cell.strip() for cell in row.split(" | "))
            tables[title][key] = tuple(rest)
    return Tongue(
        name,
        MappingProxyType({title: MappingProxyType(rows) for title, rows in tables.items()}),
        MappingProxyType(read_wordings("\n".join(asked))),
    )
