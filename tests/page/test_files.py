"""The files of the page: all there, small, from nowhere else, and told apart by their digests."""

from __future__ import annotations

import re

import pytest

from omma.serve.static import FOLDER, POLICY, page_files

FILES = page_files()
TEXTS = {
    path: file.raw.decode()
    for path, file in FILES.items()
    if path.endswith((".js", ".css", ".svg")) or path == "/"
}


def test_every_file_of_the_folder_is_served() -> None:
    assert len(FILES) == len([path for path in FOLDER.iterdir() if path.is_file()])
    assert FILES["/"].kind.startswith("text/html")


def test_what_the_page_names_is_there() -> None:
    named = {f"/{name}" for name in re.findall(r'(?:src|href)="(page/[\w.-]+)"', TEXTS["/"])}
    for path, text in TEXTS.items():
        if path.endswith(".js"):
            named |= {f"/page/{name}" for name in re.findall(r'from "\./([\w.-]+)"', text)}
    assert named >= {"/page/main.js", "/page/tokens.css"}
    assert not named - FILES.keys()


@pytest.mark.parametrize("path", TEXTS)
def test_no_file_names_another_machine(path: str) -> None:
    assert set(re.findall(r"https?://[^\s\"'`)]+", TEXTS[path])) <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("path", [path for path in TEXTS if path.endswith(".js")])
def test_no_text_can_become_markup(path: str) -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", TEXTS[path]
    )


@pytest.mark.parametrize("path", [path for path in TEXTS if path != "/page/eye.svg"])
def test_a_file_says_what_it_is_for_and_keeps_its_budget(path: str) -> None:
    head, *rest = TEXTS[path].splitlines()
    assert head.startswith(("//", "/*")) or rest[0].startswith("<!--")
    assert len(rest) < 350
    assert max(map(len, (head, *rest))) <= 110


def test_pictures_and_clips_are_small() -> None:
    shown = [file.raw for path, file in FILES.items() if path.endswith((".webp", ".mp4"))]
    assert sum(map(len, shown)) < 150_000


def test_nothing_is_allowed_that_is_not_named() -> None:
    assert "default-src 'none'" in POLICY
    assert "unsafe" not in POLICY
    assert not re.search(r"https?:|\*|data:", POLICY)


def test_a_file_is_known_by_its_digest() -> None:
    page, script = FILES["/"], FILES["/page/main.js"]
    assert page.known(page.etag)
    assert page.known(f'"other", W/{page.etag}')
    assert not page.known(script.etag)
    assert not page.known("")
