"""Rules in the order they are walked through, one line-up for each kind of data of the 2023 paper."""

from __future__ import annotations

from omma.corpus.clean import Rule
from omma.corpus.clean_boxes import NestedLabels
from omma.corpus.clean_html import Html
from omma.corpus.clean_likeness import Similarity
from omma.corpus.clean_pages import PageBlocks, PageLetters
from omma.corpus.clean_patterns import Irregular, Repetition
from omma.corpus.clean_pictures import AspectRatio, Broken, PictureSize
from omma.corpus.clean_texts import Emoji, Garbled, Length, Longest, Scripts, SpecialTags, Tidy


def web(likeness: Similarity | None = None) -> tuple[Rule, ...]:
    """Pairs from the web. What costs little comes first; pictures are decoded only for texts that stand."""
    rules: tuple[Rule, ...] = (
        Html(),
        Garbled(),
        Tidy(),
        SpecialTags(),
        Emoji(),
        Scripts(),
        Irregular(),
        Repetition(),
        Length(),
        Longest(),
        PictureSize(),
        AspectRatio(),
        Broken(),
    )
    return rules if likeness is None else (*rules, likeness)


def academic() -> tuple[Rule, ...]:
    """Caption sets made by people or by careful filters (CC3M, CC12M, SBU, COCO)."""
    return (Garbled(), Tidy(), SpecialTags(), Longest(), Broken())


def grounded() -> tuple[Rule, ...]:
    """Captions with boxes for their phrases (GRIT). A text is never rewritten: labels count its letters."""
    return (Garbled(), Scripts(), NestedLabels(), PictureSize(), AspectRatio(), Broken())


def pages() -> tuple[Rule, ...]:
    """Pages of PDF and HTML with the text on them. Line ends stay."""
    return (Garbled(), Tidy(lines=True), PageBlocks(), PageLetters(), PictureSize(shortest=400), Broken())


LINE_UPS = {"web": web, "academic": academic, "grounded": grounded, "pages": pages}
