"""A page as blocks in reading order, each with its place: headings, texts, tables, pictures, formulas."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from omma.prep.boxes import Box
from omma.prep.polygons import Polygon
from omma.prep.tables import Cell, Table
from omma.sample import Size

# What a block can be (facts §7.2). Of the later ones a picture is shown, and told in words or signs.
KINDS = (
    *("heading", "paragraph", "list item", "table", "code", "image", "chart", "formula"),
    *("image caption", "image ocr", "music sheet", "chemical formula"),
)
FORMATS = {"music sheet": "abc notation", "chemical formula": "smile"}


@dataclass(frozen=True)
class Block:
    """A part of a page. Places are in pixels of the original picture, None where the model gave none.

    `level` of a heading is 1 to 6. `marker` of a list item is "-", or its number, "1.". `table` holds what a
    table or a chart says. `picture` is where the picture itself is, of a block that tells of one.
    `cut` says that the text ended inside it.
    """

    kind: str
    text: str = ""
    box: Box | None = None
    level: int = 0
    marker: str = ""
    table: Table | None = None
    picture: Box | None = None
    polygon: Polygon | None = None
    cut: bool = False

    @classmethod
    def of_json(cls, raw: dict[str, Any]) -> Block:
        """The block that `dataclasses.asdict` told."""
        given = dict(raw)
        for name, kind in (("box", Box), ("picture", Box), ("polygon", Polygon)):
            given[name] = kind(**given[name]) if given.get(name) else None
        if given.get("table"):
            rows = given["table"]["rows"]
            given["table"] = Table(tuple(tuple(Cell(**cell) for cell in row) for row in rows))
        return cls(**given)


@dataclass(frozen=True)
class Document:
    """What was read of a page of `size` pixels. `complete` is False where the text ended inside a block."""

    blocks: tuple[Block, ...]
    size: Size
    complete: bool = True

    @classmethod
    def of_json(cls, raw: dict[str, Any]) -> Document:
        """The document that `dataclasses.asdict` told."""
        blocks = tuple(Block.of_json(block) for block in raw["blocks"])
        return cls(blocks, Size(*raw["size"]), raw["complete"])

    @property
    def text(self) -> str:
        """The words in reading order, a block under the other."""
        told = (block.table.text if block.table else block.text for block in self.blocks)
        return "\n".join(words for words in told if words)

    def __str__(self) -> str:
        return self.text

    def of_kind(self, *kinds: str) -> list[Block]:
        """The blocks of these kinds, in their order."""
        return [block for block in self.blocks if block.kind in kinds]

    def to_markdown(self) -> str:
        """Markdown for people: tables of pipes, pictures by what is told of them, no places."""
        told = [_markdown(block) for block in self.blocks]
        return "\n\n".join(part for part in told if part) + "\n" if any(told) else ""

    def to_html(self) -> str:
        """A standalone page of HTML in reading order, without places; what a block says is escaped."""
        told = "\n".join(part for block in self.blocks if (part := _html(block)))
        head = '<meta charset="utf-8">\n<title>Page</title>'
        return f"<!doctype html>\n<html>\n<head>\n{head}\n</head>\n<body>\n{told}\n</body>\n</html>\n"


def _markdown(block: Block) -> str:
    plain = re.sub(r"([\\`*_\[\]<>])", r"\\\1", block.text)
    match block.kind:
        case "heading":
            return "#" * min(max(block.level, 1), 6) + " " + " ".join(plain.split())
        case "list item":
            return f"{block.marker or '-'} {' '.join(plain.split())}"
        case "formula":
            return f"$$\n{block.text}\n$$"
        case "code" | "music sheet" | "chemical formula":
            return f"```\n{block.text}\n```"
        case "table" | "chart" if block.table is not None:
            return block.table.to_markdown()
        case _:
            return plain.replace("\n", "  \n")


def _html(block: Block) -> str:
    words = html.escape(block.text).replace("\n", "<br>")
    match block.kind:
        case "heading":
            level = min(max(block.level, 1), 6)
            return f"<h{level}>{words}</h{level}>"
        case "table" | "chart" if block.table is not None:
            return block.table.to_html()
        case "formula" | "code" | "music sheet" | "chemical formula":
            return f"<pre>{html.escape(block.text)}</pre>"
        case _:
            return f"<p>{words}</p>" if words else ""
