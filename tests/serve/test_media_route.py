"""/v1/media over HTTP: an upload is shown, told and forgotten by its id, by its own tenant alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from omma.chat import Image
from omma.serve.keys import KeyRing
from omma.serve.media import MediaShelf, ShelfLimits
from omma.serve.settings import Settings
from tests.serve.desks import NAME, ScriptDesk, Served, serving

PNG = b"\x89PNG\r\n\x1a\n"
KEYS = {"a-key-of-annas": "anna", "a-key-of-bobbys": "bob"}


class Clock:
    """Seconds that go by when they are told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk() -> ScriptDesk:
    return ScriptDesk()


@pytest.fixture
def served(desk: ScriptDesk, clock: Clock) -> Iterator[Served]:
    shelf = MediaShelf(ShelfLimits(each=64, tenant=96, seconds=60), clock=clock, now=lambda: 1_000.0)
    with serving(desk, Settings(media=80), keys=KeyRing.of(KEYS), shelf=shelf) as served:
        yield served


@pytest.fixture
def anna(served: Served) -> Iterator[httpx.Client]:
    with served.http(headers={"authorization": "Bearer a-key-of-annas"}) as http:
        yield http


@pytest.fixture
def bob(served: Served) -> Iterator[httpx.Client]:
    with served.http(headers={"authorization": "Bearer a-key-of-bobbys"}) as http:
        yield http


def upload(http: httpx.Client, raw: bytes = PNG) -> Any:
    return http.post("/v1/media", content=raw, headers={"content-type": "application/octet-stream"})


def show(http: httpx.Client, name: str) -> httpx.Response:
    part = {"type": "image_url", "image_url": {"url": f"media:{name}"}}
    return http.post(
        "/v1/chat/completions", json={"model": NAME, "messages": [{"role": "user", "content": [part]}]}
    )


def test_an_upload_is_told_shown_and_forgotten_by_its_id(anna: httpx.Client, desk: ScriptDesk) -> None:
    told = upload(anna).json()
    assert told == {
        "id": told["id"],
        "object": "omma.media",
        "kind": "image",
        "bytes": len(PNG),
        "expires_at": 1_060,
    }
    assert anna.get(f"/v1/media/{told['id']}").json() == told
    assert show(anna, told["id"]).status_code == 200
    (shown,) = desk.orders[-1].messages[0].parts
    assert isinstance(shown, Image)
    assert shown.source == PNG
    gone = anna.delete(f"/v1/media/{told['id']}")
    assert gone.json() == {"id": told["id"], "object": "omma.media.deleted", "deleted": True}
    assert anna.delete(f"/v1/media/{told['id']}").status_code == 404
    refused = show(anna, told["id"])
    assert (refused.status_code, refused.json()["error"]["param"]) == (
        400,
        "messages[0].content[0].image_url.url",
    )
    assert upload(anna).json()["id"] == told["id"]  # the same bytes are the same medium again


def test_nobody_else_can_show_see_or_forget_it(anna: httpx.Client, bob: httpx.Client) -> None:
    name = upload(anna).json()["id"]
    unknown = "0" * len(name)
    for ask in (bob.get, bob.delete):
        theirs, none = ask(f"/v1/media/{name}"), ask(f"/v1/media/{unknown}")
        assert (theirs.status_code, none.status_code) == (404, 404)
        assert theirs.text.replace(name, unknown) == none.text  # whether it is there is not to be learned
    assert show(bob, name).status_code == 400
    assert show(anna, name).status_code == 200
    with httpx.Client(base_url=anna.base_url, trust_env=False) as nobody:
        assert nobody.delete(f"/v1/media/{name}").status_code == 401
    assert anna.get(f"/v1/media/{name}").status_code == 200


def test_it_expires_when_it_was_said_to(anna: httpx.Client, clock: Clock) -> None:
    name = upload(anna).json()["id"]
    clock.seconds = 59.0
    assert show(anna, name).status_code == 200
    clock.seconds = 60.0
    assert anna.get(f"/v1/media/{name}").status_code == 404
    assert "upload it again" in show(anna, name).json()["error"]["message"]


def test_what_is_too_large_is_413_and_the_oldest_makes_room(anna: httpx.Client, bob: httpx.Client) -> None:
    assert upload(anna, PNG + bytes(70)).status_code == 413  # over what the shelf keeps
    assert upload(anna, PNG + bytes(99)).status_code == 413  # over what is taken in
    first, theirs = upload(anna, PNG + bytes(50)).json()["id"], upload(bob, PNG + bytes(50)).json()["id"]
    second = upload(anna, PNG + b"1" * 50).json()["id"]
    assert [anna.get(f"/v1/media/{name}").status_code for name in (first, second)] == [404, 200]
    assert bob.get(f"/v1/media/{theirs}").status_code == 200


def test_its_path_tells_what_may_be_done_there(anna: httpx.Client) -> None:
    answer = anna.put("/v1/media/abc")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "DELETE"}


def test_a_server_without_a_shelf_says_so() -> None:
    with serving(ScriptDesk()) as served, served.http() as http:
        for method in ("GET", "DELETE"):
            answer = http.request(method, "/v1/media/abc")
            assert (answer.status_code, answer.json()["error"]["code"]) == (501, "not_offered")
