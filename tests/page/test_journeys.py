"""Journeys through the page, in Chromium, over the real server and the bundled model."""

from __future__ import annotations

import io
import json
import threading
from typing import Any

import PIL.Image
import pytest

from bench.results import ROOT
from omma.chat import Image, Video, whole
from omma.prep.geometry import geometry
from omma.serve.static import FOLDER
from omma.shape import Schema
from tests.page.conftest import Journey
from tests.page.desks import TELLER, JourneyDesk
from tests.serve.desks import NAME

pytestmark = pytest.mark.soak

EXAMPLES = ROOT / "examples"
CLIP = FOLDER / "clip.mp4"  # of 224 × 168 pixels, six seconds long


def png(colour: str, width: int = 300, height: int = 200) -> bytes:
    file = io.BytesIO()
    PIL.Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()


def media_of(order: Any) -> list[bytes]:
    """Everything that an order shows, in its order."""
    return [part.source for said in order.messages for part in said.parts if isinstance(part, (Image, Video))]


def test_an_example_is_answered_at_a_click(journey: Journey, desk: JourneyDesk) -> None:
    journey.open()
    journey.page.locator(".example", has_text="What colour is the square?").click()
    told = journey.answer().locator(".prose").inner_text()
    assert told == desk.model.ask(EXAMPLES / "shapes.png", "What colour is the square?").text
    assert journey.page.locator("#caption").inner_text().startswith("shapes.webp")


def test_a_picture_that_is_dropped_is_what_the_model_sees(journey: Journey, desk: JourneyDesk) -> None:
    journey.open()
    mine = png("teal")
    journey.drop("mine.png", "image/png", mine)
    assert journey.page.locator("#drop").is_hidden()
    assert journey.page.locator(".sight img").evaluate("one => one.naturalWidth") == 300
    journey.ask("Which colour is it?")
    assert media_of(desk.answered[-1]) == [mine]


def test_several_pictures_are_shown_in_their_order_and_once(journey: Journey, desk: JourneyDesk) -> None:
    journey.open()
    three = [png(colour) for colour in ("red", "green", "blue")]
    journey.show(
        *({"name": f"{i}.png", "mimeType": "image/png", "buffer": raw} for i, raw in enumerate(three))
    )
    journey.ask("What colour is the first?")
    assert media_of(desk.answered[-1]) == three
    journey.ask("And the last?")
    assert media_of(desk.answered[-1]) == three
    assert [said.role for said in desk.answered[-1].messages] == ["user", "assistant", "user"]
    journey.page.locator("#strip .drop-one").nth(1).click(force=True)
    assert journey.page.locator(".fresh").is_visible()  # what was said of it is not told again
    journey.ask("Which are left?")
    assert media_of(desk.answered[-1]) == [three[0], three[2]]
    assert len(desk.answered[-1].messages) == 1


def test_what_is_found_is_drawn_where_it_lies(journey: Journey, desk: JourneyDesk) -> None:
    journey.open()
    journey.show(EXAMPLES / "stars.png")
    journey.choose("Find")
    article = journey.ask("star")
    found = desk.model.find(EXAMPLES / "stars.png", "star")
    assert found
    drawn = journey.inside(".marks .edge")
    wanted = [(box.x1 / 336, box.y1 / 252, box.x2 / 336, box.y2 / 252) for box in found]
    assert [sides for one in drawn for sides in one] == pytest.approx(
        [s for w in wanted for s in w], abs=0.006
    )
    article.locator(".place").nth(1).hover()
    assert journey.page.locator(".marks .lit").count() == 1
    journey.page.locator(".marks g").last.hover()  # drawn last, so that no other box lies over it
    assert "lit" in article.locator(".place").last.get_attribute("class")


def test_a_point_is_pinned_where_it_lies(journey: Journey, desk: JourneyDesk) -> None:
    journey.open()
    journey.page.locator(".example", has_text="button").click()
    journey.answer()
    point = desk.model.point(EXAMPLES / "form.png", 'the "Save" button')
    assert point is not None
    ((x1, y1, x2, y2),) = journey.inside(".pin")
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx((point.x / 364, point.y / 308), abs=0.006)


def test_a_line_that_was_read_lights_its_place_and_is_lit_by_it(journey: Journey, desk: JourneyDesk) -> None:
    journey.open()
    journey.show(EXAMPLES / "heading.png")
    journey.choose("Read")
    article = journey.ask()
    lines = article.locator(".line")
    assert lines.all_inner_texts() == [line.text for line in desk.model.read(EXAMPLES / "heading.png").lines]
    lines.nth(1).hover()
    assert journey.page.locator(".marks .lit").get_attribute("data-mark") == lines.nth(1).get_attribute(
        "data-mark"
    )
    journey.page.locator(".marks g").nth(0).hover()
    assert "lit" in lines.nth(0).get_attribute("class")


