"""The worlds of documents by name: who draws, who asks, and which sizes suit which level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import TypeAlias

from omma.sample import Size
from omma.synth.documents.ask_charts import chart_turns
from omma.synth.documents.ask_pages import document_page_turns
from omma.synth.documents.ask_records import record_turns
from omma.synth.documents.ask_signs import sign_turns
from omma.synth.documents.ask_tables import table_turns
from omma.synth.documents.charts import chart
from omma.synth.documents.forms import form
from omma.synth.documents.invoices import invoice
from omma.synth.documents.pages import document_page
from omma.synth.documents.receipts import receipt
from omma.synth.documents.signs import signs
from omma.synth.documents.tables import table
from omma.synth.world import Drawing, Split, Turn

Painter: TypeAlias = Callable[[Size, int, Random, Split, Sequence[Path] | None], Drawing]
Asker: TypeAlias = Callable[[Drawing, Split, Random], tuple[Turn, ...]]

DOCUMENT_WORLDS: dict[str, tuple[Painter, Asker]] = {
    "pages": (document_page, document_page_turns),
    "signs": (signs, sign_turns),
    "tables": (table, table_turns),
    "charts": (chart, chart_turns),
    "forms": (form, record_turns),
    "receipts": (receipt, record_turns),
    "invoices": (invoice, record_turns),
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
    "signs": _sizes(
        "168x168 196x196 224x168 224x224",
        "196x196 224x224 252x196 196x252",
        "336x252 336x336 252x336 280x280",
        "448x336 640x480 480x640 800x600 1000x800",
    ),
    "tables": _sizes(
        "168x168 224x168 196x112 224x112",
        "224x168 224x224 280x196 280x140",
        "336x252 392x280 448x336 336x336",
        "448x336 560x420 640x480 800x600 720x960",
    ),
    "charts": _sizes(
        "168x168 196x196 224x168 224x224",
        "224x168 224x224 280x196 280x224",
        "336x252 336x336 392x280 448x336",
        "448x336 560x420 640x480 800x600 1000x750",
    ),
    "forms": _sizes(
        "168x168 196x196 224x168 224x224",
        "224x168 224x224 196x252 224x280",
        "336x336 336x448 448x336 364x504",
        "448x640 595x842 720x960 800x600",
    ),
    "receipts": _sizes(
        "140x168 168x224 168x168 196x196",
        "168x224 196x252 196x280 224x280",
        "224x336 252x448 280x504 336x448",
        "336x672 392x784 448x900 560x800",
    ),
    "invoices": _sizes(
        "168x168 196x196 224x168 224x224",
        "224x168 224x224 196x252 224x280",
        "336x392 336x448 448x336 364x504",
        "448x640 595x842 720x1000 640x640",
    ),
}
