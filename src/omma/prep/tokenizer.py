"""Text to ids and back, with two roads that never meet: words people wrote, and marks that only we set."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import tokenizers

from omma.errors import BadFolder, BadMessage, halved
from omma.prep.dialects import ANY_MARK
from omma.spec import TokenIds

VOCABULARY = "tokenizer.json"


@lru_cache(maxsize=1)
def byte_of_symbol() -> dict[str, int]:
    """The byte behind each of the 256 printable symbols in which a byte-level vocabulary is spelled."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + i): byte for i, byte in enumerate(hidden)}


class Tokenizer:
    """A tokenizer.json on two roads.

    `text` goes through a copy that knows no added tokens at all, so that no wording can reach a mark's id.
    `mark` gives the one id of an added token, by its name. `decode` and `bytes_of` work from bytes.
    `size` is one more than the highest id: a model's embedding may have more rows, never fewer. `longest` is
    how many bytes a token spells at most.
    """

    def __init__(self, source: str, name: str = "tokenizer.json") -> None:
        """Read the text of a tokenizer.json, a file called `name`. Raises BadFolder if it is not one."""
        try:
            raw: dict[str, Any] = json.loads(source)
            added = {entry["content"]: entry for entry in raw["added_tokens"] or ()}
            vocabulary = {piece: i for piece, i in raw["model"]["vocab"].items() if piece not in added}
            words = raw | {"added_tokens": [], "post_processor": None, "truncation": None, "padding": None}
            words["model"] = raw["model"] | {"vocab": vocabulary}
            self._words = tokenizers.Tokenizer.from_str(json.dumps(words))
            self._bytes = _spelled(vocabulary)
        except Exception as error:  # the parser beneath raises bare Exception
            raise BadFolder(f"{name} is no byte-level BPE that is understood: {error}") from error
        self.source = source
        self._marks: dict[str, int] = {mark: entry["id"] for mark, entry in added.items()}
        self._silent = frozenset(entry["id"] for entry in added.values() if entry["special"])
        self._places = frozenset(entry["id"] for mark, entry in added.items() if ANY_MARK.fullmatch(mark))
        self._bytes |= {entry["id"]: mark.encode() for mark, entry in added.items()}
        self.size = max(self._bytes) + 1
        self.longest = max(map(len, self._bytes.values()))

    @classmethod
    def from_file(cls, path: Path) -> Tokenizer:
        """Read a tokenizer.json. Raises BadFolder naming it."""
        try:
            return cls(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise BadFolder(f"{path} cannot be read: {error}; wanted a tokenizer.json") from error

    @property
    def marks(self) -> dict[str, int]:
        """Every added token and its id."""
        return dict(self._marks)

    @property
    def token_ids(self) -> TokenIds:
        """The ids that a model of this vocabulary is built around."""
        return TokenIds(
            end_of_text=self.mark("<|endoftext|>"),
            turn_start=self.mark("<|im_start|>"),
            turn_end=self.mark("<|im_end|>"),
            vision_start=self.mark("<|vision_start|>"),
            vision_end=self.mark("<|vision_end|>"),
            image=self.mark("<|image_pad|>"),
            video=self.mark("<|video_pad|>"),
        )

    def public_settings(self) -> dict[str, Any]:
        """What tokenizer_config.json says of this vocabulary, for programs that read it."""
        added: list[dict[str, Any]] = json.loads(self.source)["added_tokens"]
        return {
            "tokenizer_class": "Qwen2Tokenizer",
            "added_tokens_decoder": {
                str(entry["id"]): {key: value for key, value in entry.items() if key != "id"}
                for entry in added
            },
            "additional_special_tokens": [entry["content"] for entry in added if entry["special"]][1:],
            "bos_token": None,
            "eos_token": "<|im_end|>",
            "pad_token": "<|endoftext|>",
            "unk_token": None,
            "add_bos_token": False,
            "add_prefix_space": False,
            "clean_up_tokenization_spaces": False,
            "errors": "replace",
            "split_special_tokens": False,
        }

    def text(self, text: str) -> list[int]:
        """Ids of words, brought to Unicode's NFC first. Never a mark's id, whatever the words are."""
        if told := halved(text):
            raise BadMessage(f"the text holds {told}")
        ids: list[int] = self._words.encode(text, add_special_tokens=False).ids
        return ids

    def mark(self, name: str) -> int:
        """The id of an added token such as "<|im_start|>". Raises BadFolder when there is none."""
        try:
            return self._marks[name]
        except KeyError:
            raise BadFolder(f"tokenizer.json has no token {name}; it has {', '.join(self._marks)}") from None

    def bytes_of(self, token: int, *, skip_marks: bool = False, places: bool = False) -> bytes:
        """The UTF-8 bytes that an id writes; one id may hold a part of a character. Unused ids write none.

        With `skip_marks` those of turns and media write none, nor those of boxes unless `places` are told so.
        """
        hidden = skip_marks and token in self._silent and not (places and token in self._places)
        return b"" if hidden else self._bytes.get(token, b"")

    def decode(self, tokens: Iterable[int], *, skip_marks: bool = True) -> str:
        """Ids to text. Marks that are markup only are left out unless asked for; "<tool_call>" is kept."""
        written = b"".join(self.bytes_of(token, skip_marks=skip_marks) for token in tokens)
        return written.decode("utf-8", errors="replace")


def added_marks(path: Path) -> dict[str, int]:
    """Every added token of a tokenizer.json and its id, with nothing spelled; none where there is no file.

    What is wrong with a file is said by whoever reads all of it.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8")).get("added_tokens")
        return {str(entry["content"]): int(entry["id"]) for entry in raw or ()}
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return {}


def _spelled(vocabulary: dict[str, int]) -> dict[int, bytes]:
    symbols = byte_of_symbol()
    return {token: bytes(symbols[symbol] for symbol in piece) for piece, token in vocabulary.items()}