def test_extracted_fields_are_tied_to_where_they_stand(journey: Journey, desk: JourneyDesk) -> None:
    told = {
        "title": {"value": "Harbour News", "bbox_2d": [60, 170, 720, 410]},
        "pages": {"value": None, "bbox_2d": [0, 0, 10, 10]},
    }
    desk.says = json.dumps(told)
    journey.open()
    journey.show(EXAMPLES / "heading.png")
    journey.choose("Extract", model=TELLER)
    journey.page.fill("#shape-text", "title\npages: integer")
    journey.page.check("#shape-places")
    article = journey.ask()
    assert article.locator("dt").all_inner_texts() == ["title", "pages"]
    assert article.locator(".place").nth(0).inner_text().startswith("Harbour News")
    assert journey.page.locator(".plate").all_inner_texts() == ["title", "pages"]
    assert journey.inside(".marks .edge")[0] == pytest.approx((0.06, 0.17, 0.72, 0.41), abs=0.006)
    article.locator(".place").nth(0).focus()
    assert journey.page.locator(".marks .lit").count() == 1
    order = desk.answered[-1]
    assert order.messages[-1].text == "Extract title and pages with boxes in JSON."
    assert isinstance(order.options.shape, Schema)
    assert order.options.shape.schema["required"] == ["title", "pages"]


def told_again(desk: JourneyDesk) -> tuple[str, dict[str, Any]]:
    """What the bundled model answers to the last order, and the places that stand in it."""
    order = desk.answered[-1]
    assert order.model == NAME
    reply = whole(desk.model.stream(order.messages, order.options))
    return reply.text, geometry(reply.text, reply.seen)["shown"][0]


def test_what_the_bundled_model_extracts_is_tied_to_where_it_says(
    journey: Journey, desk: JourneyDesk
) -> None:
    journey.open()
    journey.show(EXAMPLES / "form.png")
    journey.choose("Extract")
    journey.page.fill("#shape-text", "heading\nfirst_button")
    journey.page.check("#shape-places")
    article = journey.ask()
    text, places = told_again(desk)
    fields = json.loads(text)
    assert article.locator("dt").all_inner_texts() == list(fields) == ["heading", "first_button"]
    shown = article.locator("dd").all_inner_texts()
    for words, field in zip(shown, fields.values(), strict=True):
        assert words.startswith(str(field["value"]).strip() if field["value"] else "nothing there")
    wanted = [box["box"] for box in places["boxes"]]
    assert len(wanted) == 2
    drawn = journey.inside(".marks .edge")
    sides = [side for box in wanted for side in (box[0] / 364, box[1] / 308, box[2] / 364, box[3] / 308)]
    assert [side for one in drawn for side in one] == pytest.approx(sides, abs=0.01)
    assert journey.page.locator(".plate").all_inner_texts() == list(fields)


def test_what_the_bundled_model_locates_stands_on_the_clock(journey: Journey, desk: JourneyDesk) -> None:
    journey.open()
    journey.page.locator(".example", has_text="Locate").click()
    article = journey.answer()
    _, places = told_again(desk)
    spans = [one["span"] for one in places.get("spans", [])]
    drawn = journey.page.locator(".span").evaluate_all(
        "all => all.map(one => [Number(one.dataset.start), Number(one.dataset.end)])"
    )
    assert drawn == [pytest.approx(span) for span in spans]
    assert article.locator(".moment").count() == len(spans)
    assert ("names no time" in article.inner_text()) is (not spans and "boxes" in places)
    assert article.locator(".place").count() == len(spans or places.get("boxes", []))
    assert journey.page.locator(".tick").count() == 12  # the frames that it was shown
    if places.get("boxes") and not spans:
        (box,) = [one["box"] for one in places["boxes"]][:1]
        wanted = (box[0] / 224, box[1] / 168, box[2] / 224, box[3] / 168)
        assert journey.inside(".marks .edge")[0] == pytest.approx(wanted, abs=0.01)


def test_who_walks_the_row_of_pictures_by_keyboard_is_not_lost(journey: Journey) -> None:
    journey.open()
    journey.show(*(EXAMPLES / name for name in ("shapes.png", "stars.png", "form.png")))
    named = "document.activeElement.getAttribute('aria-label')"
    journey.page.locator("#strip .thumb").nth(1).focus()
    journey.page.keyboard.press("Enter")
    assert journey.page.evaluate(named) == "Picture 2: stars.png"
    assert "stars.png" in journey.page.locator("#caption").inner_text()
    journey.page.keyboard.press("Tab")
    for left in ("Take form.png away", "Take shapes.png away"):
        journey.page.keyboard.press("Enter")
        assert journey.page.evaluate(named) == left
    journey.page.keyboard.press("Enter")
    assert journey.page.evaluate("document.activeElement.id") == "words"  # nothing is left to walk along


