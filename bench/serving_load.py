"""What the clients of ``bench.serving`` ask: questions of one length, and questions of all lengths."""

from __future__ import annotations

import random
from typing import NamedTuple

LENGTHS = ("one length", "all lengths")
MEDIAN, SPREAD = 48, 0.8  # of the tokens of an answer, log-normal as those of people's chats are
SHORTEST, LONGEST = 8, 192
SENTENCES = 1, 6  # of a question of any length: some 50 to 300 tokens
# Questions that each of so many clients asks, one after the other. A lone one's round would be short.
ASKED = {LENGTHS[0]: {1: 3, 8: 1, 32: 1}, LENGTHS[1]: {1: 6, 8: 3, 32: 2}}


class Question(NamedTuple):
    """What is said, and how many tokens are to be answered."""

    words: str
    tokens: int


def asked(clients: int, lengths: str, tokens: int) -> list[list[Question]]:
    """The questions of each client, the same in every run. No two begin alike: nothing can be remembered.

    Of one length: each wants `tokens`. Of all lengths: one question follows the other, each as long as it
    comes.
    """
    chance, times = random.Random(clients), range(ASKED[lengths][clients])
    if lengths == LENGTHS[0]:
        return [[Question(_words(chance, 2), tokens) for _ in times] for _ in range(clients)]
    return [[_question(chance) for _ in times] for _ in range(clients)]


def _question(chance: random.Random) -> Question:
    tokens = round(MEDIAN * chance.lognormvariate(0, SPREAD))
    return Question(_words(chance, chance.randint(*SENTENCES)), min(max(tokens, SHORTEST), LONGEST))


def _words(chance: random.Random, sentences: int) -> str:
    return " ".join(
        f"{number} is the number of a picture. What is in it?"
        for number in (chance.randrange(10**7, 10**8) for _ in range(sentences))
    )
