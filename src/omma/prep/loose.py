"""JSON objects out of any text: whole, nearly right, or cut short, whatever stands around them."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from typing import Any

DEEP = 64  # objects and lists in one another; of a text that nests deeper the outermost are let go

# What follows a quote that ends a text. Any other quote stands inside one, as in "a 5" screen".
_END = (
    r"(?=[ \t]*+\r?(?:\n|\Z)"  # the line's end
    r"|\s*+(?:[:}\]]|,\s*+(?:[\"'{\[}\]\d.+-]|\Z|[A-Za-z_]\w*+\s*+[:,}\]]))"  # what stands after a value
    r"|\s++\"[^\"\\\n]{0,40}+\"\s*+:)"  # the next key, for want of a comma
)
_LINE = {quote: re.compile(rf"{quote}((?:[^{quote}\\\n]|\\.|{quote}(?!{_END}))*+){quote}") for quote in "\"'"}
# One that goes on over line ends holds no quote, so that one lost quote does not swallow what follows.
_LINES = re.compile(r'(?:[^"\\]|\\.|\\\Z)*+', re.DOTALL)
_AFTER_LINES = re.compile(r'"\s*+[,}\]]')
_INNER = {quote: re.compile(rf"(?:\\.|[^\\{quote}])*+{quote}") for quote in "\"'"}
_COLON = re.compile(r"\s*+:")
_NUMBER = re.compile(r"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?")
_WORD = re.compile(r"[A-Za-z_]\w*+")
_NEXT = re.compile(r"[][{}()\"',:A-Za-z_\d.+-]")
_LITERALS = {
    "true": True, "True": True, "false": False, "False": False, "null": None, "None": None,
    "NaN": float("nan"), "Infinity": float("inf"),
}  # fmt: skip
_NOTHING = object()


class Entry(dict[str, Any]):
    """A JSON object. `cut`: the text ended before it did; `orphans` are values that came without a key."""

    cut = False
    orphans: tuple[Any, ...] = ()


class CutList(list[Any]):
    """A JSON list of which the text ended before it did."""


def entries(text: str) -> Iterator[Entry]:
    """All objects of a text in their order, each before those that it holds. Never raises, in linear time.

    Keys and texts may lack their quotes or have others, commas may be too many or too few, texts may hold
    quotes and line ends, and the text may end anywhere: what was not finished is marked as `cut`. Of a key
    that is said twice the last counts, as in JSON.
    """
    waiting: list[Any] = _Reader(text).read()[::-1]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Entry):
            yield value
            inside: list[Any] = [*value.values(), *value.orphans]
        else:
            inside = value
        waiting += [one for one in reversed(inside) if isinstance(one, (list, Entry))]


class _Open:
    """An object or list that has begun."""

    __slots__ = ("items", "key", "keyed", "last", "orphans", "pairs", "value")

    def __init__(self, keyed: bool) -> None:
        self.keyed = keyed
        self.pairs: dict[str, Any] = {}
        self.items: list[Any] = []
        self.orphans: list[Any] = []
        self.key: str | None = None
        self.value: Any = _NOTHING
        self.last: Any = _NOTHING

    def take(self, value: Any) -> None:
        """A value inside; of several in one place the first counts, but an object or list before others."""
        container = isinstance(value, (list, dict))
        if container and isinstance(self.value, (list, dict)):
            self.commit()
        if container or self.value is _NOTHING:
            self.value = value
        self.last = value

    def name(self) -> None:
        """A colon: what stood before it is a key."""
        if self.keyed and self.last is not _NOTHING and not isinstance(self.last, (list, dict)):
            key = str(self.last)
            if self.value is not self.last:
                self.commit()
            self.key, self.value, self.last = key, _NOTHING, _NOTHING

    def commit(self) -> None:
        """A comma or the end: the value is whole."""
        if self.value is not _NOTHING:
            if not self.keyed:
                self.items.append(self.value)
            elif self.key is not None:
                self.pairs[self.key] = self.value
            elif isinstance(self.value, (list, dict)):
                self.orphans.append(self.value)
        self.key, self.value, self.last = None, _NOTHING, _NOTHING

    def close(self, *, cut: bool = False) -> Any:
        """What it is, now that it has ended; a number or bare word at the text's end may lack its rest."""
        if cut and not isinstance(self.value, (list, dict)):
            self.value = _NOTHING
        self.commit()
        if not self.keyed:
            return CutList(self.items) if cut else self.items
        entry = Entry(self.pairs)
        if cut:
            entry.cut = True
        if self.orphans:
            entry.orphans = tuple(self.orphans)
        return entry