def test_spans_of_a_video_stand_on_its_clock_and_seek(journey: Journey, desk: JourneyDesk) -> None:
    desk.says = '[{"start":1.5,"end":3.0,"label":"rolls"},{"start":4.5,"end":6.0,"label":"appears"}]'
    journey.open()
    journey.show(CLIP)
    journey.choose("Locate", model=TELLER)
    article = journey.ask("the ball rolls")
    assert media_of(desk.answered[-1]) == [CLIP.read_bytes()]
    assert article.locator(".where").all_inner_texts() == ["1.5 – 3 s", "4.5 – 6 s"]
    assert journey.page.locator(".tick").count() > 3  # the frames that were shown
    shares = journey.page.evaluate(
        """() => {
            const own = document.querySelector(".track").getBoundingClientRect();
            return [...document.querySelectorAll(".span")].map(one => {
                const box = one.getBoundingClientRect();
                return [(box.left - own.left) / own.width, (box.right - own.left) / own.width];
            });
        }"""
    )
    assert [end for one in shares for end in one] == pytest.approx([0.25, 0.5, 0.75, 1.0], abs=0.01)
    journey.page.locator(".span").nth(1).click()
    journey.page.wait_for_function("document.querySelector('.sight video').currentTime >= 4.5")


def test_an_answer_is_stopped_in_the_middle_and_the_desk_learns_of_it(
    journey: Journey, desk: JourneyDesk
) -> None:
    journey.open()
    journey.page.select_option("#model", label=TELLER)
    desk.says, desk.endless, desk.left = "and so on\n", True, threading.Event()
    journey.page.fill("#words", "Tell me everything")
    journey.page.press("#words", "Enter")
    journey.page.wait_for_selector(".coming br", state="attached")  # the second line has come
    journey.page.click("#stop")
    article = journey.answer()
    assert desk.left.wait(30)
    assert "You stopped it here." in article.inner_text()
    desk.says, desk.endless = "Gladly.", False
    assert "Gladly." in journey.ask("Once more, in a word").inner_text()


def test_an_error_is_the_servers_own_sentence_and_the_next_question_is_answered(journey: Journey) -> None:
    journey.open()
    journey.drop("broken.png", "image/png", png("red")[:60])
    article = journey.ask("What is this?")
    card = article.locator("[role=alert]")
    assert "picture" in card.inner_text()
    assert article.locator(".todo").inner_text()
    assert len(journey.wrong) == 1  # the browser's own line about the status
    assert "400" in journey.wrong.pop()
    journey.page.locator("#strip .drop-one").click(force=True)
    journey.drop("whole.png", "image/png", png("red"))
    assert journey.ask("What is this?").locator(".prose").inner_text()


def test_the_keyboard_alone_leads_from_the_door_to_an_answer(journey: Journey) -> None:
    journey.open()
    keys = journey.page.keyboard

    def walk_to(selector: str) -> None:
        for _ in range(40):
            keys.press("Tab")
            if journey.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"Tab never comes to {selector}")

    walk_to(".skip")
    assert journey.page.locator(".skip").bounding_box()["y"] >= 0  # it is seen when it is reached
    walk_to(".example")
    assert journey.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    keys.press("Enter")
    journey.answer()
    journey.page.focus("#tasks input:checked")
    keys.press("ArrowRight")
    assert journey.page.locator("#send").inner_text() == "Find"
    keys.press("ArrowLeft")
    walk_to("#words")
    keys.type("How many shapes are there?")
    keys.press("Enter")
    assert journey.answer(1).locator(".prose").inner_text()
    assert journey.page.evaluate("document.activeElement.id") == "words"
    assert journey.page.locator("#told").inner_text()  # it was said aloud


@pytest.mark.parametrize("journey", [{"viewport": {"width": 360, "height": 740}}], indirect=True)
def test_a_picture_leaves_the_head_of_what_can_be_asked_in_sight(journey: Journey) -> None:
    journey.open()
    journey.drop("mine.png", "image/png", png("teal"))
    journey.page.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    head = journey.page.locator("#hush .large")
    log = journey.page.evaluate_handle("document.querySelector('#hush').parentElement")
    assert head.bounding_box()["y"] >= log.as_element().bounding_box()["y"]


@pytest.mark.parametrize(
    "journey", [{"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}], indirect=True
)
def test_it_is_at_home_on_a_narrow_dark_screen(journey: Journey) -> None:
    journey.open()
    assert journey.page.evaluate("getComputedStyle(document.body).colorScheme") == "light dark"
    assert journey.page.locator("#send").is_visible()
    journey.page.locator(".example").nth(1).click()
    journey.answer()
    width = "document.scrollingElement.scrollWidth"
    assert journey.page.evaluate(width) == 360
    small = journey.page.evaluate(
        """() => [...document.querySelectorAll("button, select, .tasks label")]
            .filter(one => one.checkVisibility())
            .map(one => [one.getBoundingClientRect(), one.getAttribute("aria-label") ?? one.textContent])
            .filter(([box]) => box.width < 24 || box.height < 24).map(([, name]) => name)"""
    )
    assert small == []
    journey.page.click("#open-settings")
    assert journey.page.evaluate(width) == 360
