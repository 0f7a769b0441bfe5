"""Pages shown by a browser: text and clickable things to the pixel, no script, no network, no other files."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from omma.errors import BadInput, MissingExtra, MissingFile
from omma.sample import Size
from omma.synth.browser import PROGRAMS, Browser, find_browser
from omma.synth.rendered import all_told, drawing_of, exercises_of, pages_of, render_pages
from omma.synth.world import Exercise

PAGE = """<!doctype html><meta charset=utf-8><link rel=stylesheet href=style.css>
<link rel=stylesheet href=../secret.css><link rel=stylesheet href=outside.css>
<nav><a href="#">Home</a> <a href="b.html">Products</a></nav>
<h1 id=h>Welcome</h1><p>We sell <b>app</b>les &amp; pears.</p>
<form><label>Name <input placeholder="Anna Miller"></label> <button>Send</button></form>
<div style="height:0;overflow:hidden">hidden</div><div style="opacity:0">ghost</div>
<script>document.getElementById("h").innerText = "A script ran"</script>
<img src="{address}/a.png" alt="a picture"><iframe src="{address}/b.html"></iframe>
<iframe src="file:///etc/hostname"></iframe><p style="margin-top:600px">The end.</p>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page's folder; beside it lies what the page must not see."""
    whole = tmp_path_factory.mktemp("pages")
    root = whole / "site"
    root.mkdir()
    (root / "style.css").write_text("nav { text-transform: uppercase }")
    (whole / "secret.css").write_text("h1 { display: none }")
    (root / "outside.css").symlink_to(whole / "secret.css")
    return root


