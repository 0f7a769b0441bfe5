"""Qwen-VL's vocabulary of 2023: a file of ranks, read to a tokenizer like any other and written back."""

from __future__ import annotations

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from omma.errors import BadFolder
from omma.prep.tokenizer import Tokenizer, byte_of_symbol
from omma.prep.vocabulary import SPLIT
from omma.spec import TokenIds

RANKS = "qwen.tiktoken"
LONGEST = 1024  # bytes of a token; those of the public file have 128 at most
# The tags of places are words of the model's language: a person may write them, and a reader is shown them.
TAGS = ("<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>")
PICTURE_START, PICTURE_END, PICTURE_PAD = "<img>", "</img>", "<imgpad>"
# All marks in the order of the public ids 151643 … 151859, which follow the ranks (facts §5.1).
MARKS = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", *(f"<|extra_{i}|>" for i in range(205))),
    *(*TAGS, PICTURE_START, PICTURE_END, PICTURE_PAD),
)
_TAG = re.compile("(" + "|".join(map(re.escape, TAGS)) + ")")
_SYMBOL = {byte: symbol for symbol, byte in byte_of_symbol().items()}


class RankedTokenizer(Tokenizer):
    """A vocabulary given by ranks: of two neighbours that make a token, those of the lowest rank join first.

    Ids are ranks; the marks follow the last one. `text` knows the tags of places; the marks of turns and
    of pictures are words like any other there, so no text opens a slot, a file or a turn.
    """

    def __init__(self, ranks: Mapping[bytes, int], name: str = RANKS) -> None:
        """Take ranks, of a file called `name`. Raises BadFolder when they are no whole vocabulary."""
        _check(ranks, name)
        super().__init__(_as_json(ranks), name)

    @classmethod
    def from_file(cls, path: Path) -> RankedTokenizer:
        """Read a qwen.tiktoken. Raises BadFolder naming it, and the line that is none."""
        try:
            lines = path.read_bytes().splitlines()
        except OSError as error:
            raise BadFolder(f"{path} cannot be read: {error}; wanted a {RANKS}") from None
        ranks: dict[bytes, int] = {}
        for number, line in enumerate(lines, 1):
            try:
                token, rank = line.split()
                ranks[base64.b64decode(token, validate=True)] = int(rank)
            except (ValueError, binascii.Error):
                raise BadFolder(
                    f"{path}: line {number} is {line[:60]!r}; wanted a token in base64, a space and its rank"
                ) from None
        if len(ranks) != len(lines):
            raise BadFolder(f"{path} holds a token twice: {len(lines)} lines, {len(ranks)} tokens")
        return cls(ranks, str(path))

    @classmethod
    def of(cls, trained: Tokenizer) -> RankedTokenizer:
        """The words of a tokenizer whose ids follow its merges, such as `train_tokenizer` makes."""
        vocabulary: dict[str, int] = json.loads(trained.source)["model"]["vocab"]
        return cls({_bytes(piece): i for piece, i in vocabulary.items() if piece not in trained.marks})

    @property
    def ranks(self) -> bytes:
        """The vocabulary as the public file has it, byte for byte."""
        first = self.mark(MARKS[0])
        lines = (base64.b64encode(self.bytes_of(rank)) + b" %d\n" % rank for rank in range(first))
        return b"".join(lines)

    @property
    def token_ids(self) -> TokenIds:
        """The ids that a model of this vocabulary is built around; a video's is a picture's: it sees none."""
        return TokenIds(
            end_of_text=self.mark("<|endoftext|>"),
            turn_start=self.mark("<|im_start|>"),
            turn_end=self.mark("<|im_end|>"),
            vision_start=self.mark(PICTURE_START),
            vision_end=self.mark(PICTURE_END),
            image=self.mark(PICTURE_PAD),
            video=self.mark(PICTURE_PAD),
        )

    def public_settings(self) -> dict[str, Any]:
        """What tokenizer_config.json says of this vocabulary."""
        return {"tokenizer_class": "QWenTokenizer"}

    def text(self, text: str) -> list[int]:
        """Ids of words, in Unicode's NFC, the tags of places among them. Never another mark's id."""
        ids: list[int] = []
        for stretch in _TAG.split(unicodedata.normalize("NFC", text)):
            ids += [self.mark(stretch)] if stretch in TAGS else super().text(stretch)
        return ids


def _check(ranks: Mapping[bytes, int], name: str) -> None:
    if sorted(ranks.values()) != list(range(len(ranks))):
        raise BadFolder(f"{name}: ranks are not 0 to {len(ranks) - 1:,}, each once; fetch it again")
    if lacking := [byte for byte in range(256) if bytes([byte]) not in ranks]:
        raise BadFolder(f"{name} lacks {len(lacking)} of the 256 bytes, {lacking[0]} first; fetch it again")
    if (longest := max(map(len, ranks))) > LONGEST:
        raise BadFolder(f"{name} holds a token of {longest:,} bytes; at most {LONGEST:,} are understood")


def _as_json(ranks: Mapping[bytes, int]) -> str:
    """A tokenizer.json of the same tokens. A word that is a token as a whole is taken as that token."""
    spelled = {token: _symbols(token) for token in ranks}
    pairs = (_parts(token, ranks) for token in sorted(ranks, key=ranks.__getitem__) if len(token) > 1)
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    shown = set(TAGS)
    split = {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": len(ranks) + i, "content": mark, **flags, "special": mark not in shown}
                for i, mark in enumerate(MARKS)
            ],
            "normalizer": {"type": "NFC"},
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
            "post_processor": None,
            "decoder": byte_level,
            "model": {
                "type": "BPE",
                "ignore_merges": True,
                "vocab": {spelled[token]: rank for token, rank in ranks.items()},
                "merges": [[spelled[a], spelled[b]] for a, b in filter(None, pairs)],
            },
        },
        ensure_ascii=False,
    )


def _parts(token: bytes, ranks: Mapping[bytes, int]) -> tuple[bytes, bytes] | None:
    """The two tokens that join into this one, last of all its joins; None if its bytes never come to that.

    Inside a token that joins as a whole, neighbours join in the same order as they would alone: no join can
    reach over its edges before. So one pair is enough for each.
    """
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        joined = (ranks.get(a + b, len(ranks)) for a, b in pairwise(parts))
        rank, place = min((rank, i) for i, rank in enumerate(joined))
        if rank == len(ranks):
            return None
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts[0], parts[1]


def _symbols(token: bytes) -> str:
    return token.decode("latin-1").translate(_SYMBOL)


def _bytes(piece: str) -> bytes:
    symbols = byte_of_symbol()
    return bytes(symbols[symbol] for symbol in piece)
