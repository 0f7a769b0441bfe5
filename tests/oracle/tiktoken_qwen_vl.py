"""The tokens of Qwen-VL of 2023 a second time, from qwen.tiktoken: what our own spelling must agree with.

Written from the facts (§5.1, §5.2); it knows neither omma nor any tokenizer library.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path

import regex

SLOTS = 256
CONTRACTION = r"(?i:'(?:s|t|re|ve|m|ll|d))"
WORD = r"[^\r\n\p{L}\p{N}]?\p{L}+"
SIGNS = r" ?[^\s\p{L}\p{N}]+[\r\n]*"
PIECE = regex.compile("|".join([CONTRACTION, WORD, r"\p{N}", SIGNS, r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"]))
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", *(f"<|extra_{i}|>" for i in range(205)))
SEEING = ("<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>", "<img>", "</img>", "<imgpad>")


class Spelling:
    """A qwen.tiktoken: one token in base64 and its rank on each line; the marks follow the last rank."""

    def __init__(self, path: Path) -> None:
        lines = (line.split() for line in path.read_bytes().splitlines())
        self.ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
        self.marks = {mark: len(self.ranks) + i for i, mark in enumerate(CONTROL + SEEING)}
        self.written = {rank: token for token, rank in self.ranks.items()}
        self.written |= {token: mark.encode() for mark, token in self.marks.items()}

    def merged(self, piece: bytes) -> list[int]:
        """A piece that is a token is that token; else, byte by byte, the pair of the lowest rank is joined
        again and again, the leftmost first."""
        if piece in self.ranks:
            return [self.ranks[piece]]
        parts = [piece[i : i + 1] for i in range(len(piece))]
        while True:
            pairs = [a + b for a, b in pairwise(parts)]
            ranked = [(self.ranks[pair], at) for at, pair in enumerate(pairs) if pair in self.ranks]
            if not ranked:
                return [self.ranks[part] for part in parts]
            at = min(ranked)[1]
            parts[at : at + 2] = [pairs[at]]

    def words(self, text: str) -> list[int]:
        """Words that hold no mark, whatever they say."""
        pieces = PIECE.findall(unicodedata.normalize("NFC", text))
        return [token for piece in pieces for token in self.merged(piece.encode())]

    def ids(self, text: str, allowed: Collection[str] = CONTROL + SEEING) -> list[int]:
        """Text in which the `allowed` marks are marks and what stands between <img> and </img> is a name."""
        text = unicodedata.normalize("NFC", text)
        found: list[int] = []
        while "<img>" in text and "<img>" in allowed:
            before, _, rest = text.partition("<img>")
            name, closing, text = rest.partition("</img>")
            if not closing:
                raise ValueError(f"no </img> after {rest[:40]!r}")
            found += self._marked(before, allowed) + self.picture(name)
        return found + self._marked(text, allowed)

    def _marked(self, text: str, allowed: Collection[str]) -> list[int]:
        parts = regex.split("(" + "|".join(map(regex.escape, allowed)) + ")", text) if allowed else [text]
        return [
            token
            for i, part in enumerate(parts)
            for token in ([self.marks[part]] if i % 2 else self.words(part))
        ]

    def picture(self, name: str) -> list[int]:
        """258 ids: the mark, the values of the name's bytes, pads up to 256, the closing mark.

        A name of 256 bytes would fit the slots but leave no pad, and a reader looks for the first one.
        """
        raw = list(name.encode())
        if len(raw) >= SLOTS:
            raise ValueError(f"a name of {len(raw)} bytes; wanted at most {SLOTS - 1}")
        pads = [self.marks["<imgpad>"]] * (SLOTS - len(raw))
        return [self.marks["<img>"], *raw, *pads, self.marks["</img>"]]

    def decode(self, ids: Sequence[int]) -> str:
        """Ids to text, marks and names of pictures written out."""
        written, ids = b"", list(ids)
        while self.marks["<img>"] in ids:
            at = ids.index(self.marks["<img>"])
            closing = ids.index(self.marks["</img>"], at)
            name = ids[at + 1 : ids.index(self.marks["<imgpad>"], at)]
            written += b"".join(self.written[token] for token in ids[: at + 1]) + bytes(name)
            ids = ids[closing:]
        written += b"".join(self.written[token] for token in ids)
        return written.decode("utf-8", errors="replace")

    def chat(
        self,
        query: str,
        history: Sequence[tuple[str, str]] = (),
        system: str = "You are a helpful assistant.",
        window: int = 6144,
    ) -> list[int]:
        """The prompt of a conversation. Role, line end and content are spelled apart and never joined.

        The oldest exchanges fall away as soon as the system's turn and the history reach `window` tokens.
        """
        line = self.words("\n")
        first = self._turn("system", system)
        kept: list[int] = []
        for asked, answered in reversed(history):
            turns = [*line, *self._turn("user", asked), *line, *self._turn("assistant", answered)]
            if len(first) + len(turns) + len(kept) >= window:
                break
            kept = turns + kept
        opening = [self.marks["<|im_start|>"], *self.words("assistant"), *line]
        return [*first, *kept, *line, *self._turn("user", query), *line, *opening]

    def _turn(self, role: str, content: str) -> list[int]:
        said = self.words(role) + self.words("\n") + self.ids(content, SEEING)
        return [self.marks["<|im_start|>"], *said, self.marks["<|im_end|>"]]


def listed(*parts: str | tuple[str, str]) -> str:
    """A query of words and pictures; a picture is ("image", its name), numbered over the conversation."""
    written, count = "", 0
    for part in parts:
        if isinstance(part, str):
            written += part
        else:
            count += 1
            written += f"Picture {count}: <img>{part[1]}</img>\n"
    return written