class _Reader:
    """One pass over a text. Only what stands inside an object counts: prose may hold quotes and brackets."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.open: deque[_Open] = deque()
        self.roots: list[Any] = []
        # Up to which place it is known that no text in such quotes ends: in the line, and beyond it.
        self.endless = {'"': 0, "'": 0}
        self.endless_lines = 0

    def read(self) -> list[Any]:
        """The outermost objects; where one was cut, itself as far as it goes."""
        at, text = text_start(self.text), self.text
        while at < len(text):
            if not self.open:
                at = text.find("{", at)
                if at < 0:
                    break
            elif (sign := _NEXT.search(text, at)) is not None:
                at = sign.start()
            else:
                break
            at = self._step(at)
        while self.open:
            self._give(self.open.pop().close(cut=True))
        return self.roots

    def _step(self, at: int) -> int:
        """Read what stands at a place; give the place behind it."""
        match sign := self.text[at]:
            case "{" | "[" | "(":
                self.open.append(_Open(sign == "{"))
                if len(self.open) > DEEP:
                    self.roots.append(self.open.popleft().close(cut=True))
            case "}" | "]" | ")":
                self._close(sign == "}")
            case ",":
                self.open[-1].commit()
            case ":":
                self.open[-1].name()
            case '"' | "'":
                return self._quoted(at, sign)
            case _:
                return self._bare(at)
        return at + 1

    def _close(self, keyed: bool) -> None:
        """A bracket ends the innermost list, a brace the innermost object and the lists left open in it."""
        if not keyed and self.open[-1].keyed:
            return
        while self.open:
            ended = self.open.pop()
            self._give(ended.close())
            if ended.keyed == keyed:
                return

    def _give(self, value: Any) -> None:
        if self.open:
            self.open[-1].take(value)
        else:
            self.roots.append(value)

    def _quoted(self, at: int, quote: str) -> int:
        """A text in quotes. A quote that nothing ends is passed over, or the text was cut behind it."""
        if at >= self.endless[quote]:
            found = _LINE[quote].match(self.text, at)
            if found is None:
                end = self.text.find("\n", at)
                self.endless[quote] = len(self.text) if end < 0 else end
            elif _INNER[quote].match(found[1]) and _COLON.match(self.text, found.end()):  # no key holds one
                self.endless[quote] = at + 1 + found[1].rindex(quote)
            else:
                self.open[-1].take(_unescaped(found[1]))
                return found.end()
        if quote == '"' and at >= self.endless_lines:
            lines = _LINES.match(self.text, at + 1)
            assert lines is not None
            if _AFTER_LINES.match(self.text, lines.end()) is not None:
                self.open[-1].take(_unescaped(lines[0]))
                return lines.end() + 1
            self.endless_lines = lines.end()
            if lines.end() == len(self.text):
                return lines.end()
        return at + 1

    def _bare(self, at: int) -> int:
        """A number, or a word without quotes."""
        if (found := _NUMBER.match(self.text, at)) is not None:
            self.open[-1].take(_number(found[0]))
        elif (found := _WORD.match(self.text, at)) is not None:
            self.open[-1].take(_LITERALS.get(found[0], found[0]))
        else:
            return at + 1
        return found.end()


def text_start(text: str) -> int:
    """Where the answer begins: behind the line in which thinking ends, if the model thought aloud (§5.4)."""
    start = 0
    for ending in re.finditer(r"</think>[ \t]*\r?\n", text):
        start = ending.end()
    return start


def _unescaped(raw: str) -> str:
    """The text that a JSON string spells; what JSON does not allow stands as it is."""
    if "\\" not in raw and "\n" not in raw:
        return raw
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw.replace('\\"', '"').replace("\\'", "'")


def _number(written: str) -> int | float:
    return int(written) if len(written) < 400 and written.lstrip("+-").isdigit() else float(written)
