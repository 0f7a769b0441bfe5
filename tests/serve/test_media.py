"""Uploads: kept for a while, for their own tenant, within bounds."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.errors import BadMessage, BadPicture, Busy, TooLarge
from omma.serve.media import MediaShelf, ShelfLimits, kind_of

PNG = b"\x89PNG\r\n\x1a\n"


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def shelf(clock: Clock | None = None, **limits: float) -> MediaShelf:
    return MediaShelf(ShelfLimits(**limits), clock=clock or Clock(), now=lambda: 1_000.0)  # type: ignore[arg-type]


def test_an_upload_is_given_back_by_its_id() -> None:
    async def run() -> None:
        kept = await (there := shelf()).put("anna", PNG + b"1")
        assert (kept.kind, kept.bytes, kept.expires) == ("image", 9, 4_600)
        assert await there.get("anna", kept.id) == PNG + b"1"

    asyncio.run(run())


def test_the_same_bytes_have_one_id_for_a_tenant_and_another_for_the_next() -> None:
    async def run() -> None:
        there = shelf()
        ids = [(await there.put(tenant, PNG)).id for tenant in ("anna", "anna", "bob")]
        assert ids[0] == ids[1] != ids[2]
        assert there.state() == {"media": 2, "media_bytes": 16}
        assert (await shelf().put("anna", PNG)).id != ids[0]

    asyncio.run(run())


def test_an_id_of_someone_else_is_as_unknown_as_any() -> None:
    async def run() -> None:
        kept = await (there := shelf()).put("anna", PNG)
        told = []
        for name in (kept.id, "0" * 40):
            with pytest.raises(BadMessage) as error:
                await there.get("bob", name)
            told.append(str(error.value).replace(name, ""))
        assert told[0] == told[1]
        assert not await there.drop("bob", kept.id)
        assert await there.drop("anna", kept.id)
        assert there.state()["media"] == 0

    asyncio.run(run())


def test_an_upload_is_forgotten_in_time() -> None:
    async def run() -> None:
        clock = Clock()
        kept = await (there := shelf(clock, seconds=60)).put("anna", PNG)
        clock.seconds = 59.0
        assert await there.get("anna", kept.id)
        clock.seconds = 60.0
        with pytest.raises(BadMessage, match="upload it again"):
            await there.get("anna", kept.id)
        assert there.state()["media_bytes"] == 0

    asyncio.run(run())


def test_a_full_shelf_forgets_what_its_tenant_used_longest_ago() -> None:
    async def run() -> None:
        there = shelf(tenant=29)
        first, second = [await there.put("anna", PNG + bytes([i])) for i in range(2)]
        await there.get("anna", first.id)
        await there.put("anna", PNG + b"more")
        await there.get("anna", first.id)
        with pytest.raises(BadMessage):
            await there.get("anna", second.id)

    asyncio.run(run())


def test_nobody_pushes_another_tenants_uploads_out() -> None:
    async def run() -> None:
        there = shelf(whole=20)
        kept = await there.put("anna", PNG + b"1234")
        with pytest.raises(Busy) as told:
            await there.put("bob", PNG + b"5678")
        assert told.value.retry_after == 3_600.0
        assert await there.get("anna", kept.id)

    asyncio.run(run())


def test_too_large_is_said_with_its_figures() -> None:
    with pytest.raises(TooLarge, match="9 bytes; at most 8"):
        asyncio.run(shelf(each=8).put("anna", PNG + b"1"))


@pytest.mark.parametrize(
    "raw", [b"", b"#EXTM3U\n", b"ffconcat version 1.0\n", b"<svg/>", b"%PDF-1.7", b"PK\3\4", b"MZ"]
)
def test_what_is_no_medium_is_sent_back_at_once(raw: bytes) -> None:
    with pytest.raises(BadPicture, match="picture or a video"):
        asyncio.run(shelf().put("anna", raw))


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (PNG, "image"),
        (b"\xff\xd8\xff\xe0", "image"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image"),
        (b"\0\0\0\x1cftypavif", "image"),
        (b"P6 1 1 255\n", "image"),
        (b"\0\0\0\x20ftypisom", "video"),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (b"\x1aE\xdf\xa3", "video"),
    ],
)
def test_kinds_are_told_by_the_first_bytes(raw: bytes, kind: str) -> None:
    assert kind_of(raw) == kind


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40), st.integers(0, 30)), max_size=30))
def test_bounds_hold_whatever_is_put(steps: list[tuple[str, int, int]]) -> None:
    async def run() -> None:
        clock = Clock()
        there = shelf(clock, each=30, tenant=60, whole=100, seconds=50)
        for tenant, size, waited in steps:
            clock.seconds += waited
            try:
                kept = await there.put(tenant, PNG + bytes(size))
                assert len(await there.get(tenant, kept.id)) == size + 8
            except (TooLarge, Busy):
                pass
            held = [item for item in there._items.values() if item.tenant == tenant]
            assert sum(len(item.raw) for item in held) <= 60
            assert there.state()["media_bytes"] <= 100

    asyncio.run(run())
