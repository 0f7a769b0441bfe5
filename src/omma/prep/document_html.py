"""QwenVL HTML: pages whose elements carry data-bbox, read to blocks in pixels and written from them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from omma.chat import Seen
from omma.prep.boxes import Box
from omma.prep.dialects import Frame, frame_of
from omma.prep.documents import FORMATS, Block, Document
from omma.prep.loose import text_start
from omma.prep.polygons import Polygon, ring_of
from omma.prep.tables import Cell, Table, span_of, table_of

_TAG = re.compile(r"<!--|<(/?)([A-Za-z][\w-]*+)([^<>]*+)>")
_ATTRIBUTE = re.compile(r"""([\w-]++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""")
_NUMBERS = re.compile(r"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)")
_LONG_ENTITY = re.compile(r"&#(?:\d{8,}|[xX][0-9a-fA-F]{7,});?")

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_TEXTS = {
    "p": "paragraph",
    "li": "list item",
    "pre": "code",
    "blockquote": "paragraph",
    **dict.fromkeys(_HEADINGS, "heading"),
}
_UNSHOWN = ("style", "script", "head", "title")
# Classes of a group, by the words in them, the longer first; "formula.handwritten" is a formula too.
_GROUPS = ("image caption", "image ocr", "music sheet", "chemical formula", "formula", "chart", "image")
_SIGNS = ("formula", "music sheet", "chemical formula", "code")  # whose line ends count


# Writing


def write_html(document: Document, seen: Seen) -> str:
    """A page in QwenVL HTML, in the numbers of the model that was shown it (facts §7.2).

    An element a line between ``<html><body>`` and ``</body></html>``; styles are not written.
    """
    frame = frame_of(seen)
    tables = 0
    lines = ["<html><body>"]
    for block in document.blocks:
        tables += block.kind == "table"
        lines.append(_element(block, frame, tables))
    return "\n".join([*lines, "</body></html>"])


def _element(block: Block, frame: Frame, number: int) -> str:
    place = _place("data-bbox", block.box, frame) + _ring(block, frame)
    words = html.escape(block.text, quote=False)
    lined = words.replace("\n", "<br>")
    match block.kind:
        case "heading":
            level = min(max(block.level, 1), 6)
            return f"<h{level}{place}>{lined}</h{level}>"
        case "paragraph":
            return f"<p{place}>{lined}</p>"
        case "list item":
            first = f' value="{block.marker[:-1]}"' if block.marker[:-1].isdigit() else ""
            return f"<li{first}{place}>{lined}</li>"
        case "code":
            return f"<pre{place}>{words}</pre>"
        case "table":
            return (block.table or Table(())).to_html(f'{place} class="table{number}"')
        case "image" if block.picture is None and not block.text:
            return f"<img{place}/>"
        case kind:
            return _group(kind, block, place, frame, words)


def _group(kind: str, block: Block, place: str, frame: Frame, words: str) -> str:
    shape = f' format="{FORMATS[kind]}"' if kind in FORMATS else ""
    picture = f"<img{_place('data-bbox', block.picture, frame)}/>" if block.picture else ""
    if block.table is not None:
        inside = block.table.to_html()
    elif kind in _SIGNS:
        inside = f"<div>{words}</div>"
    else:
        inside = f"<p>{words.replace(chr(10), '<br>')}</p>" if words else ""
    return f'<div class="{kind}"{shape}{place}>{picture}{inside}</div>'


def _place(name: str, box: Box | None, frame: Frame) -> str:
    if box is None:
        return ""
    (x1, y1), (x2, y2) = frame.write(box.x1, box.y1), frame.write(box.x2, box.y2)
    return f' {name}="{x1} {y1} {x2} {y2}"'


def _ring(block: Block, frame: Frame) -> str:
    if block.polygon is None:
        return ""
    numbers = [str(number) for x, y in block.polygon.corners for number in frame.write(x, y)]
    return f' data-polygon="{" ".join(numbers)}"'


# Reading


def parse_html(text: str, seen: Seen) -> Document:
    """The blocks of a page in QwenVL HTML, in their order. Never raises for any text, in linear time.

    Fences, styles and tags that nobody knows are passed over, a tag that was left open is closed by the next.
    A box outside the picture is none; one that reaches out of it is cut to it. The block in which the text
    ended is told as far as it goes, a table without its unfinished row.
    """
    reader = _Reader(seen)
    reader.read(text[text_start(text) :])
    blocks = tuple(reader.blocks)
    return Document(blocks, seen.original, not any(block.cut for block in blocks))


@dataclass
class _Begun:
    """A block that has begun: the tag that ends it, and what was read of it."""

    tag: str
    kind: str
    box: Box | None = None
    polygon: Polygon | None = None
    level: int = 0
    marker: str = ""
    picture: Box | None = None
    words: list[str] = field(default_factory=list)
    rows: list[list[Cell]] | None = None
    depth: int = 0  # tags of the same name that were opened inside
    in_row: bool = False  # whether a row has begun that did not end

    def block(self, *, cut: bool = False) -> Block:
        """What it is; line ends count only where signs stand in lines."""
        words = "".join(self.words)
        if self.kind in _SIGNS:
            words = words.strip()
        else:
            words = "\n".join(" ".join(line.split()) for line in words.split("\0")).strip()
        table = None if self.rows is None else table_of(self.rows)
        return Block(
            self.kind, words, self.box, self.level, self.marker, table, self.picture, self.polygon, cut
        )


class _Reader:
    """One pass over tags and what stands between them."""

    def __init__(self, seen: Seen) -> None:
        self.seen, self.frame = seen, frame_of(seen)
        self.blocks: list[Block] = []
        self.begun: _Begun | None = None
        self.cell: list[str] | None = None  # the words of the cell that is open
        self.spans = (1, 1, False)
        self.lists: list[int | None] = []  # the number of the next item, None where they have none

    def read(self, text: str) -> None:
        """Read it all; the block that is open at the end was cut."""
        at = 0
        unshown = ""
        for sign, end in _signs(text):
            if not unshown:
                self._words(text[at : sign.start()])
            at = end
            closes, tag = bool(sign[1]), (sign[2] or "").lower()
            if unshown:
                unshown = "" if closes and tag == unshown else unshown
            elif tag in _UNSHOWN and not closes:
                unshown = tag
            elif closes:
                self._close(tag)
            elif tag:
                told = _ATTRIBUTE.finditer(sign[3])
                self._open(tag, {m[1].lower(): m[2] or m[3] or m[4] or "" for m in told})
        if self.begun is not None:
            if not unshown:
                self._words(text[at:].partition("<")[0])
            self._end(cut=True)

    def _words(self, text: str) -> None:
        if self.begun is None or not text:
            return
        told = html.unescape(_LONG_ENTITY.sub("\ufffd", text)).replace("\0", "\ufffd")
        if self.cell is not None:
            self.cell.append(told)
        elif self.begun.rows is None:
            self.begun.words.append(told)

    def _open(self, tag: str, given: dict[str, str]) -> None:
        begun = self.begun
        if tag == "br" and begun is not None:
            (begun.words if self.cell is None else self.cell).append("\n" if begun.kind in _SIGNS else "\0")
        elif begun is not None and begun.rows is not None and tag in ("tr", "td", "th", "table"):
            self._open_cell(begun, tag, given)
        elif self.cell is not None:
            return  # what dresses the words of a cell
        elif tag in ("ul", "ol"):
            self.lists.append(1 if tag == "ol" else None)
        elif begun is not None and begun.kind in _GROUPS:
            self._open_inside(begun, tag, given)
        elif tag in _TEXTS or tag == "table" or (tag == "div" and _group_of(given)):
            self._begin(tag, given)
        elif tag == "img":
            self.blocks.append(Block("image", box=self._box(given)))
        elif begun is None and "data-bbox" in given:
            self._begin(tag, given)

    def _open_inside(self, group: _Begun, tag: str, given: dict[str, str]) -> None:
        """A tag inside a group: its picture, its table, or what its words stand in."""
        if tag == "img":
            group.picture = self._box(given) or group.picture
        elif tag == "table" and group.rows is None:
            group.rows = []
        elif tag == "div":
            group.depth += 1

    def _begin(self, tag: str, given: dict[str, str]) -> None:
        self._end()
        kind = "table" if tag == "table" else _TEXTS.get(tag) or _group_of(given) or "paragraph"
        begun = _Begun(tag, kind, self._box(given), level=_HEADINGS.get(tag, 0))
        begun.polygon = ring_of(given.get("data-polygon", ""), self.seen)
        if tag == "table":
            begun.rows = []
        if tag == "li":
            begun.marker = self._marker(given.get("value", ""))
        self.begun = begun

    def _marker(self, value: str) -> str:
        """What stands before an item: its number, or the next of its list, or a dash."""
        if value.isdigit() and value.isascii():
            return f"{value[:9]}."
        number = self.lists[-1] if self.lists else None
        if number is None:
            return "-"
        self.lists[-1] = number + 1
        return f"{number}."

    def _open_cell(self, begun: _Begun, tag: str, given: dict[str, str]) -> None:
        assert begun.rows is not None
        if tag == "table":  # a table inside a cell: its words are the cell's
            begun.depth += begun.tag == "table"
        elif begun.depth == 0 or begun.tag == "div":
            self._end_cell()
            if tag == "tr" or not begun.rows:
                begun.rows.append([])
            begun.in_row = True
            if tag != "tr":
                self.cell = []
                self.spans = (span_of(given.get("rowspan")), span_of(given.get("colspan")), tag == "th")

    def _end_cell(self) -> None:
        if self.cell is not None and self.begun is not None and self.begun.rows:
            text = "\n".join(" ".join(line.split()) for line in "".join(self.cell).split("\0")).strip()
            self.begun.rows[-1].append(Cell(text, *self.spans))
        self.cell = None

    def _close(self, tag: str) -> None:
        begun = self.begun
        if tag in ("ul", "ol") and self.lists:
            self.lists.pop()
        if begun is None:
            return
        if tag in ("td", "th", "tr") or (tag == "table" and begun.tag == "div"):
            if begun.depth == 0 or begun.tag == "div":
                self._end_cell()
                begun.in_row &= tag in ("td", "th")
        elif tag == begun.tag and begun.depth > 0:
            begun.depth -= 1
        elif tag == begun.tag or tag in ("body", "html"):
            self._end()

    def _end(self, *, cut: bool = False) -> None:
        """The block that is open has ended, by its own tag, by the next block, or with the text."""
        begun = self.begun
        if begun is None:
            return
        self._end_cell()
        if cut and begun.rows and begun.in_row:
            begun.rows.pop()
        self.begun = None
        block = begun.block(cut=cut)
        if block.text or block.table or block.kind in _GROUPS:
            self.blocks.append(block)

    def _box(self, given: dict[str, str]) -> Box | None:
        """The place in data-bbox, if it has four numbers of which any is in the picture."""
        numbers = [float(number) for number in _NUMBERS.findall(given.get("data-bbox", "")[:200])]
        if len(numbers) != 4:
            return None
        (x1, y1), (x2, y2) = self.frame.read(*numbers[:2]), self.frame.read(*numbers[2:])
        (x1, x2), (y1, y2) = sorted((x1, x2)), sorted((y1, y2))
        if not self.frame.holds(x1, y1, x2, y2):
            return None
        return Box(*self.frame.inside(x1, y1), *self.frame.inside(x2, y2))


def _signs(text: str) -> Iterator[tuple[re.Match[str], int]]:
    """Tags and comments with the places where they end; a comment that does not end hides nothing."""
    at, last = 0, text.rfind("-->")
    while (sign := _TAG.search(text, at)) is not None:
        comment = sign[0] == "<!--" and sign.end() <= last
        at = text.find("-->", sign.end()) + len("-->") if comment else sign.end()
        yield sign, at


def _group_of(given: dict[str, str]) -> str:
    """What a div holds, by its class; "" where it is none of the known."""
    said = given.get("class", "").lower()
    return next((kind for kind in _GROUPS if kind in said), "")
