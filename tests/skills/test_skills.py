"""Skills say their prompt and read the answer: typed results, in pixels of the picture that was given."""

from __future__ import annotations

import html.parser
from collections.abc import Iterator, Sequence

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.chat import Delta, FinishReason, Image, Message, Options, Seen, Usage, Video
from omma.prep.boxes import Box, Point
from omma.prep.dialects import DIALECTS
from omma.prep.documents import Block
from omma.prep.polygons import Polygon
from omma.prep.spans import Span
from omma.sample import Size
from omma.skills.describe import describe
from omma.skills.document import document
from omma.skills.draw import draw_boxes
from omma.skills.find import PROMPTS, find
from omma.skills.locate import locate
from omma.skills.point import point
from omma.skills.read import Line, Page, read

PICTURE = PIL.Image.new("RGB", (200, 100), "white")


class Parrot:
    """A responder that says one thing and remembers what it was asked."""

    def __init__(self, text: str, finish: FinishReason = "stop", dialect: str = "grid") -> None:
        self.text, self.finish, self.asked, self.dialect = text, finish, "", dialect

    def stream(self, spoken: Sequence[Message], options: Options) -> Iterator[Delta]:
        self.asked = spoken[-1].text
        times = (10.0, 10.5, 11.0) if isinstance(spoken[-1].parts[0], Video) else ()
        seen = (Seen("image", Size(200, 100), Size(196, 112), self.dialect, times),)
        yield Delta(self.text[:3])
        yield Delta(self.text[3:], self.finish, Usage(9, 9), seen)


def test_found_boxes_are_in_pixels_and_wear_what_was_asked_for() -> None:
    parrot = Parrot('[{"bbox_2d":[100,100,500,500]},{"bbox_2d":[0,0,10,10],"label":"red mug"}]')
    assert find(parrot, PICTURE, "mug") == [Box(20, 10, 100, 50, "mug"), Box(0, 0, 2, 1, "red mug")]
    assert parrot.asked == "Locate every mug. Answer with boxes in JSON."


def test_each_generation_is_asked_in_its_own_words() -> None:
    asked = set()
    for dialect in DIALECTS:
        parrot = Parrot("[]", dialect=dialect)
        find(parrot, PICTURE, "mug")
        asked.add(parrot.asked)
        assert parrot.asked == PROMPTS[dialect].format(what="mug")
    assert len(asked) == len(DIALECTS)


def test_a_span_is_in_seconds_of_the_video_and_wears_what_was_asked_for() -> None:
    parrot = Parrot('[{"start":0.0,"end":0.5},{"start":1.0,"end":9.0,"label":"b"}]', "length")
    found = locate(parrot, Video("clip.mp4"), "a bus stops")
    assert found == [Span(10, 10.5, "a bus stops"), Span(11, 11.5, "b")]
    assert not found.complete
    assert parrot.asked == "Locate this in time: a bus stops. Answer with spans in JSON."


def test_a_page_is_a_document_with_places_where_the_model_knows_them() -> None:
    parrot = Parrot('<html><body>\n<p data-bbox="500 0 1000 500">One</p>', dialect="relative")
    page = document(parrot, PICTURE)
    assert page.blocks == (Block("paragraph", "One", Box(100, 0, 200, 50)),)
    assert (parrot.asked, page.complete) == ("qwenvl html", True)
    assert not document(Parrot("# One\n\ntwo", "length"), PICTURE).complete


def test_lines_may_come_with_their_corners() -> None:
    parrot = Parrot("<ref>One</ref><quad>(0,0),(500,0),(500,100),(0,100)</quad>", dialect="tags")
    (line,) = read(parrot, PICTURE).lines
    assert (line.text, line.box) == ("One", Box(0, 0, 100, 10, "One"))
    assert line.quad is not None
    assert parrot.asked == "OCR with grounding:"


def test_boxes_that_were_cut_say_so() -> None:
    cut = find(Parrot('[{"bbox_2d":[0,0,500,100]},{"bbox_2d":[0,2', "length"), PICTURE, "mug")
    assert len(cut) == 1
    assert not cut.complete


def test_nothing_found_is_an_empty_list() -> None:
    assert find(Parrot("[]"), PICTURE, "mug") == []


def test_a_point_is_in_pixels() -> None:
    parrot = Parrot('{"point_2d":[500,500],"label":"Save"}')
    assert point(parrot, PICTURE, 'the "Save" button') == Point(100, 50, "Save")
    assert parrot.asked == 'Point at the "Save" button. Answer with a point in JSON.'


