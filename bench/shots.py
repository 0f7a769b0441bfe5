"""Screenshots of the page for the docs, taken from a server of its own and the bundled model.

python -m bench.shots [ADDRESS]            (wants playwright and Chromium)
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import PIL.Image
from playwright.sync_api import sync_playwright

from bench.results import ROOT

OUT = ROOT / "docs" / "pictures"
EXAMPLES = ROOT / "examples"
WIDE, NARROW = (1440, 900), (360, 740)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
QUALITY = 84
PATIENCE = 120_000  # milliseconds


class Scene(NamedTuple):
    """A picture of the page: how large, how lit, and the way there, which says whether it led there."""

    name: str
    size: tuple[int, int]
    theme: str
    way: Callable[[Any], bool]


def main() -> int:
    """Take every picture, and say how large they are; 1 where one could not be taken."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("no Chromium on this machine; install one to take pictures of the page")
        return 1
    missed = 0
    with server() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        for scene in SCENES:
            missed += not take(browser, address, scene)
        browser.close()
    return int(missed > 0)


@contextmanager
def server() -> Iterator[str]:
    """The server that was named, or one of our own on a free port."""
    if len(sys.argv) > 1:
        yield sys.argv[1].rstrip("/")
        return
    command = [sys.executable, "-m", "omma", "serve", "--port", "0", "--quiet", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"].rstrip("/")
        finally:
            process.terminate()


def take(browser: Any, address: str, scene: Scene) -> bool:
    """One picture, as WebP in docs/pictures. Says what became of it."""
    width, height = scene.size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scene.theme, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{address}/")
    page.wait_for_selector("#health[data-health=ready]")
    page.wait_for_function("[...document.images].every(one => one.complete)")
    there = scene.way(page)
    if there:
        raw = page.screenshot(animations="disabled", caret="hide")
        path = OUT / f"page-{scene.name}.webp"
        PIL.Image.open(io.BytesIO(raw)).convert("RGB").save(path, quality=QUALITY, method=6)
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes")
    else:
        print(f"page-{scene.name}: this model's answer has nothing to show; no picture was taken")
    context.close()
    return there


def answered(page: Any, number: int = 1) -> Any:
    """Wait for so many whole answers; gives the last."""
    page.wait_for_function(
        "n => document.querySelectorAll('article.turn[aria-busy=false]').length === n", arg=number
    )
    return page.locator("article.turn").last


def asked(page: Any, task: str, words: str, number: int = 1) -> Any:
    """Ask for a task in these words."""
    page.locator("#tasks label", has_text=task).click()
    if words:
        page.fill("#words", words)
    page.click("#send")
    return answered(page, number)


def show(page: Any, *names: str) -> None:
    """Show pictures of the examples."""
    page.set_input_files("#files", [EXAMPLES / name for name in names])
    page.wait_for_function("n => document.querySelectorAll('#strip li').length === n", arg=len(names))


def welcome(page: Any) -> bool:
    """Before anything is shown."""
    return bool(page.locator(".example").count())


def found(page: Any) -> bool:
    """Boxes on a picture, one of them pointed at."""
    show(page, "stars.png")
    places = asked(page, "Find", "star").locator(".place")
    if places.count():
        places.first.hover()
    return bool(places.count())


def read(page: Any) -> bool:
    """A page of print beside what was read of it."""
    show(page, "heading.png")
    lines = asked(page, "Read", "").locator(".line")
    if lines.count():
        lines.first.hover()
    return bool(lines.count())


def saw(page: Any) -> bool:
    """Questions about several pictures, and what the model saw of them."""
    show(page, "garden.png", "shapes.png")
    asked(page, "Ask", "Is there a car in the first picture?")
    page.locator("article.turn").last.get_by_text("What the model saw").click()
    return True


def timed(page: Any) -> bool:
    """Spans on the clock of a video."""
    page.locator(".example", has_text="Locate").click()
    return bool(answered(page).locator(".moment").count())


def extracting(page: Any) -> bool:
    """The fields that are to be extracted, with where each stands."""
    show(page, "form.png")
    page.locator("#tasks label", has_text="Extract").click()
    page.fill("#shape-text", "heading\nfirst_button")
    page.check("#shape-places")
    page.click("#send")
    return bool(answered(page).locator(".record .place").count())


def code(page: Any) -> bool:
    """The same question as a program."""
    show(page, "shapes.png")
    asked(page, "Ask", "What colour is the square?").get_by_text("As code").click()
    return True


SCENES = (
    Scene("welcome", WIDE, "light", welcome),
    Scene("find", WIDE, "light", found),
    Scene("read", WIDE, "dark", read),
    Scene("saw", WIDE, "light", saw),
    Scene("extract", WIDE, "light", extracting),
    Scene("locate", WIDE, "dark", timed),
    Scene("code", WIDE, "dark", code),
    Scene("narrow", NARROW, "light", found),
    Scene("narrow-dark", NARROW, "dark", welcome),
)


if __name__ == "__main__":
    sys.exit(main())
