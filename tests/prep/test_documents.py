"""Pages in QwenVL HTML and Markdown: text and blocks are one, nothing whole is lost, no text is fatal."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.prep.boxes import Box
from omma.prep.dialects import DIALECTS
from omma.prep.document_html import parse_html, write_html
from omma.prep.document_markdown import parse_document, parse_markdown, write_markdown
from omma.prep.documents import Block, Document
from omma.prep.polygons import Polygon
from omma.prep.tables import Cell, Table, read_latex
from omma.sample import Size
from tests.prep.shown import THOUSAND, any_text, few, numbers, shown, sizes

SIGNS = [
    "#",
    "-",
    "1.",
    "|",
    "$$",
    "```",
    "<!--",
    "-->",
    "\\",
    "\\begin{tabular}{l}",
    "&",
    "\\\\",
    "{",
    "}",
    "[x]",
]
SIGNS += [
    "%",
    "~",
    "<p>",
    "&amp;",
    "*",
    "$x_1$",
    "<!-- Image (1, 2, 3, 4) -->",
    "a",
    "Ünï",
    "日本",
    "</p>",
    "\\hline",
]
words = st.lists(st.sampled_from(SIGNS), min_size=1, max_size=4).map(" ".join)
lines = st.lists(words, min_size=1, max_size=2).map("\n".join)
boxes = st.tuples(*[numbers] * 4).map(
    lambda n: Box(min(n[0], n[2]), min(n[1], n[3]), max(n[0], n[2]), max(n[1], n[3]))
)
spans = st.integers(1, 3)
cells = st.builds(Cell, st.just("") | words, spans, spans)
tables = st.lists(st.lists(cells, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(
    lambda rows: Table(tuple(rows))
)
blocks = st.lists(
    st.one_of(
        st.builds(Block, st.just("heading"), words, boxes, st.integers(1, 6)),
        st.builds(Block, st.just("paragraph"), lines, boxes),
        st.builds(Block, st.just("list item"), words, boxes, marker=st.sampled_from(["-", "7."])),
        st.builds(Block, st.just("table"), box=boxes, table=tables),
        st.builds(Block, st.just("image"), box=boxes),
        st.builds(Block, st.sampled_from(["formula", "code"]), lines, boxes),
        st.builds(Block, st.sampled_from(["image caption", "image ocr"]), lines, boxes, picture=boxes),
        st.builds(Block, st.sampled_from(["music sheet", "chemical formula"]), lines, boxes, picture=boxes),
        st.builds(Block, st.just("chart"), box=boxes, picture=boxes, table=tables),
    ),
    max_size=4,
).map(tuple)
FORMS = {"html": (write_html, parse_html), "markdown": (write_markdown, parse_markdown)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dialect", DIALECTS)
@few
@given(blocks, sizes)
def test_text_to_blocks_to_text_is_the_same_text(
    dialect: str, form: str, told: tuple[Block, ...], size: Size
) -> None:
    write, parse = FORMS[form]
    text = write(Document(told, THOUSAND), shown(dialect))
    again = parse(text, shown(dialect, size))
    assert write(again, shown(dialect, size)) == text
    assert again.complete
    if form == "html" and size == THOUSAND:
        assert again.blocks == told


@pytest.mark.parametrize("form", FORMS)
@few
@given(blocks, st.integers(0, 600))
def test_a_text_cut_anywhere_loses_no_block_that_is_whole(
    form: str, told: tuple[Block, ...], length: int
) -> None:
    write, parse = FORMS[form]
    text = write(Document(told, THOUSAND), shown("relative"))
    whole, cut = parse(text, shown("relative")).blocks, parse(text[:length], shown("relative")).blocks
    ends = [len(write(Document(told[: n + 1], THOUSAND), shown("relative"))) for n in range(len(told))]
    tail = len("\n</body></html>") if form == "html" else 0
    kept = sum(end - tail <= length for end in ends)
    if form == "html":
        assert cut[:kept] == whole[:kept] == told[:kept]
    else:
        assert len(cut) >= kept
        assert cut[: len(cut) - 2] == whole[: max(0, len(cut) - 2)]


PAGE = """```html
<html><body>
<h2 data-bbox="10 20 300 60"> A  title</h2>
<p data-bbox="10 70 500 90">One &amp; two<br>three</p>
<ol><li data-bbox="1 2 3 4">first<li>second</ol>
<style>.table1 { color: red }</style><table data-bbox="10 100 500 200" class="table1"><thead>
<tr><th colspan="2"><b>Head</b></th></tr></thead><tr><td>a</td><td>b<p>c</p></td></tr></table>
<div class="chart" data-bbox="1 2 3 4"><img data-bbox="5 6 7 8"/><table><tr><td>9</td></tr></table></div>
<div class="formula.handwritten" data-bbox="1 2 3 4"><img data-bbox="5 6 7 8"/><div>x^2
+ y</div></div>
<div class="image caption" data-bbox="1 2 3 4"><img data-bbox="5 6 7 8"/><p>A cat</p></div>
<div class="image" data-bbox="1 2 3 4"><img data-bbox="1 2 3 4"/></div>
<div data-bbox="9 9 10 10">loose</div><p data-polygon="0 0 9 0 9 9">ring</p>
</body></html>
```"""


def test_a_page_of_html_is_read_block_by_block() -> None:
    found = parse_document(PAGE, shown("relative"))
    box, picture = Box(1, 2, 3, 4), Box(5, 6, 7, 8)
    assert found.blocks == (
        Block("heading", "A title", Box(10, 20, 300, 60), level=2),
        Block("paragraph", "One & two\nthree", Box(10, 70, 500, 90)),
        Block("list item", "first", box, marker="1."),
        Block("list item", "second", marker="2."),
        Block(
            "table",
            box=Box(10, 100, 500, 200),
            table=Table(((Cell("Head", columns=2, head=True),), (Cell("a"), Cell("bc")))),
        ),
        Block("chart", box=box, picture=picture, table=Table(((Cell("9"),),))),
        Block("formula", "x^2\n+ y", box, picture=picture),
        Block("image caption", "A cat", box, picture=picture),
        Block("image", box=box, picture=box),
        Block("paragraph", "loose", Box(9, 9, 10, 10)),
        Block("paragraph", "ring", polygon=Polygon(((0, 0), (9, 0), (9, 9)))),
    )
    assert found.complete


def test_a_page_of_markdown_is_read_block_by_block() -> None:
    text = """```markdown
# A title
One
two

- first
2. second
![cat](<!-- Image (1, 2, 3, 4) -->)
<!-- Table (10, 100, 500, 200) -->
\\begin{tabular}{|p{3cm}|l|}
\\hline
\\multicolumn{2}{|c|}{Head} \\\\ \\hline
\\multirow{2}{*}{a} & 5\\% \\\\
 & c \\\\
\\end{tabular}

$$x^2$$
| p | q |
|---|---|
| 1 | 2 |
```"""
    rows = ((Cell("Head", columns=2),), (Cell("a", rows=2), Cell("5%")), (Cell("c"),))
    found = parse_document(text, shown("relative"))
    assert found.blocks == (
        Block("heading", "A title", level=1),
        Block("paragraph", "One\ntwo"),
        Block("list item", "first", marker="-"),
        Block("list item", "second", marker="2."),
        Block("image", box=Box(1, 2, 3, 4)),
        Block("table", box=Box(10, 100, 500, 200), table=Table(rows)),
        Block("formula", "x^2"),
        Block("table", table=Table(((Cell("p"), Cell("q")), (Cell("1"), Cell("2"))))),
    )


def test_the_block_in_which_a_text_was_cut_is_told_as_far_as_it_goes() -> None:
    start = '<p data-bbox="1 2 3 4">Whole</p><table><tr><td>a</td></tr><tr><td>b</td><td>c'
    whole, table = parse_html(start, shown("relative")).blocks
    assert (whole.text, whole.cut) == ("Whole", False)
    assert (table.table, table.cut) == (Table(((Cell("a"),),)), True)
    (words,) = parse_html('<p data-bbox="1 2 3 4">Half a wor', shown("relative")).blocks
    assert (words.text, words.cut) == ("Half a wor", True)
    latex = parse_markdown("\\begin{tabular}{l}\na \\\\\nb & c", shown("relative"))
    assert latex.blocks == (Block("table", table=Table(((Cell("a"),),)), cut=True),)
    assert not latex.complete


def test_places_grow_with_the_picture_and_what_is_outside_has_none() -> None:
    large = parse_html(PAGE, shown("pixels", Size(2000, 3000)))
    assert large.blocks[0].box == Box(20, 60, 600, 180)
    (block,) = parse_html('<p data-bbox="1100 0 1200 9">x</p>', shown("relative")).blocks
    assert block == Block("paragraph", "x")


def test_cells_that_reach_down_are_written_and_read_in_latex() -> None:
    table = Table(((Cell("a", rows=2, columns=2), Cell("b")), (Cell("c"),), (Cell(""), Cell("d"), Cell("e"))))
    body = table.to_latex().removeprefix("\\begin{tabular}{lll}").removesuffix("\\end{tabular}")
    assert read_latex(body) == table
    assert table.columns == 3


def test_what_ends_in_the_middle_of_a_line_ends_there() -> None:
    text = "$$a$$ $$\n\nb\n$$ words\n\\begin{tabular}{l} a \\\\ \\end{tabular} \\begin{tabular}{l}\n```\n"
    kinds = [(block.kind, block.text, block.cut) for block in parse_markdown(text, shown("relative")).blocks]
    assert kinds == [
        ("formula", "a", False),
        ("formula", "b", False),
        ("paragraph", "words", False),
        ("table", "", False),
        ("table", "", True),
    ]


def test_people_get_markdown_html_and_text() -> None:
    found = parse_document(PAGE, shown("relative"))
    assert found.text.startswith("A title\nOne & two\nthree\nfirst\nsecond\nHead\na\tbc\n9\nx^2")
    assert "| a | bc |" in found.to_markdown()
    assert "<p>One &amp; two<br>three</p>" in found.to_html()
    assert [block.text for block in found.of_kind("heading")] == ["A title"]


@few
@given(any_text)
def test_no_text_is_fatal(text: str) -> None:
    for parse in (parse_html, parse_markdown, parse_document):
        found = parse(text, shown("pixels"))
        for block in found.blocks:
            assert block.box is None or 0 <= block.box.x1 <= block.box.x2 <= 1000
        found.to_markdown()
        found.to_html()


def test_json_gives_the_same_document_back() -> None:
    found = parse_document(PAGE, shown("relative"))
    found = replace(found, blocks=(*found.blocks, Block("code", "x", cut=True)))
    assert Document.of_json(json.loads(json.dumps(asdict(found)))) == found