@pytest.fixture(scope="module")
def shown(folder: Path) -> Iterator[tuple[list[Exercise], list[str]]]:
    """The page's windows, and every connection that was made to a server on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        (folder / "a.html").write_text(PAGE.replace("{address}", address))
        with Browser(needed()) as browser:
            found = list(
                exercises_of(browser, folder / "a.html", folder, 2, "train", Random(1), Size(400, 420))
            )
        heard = []
        with suppress(TimeoutError):
            heard.append(str(server.accept()[1]))
        yield found, heard


def needed() -> Path:
    try:
        return find_browser()
    except MissingExtra:
        pytest.skip(f"this machine has none of {', '.join(PROGRAMS)}")


def test_lines_are_read_as_they_are_shown(shown: tuple[list[Exercise], list[str]]) -> None:
    exercises, _ = shown
    lines = [thing.text for thing in exercises[0].drawing.things if thing.words]
    assert lines == ["HOME PRODUCTS", "Welcome", "We sell apples & pears.", "Name", "Anna Miller", "Send"]
    assert exercises[0].drawing.things[1].kind == "heading"


def test_no_script_ran_and_nothing_was_asked_of_a_network(shown: tuple[list[Exercise], list[str]]) -> None:
    exercises, heard = shown
    assert not heard
    assert not any("script" in thing.text.lower() for thing in exercises[0].drawing.things)


def test_boxes_hold_the_ink_and_clicks_hit(shown: tuple[list[Exercise], list[str]]) -> None:
    drawing = shown[0][0].drawing
    gray = np.asarray(drawing.picture.convert("L"))
    things = {thing.text: thing for thing in drawing.things}
    for thing in drawing.things:
        x1, y1, x2, y2 = (round(edge) for edge in thing.box)
        assert 0 <= x1 < x2 <= gray.shape[1]
        assert 0 <= y1 < y2 <= gray.shape[0]
        if thing.words:
            assert gray[y1:y2, x1:x2].min() < 160
    assert {(mark.kind, mark.text) for mark in drawing.things if not mark.words} == {
        ("link", "HOME"),
        ("link", "PRODUCTS"),
        ("text field", "Name"),
        ("button", "Send"),
    }
    assert things["Welcome"].box[3] - things["Welcome"].box[1] > things["Name"].box[3] - things["Name"].box[1]


def test_a_page_is_asked_about_as_any_drawing(shown: tuple[list[Exercise], list[str]]) -> None:
    tasks = [turn.task for turn in shown[0][0].turns]
    assert tasks[:2] == ["read", "read_boxes"]
    assert len(tasks) > 3


# Without a browser


def word(text: str, x: float, y: float, block: int = 0, **more: Any) -> dict[str, Any]:
    box = [x, y, x + 8 * len(text), y + 12]
    return {"text": text, "box": box, "block": block, "whole": True, "heading": False} | more


def seen(*words: dict[str, Any], marks: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"words": list(words), "marks": list(marks), "untold": [], "tall": 100}


def picture(*words: dict[str, Any]) -> Image.Image:
    made = Image.new("RGB", (200, 100), "white")
    for one in words:
        x1, y1, x2, y2 = one["box"]
        ImageDraw.Draw(made).rectangle((x1 + 2, y1 + 2, x2 - 2, y2 - 2), fill="black")
    return made


def texts(*words: dict[str, Any]) -> list[str] | None:
    drawing = drawing_of(seen(*words), picture(*(w for w in words if w["text"] != "faint")))
    return None if drawing is None else [thing.text for thing in drawing.things]


def test_words_of_one_block_and_height_are_a_line() -> None:
    assert texts(word("a", 10, 10), word("b", 24, 10), word("c", 10, 30)) == ["a b", "c"]
    assert texts(word("a", 10, 10), word("b", 24, 10, block=1)) == ["a", "b"]
    assert texts(word("app", 10, 10), word("les", 34, 10), word("far", 150, 10)) == ["apples", "far"]


def test_lines_cut_at_the_windows_edge_are_taken_off_with_their_picture() -> None:
    words = word("cut", 10, -6), word("whole", 10, 40), word("below", 10, 95)
    drawing = drawing_of(seen(*words), picture(*words))
    assert drawing is not None
    assert [thing.text for thing in drawing.things] == ["whole"]
    assert drawing.picture.size == (200, 89)
    assert drawing.things[0].box == (10, 34, 50, 46)


def test_what_is_uncertain_is_left_out() -> None:
    assert texts(word("a", 10, 10), word("faint", 10, 40)) == ["a"]
    assert texts(word("a", 10, 10), word("over", 11, 11, block=1)) is None
    assert texts(word("a", 10, 10), word("broken", 10, 40, whole=False)) is None
    assert texts(word("a", 10, 10), word("sideways", 180, 40)) is None
    assert texts() is None


def test_pages_are_found_in_folders_in_a_fixed_order(tmp_path: Path) -> None:
    for name in ("b.html", "a.htm", "c.txt", "d/e.HTML"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path, _ in pages_of([tmp_path])] == ["a.htm", "b.html", "e.HTML"]
    assert pages_of([tmp_path / "d" / "e.HTML"])[0][1] == tmp_path / "d"
    with pytest.raises(BadInput, match="no page"):
        pages_of([empty(tmp_path)])
    with pytest.raises(MissingFile, match="not there"):
        pages_of([tmp_path / "none"])


def empty(folder: Path) -> Path:
    made = folder / "empty"
    made.mkdir()
    return made


def test_a_program_that_is_no_browser_is_told_in_a_sentence(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    (tmp_path / "a.html").write_text("<p>Hello")
    with pytest.raises(MissingExtra, match="did not begin"):
        render_pages([tmp_path / "a.html"], tmp_path / "out", program)
    with pytest.raises(MissingFile, match="no program"):
        find_browser(tmp_path / "none")
    program.chmod(0o644)
    if os.geteuid() != 0:
        with pytest.raises(MissingExtra, match="cannot be run"):
            render_pages([tmp_path / "a.html"], tmp_path / "out", program, overwrite=True)


def test_a_window_tells_whether_it_knows_all_that_can_be_clicked() -> None:
    whole, cut, small = [10, 20, 60, 40], [10, 90, 60, 110], [10, 20, 12, 40]

    def told(*boxes: list[int], untold: tuple[list[int], ...] = ()) -> bool:
        marks = tuple({"kind": "link", "label": "", "box": box} for box in boxes)
        return all_told(seen(word("at the edge", 5, 92), marks=marks) | {"untold": list(untold)}, 100)

    assert told(whole)
    assert told(whole, untold=([10, 93, 60, 110],))  # below the last whole line: not in the picture
    assert not told(whole, small)
    assert not told(whole, cut)
    assert not told(whole, untold=([5, 50, 90, 60],))


FORM = """<p>Grüße aus Köln</p><a href=x>Next</a> <input type=checkbox> <select><option>Ten</select>
<p style="width:9em">See <a href=y>all of the many goods on our shelves</a> now.</p>"""


def test_a_page_that_names_no_encoding_is_read_as_the_utf_8_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(FORM, "utf-8")
    (tmp_path / "b.html").write_bytes("<p>Grüße aus Köln</p>".encode("latin-1"))
    with Browser(needed()) as browser:
        for name in ("a.html", "b.html"):
            (found, *_) = exercises_of(
                browser, tmp_path / name, tmp_path, 1, "train", Random(0), Size(320, 240)
            )
            assert found.drawing.things[0].text == "Grüße aus Köln"


def test_not_all_is_asked_of_a_page_of_which_not_all_is_known(tmp_path: Path) -> None:
    (tmp_path / "wraps.html").write_text(FORM, "utf-8")
    (tmp_path / "whole.html").write_text(FORM.partition("<p style")[0], "utf-8")
    lists: dict[str, list[dict[str, Any]]] = {}
    with Browser(needed()) as browser:
        for name in ("wraps", "whole"):
            for seed in range(8):
                page = tmp_path / f"{name}.html"
                for found in exercises_of(browser, page, tmp_path, 1, "train", Random(seed), Size(320, 240)):
                    lists.setdefault(name, []).extend(t.truth for t in found.turns if t.task == "clickable")
    assert lists["wraps"] == []
    assert {len(truth["boxes"]) for truth in lists["whole"]} == {3}


def test_pages_are_written_as_dialogues_and_what_gave_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<h1>Tea</h1><p>Pour the water. <a href=x>More about tea</a>")
    (tmp_path / "b.html").write_text("<script>document.write('x')</script>")
    harvest = render_pages([tmp_path], tmp_path / "out", needed(), shots=1, size=Size(320, 240))
    rows = [json.loads(line) for line in harvest.lines.read_text("utf-8").splitlines()]
    assert harvest.count == len(rows) == 1
    assert rows[0]["messages"][1]["content"] == "Tea\nPour the water. More about tea"
    assert [skipped.page.name for skipped in harvest.skipped] == ["b.html"]
    with pytest.raises(BadInput, match="exist already"):
        render_pages([tmp_path], tmp_path / "out", needed())


TRICKS = {
    "buttons": "<p>Order here. <input type=submit> <input type=reset> "
    '<input type=submit value="Buy now"></p>',
    "label": "<p>Order.</p><label>Size <select><option>Small<option>Large</select></label>",
    "noscript": "<p>Some words.</p><noscript><p>No scripts run here.</p></noscript>",
    "hyphens": "<p>zero&#8203;width and soft&shy;hyphen &#8203; words</p>",
    "numerals": "<p>List</p><ul style='list-style-type:upper-roman'><li>one<li>two</ul>",
    "slider": "<p>Loud <input type=range aria-label=Volume></p>",
    "icons": '<p>Look</p><a href=x aria-label="Home page"><img width=30 height=30></a> <a href=y>Docs</a>'
    '<button aria-label="Close"><img width=9 height=9></button>',
}


@pytest.fixture(scope="module")
def tricks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exercise]:
    """A window of each page whose truth is not plainly in its text."""
    root = tmp_path_factory.mktemp("tricks")
    found = {}
    with Browser(needed()) as browser:
        for name, page in TRICKS.items():
            (root / f"{name}.html").write_text(f"<!doctype html><meta charset=utf-8>{page}", "utf-8")
            (found[name],) = exercises_of(
                browser, root / f"{name}.html", root, 1, "train", Random(0), Size(360, 240)
            )
    return found


def lines_of(exercise: Exercise) -> list[str]:
    return [thing.text for thing in exercise.drawing.things if thing.words]


def marks_of(exercise: Exercise) -> list[tuple[str, str]]:
    return [(thing.kind, thing.text) for thing in exercise.drawing.things if not thing.words]


def test_what_a_browser_writes_in_the_pages_stead_is_read_too(tricks: dict[str, Exercise]) -> None:
    assert lines_of(tricks["buttons"]) == ["Order here.", "Submit", "Reset", "Buy now"]
    assert marks_of(tricks["buttons"]) == [("button", text) for text in ("Submit", "Reset", "Buy now")]
    assert lines_of(tricks["noscript"]) == ["Some words.", "No scripts run here."]
    assert lines_of(tricks["numerals"]) == ["List", "one", "two"]


def test_signs_that_nobody_sees_are_not_read(tricks: dict[str, Exercise]) -> None:
    assert lines_of(tricks["hyphens"]) == ["zerowidth and softhyphen words"]


def test_a_field_is_called_by_its_label_without_what_stands_in_it(tricks: dict[str, Exercise]) -> None:
    assert marks_of(tricks["label"]) == [("dropdown", "Size")]
    assert marks_of(tricks["slider"]) == [("slider", "Volume")]


def test_what_bears_no_words_on_the_screen_is_not_asked_for_by_a_name(tricks: dict[str, Exercise]) -> None:
    marks = marks_of(tricks["icons"])
    assert ("link", "Docs") in marks
    assert ("link", "Home page") not in marks  # its picture is not shown, so nothing is there to be seen
    assert ("button", "Close") in marks
    asked = [turn.question for turn in tricks["icons"].turns if turn.task in ("point", "widget_kind")]
    assert asked
    assert not any("Close" in question for question in asked)
    assert not any("Close" in turn.answer for turn in tricks["icons"].turns)


@pytest.mark.parametrize(
    "page",
    [
        "<input type=date value=2024-05-01>",
        "<input type=file>",
        "<select size=3><option>Red<option>Blue</select>",
    ],
)
def test_a_window_with_words_that_nobody_can_tell_is_left_out(tmp_path: Path, page: str) -> None:
    (tmp_path / "a.html").write_text(f"<p>Some words</p>{page}")
    with Browser(needed()) as browser:
        assert not list(
            exercises_of(browser, tmp_path / "a.html", tmp_path, 1, "train", Random(0), Size(360, 240))
        )


def test_pages_that_cannot_be_shown_are_told_with_their_reason(tmp_path: Path) -> None:
    root = tmp_path / "site"
    root.mkdir()
    (tmp_path / "other.html").write_text("<p>Elsewhere")
    (root / "good.html").write_text("<h1>Tea</h1><p>Pour the water.")
    (root / "link.html").symlink_to(tmp_path / "other.html")
    (root / "empty.html").write_text(" \n")
    (root / "large.html").write_bytes(b"<p>x" * 5_000_000)
    harvest = render_pages(
        [root, root / "good.html"], tmp_path / "out", needed(), shots=1, size=Size(320, 240)
    )
    told = {skipped.page.name: skipped.reason for skipped in harvest.skipped}
    assert harvest.count == 1  # the page that was named twice is there once
    assert "leads out of its folder" in told["link.html"]
    assert "empty" in told["empty.html"]
    assert "at most 16" in told["large.html"]
