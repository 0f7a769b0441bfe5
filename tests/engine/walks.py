"""Walks through grammars with the bundled vocabulary, every allowed token as likely as any other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from omma.engine.closing import Closing
from omma.engine.grammar import Grammar, Grammars, Vocabulary, Walk
from omma.loading import resolve
from omma.prep.tokenizer import Tokenizer


@cache
def nano() -> Vocabulary:
    """The vocabulary of omma-nano."""
    tokenizer = Tokenizer.from_file(resolve("omma-nano") / "tokenizer.json")
    ids = tokenizer.token_ids
    return Vocabulary(tokenizer, tokenizer.size, frozenset({ids.turn_end, ids.end_of_text}))


@cache
def grammars(thinks: bool = False) -> Grammars:
    """Compiled once for all tests."""
    return Grammars(nano(), thinks=thinks)


def drawn(
    grammar: Grammar, seed: int, vocabulary: Vocabulary | None = None, longest: int = 600
) -> str | None:
    """A random answer; None if it was not over after the `longest` number of tokens."""
    told = ended(grammar.walk(), seed, vocabulary or nano(), longest)
    return None if told is None else spelled(told, vocabulary or nano())


def ended(walk: Walk, seed: int, vocabulary: Vocabulary, longest: int) -> list[int] | None:
    """The tokens of a random answer, its stop id left out."""
    dice, told = np.random.default_rng(seed), list[int]()
    while len(told) < longest:
        token = int(dice.choice(np.flatnonzero(walk.mask())))
        if token in vocabulary.stop_ids:
            return told
        walk.take(token)
        told.append(token)
    return None


def closed(
    grammar: Grammar, seed: int, most: int, vocabulary: Vocabulary | None = None
) -> tuple[list[int], str]:
    """A random answer of `most` tokens at most, written as a row writes it, and why it ended."""
    vocabulary, walk, dice = vocabulary or nano(), grammar.walk(), np.random.default_rng(seed)
    assert grammar.endings is not None
    closing, told = Closing(grammar.endings, most), list[int]()

    def draw(refused: Sequence[int]) -> int | None:
        mask = walk.mask()
        mask[list(refused)] = False
        return int(dice.choice(np.flatnonzero(mask))) if mask.any() else None

    while len(told) < most:
        token = closing.chosen(walk, most - len(told), draw)
        if token in vocabulary.stop_ids:
            return told, closing.reason or "stop"
        walk.take(token)
        closing.take(token)
        told.append(token)
    return told, closing.reason or ("stop" if walk.ended else "length")


def spelled(tokens: list[int], vocabulary: Vocabulary | None = None) -> str:
    """The text of tokens, marks too."""
    return (vocabulary or nano()).tokenizer.decode(tokens, skip_marks=False)


def accepts(grammar: Grammar, text: str, vocabulary: Vocabulary | None = None) -> bool:
    """Whether a text is an answer that a grammar lets end, in some tokens or other."""
    vocabulary = vocabulary or nano()

    dead: set[bytes] = set()

    def goes_on(walk: Walk, rest: bytes) -> bool:
        if rest in dead:
            return False
        allowed = walk.mask()
        if not rest:
            return bool(allowed[min(vocabulary.stop_ids)])
        for token in np.flatnonzero(allowed).tolist():
            spelled = vocabulary.tokens[token]
            if spelled and rest.startswith(spelled):
                ahead = walk.copy()
                ahead.take(token)
                if goes_on(ahead, rest[len(spelled) :]):
                    return True
        dead.add(rest)
        return False

    return goes_on(grammar.walk(), text.encode())
