"""A browser and a server for a module, and a page for each journey, which leaves the machine for nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

import omma
from omma.serve.media import MediaShelf
from tests.page.desks import JourneyDesk
from tests.serve.desks import Served, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
PATIENCE = 60_000  # milliseconds until something that has to come is given up


@pytest.fixture(scope="module")
def desk() -> JourneyDesk:
    return JourneyDesk(omma.load("omma-nano"))


@pytest.fixture(scope="module")
def served(desk: JourneyDesk) -> Iterator[Served]:
    with serving(desk, shelf=MediaShelf()) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; the journeys need one")
    playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    # Of the module, not of the session: while it lives, no other test may run a loop of its own.
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@dataclass
class Journey:
    """A page on its way. `wrong` is what the console said, `asked` every address that was asked."""

    page: Any
    address: str
    wrong: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, *, ready: bool = True) -> None:
        """Load the page, until the server is known to be there."""
        self.page.goto(f"{self.address}/")
        if ready:
            self.page.wait_for_selector("#health[data-health=ready]")

    def choose(self, task: str, *, model: str | None = None) -> None:
        """Take a task, as a mouse does."""
        if model:
            self.page.select_option("#model", label=model)
        self.page.locator("#tasks label", has_text=re.compile(f"^{task}$")).click()

    def ask(self, words: str = "") -> Any:
        """Write, send, and wait for the whole answer: its article."""
        before = self.page.locator("article.turn").count()
        if words:
            self.page.fill("#words", words)
        self.page.click("#send")
        return self.answer(before)

    def answer(self, before: int = 0) -> Any:
        """The article of the answer after so many others, when it is whole."""
        article = self.page.locator("article.turn").nth(before)
        self.page.wait_for_function(
            "n => document.querySelectorAll('article.turn')[n]?.getAttribute('aria-busy') === 'false'",
            arg=before,
        )
        return article

    def show(self, *files: Any) -> None:
        """Choose files from the computer."""
        number = self.page.locator("#strip li").count() + len(files)
        self.page.set_input_files("#files", list(files))
        self.page.wait_for_function("n => document.querySelectorAll('#strip li').length === n", arg=number)

    def drop(self, name: str, kind: str, raw: bytes) -> None:
        """Let a file fall onto the page."""
        self.page.evaluate(
            """([name, type, bytes]) => {
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
                const said = { dataTransfer, bubbles: true, cancelable: true };
                for (const event of ["dragenter", "dragover", "drop"])
                    document.body.dispatchEvent(new DragEvent(event, said));
            }""",
            [name, kind, list(raw)],
        )
        self.page.wait_for_selector("#strip li")

    def inside(self, selector: str) -> list[tuple[float, float, float, float]]:
        """Where elements lie on the picture that is shown: x1, y1, x2, y2 as shares of its sides."""
        return [
            tuple(box)
            for box in self.page.evaluate(
                """selector => {
                    const own = document.querySelector(".sight").getBoundingClientRect();
                    return [...document.querySelectorAll(selector)].map(one => {
                        const box = one.getBoundingClientRect();
                        return [(box.left - own.left) / own.width, (box.top - own.top) / own.height,
                                (box.right - own.left) / own.width, (box.bottom - own.top) / own.height];
                    });
                }""",
                selector,
            )
        ]


@pytest.fixture
def journey(browser: Any, served: Served, request: pytest.FixtureRequest) -> Iterator[Journey]:
    """A fresh page; afterwards: nothing left the machine, and nothing went wrong but what was announced."""
    still = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
    wishes = still | getattr(request, "param", {})
    context = browser.new_context(**wishes)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    one = Journey(page, served.address)
    page.on(
        "console", lambda said: one.wrong.append(said.text) if said.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: one.wrong.append(str(error)))
    page.on("request", lambda asked: one.asked.append(asked.url))
    yield one
    context.close()
    assert one.asked
    abroad = [url for url in one.asked if not url.startswith((f"{one.address}/", "blob:"))]
    assert not abroad, "a request left the machine"
    assert not one.wrong
