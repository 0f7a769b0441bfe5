"""The rule that takes HTML out of a text: tags, comments, scripts and the names of characters."""

from __future__ import annotations

import html
import html.entities
import re
from dataclasses import dataclass
from typing import ClassVar

from omma.corpus.clean import Reading, TextRule

_INLINE = (
    "a abbr acronym area audio b base basefont bdi bdo big button canvas cite code col data datalist "
    "del dfn em embed font i iframe input ins kbd label link map mark meta meter noscript object "
    "output param picture progress q rb rp rt rtc ruby s samp select slot small source span strike "
    "strong sub sup svg path template textarea time track tt u var video wbr option optgroup"
)
_BLOCK = (
    "address article aside blockquote body br caption center colgroup dd details dialog dir div dl dt "
    "fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr "
    "html img legend li main marquee menu nav ol p pre section summary table tbody td tfoot th thead "
    "title tr ul"
)
_HIDDEN = ("script", "style")
_BLOCKS = frozenset(_BLOCK.split())
_TAG = re.compile(
    r"<!--|<[!?][a-z][^<>]*+>"
    rf"|</?({'|'.join([*_INLINE.split(), *_BLOCK.split(), *_HIDDEN])})(?=[\s/>])[^<>]*+>",
    re.IGNORECASE,
)
_NAME = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\u00a0]+")


@dataclass(frozen=True)
class Html(TextRule):
    """Takes out tags, comments and scripts, and writes named characters as themselves.

    Only elements of HTML are tags: "a < b", "I <3 it" and "<PERSON>" stand. A tag that ends a line or a cell
    leaves a blank. What was escaped twice is read up to `rounds` times. The rule: facts §8.1.
    """

    rounds: int = 3
    name: ClassVar[str] = "html"

    def read(self, text: str) -> Reading:
        plain = text
        for _ in range(self.rounds):
            before = plain
            plain = _NAME.sub(_character, without_tags(plain))
            if plain == before:
                break
        if plain == text:
            return Reading(text)
        plain = _SPACE.sub(" ", plain).strip()
        return Reading(plain, "HTML taken out") if plain else Reading(None, "nothing but HTML")


def _character(found: re.Match[str]) -> str:
    name = found.group()
    if name[1] == "#" or name[1:] in html.entities.html5:
        return html.unescape(name)
    return name


def without_tags(text: str) -> str:
    """The text between tags. A comment or script that is never closed is left as it stands."""
    parts: list[str] = []
    at = 0
    closed: dict[str, bool] = {}
    for tag in _TAG.finditer(text):
        if tag.start() < at:  # inside a comment or a script
            continue
        name = (tag[1] or "").lower()
        stop = tag.end()
        closing = "-->" if tag.group() == "<!--" else f"</{name}" if name in _HIDDEN else ""
        if closing and not tag.group().startswith("</"):
            stop = _end(text, closing, stop, closed)
        if stop < 0:
            continue
        parts += [text[at : tag.start()], " " if name in _BLOCKS else ""]
        at = stop
    return "".join([*parts, text[at:]])


def _end(text: str, closing: str, start: int, closed: dict[str, bool]) -> int:
    """Where what began before `start` is closed, -1 if nowhere; a search that failed is not tried again."""
    if not closed.get(closing, True):
        return -1
    found = re.compile(re.escape(closing), re.IGNORECASE).search(text, start)
    closed[closing] = found is not None
    if found is None:
        return -1
    if closing == "-->":
        return found.end()
    end = text.find(">", found.end())
    return len(text) if end < 0 else end + 1
