"""Holds an answer to a shape: which tokens may come next, token by token. No torch; by llguidance."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from omma.chat import Seen
from omma.engine.closing import Endings
from omma.engine.corners import Corners
from omma.engine.examples import examples_of
from omma.engine.lark import lark_of, llguidance
from omma.engine.placed import Figured, PlacedWalk
from omma.engine.reach import reach_of
from omma.engine.schema_rules import USUAL, Limits
from omma.engine.ways import BYTES, Letters
from omma.errors import BadShape
from omma.prep.dialects import dialect_of
from omma.shape import Matching, Places, Shape

END = "\0end"  # what the letter that ends an answer is called, as no mark is
MEETING = (
    "an answer cannot be held to this shape: a value may be of two kinds of a oneOf, which none may be; "
    "use anyOf, or kinds that no value shares: other types, or a required property with a const of its own"
)
_SHOWN = re.compile(r"\s*+(?:\d+ \||\^|<non-verbose/>)")
_BROKEN = re.compile("parse error|invalid regex|nsatisfiable")  # whatever names of the shape are quoted
_LIMIT = re.compile("too (?:big|large|many|complex|deep)|limit|fuel|exceed")
_AT = re.compile(r"(?:at )?\d+\(\d+\): |failed to compile JSON schema: ")


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

    def follows(self, tokens: Sequence[int]) -> int:
        """How many of these tokens may come, one after the other; a stop id too, where the text may end."""
        ...

    def copy(self) -> Walk:
        """Another walk at the same place; neither knows of the other."""
        ...


class Grammar(Protocol):
    """A compiled shape. It may be shared by threads; each answer takes a walk of its own."""

    def walk(self) -> Walk:
        """A walk at the beginning of the answer."""
        ...

    @property
    def endings(self) -> Endings | None:
        """What brings its answers to an end before a limit; None to have them cut."""
        ...


class Spells(Protocol):
    """What of a tokenizer is needed here."""

    @property
    def size(self) -> int: ...
    @property
    def marks(self) -> dict[str, int]: ...
    def text(self, text: str) -> list[int]: ...
    def bytes_of(self, token: int) -> bytes: ...


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The tokens of a model: `tokenizer` spells them, `size` are scored, `stop_ids` end an answer.

    Ids of marks (added tokens) are never allowed but where a grammar names them; unused ids never.
    """

    tokenizer: Spells
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
        library = llguidance()
        spelling = _Spelling(self)
        return library.LLTokenizer(
            library.TokenizerWrapper(spelling), n_vocab=self.size, eos_token=sorted(self.stop_ids)
        )

    @cached_property
    def tokens(self) -> tuple[bytes, ...]:
        """The bytes of each token that the tokenizer knows and the model scores."""
        return tuple(map(self.tokenizer.bytes_of, range(min(self.tokenizer.size, self.size))))

    @cached_property
    def letters(self) -> Letters:
        """Its tokens, to spell ends of answers with."""
        return Letters(self.tokens, frozenset(self.marks.values()), self.stop_ids)

    @cached_property
    def alphabet(self) -> Vocabulary:
        """The vocabulary of those letters: an answer's tokens taken apart are allowed where they are."""
        letters = self.letters
        marks = {name: letters.of_mark[mark] for name, mark in self.marks.items()} | {END: letters.end}
        return Vocabulary(_Alphabet(marks), letters.end + 1, frozenset({letters.end}))

    @cached_property
    def figured(self) -> Figured:
        """Which tokens hold figures."""
        return Figured.of(self.tokens, self.size)


@dataclass(frozen=True)
class _Alphabet:
    """Spells byte by byte."""

    marks: dict[str, int]

    @property
    def size(self) -> int:
        return max(self.marks.values()) + 1

    def text(self, text: str) -> list[int]:
        return list(text.encode())

    def bytes_of(self, token: int) -> bytes:
        return bytes([token]) if token < BYTES else self._names.get(token, b"")

    @cached_property
    def _names(self) -> dict[int, bytes]:
        return {mark: name.encode() for name, mark in self.marks.items()}


class _Spelling:
    """What llguidance reads a vocabulary from."""

    bos_token_id = None

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.tokens = vocabulary.tokens
        self.eos_token_id = min(vocabulary.stop_ids)
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
    tagged = isinstance(shape, Places) and dialect_of(shape.boxes or "").dress != "json"
    json = not isinstance(shape, Matching) and not tagged
    alphabet = vocabulary.alphabet
    apart = lark_of(shape, alphabet.marks, limits, thinks=thinks)
    begun = _compiled(apart, shape, alphabet, limits, thinks).walk
    endings = Endings(reach_of(shape, thinks=thinks), vocabulary.letters, begun, json, examples_of(shape))
    return _compiled(text, shape, vocabulary, limits, thinks, endings)


