"""Holds an answer to a shape: which tokens may come next, token by token. No torch; by llguidance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from omma.engine.lark import lark_of
from omma.engine.schema_rules import USUAL, Limits
from omma.errors import BadShape, MissingExtra
from omma.prep.tokenizer import Tokenizer
from omma.shape import Shape


class Walk(Protocol):
    """One answer's way through a grammar. It belongs to one thread at a time."""

    @property
    def ended(self) -> bool:
        """The text is whole and nothing may follow it: only stop ids are allowed, or one was taken."""
        ...

    def mask(self) -> NDArray[np.bool_]:
        """Which tokens may come next, bool (V,); stop ids where the text may end. At least one is True.

        The array is not kept or changed by the walk. Raises BadShape when the grammar turns out to be too
        complex at this place; the answer cannot be gone on with.
        """
        ...

    def take(self, token: int) -> None:
        """Go on by a token that `mask` allows. Raises ValueError for any other, and stays where it was."""
        ...

    def forced(self) -> list[int]:
        """Tokens that spell the only text that can follow, as the tokenizer would; often none.

        A draft: the same text in other tokens is allowed too, so an answer that is to be the same with and
        without drafts verifies them like any other.
        """
        ...

    def copy(self) -> Walk:
        """Another walk at the same place; neither knows of the other."""
        ...


class Grammar(Protocol):
    """A compiled shape. It may be shared by threads; each answer takes a walk of its own."""

    def walk(self) -> Walk:
        """A walk at the beginning of the answer."""
        ...


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The tokens of a model: `tokenizer` spells them, `size` are scored, `stop_ids` end an answer.

    Ids of marks (added tokens) are never allowed but where a grammar names them; unused ids never.
    """

    tokenizer: Tokenizer
    size: int
    stop_ids: frozenset[int]
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def marks(self) -> dict[str, int]:
        """Every added token and its id."""
        return self.tokenizer.marks

    def __call__(self, text: bytes | str) -> list[int]:
        """How the tokenizer spells a text; what is no whole character at its end is left out."""
        words = text.decode("utf-8", errors="ignore") if isinstance(text, bytes) else text
        return self.tokenizer.text(words)

    @property
    def compiled(self) -> Any:
        """The vocabulary as llguidance wants it, made once. Raises MissingExtra."""
        with self._lock:
            return self._compiled

    @cached_property
    def _compiled(self) -> Any:
        library = _llguidance()
        tokens = [self.tokenizer.bytes_of(token) for token in range(min(self.tokenizer.size, self.size))]
        spelling = _Spelling(self, tokens, min(self.stop_ids))
        return library.LLTokenizer(
            library.TokenizerWrapper(spelling), n_vocab=self.size, eos_token=sorted(self.stop_ids)
        )


class _Spelling:
    """What llguidance reads a vocabulary from."""

    bos_token_id = None

    def __init__(self, vocabulary: Vocabulary, tokens: Sequence[bytes], end: int) -> None:
        self.tokens = tokens
        self.eos_token_id = end
        self.special_token_ids = sorted(vocabulary.marks.values())
        self._vocabulary = vocabulary

    def __call__(self, text: bytes | str) -> list[int]:
        return self._vocabulary(text)


def compile_shape(
    shape: Shape, vocabulary: Vocabulary, limits: Limits = USUAL, *, thinks: bool = False
) -> Grammar:
    """The grammar of a shape. It may take up to a second: not to be called where others wait.

    With `thinks` the answer begins with thoughts, any text that "</think>" ends, and the shape comes after.
    Raises BadShape (what it asks for is not understood, or is beyond the limits) and MissingExtra.
    """
    text = lark_of(shape, vocabulary.marks, limits, thinks=thinks)
    return _Compiled(text, vocabulary, limits)


class _Compiled:
    """A grammar of llguidance."""

    def __init__(self, text: str, vocabulary: Vocabulary, limits: Limits) -> None:
        library = _llguidance()
        self._vocabulary = vocabulary
        wanted = library.LLParserLimits(
            initial_lexer_fuel=limits.compile_fuel,
            max_grammar_size=limits.grammar_size,
            max_lexer_states=limits.lexer_states,
            verbose_errors=False,
        )
        source = library.LLMatcher.grammar_from_lark(text)
        self._matcher = library.LLMatcher(vocabulary.compiled, source, limits=wanted, log_level=0)
        if self._matcher.is_error():
            raise BadShape(_sentence(self._matcher.get_error()))

    def walk(self) -> Walk:
        return _Walk(self._matcher.deep_copy(), self._vocabulary)


class _Walk:
    """A walk by llguidance's matcher."""

    def __init__(self, matcher: Any, vocabulary: Vocabulary) -> None:
        self._matcher = matcher
        self._vocabulary = vocabulary

    @property
    def ended(self) -> bool:
        return bool(self._matcher.is_stopped())

    def mask(self) -> NDArray[np.bool_]:
        packed = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        if self._matcher.is_error():
            raise BadShape(_sentence(self._matcher.get_error()))
        return np.unpackbits(packed, count=self._vocabulary.size, bitorder="little").view(np.bool_)

    def take(self, token: int) -> None:
        if not self._matcher.validate_tokens([token]):
            raise ValueError(f"token {token} is not allowed here; take one that the mask allows")
        self._matcher.consume_token(token)

    def forced(self) -> list[int]:
        return list(self._matcher.compute_ff_tokens())

    def copy(self) -> Walk:
        return _Walk(self._matcher.deep_copy(), self._vocabulary)


def _sentence(told: str) -> str:
    """What llguidance says, as a sentence to a person."""
    first = " ".join(told.split())[:300]
    return f"an answer cannot be held to this shape: {first}; make it simpler"


def _llguidance() -> Any:
    try:
        import llguidance
    except ModuleNotFoundError as absent:
        raise MissingExtra(
            "answers are held to a shape by llguidance, which is not installed; "
            'get it with: pip install "omma[grammar]"'
        ) from absent
    return llguidance
