"""QwenVL Markdown: pictures and tables with their places in comments, tables in LaTeX; read and written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from omma.chat import Seen
from omma.prep.boxes import Box
from omma.prep.dialects import Frame, frame_of
from omma.prep.document_html import parse_html
from omma.prep.documents import Block, Document
from omma.prep.forms import NUMBER
from omma.prep.loose import text_start
from omma.prep.tables import Cell, read_latex, table_of

_COMMENT = re.compile(
    r"(?:!\[[^\]\n]{0,99}+\]\()?<!--\s*+(Image|Table)\s*+\(\s*+"
    + r"\s*+,\s*+".join([f"({NUMBER})"] * 4)
    + r"\s*+\)\s*+-->\)?",
    re.IGNORECASE,
)
_HEADING = re.compile(r"(#{1,6})\s++(.*)")
_ITEM = re.compile(r"([-*+]|\d{1,9}[.)])\s++(.*)")
_BEGIN = re.compile(r"\\begin\{(tabular[*x]?)\}")
_FENCE = re.compile("`{3,}+")
_AROUND = re.compile(r"\\(?:begin|end)\{table")
# What a line of text must not begin with; a backslash before it takes its meaning away.
_STRUCTURE = r"(?:#{1,6}\s|(?:[-*+]|\d{1,9}[.)])\s|\||\$\$|```|\\begin\{tab|\\(?:begin|end)\{table|<table)"
_PLAIN = re.compile(rf"\\*(?={_STRUCTURE})")
_ESCAPED = re.compile(rf"\\(\\*(?={_STRUCTURE}))")
_COLUMNS = re.compile(r"\A(?:\[[^\]\n]*+\])?(?:\{(?:[^{}\n]|\{[^{}\n]*+\})*+\}){1,2}")
_RULE = re.compile(r"(?=[^-]*-)[\s:|-]+")


# Writing


def write_markdown(document: Document, seen: Seen) -> str:
    """A page in QwenVL Markdown, in the numbers of the model that was shown it (facts §7.2).

    ``<!-- Image (x1, y1, x2, y2) -->`` and ``<!-- Table (…) -->`` say where pictures and tables are; nothing
    else has a place. What is told of a picture stands under its comment as a paragraph.
    """
    frame = frame_of(seen)
    parts: list[str] = []
    before = ""
    for block in document.blocks:
        for part in _parts(block, frame):
            joined = "\n" if block.kind == before == "list item" else "\n\n"
            parts += [joined, part] if parts else [part]
        before = block.kind
    return "".join(parts)


def _parts(block: Block, frame: Frame) -> Iterator[str]:
    match block.kind:
        case "heading":
            yield _hidden("#" * min(max(block.level, 1), 6) + " " + " ".join(block.text.split()))
        case "list item":
            yield _hidden(f"{block.marker or '-'} {' '.join(block.text.split())}")
        case "formula":
            yield _hidden("$$\n" + re.sub(r"\${2,}", "$", block.text) + "\n$$")
        case "code":
            ticks = max((len(run) for run in re.findall("`{3,}", block.text)), default=2)
            yield _hidden("\n".join(("`" * (ticks + 1), block.text, "`" * (ticks + 1))))
        case "paragraph":
            yield _written(block.text)
        case "table":
            told = _hidden(block.table.to_latex()) if block.table else ""
            yield "\n".join(part for part in (_comment("Table", block.box, frame), told) if part)
        case _:
            yield _comment("Image", block.picture or block.box, frame)
            if block.table is not None:
                yield _hidden(block.table.to_latex())
            elif block.text:
                yield _written(block.text)


def _comment(name: str, box: Box | None, frame: Frame) -> str:
    if box is None:
        return "" if name == "Table" else "<!-- Image (0, 0, 0, 0) -->"
    (x1, y1), (x2, y2) = frame.write(box.x1, box.y1), frame.write(box.x2, box.y2)
    return f"<!-- {name} ({x1}, {y1}, {x2}, {y2}) -->"


def _written(text: str) -> str:
    """A paragraph of which no line can be taken for anything else."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(_escaped(line) for line in lines if line)