def test_where_only_a_box_was_given_its_middle_is_the_point() -> None:
    assert point(Parrot('[{"bbox_2d":[0,0,100,100]}]'), PICTURE, "it") == Point(10, 5)


def test_no_point_is_none() -> None:
    assert point(Parrot("I see none."), PICTURE, "it") is None


def test_a_description_is_the_words() -> None:
    assert describe(Parrot(" A mug. "), PICTURE) == "A mug."


def test_a_page_has_its_lines_in_order_and_in_place() -> None:
    page = read(
        Parrot(
            '[{"bbox_2d":[0,0,500,100],"text_content":"One"},{"bbox_2d":[0,200,500,300],"text_content":"Two"}]'
        ),
        PICTURE,
    )
    assert page.text == "One\nTwo"
    assert page.lines[1] == Line("Two", Box(0, 20, 100, 30, "Two"))
    assert page.complete


def test_a_page_without_boxes_is_its_lines() -> None:
    parrot = Parrot("One\n\nTwo ")
    assert read(parrot, PICTURE, boxes=False) == Page((Line("One"), Line("Two")), Size(200, 100))
    assert parrot.asked == "Read all the text."


def test_a_page_that_was_cut_says_so() -> None:
    cut = '[{"bbox_2d":[0,0,500,100],"text_content":"One"},{"bbox_2d":[0,2'
    page = read(Parrot(cut, "length"), PICTURE)
    assert page.text == "One"
    assert not page.complete


def test_an_empty_page_is_empty() -> None:
    page = read(Parrot("[]"), PICTURE)
    assert (page.lines, page.to_markdown()) == ((), "")


def lines(*rows: tuple[str, float, float]) -> tuple[Line, ...]:
    return tuple(Line(text, Box(0, top, 100, top + height, text)) for text, top, height in rows)


def test_markdown_has_headings_and_paragraphs() -> None:
    page = Page(
        lines(("Title", 0, 30), ("one", 40, 10), ("two", 52, 10), ("far", 90, 10), ("end", 102, 10)),
        Size(100, 200),
    )
    assert page.to_markdown() == "## Title\n\none  \ntwo\n\nfar  \nend\n"


def test_markdown_leaves_nothing_for_the_text_to_do() -> None:
    page = Page((Line("# <b>1*2*3</b> | [a](b)"), Line("1. first"), Line("- dash")), Size(10, 10))
    wanted = "\\# \\<b\\>1\\*2\\*3\\</b\\> \\| \\[a\\](b)  \n1\\. first  \n\\- dash\n"
    assert page.to_markdown() == wanted


class Reader(html.parser.HTMLParser):
    """Gathers tags and words."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_html_shows_the_text_and_runs_none_of_it(text: str) -> None:
    parser = Reader()
    parser.feed(Page((Line(text, Box(1, 2, 3, 4, text)), Line(text)), Size(10, 10)).to_html())
    assert parser.tags == ["html", "head", "meta", "title", "style", "body", "div", "span", "p"]
    assert parser.words.count(text) == 2


def test_a_drawn_box_has_its_colour_on_its_edge_and_spares_the_inside() -> None:
    drawn = draw_boxes(Image(PICTURE), [Box(20, 30, 120, 90), Box(150, 30, 180, 90, "b")])
    assert drawn.getpixel((20, 60)) != (255, 255, 255)
    assert drawn.getpixel((70, 60)) == (255, 255, 255)
    assert drawn.getpixel((20, 60)) != drawn.getpixel((150, 60))
    assert PICTURE.getcolors() == [(20_000, (255, 255, 255))]


def test_a_line_with_corners_is_drawn_along_them() -> None:
    ring = Polygon(((20, 50), (100, 10), (180, 50), (100, 90)))
    drawn = draw_boxes(Image(PICTURE), [Line("t", ring.box, None, ring)])
    assert drawn.getpixel((60, 30)) != (255, 255, 255)
    assert drawn.getpixel((20, 10)) == drawn.getpixel((100, 50)) == (255, 255, 255)


@pytest.mark.parametrize("size", [(1, 1), (8, 300), (4000, 40)], ids=str)
def test_anything_can_be_drawn_on_a_picture_of_any_size(size: tuple[int, int]) -> None:
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    found = [
        Box(0, 0, width, height, "a long label that has no room"),
        Point(width, height, "p"),
        Polygon(((0, 0), (width, 0), (width, height)), "q"),
        Line("t", None),
        None,
    ]
    assert draw_boxes(picture, found).size == size
