"""The worlds of documents by name: who draws, who asks, and which sizes suit which level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import TypeAlias

from omma.sample import Size
from omma.synth.documents.ask_pages import document_page_turns
from omma.synth.documents.pages import document_page
from omma.synth.world import Drawing, Split, Turn

Painter: TypeAlias = Callable[[Size, int, Random, Split, Sequence[Path] | None], Drawing]
Asker: TypeAlias = Callable[[Drawing, Split, Random], tuple[Turn, ...]]

DOCUMENT_WORLDS: dict[str, tuple[Painter, Asker]] = {
    "pages": (document_page, document_page_turns),
}


def _sizes(*levels: str) -> tuple[tuple[Size, ...], ...]:
    """Sizes by level, written "168x168 224x168"."""
    return tuple(tuple(Size(*map(int, sides.split("x"))) for sides in level.split()) for level in levels)


DOCUMENT_SIZES: dict[str, tuple[tuple[Size, ...], ...]] = {
    "pages": _sizes(
        "168x168 196x196 224x168 224x224",
        "224x224 224x280 280x224 252x336",
        "336x448 448x336 364x504 392x392",
        "595x842 640x480 720x960 768x1008 1024x768 504x672",
    ),
}
