"""The page over HTTP: its policy, its digests, the key before it, and nothing but its files."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

import httpx
import pytest

from omma.serve.app import build_app
from omma.serve.keys import KeyRing
from omma.serve.settings import Settings
from omma.serve.static import POLICY, page_files
from tests.serve.desks import ScriptDesk

KEY = "sesame-open-the-door"


@cache
def app(locked: bool, page: bool) -> Any:
    keys = KeyRing.of({KEY: "anna"} if locked else {})
    return build_app(ScriptDesk(), Settings(page=page, docs=False), keys=keys)


def get(path: str, *, locked: bool = False, page: bool = True, **more: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app(locked, page))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path, **more)

    return asyncio.run(ask())


def test_each_file_comes_with_its_type_and_the_policy() -> None:
    for path, file in page_files().items():
        reply = get(path)
        assert reply.status_code == 200
        assert reply.content == file.raw
        assert reply.headers["content-type"] == file.kind
        assert reply.headers["content-security-policy"] == POLICY
        assert reply.headers["x-content-type-options"] == "nosniff"


def test_what_a_browser_has_is_not_sent_again() -> None:
    tag = get("/").headers["etag"]
    again = get("/", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert get("/", headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/page/", "/page/none.js", "/page/..%2fstatic.py", "/page/%2e%2e/static.py", "/page/index.html"]
)
def test_nothing_else_of_the_disk_can_be_named(path: str) -> None:
    assert get(path).status_code == 404


def test_behind_a_key_every_file_wants_it() -> None:
    assert all(get(path, locked=True).status_code == 401 for path in ("/", "/page/main.js"))
    asked = get("/", locked=True, headers={"sec-fetch-mode": "navigate"})
    assert asked.headers["www-authenticate"].startswith("Basic")  # a browser asks for a password then
    assert get("/", locked=True, auth=("anyone", KEY)).status_code == 200


def test_a_server_may_have_no_page() -> None:
    assert get("/", page=False).status_code == 404
