"""How a thing and its colour are inflected in each language: every form that a wording has a slot for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from omma.synth.wordings import article, plural

Forms: TypeAlias = dict[str, str]
_Row: TypeAlias = tuple[str, ...]

_VOWELS = tuple("aeiouhâàéèêëîïôœùû")


def english(noun: _Row, colour: _Row) -> Forms:
    """`noun`: the word. `colour`: the word."""
    what = " ".join((*colour[:1], noun[0]))
    return {"bare": what, "a": article(what), "the": f"the {what}", "many": plural(what)}


def spanish(noun: _Row, colour: _Row) -> Forms:
    """`noun`: gender, one, many. `colour`: one cell of he, she, many he, many she."""
    gender, one, many = noun
    tints = colour[0].split() if colour else ["", "", "", ""]
    she = gender == "f"
    bare, several = f"{one} {tints[she]}".strip(), f"{many} {tints[2 + she]}".strip()
    return {
        "bare": bare,
        "a": f"{'una' if she else 'un'} {bare}",
        "the": f"{'la' if she else 'el'} {bare}",
        "of": f"{'de la' if she else 'del'} {bare}",
        "many": several,
        "how": "cuántas" if she else "cuántos",
    }


def french(noun: _Row, colour: _Row) -> Forms:
    """`noun`: gender, one, many. `colour`: one cell of he, she, many he, many she."""
    gender, one, many = noun
    tints = colour[0].split() if colour else ["", "", "", ""]
    she, soft = gender == "f", one.casefold().startswith(_VOWELS)
    bare, several = f"{one} {tints[she]}".strip(), f"{many} {tints[2 + she]}".strip()
    the = f"l’{bare}" if soft else f"{'la' if she else 'le'} {bare}"
    return {
        "bare": bare,
        "a": f"{'une' if she else 'un'} {bare}",
        "the": the,
        "of": f"de {the}" if soft or she else f"du {bare}",
        "many": several,
        "demany": f"d’{several}" if soft else f"de {several}",
        "de": f"d’{bare}" if soft else f"de {bare}",
    }


_GERMAN = {  # article and ending of the colour: nominative, accusative, dative with "the"; then with "a"
    "m": ("der", "e", "den", "en", "dem", "en", "ein", "er", "einen", "en", "er"),
    "f": ("die", "e", "die", "e", "der", "en", "eine", "e", "eine", "e", "e"),
    "n": ("das", "e", "das", "e", "dem", "en", "ein", "es", "ein", "es", "es"),
}


def german(noun: _Row, colour: _Row) -> Forms:
    """`noun`: gender, one, many. `colour`: the word alone, and what endings are put to."""
    gender, one, many = noun
    the, the_end, acc, acc_end, dat, dat_end, a, a_end, aacc, aacc_end, strong = _GERMAN[gender]

    def tinted(before: str, ending: str, what: str) -> str:
        return " ".join(filter(None, (before, f"{colour[1]}{ending}" if colour else "", what)))

    return {
        "bare": tinted("", strong, one),
        "the": tinted(the, the_end, one),
        "acc": tinted(acc, acc_end, one),
        "dat": tinted(dat, dat_end, one),
        "a": tinted(a, a_end, one),
        "aacc": tinted(aacc, aacc_end, one),
        "many": tinted("", "e", many),
        "weak": tinted("", "en", many),
    }


def chinese(noun: _Row, colour: _Row) -> Forms:
    """`noun`: the word, what it is counted by. `colour`: the word."""
    bare = f"{colour[0]}的{noun[0]}" if colour else noun[0]
    return {"bare": bare, "a": f"一{noun[1]}{bare}", "how": f"几{noun[1]}"}


_ALIVE = ("匹", "羽")  # what lives is counted by these, and is said to be with another verb


def japanese(noun: _Row, colour: _Row) -> Forms:
    """`noun`: the word, what it is counted by. `colour`: the word alone, and before a noun."""
    bare = f"{colour[1]}{noun[0]}" if colour else noun[0]
    verb = "い" if noun[1] in _ALIVE else "あり"
    how = "いくつ" if noun[1] == "つ" else f"何{noun[1]}"
    return {"bare": bare, "how": how, "is": f"{verb}ます", "isnot": f"{verb}ません", "asks": f"{verb}ますか"}


GRAMMARS: dict[str, Callable[[_Row, _Row], Forms]] = {
    "en": english,
    "es": spanish,
    "fr": french,
    "de": german,
    "zh": chinese,
    "ja": japanese,
}
