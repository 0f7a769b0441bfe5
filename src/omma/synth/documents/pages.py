"""The world of pages: headings, paragraphs, lists, figures and columns, whose reading order is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

from omma.sample import Size
from omma.synth.documents.blocks import Page
from omma.synth.documents.compositor import Compositor
from omma.synth.documents.looks import look
from omma.synth.documents.sheet import Sheet, tilted
from omma.synth.world import Drawing, Split


def document_page(
    size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None
) -> Drawing:
    """A few lines at level 0, a short page at 1, lists and columns at 2, a whole page of print at 3."""
    sheet = Sheet(size, look(split, dice, fonts))
    compositor = Compositor(sheet, level, dice, split)
    compositor.fill()
    content = Page(
        tuple(compositor.blocks), len(compositor.columns), compositor.number, tuple(compositor.running)
    )
    return sheet.document("pages", content, tilt=tilted(level, dice, size, compositor.margin))