def _compiled(
    text: str,
    shape: Shape,
    vocabulary: Vocabulary,
    limits: Limits,
    thinks: bool,
    endings: Endings | None = None,
) -> Grammar:
    compiled = _Compiled(text, vocabulary, limits, endings)
    return _Places(compiled, Corners.of(shape), vocabulary, thinks) if isinstance(shape, Places) else compiled


class _Compiled:
    """A grammar of llguidance."""

    def __init__(self, text: str, vocabulary: Vocabulary, limits: Limits, endings: Endings | None) -> None:
        library = llguidance()
        self._vocabulary, self.endings = vocabulary, endings
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

    def follows(self, tokens: Sequence[int]) -> int:
        if self._matcher.is_stopped():
            return int(tokens[0] in self._vocabulary.stop_ids and not self._matcher.is_error())
        return int(self._matcher.validate_tokens(list(tokens)))

    def copy(self) -> Walk:
        return _Walk(self._matcher.deep_copy(), self._vocabulary)


class _Places:
    """A grammar of places, and the arithmetic over it."""

    def __init__(self, grammar: Grammar, corners: Corners, vocabulary: Vocabulary, thinks: bool) -> None:
        self._grammar, self._corners, self.endings = grammar, corners, grammar.endings
        self._figured, self._thoughts = vocabulary.figured, b"" if thinks else None

    def walk(self) -> Walk:
        return PlacedWalk(self._grammar.walk(), self._corners, self._figured, self._thoughts)


class Grammars:
    """The grammars of one model's answers, compiled once each; threads may ask for them together.

    The `keep` last used are kept. What is refused is refused anew each time.
    """

    def __init__(
        self, vocabulary: Vocabulary, limits: Limits = USUAL, *, thinks: bool = False, keep: int = 64
    ) -> None:
        self._vocabulary, self._limits, self._thinks = vocabulary, limits, thinks
        self._kept: OrderedDict[str, Grammar] = OrderedDict()
        self._keep, self._lock = keep, Lock()

    def ready(self) -> None:
        """Make the vocabulary ready, once; who asks meanwhile waits. Raises MissingExtra."""
        compile_shape(Matching("a"), self._vocabulary).walk().mask()
        _ = self._vocabulary.letters.steps

    def of(self, shape: Shape, seen: Sequence[Seen] = ()) -> Grammar:
        """The grammar of a shape, for an answer to what was `seen`. Raises what `compile_shape` raises."""
        shape = settled(shape, seen)
        text = lark_of(shape, self._vocabulary.marks, self._limits, thinks=self._thinks)
        key = f"{shape!r}\n{text}" if isinstance(shape, Places) else text
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        grammar = compile_shape(shape, self._vocabulary, self._limits, thinks=self._thinks)
        with self._lock:
            self._kept[key] = grammar
            while len(self._kept) > self._keep:
                self._kept.popitem(last=False)
        return grammar


def settled(shape: Shape, seen: Sequence[Seen]) -> Shape:
    """The shape with its places in a picture that was seen. Raises BadShape when that was not shown."""
    if not isinstance(shape, Places) or (shape.resized is not None and shape.boxes is not None):
        return shape
    if not 0 <= shape.picture < len(seen):
        raise BadShape(
            f"the answer is to hold places in picture {shape.picture}, and {len(seen)} are shown; "
            "show it, or say in which one"
        )
    shown = seen[shape.picture]
    return replace(shape, resized=shape.resized or shown.resized, boxes=shape.boxes or shown.boxes)


def _sentence(told: str) -> str:
    """What llguidance says, as a sentence to a person: without places in a text that nobody wrote."""
    if "coerce_one_of" in told:
        return MEETING
    said = " ".join(line for line in told.splitlines() if not _SHOWN.match(line))
    said = " ".join(_AT.sub("", said).split())[:200]
    if said == "NoExtensionBias":  # the library's word for an expression without a single match
        return "an answer cannot be held to this shape: no text matches it; ask for what some text is"
    do = "make it simpler" if _LIMIT.search(said) and not _BROKEN.search(said) else "mend it"
    return f"an answer cannot be held to this shape: {said}; {do}"