def _escaped(line: str) -> str:
    return _hidden(("\\" if _PLAIN.match(line) else "") + line)


def _hidden(text: str) -> str:
    """The text with its comments made none."""
    return re.sub(r"<(\\*+)!--", r"<\\\1!--", text)


def _shown(line: str) -> str:
    return re.sub(r"<\\(\\*+)!--", r"<\1!--", line)


# Reading


def parse_markdown(text: str, seen: Seen) -> Document:
    """The blocks of a page in Markdown, in their order. Never raises for any text, in linear time.

    Tables may be LaTeX, HTML or pipes; the fence around a whole answer is passed over. A picture outside the
    picture's edges has no box. The block in which a formula, a fence or a table was left open is `cut`, and a
    table has the rows that ended.
    """
    reader = _Reader(seen)
    for line, place in _lines(text[text_start(text) :]):
        reader.take(line, place)
    blocks = tuple(reader.end())
    return Document(blocks, seen.original, not any(block.cut for block in blocks))


def _lines(text: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """The lines, with comments of places on lines of their own, and without the fence around them all."""
    lines = text.strip().splitlines()
    if lines and re.fullmatch(r"```(?:markdown|md|latex)\s*", lines[0]):
        lines = lines[1:-1] if lines[-1].strip() == "```" and len(lines) > 1 else lines[1:]
    for line in lines:
        at = 0
        for comment in _COMMENT.finditer(line):
            if before := line[at : comment.start()].strip():
                yield _shown(before), None
            yield "", comment
            at = comment.end()
        if at == 0 or line[at:].strip():
            yield _shown(line[at:]), None


class _Reader:
    """Gathers lines to blocks: what is open ends at its own sign, at a blank line, or with the text."""

    def __init__(self, seen: Seen) -> None:
        self.seen, self.frame = seen, frame_of(seen)
        self.blocks: list[Block] = []
        self.words: list[str] = []  # of a paragraph
        self.rows: list[list[Cell]] = []  # of a table of pipes
        self.open = ""  # "$$", "```", "</table>" or the end of an environment, until it comes
        self.held: list[str] = []  # the lines since then
        self.placed: Box | None = None  # of the table to come

    def take(self, line: str, place: re.Match[str] | None = None) -> None:
        """Read one line, or the comment of a place."""
        if place is not None and not self.open:
            self._comment(place)
            return
        line, at = (line if place is None else place[0]).rstrip(), 0
        if not line and not self.open:
            self._plain("")
        elif not line:
            self._inside("", 0)
        while at < len(line):
            if self.open:
                at = self._inside(line, at)
            elif line[at].isspace():
                at += 1
            elif (begun := self._opens(line, at)) is not None:
                at = begun
            elif line.startswith("|", at):
                self._pipes(line[at:])
                return
            else:
                self._plain(line[at:])
                return

    def end(self) -> list[Block]:
        """All blocks, when there are no more lines."""
        if self.open:
            self._finish(cut=True)
        self._flush()
        return self.blocks

    def _comment(self, place: re.Match[str]) -> None:
        self._flush()
        numbers = [float(number) for number in place.groups()[1:]]
        (x1, y1), (x2, y2) = self.frame.read(*numbers[:2]), self.frame.read(*numbers[2:])
        (x1, x2), (y1, y2) = sorted((x1, x2)), sorted((y1, y2))
        held = self.frame.holds(x1, y1, x2, y2)
        box = Box(*self.frame.inside(x1, y1), *self.frame.inside(x2, y2)) if held else None
        if place[1].lower() == "table":
            self.placed = box
        else:
            self.blocks.append(Block("image", box=box))

    def _opens(self, line: str, at: int) -> int | None:
        """Where what begins at this place of the line goes on, if it ends at a sign of its own."""
        tabular, fence = _BEGIN.match(line, at), _FENCE.match(line, at)
        if line.startswith("$$", at):
            end, begun = "$$", at + 2
        elif fence is not None:
            end, begun = fence[0], len(line)
        elif tabular is not None:
            end, begun = f"\\end{{{tabular[1]}}}", tabular.end()
        elif line.startswith("<table", at):
            end, begun = "</table>", at
        else:  # what may stand around a tabular says nothing
            return len(line) if _AROUND.match(line, at) else None
        self._flush(keep=end[0] not in "$`")
        self.open, self.held = end, []
        return begun

    def _inside(self, line: str, at: int) -> int:
        """Hold a line of what is open from this place on, up to where it ends, and give that place."""
        if fenced := self.open[0] == "`":
            ends, stop, after = line.strip() == self.open, 0, len(line)
        else:
            stop = line.find(self.open, at)
            ends, after = stop >= 0, stop + len(self.open)
        told = line[at:stop] if ends else line[at:]
        if told.strip() or (not ends and self.held):
            self.held.append(told if fenced else told.strip())
        if not ends:
            return len(line)
        self._finish()
        return after

    def _finish(self, *, cut: bool = False) -> None:
        told, opened = "\n".join(self.held).strip("\n"), self.open
        self.open, self.held = "", []
        if opened == "$$":
            block = Block("formula", told.strip())
        elif opened[0] == "`":
            block = Block("code", told)
        elif opened == "</table>":
            parsed = parse_html(told + ("" if cut else opened), self.seen).of_kind("table")
            block = parsed[0] if parsed else Block("table", table=table_of([]))
            block = replace(block, box=block.box or self.placed)
        else:
            body = _COLUMNS.sub("", told, count=1)
            block = Block("table", box=self.placed, table=read_latex(body))
        if block.kind == "table":
            self.placed = None
        self.blocks.append(replace(block, cut=cut))

    def _pipes(self, line: str) -> None:
        """A row of a table of pipes."""
        self._flush(keep=True, rows=False)
        if not (_RULE.fullmatch(line.strip()) and len(self.rows) == 1):
            cells = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
            self.rows.append([Cell(cell.strip().replace("\\|", "|")) for cell in cells])

    def _plain(self, line: str) -> None:
        """A heading, an item, a line of a paragraph, or the blank that ends one."""
        heading, item = _HEADING.fullmatch(line), _ITEM.fullmatch(line)
        if not line:
            self._flush(keep=True)
            return
        if heading is None and item is None:
            if self.rows:
                self._flush()
            self.words.append(_ESCAPED.sub(r"\1", line, count=1) if _ESCAPED.match(line) else line)
            return
        self._flush()
        if heading is not None:
            self.blocks.append(Block("heading", heading[2].strip(), level=len(heading[1])))
        elif item is not None:
            marker = f"{item[1][:-1]}." if item[1][0].isdigit() else "-"
            self.blocks.append(Block("list item", item[2].strip(), marker=marker))

    def _flush(self, *, keep: bool = False, rows: bool = True) -> None:
        """What needs no sign to end has ended: a paragraph, and a table of pipes."""
        if self.words:
            self.blocks.append(Block("paragraph", "\n".join(self.words)))
            self.words = []
        if rows and self.rows:
            self.blocks.append(Block("table", box=self.placed, table=table_of(self.rows)))
            self.rows, self.placed = [], None
        if not keep and self.placed is not None:  # a place to which no table came
            self.blocks.append(Block("table", box=self.placed))
            self.placed = None


def parse_document(text: str, seen: Seen) -> Document:
    """The page that an answer tells, in QwenVL HTML or in Markdown, whichever it is. Never raises."""
    answer = text[text_start(text) :]
    marked = re.search(r"<(?:html|body|p|div|h[1-6]|li|pre)\b[^<>]*+>", answer, re.IGNORECASE)
    return parse_html(text, seen) if marked or "data-bbox" in answer else parse_markdown(text, seen)
