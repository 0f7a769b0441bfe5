"""Questions about pages: the text and its order, Markdown, the layout, headings, lists and page numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from omma.synth.ask_pages import NTH, PageQuestions
from omma.synth.asking import some
from omma.synth.documents.blocks import Block, Page
from omma.synth.documents.interview import DocumentInterviewer
from omma.synth.documents.sheet import Document
from omma.synth.world import Drawing, Edges, Split, Turn

LONG = 30  # lines from which on a page's layout is asked for, and no longer the box of every line
COUNTED = {"heading": "headings", "list item": "list items", "picture": "pictures", "column": "columns"}


def document_page_turns(drawing: Drawing, split: Split, dice: Random) -> tuple[Turn, ...]:
    """The whole text or its Markdown, the boxes of lines or blocks, and two to five questions."""
    assert isinstance(drawing, Document)
    assert isinstance(drawing.content, Page)
    asks = _Questions(drawing, drawing.content, split, dice)
    long = len(asks.lines) > LONG
    dense = [asks.read() if dice.random() < 0.6 else asks.markdown()]
    dense.append(asks.layout() if long or dice.random() < 0.25 else asks.read_boxes())
    if not long:
        dense.append(asks.markdown() if dense[0].task == "read" else asks.read())
    chosen = some(
        [
            (1.0, asks.line), (1.0, asks.under), (1.5, asks.next_word), (0.8, asks.has_word),
            (1.2, asks.find_word), (1.0, asks.heading), (0.8, asks.count), (0.8, asks.find_part),
            (0.7, asks.page_number), (0.7, asks.item), (0.4, asks.background),
        ],
        dice.randint(2, 5),
        dice,
    )  # fmt: skip
    return (*dense, *chosen)


class _Questions(PageQuestions):
    def __init__(self, drawing: Drawing, page: Page, split: Split, dice: Random) -> None:
        super().__init__(drawing, split, dice)
        self.say: DocumentInterviewer = DocumentInterviewer(drawing, split, dice)
        self.page, self.things = page, drawing.things
        self.lines = tuple(thing for thing in drawing.things if thing.words)
        self.kinds = Counter(block.kind for block in page.blocks)
        self.kinds["column"] = page.columns
        self.kinds["picture"] = sum(thing.kind == "picture" for thing in drawing.things)

    def markdown(self) -> Turn:
        """The text as Markdown, without what runs on every page."""
        return self.say.text("markdown", self.page.markdown)

    def layout(self) -> Turn:
        """Every block of text and every picture with its box, in reading order."""
        parts = [(self._box(block), block.kind) for block in self.page.blocks]
        parts += [(self.things[number].box, self.things[number].kind) for number in self.page.running]
        parts += [(thing.box, thing.kind) for thing in self.things if thing.kind == "picture"]
        return self.say.boxes("layout", parts)

    def _box(self, block: Block) -> Edges:
        """What holds a block's lines; where it goes on in another column, those of the first."""
        lines = [self.things[number].box for number in block.lines]
        first = [box for box in lines if box[1] >= lines[0][1] - 1 and box[0] < lines[0][2]]
        return union(first)

    def line(self) -> Turn | None:
        """One line by its number, where nobody can count otherwise."""
        if self.page.columns > 1 or self.page.running or len(self.lines) > 3 * len(NTH):
            return None
        if len(self.lines) > len(NTH):
            number = self.dice.randrange(len(NTH))
            text = self.lines[number].text
            return self.say.text("read_line", [text], nth=NTH[number], number=str(number + 1))
        return super().line()

    def under(self) -> Turn | None:
        """The block that follows a heading."""
        pairs = [
            (head, text)
            for head, text in zip(self.page.blocks, self.page.blocks[1:], strict=False)
            if head.kind in ("heading", "title") and text.kind in ("text", "list item", "quote")
        ]
        named = Counter(block.text for block in self.page.blocks)
        pairs = [(head, text) for head, text in pairs if named[head.text] == 1]
        if not pairs:
            return None
        head, text = self.dice.choice(pairs)
        return self.say.text("read_under", [text.text], heading=head.text)

    def next_word(self) -> Turn | None:
        """The word behind one that is printed once only, in the same block."""
        runs = [
            (block.text.split()[number], block.text.split()[number + 1])
            for block in self.page.blocks
            if block.kind in ("text", "list item", "title")
            for number in range(len(block.text.split()) - 1)
        ]
        printed = Counter(bare(found.text).lower() for found in self.words)
        alone = [(a, b) for a, b in runs if printed[bare(a).lower()] == 1 and a == bare(a) and bare(b)]
        if not alone:
            return None
        word, following = self.dice.choice(alone)
        return self.say.word("next_word", bare(following), word=word)

    def heading(self) -> Turn | None:
        """What the title, the only heading, the only caption or a running line says."""
        told = {
            "title": ("title", "headline"), "heading": ("heading",), "caption": ("caption", "figure caption")
        }  # fmt: skip
        alone: list[tuple[str, Sequence[str]]] = []
        for block in self.page.blocks:
            double = block.kind == "heading" and self.kinds["title"]
            if block.kind in told and self.kinds[block.kind] == 1 and not double:
                alone.append((self.dice.choice(told[block.kind]), [block.text]))
        for number in self.page.running:
            if self.things[number].kind in ("header", "footer"):
                alone.append((f"page {self.things[number].kind}", [self.things[number].text]))
        if not alone:
            return None
        what, lines = self.dice.choice(alone)
        return self.say.text("read_heading", lines, what=what)

    def count(self) -> Turn | None:
        """How many headings, list items, pictures or columns there are; seldom of none or one."""
        kind = self.dice.choice(tuple(COUNTED))
        if kind == "heading" and self.kinds["title"]:
            return None
        number = self.kinds[kind]
        if number < 2 and self.dice.random() < 0.8:
            return None
        return self.say.number("count", number, plural=COUNTED[kind])

    def find_part(self) -> Turn | None:
        """The boxes of all blocks of one kind."""
        named: dict[str, list[Edges]] = {}
        for block in self.page.blocks:
            if block.kind != "text":
                named.setdefault(block.kind, []).append(self._box(block))
        for thing in self.things:
            if thing.kind in ("page number", "picture", "header"):
                named.setdefault(thing.kind, []).append(thing.box)
        if not named:
            return None
        what = self.dice.choice(sorted(named))
        return self.say.boxes("find", [(box, what) for box in named[what]], what=what)

    def page_number(self) -> Turn | None:
        """The page's number, without what is printed around it."""
        if self.page.number is None:
            return None
        digits = [run for run in self.things[self.page.number].text.split() if run.isdigit()]
        return self.say.number("page_number", int(digits[0]))

    def item(self) -> Turn | None:
        """One item of the only list."""
        items = [number for number, block in enumerate(self.page.blocks) if block.kind == "list item"]
        if len(items) < 2 or items[-1] - items[0] != len(items) - 1 or len(items) > len(NTH):
            return None
        first = self.page.blocks[items[0]]
        if first.marker[0].isdigit() and len({self.page.blocks[n].marker for n in items}) < len(items):
            return None
        number = self.dice.randrange(len(items))
        text = self.page.blocks[items[number]].text
        return self.say.text("list_item", [text], nth=NTH[number], number=str(number + 1))


def bare(run: str) -> str:
    """A run without the punctuation around it."""
    return run.strip(",.!?:;()\"'-*#")


def union(boxes: Sequence[Edges]) -> Edges:
    """The box that holds all of these."""
    x1, y1, x2, y2 = zip(*boxes, strict=True)
    return min(x1), min(y1), max(x2), max(y2)
