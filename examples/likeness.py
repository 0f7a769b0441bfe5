"""Rules of one's own for `omma data clean`: the web's, and a threshold on scores that the data brings."""

from __future__ import annotations

from omma.corpus.clean import Rule
from omma.corpus.clean_likeness import Similarity, StoredScore
from omma.corpus.clean_rules import web


def rules() -> tuple[Rule, ...]:
    """The web's line-up, then LAION's "similarity"; its Chinese set wants less of it."""
    return web(Similarity(StoredScore("similarity"), least=0.28, least_of={"laion-zh": 0.26}))
