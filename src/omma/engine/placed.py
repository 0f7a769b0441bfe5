"""A walk through places: the grammar's own walk, and over it the arithmetic of corners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from omma.engine.corners import FIGURES, Corners
from omma.engine.lark import THOUGHTS_END

LEAVES_A_LABEL = frozenset(b'">')


class _Walk(Protocol):
    @property
    def ended(self) -> bool: ...
    def mask(self) -> NDArray[np.bool_]: ...
    def take(self, token: int) -> None: ...
    def forced(self) -> list[int]: ...
    def follows(self, tokens: Sequence[int]) -> int: ...
    def copy(self) -> _Walk: ...


@dataclass(frozen=True, eq=False)
class Figured:
    """Of a vocabulary: the bytes of each token; which hold figures; which of those can leave a label.

    Every other token says nothing of a number but that it is whole.
    """

    tokens: Sequence[bytes]
    figures_V: NDArray[np.bool_]
    leaving_V: NDArray[np.bool_]

    @classmethod
    def of(cls, tokens: Sequence[bytes], size: int) -> Figured:
        """Look through the tokens of a model that scores `size` of them."""
        figures_V, leaving_V = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
        for token, text in enumerate(tokens):
            if not FIGURES.isdisjoint(text):
                figures_V[token] = True
                leaving_V[token] = not LEAVES_A_LABEL.isdisjoint(text)
        return cls(tokens, figures_V, leaving_V)


class PlacedWalk:
    """A walk whose numbers are those of places inside a picture. `thoughts` is None once they are over."""

    def __init__(self, walk: _Walk, corners: Corners, figured: Figured, thoughts: bytes | None) -> None:
        self._walk, self._corners, self._figured = walk, corners, figured
        self._thoughts = thoughts

    @property
    def ended(self) -> bool:
        return self._walk.ended

    def mask(self) -> NDArray[np.bool_]:
        mask_V = self._walk.mask()
        if self._thoughts is not None:
            return mask_V
        figured, corners = self._figured, self._corners
        if not corners.whole:
            mask_V &= figured.figures_V
        looked_at_V = figured.leaving_V if corners.inside else figured.figures_V
        for token in np.flatnonzero(mask_V & looked_at_V).tolist():
            mask_V[token] = corners.after(figured.tokens[token]) is not None
        return mask_V

    def take(self, token: int) -> None:
        corners, thoughts = self._gone_on(token, self._corners, self._thoughts)
        self._walk.take(token)
        self._corners, self._thoughts = corners, thoughts

    def forced(self) -> list[int]:
        """As the walk beneath says, as far as the numbers come right."""
        ahead, kept = self.copy(), list[int]()
        for token in self._walk.forced():
            try:
                ahead.take(token)
            except ValueError:
                break
            kept.append(token)
        return kept

    def copy(self) -> PlacedWalk:
        return PlacedWalk(self._walk.copy(), self._corners, self._figured, self._thoughts)

    def follows(self, tokens: Sequence[int]) -> int:
        corners, thoughts, text = self._corners, self._thoughts, self._walk.follows(tokens)
        for count, token in enumerate(tokens[:text]):
            try:
                corners, thoughts = self._gone_on(token, corners, thoughts)
            except ValueError:
                return count
        return text

    def _gone_on(self, token: int, corners: Corners, thoughts: bytes | None) -> tuple[Corners, bytes | None]:
        """What stands after a token. Raises ValueError when a place lies outside."""
        tokens = self._figured.tokens
        text = tokens[token] if token < len(tokens) else b""
        if thoughts is not None:
            before, end, text = (thoughts + text).partition(THOUGHTS_END.encode())
            if not end:
                return corners, before[-len(THOUGHTS_END) :]
        gone_on = corners.after(text)
        if gone_on is None:
            raise ValueError(f"token {token} puts a place out of the picture; take one that the mask allows")
        return gone_on, None
