"""Guesses what comes next: what followed the same few tokens before, in prompt or answer. No torch."""

from __future__ import annotations

from collections.abc import Sequence

GRAM = 3  # tokens that have to be the same


class Lookup:
    """The tokens of one request, and after which three of them what came last.

    Guessing costs a row of the step for each token, so it is done as far as it has been right lately.
    """

    def __init__(self, prompt: Sequence[int], most: int) -> None:
        self._tokens: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}
        self._most, self._width = most, min(most, 4)
        for token in prompt:
            self.write(token)

    def write(self, token: int) -> None:
        """One more token of the text."""
        tokens = self._tokens
        if len(tokens) >= GRAM:  # what follows the last three is known only now
            self._after[tuple(tokens[-GRAM:])] = len(tokens)
        tokens.append(token)

    def guess(self) -> list[int]:
        """The tokens that may come next; [] if these three never stood together before."""
        start = self._after.get(tuple(self._tokens[-GRAM:]))
        return [] if start is None else self._tokens[start : start + self._width]

    def judge(self, guessed: int, right: int) -> None:
        """Say how many of the tokens guessed came."""
        if guessed and right == guessed:
            self._width = min(self._most, 2 * self._width)
        elif guessed:
            self._width = max(1, min(self._width, right + 1))
