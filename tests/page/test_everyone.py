"""The page for everyone: names for what reads aloud, contrast for what is seen, and doors that are shut."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import PIL.Image
import pytest

from omma.serve.keys import KeyRing
from omma.serve.static import FOLDER
from tests.page.conftest import Journey
from tests.page.desks import TELLER, JourneyDesk
from tests.serve.desks import Served, serving

pytestmark = pytest.mark.soak

CONTROLS = {
    *("button", "textbox", "combobox", "radio", "checkbox", "link", "spinbutton", "tab", "slider"),
    *("dialog", "radiogroup", "group", "form", "log", "list", "image", "table", "region", "navigation"),
}
STATES = ("welcome", "answered", "settings", "code", "extract", "saw")


def reach(journey: Journey, desk: JourneyDesk, state: str) -> None:
    """Bring the page into a state."""
    journey.open()
    if state == "welcome":
        return
    desk.says = '[{"bbox_2d":[100,200,500,600],"label":"star"},{"bbox_2d":[10,20,50,60],"label":"moon"}]'
    journey.page.select_option("#model", label=TELLER)
    journey.page.locator(".example").nth(1).click()
    article = journey.answer()
    match state:
        case "settings":
            journey.page.click("#open-settings")
        case "code":
            article.get_by_text("As code").click()
        case "extract":
            journey.choose("Extract")
        case "saw":
            article.get_by_text("What the model saw").click()


@pytest.mark.parametrize("state", STATES)
def test_every_control_has_a_name(journey: Journey, desk: JourneyDesk, state: str) -> None:
    reach(journey, desk, state)
    session = journey.page.context.new_cdp_session(journey.page)
    tree = session.send("Accessibility.getFullAXTree")["nodes"]
    controls = [node for node in tree if not node["ignored"] and node["role"]["value"] in CONTROLS]
    assert len(controls) > 4
    silent = ("list", "group", "table", "image")  # these may be plain where what is in them is named
    nameless = [
        node["role"]["value"]
        for node in controls
        if not node.get("name", {}).get("value", "").strip() and node["role"]["value"] not in silent
    ]
    assert nameless == []


CONTRAST = """() => {
    const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const mix = layers => {
        pen.clearRect(0, 0, 1, 1);
        for (const colour of layers) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
        return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const bright = rgb => rgb.reduce((sum, v, i) => sum + [0.2126, 0.7152, 0.0722][i] * linear(v / 255), 0);
    const ground = one => getComputedStyle(one).backgroundColor;
    const under = one => one ? [...under(one.parentElement), ground(one)] : ["white"];
    const found = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; (node = walk.nextNode());) {
        const one = node.parentElement;
        if (!node.data.trim() || !one.checkVisibility({ visibilityProperty: true })) continue;
        if (one.closest(".unseen, .skip, option, script, dialog:not([open]), .plate")) continue;
        if (document.querySelector("dialog[open]") && !one.closest("dialog")) continue;
        const style = getComputedStyle(one), below = under(one);
        const [a, b] = [bright(mix([...below, style.color])), bright(mix(below))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
        const wanted = size >= 24 || (bold && size >= 18.7) ? 3 : 4.5;
        found.push([node.data.trim().slice(0, 40), Math.round(ratio * 100) / 100, ratio >= wanted]);
    }
    return found;
}"""


@pytest.mark.parametrize("journey", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True)
@pytest.mark.parametrize("state", STATES)
def test_all_words_stand_out_from_their_ground(journey: Journey, desk: JourneyDesk, state: str) -> None:
    reach(journey, desk, state)
    journey.page.mouse.move(0, 0)
    found = journey.page.evaluate(CONTRAST)
    assert len(found) > 5
    assert [(words, ratio) for words, ratio, enough in found if not enough] == []


@pytest.mark.parametrize("language", ["curl", "Python"])
def test_the_code_that_is_shown_gets_the_same_answer(
    journey: Journey, desk: JourneyDesk, tmp_path: Path, language: str
) -> None:
    desk.says = 'It\'s a "star".'
    journey.open()
    journey.page.select_option("#model", label=TELLER)
    journey.page.locator(".example").nth(1).click()
    journey.answer()
    article = journey.ask('Isn\'t it "one"?\nSay $HOME.')
    article.get_by_text("As code").click()
    journey.page.get_by_role("tab", name=language).click()
    program = journey.page.locator("#program").inner_text()
    asked = desk.answered[-1]
    (tmp_path / "stars.webp").write_bytes((FOLDER / "stars.webp").read_bytes())
    command = ["bash", "-c", program] if language == "curl" else [sys.executable, "-c", program]
    away = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    told = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **away}, capture_output=True, text=True, timeout=120
    )
    assert desk.says in told.stdout.replace("\\", ""), told.stderr
    again = desk.answered[-1]
    assert again is not asked
    assert again.messages == asked.messages


def grain() -> bytes:
    """A picture of more than four million bytes."""
    file = io.BytesIO()
    PIL.Image.frombytes("RGB", (1300, 1300), random.Random(0).randbytes(3 * 1300 * 1300)).save(file, "PNG")
    assert len(file.getvalue()) > 4 << 20
    return file.getvalue()


def test_a_large_file_is_sent_once_and_then_named(journey: Journey, desk: JourneyDesk) -> None:
    raw = grain()
    journey.open()
    journey.page.select_option("#model", label=TELLER)
    journey.show({"name": "large.png", "mimeType": "image/png", "buffer": raw})
    journey.ask("What is it?")
    journey.ask("And now?")
    assert [part.source for part in desk.answered[-1].messages[0].parts[:1]] == [raw]
    assert sum(url.endswith("/v1/media") for url in journey.asked) == 1


def test_a_large_file_that_the_server_forgot_is_sent_again(
    journey: Journey, desk: JourneyDesk, served: Served
) -> None:
    raw = grain()
    journey.open()
    journey.page.select_option("#model", label=TELLER)
    journey.show({"name": "large.png", "mimeType": "image/png", "buffer": raw})
    with journey.page.expect_response("**/v1/media") as sent:
        journey.ask("What is it?")
    with served.http() as http:  # as a server does that was started anew
        assert http.delete(f"/v1/media/{sent.value.json()['id']}").json()["deleted"]
    journey.ask("And now?")
    assert [part.source for part in desk.answered[-1].messages[0].parts[:1]] == [raw]
    assert sum(url.endswith("/v1/media") for url in journey.asked) == 2
    (line,) = journey.wrong  # the browser's own line about the status
    assert "404" in line
    journey.wrong.clear()


def test_the_theme_is_switched_and_kept(journey: Journey) -> None:
    journey.open()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = journey.page.evaluate(ground)
    journey.page.click("#theme")
    assert journey.page.evaluate(ground) == light
    journey.page.click("#theme")
    dark = journey.page.evaluate(ground)
    assert dark != light
    journey.page.reload()
    assert journey.page.evaluate(ground) == dark


def test_what_an_answer_says_never_becomes_markup(journey: Journey, desk: JourneyDesk) -> None:
    desk.says = (
        "# Hi\n**bold** <img src=x onerror=alert(1)> [link](javascript:alert(1)) `<b>code</b>`\n"
        "- <script>1</script>"
    )
    journey.open()
    journey.page.select_option("#model", label=TELLER)
    article = journey.ask("Say something dangerous")
    assert "<img src=x onerror=alert(1)>" in article.inner_text()
    assert article.locator(".answer").locator("img, script, a, iframe").count() == 0
    assert article.locator("strong").inner_text() == "bold"
    assert article.locator("code").inner_text() == "<b>code</b>"


def test_an_absent_server_is_said_and_waited_for(journey: Journey, desk: JourneyDesk) -> None:
    journey.open()
    journey.page.context.set_offline(True)
    article = journey.ask("Are you there?")
    assert "does not answer" in article.locator("[role=alert]").inner_text()
    assert journey.page.locator("#offline").is_visible()
    journey.page.context.set_offline(False)
    journey.page.wait_for_selector("#health[data-health=ready]")
    assert journey.page.locator("#offline").is_hidden()
    journey.page.get_by_role("button", name="Ask again").click()
    assert journey.answer(1).locator(".prose").count() == 1
    assert all("ERR_INTERNET_DISCONNECTED" in line for line in journey.wrong)
    journey.wrong.clear()


@pytest.fixture(scope="module")
def locked(desk: JourneyDesk) -> Iterator[Served]:
    with serving(desk, keys=KeyRing.of({"sesame-open-the-door": "anna"})) as served:
        yield served


@pytest.mark.parametrize(
    "journey", [{"http_credentials": {"username": "anna", "password": "sesame-open-the-door"}}], indirect=True
)
def test_behind_a_key_the_browser_asks_for_it_and_the_page_works(
    journey: Journey, locked: Served, desk: JourneyDesk
) -> None:
    journey.address = locked.address
    journey.open()
    journey.ask("Hello?")
    assert desk.answered[-1].tenant == "anna"


def test_a_key_that_is_wrong_is_said_with_the_way_to_another(journey: Journey) -> None:
    journey.open()
    no = {"error": {"message": "this key is not known", "code": "invalid_api_key"}}
    chat = "**/v1/chat/completions"
    journey.page.route(chat, lambda asked: asked.fulfill(status=401, json=no))
    article = journey.ask("Hello?")
    assert "This key is not known." in article.locator("[role=alert]").inner_text()
    article.get_by_role("button", name="Enter the key").click()
    assert journey.page.evaluate("document.activeElement.id") == "set-key"
    journey.page.keyboard.type("sesame")
    journey.page.get_by_role("button", name="Done").click()
    journey.page.unroute(chat)
    with journey.page.expect_request(chat) as asked:
        journey.ask("Hello?")
    assert asked.value.headers["authorization"] == "Bearer sesame"
    assert journey.page.evaluate("localStorage.getItem('omma.key')") is None
    assert len(journey.wrong) == 1
    journey.wrong.clear()
