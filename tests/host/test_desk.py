"""A desk over processes answers as the model in this process does, whatever dies behind it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

import omma
from omma.chat import Image, Text, message
from omma.errors import (
    BadInput,
    BadMessage,
    BadPicture,
    BadVideo,
    Busy,
    Interrupted,
    PromptTooLong,
    UnknownModel,
)
from omma.host import link
from omma.host.desk import _digest
from omma.host.limits import SAFE
from omma.host.quarantine import DEATHS
from omma.host.settings import HostSettings, Setup
from omma.serve.desk import Desk, Order
from omma.shape import Matching
from tests.host import media
from tests.host.house import Host, alive, ended, hosting, order

PICTURE = media.picture(size=(112, 84))
LONG = {"max_tokens": 2000, "shape": Matching("[a-z ]{4000}")}  # it cannot end by itself


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with hosting(HostSettings()) as host:
        yield host


def test_it_is_a_desk_with_a_card(host: Host) -> None:
    assert isinstance(host.desk, Desk)
    (card,) = host.desk.models()
    assert (card.name, len(card.digest)) == ("omma-nano", 64)
    assert "{what}" in card.prompts["find"]


@pytest.mark.parametrize("question", ["What colour is this?", "Find the red circle."])
def test_an_answer_is_the_one_that_the_model_gives_here(host: Host, question: str) -> None:
    model = omma.load("omma-nano")
    told = host.told(Image(PICTURE), question, max_tokens=24)
    here = model.chat([message("user", Image(PICTURE), question)], max_tokens=24)
    assert "".join(one.delta.text for one in told) == str(here)
    last = ended(told)
    assert (last.finish_reason, last.usage and last.usage.prompt_tokens) == (
        here.finish_reason,
        here.usage.prompt_tokens,
    )
    assert last.seen == tuple(replace(seen, name="picture 1") for seen in here.seen)


def test_the_last_piece_says_where_and_how_long(host: Host) -> None:
    told = host.told(Image(media.picture(size=(56, 84))), "Find the red circle.", max_tokens=8)
    assert [one["kind"] for one in (told[-1].geometry or {})["shown"]] == ["image"]
    assert {"media", "resize", "prefill", "decode"} <= set(told[-1].seconds or {})
    assert all(one.geometry is None for one in told[:-1])


def test_what_was_shown_before_is_not_decoded_again_but_for_another_tenant(host: Host) -> None:
    picture = Image(media.picture(size=(84, 84)))
    jobs = host.desk.state()["decoder_jobs"]
    for tenant in ("a", "a", "b"):
        host.told(picture, "?", tenant=tenant, max_tokens=1)
    assert host.desk.state()["decoder_jobs"] == jobs + 2


def test_what_was_shown_before_is_called_by_where_it_stands_now(host: Host) -> None:
    picture, other = Image(media.picture(size=(84, 56))), Image(media.picture(size=(56, 56)))
    host.told(picture, "?", max_tokens=1)
    seen = ended(host.told(other, picture, picture, "?", max_tokens=1)).seen
    assert [one.name for one in seen] == ["picture 1", "picture 2", "picture 3"]


def test_the_cost_is_what_the_answer_reads(host: Host) -> None:
    parts = (Image(PICTURE), Image(PICTURE), "Compare these.")
    cost = host.do(host.desk.cost(order(*parts)))
    usage = ended(host.told(*parts, max_tokens=1)).usage
    assert usage is not None
    assert (cost.prompt_tokens, cost.picture_tokens) == (usage.prompt_tokens, usage.visual_tokens)
    assert [shown.original for shown in cost.shown] == [(112, 84)] * 2


@pytest.mark.parametrize(
    ("wrong", "error", "told"),
    [
        (order(Image(b"GIF8"), "?"), BadPicture, "picture 1 is not a picture"),
        (order("?", Image(PICTURE), Image(PICTURE[:99])), BadPicture, "picture 2 is a broken picture"),
        (order(Image("/etc/passwd"), "?"), BadMessage, "wanted its bytes"),
        (order(omma.Video(b"\0" * 99), "?"), BadVideo, "video 1"),
        (order("?", Image(PICTURE, min_pixels=10**9)), PromptTooLong, "picture 1 takes"),
        (order("?", model="gpt"), BadInput, "no model is called 'gpt'"),
    ],
    ids=["no picture", "broken", "a path", "no video", "too large", "no model"],
)
def test_what_is_wrong_is_raised_before_the_first_piece(
    host: Host, wrong: Order, error: type[BadInput], told: str
) -> None:
    async def first() -> None:
        async with aclosing(host.desk.answer(wrong)) as answer:
            await anext(answer)

    with pytest.raises(error, match=told):
        host.do(first())
    with pytest.raises(error, match=told):
        host.do(host.desk.cost(wrong))


def test_a_prompt_that_is_too_long_is_refused_and_its_cost_is_told(host: Host) -> None:
    long = order("word " * 9000)
    with pytest.raises(PromptTooLong, match="tokens"):
        host.told("word " * 9000)
    cost = host.do(host.desk.cost(long))
    assert cost.prompt_tokens > cost.context
    with pytest.raises(PromptTooLong, match=f"holds {cost.context:,}"):  # too long to be counted too
        host.do(host.desk.cost(order("word " * 60_000)))


def test_many_are_answered_side_by_side_each_its_own(host: Host) -> None:
    async def all_of_them() -> list[str]:
        async def one(i: int) -> str:
            wished = order(Image(media.picture(size=(28 * (i % 3 + 1), 56))), f"{i}?", max_tokens=6)
            return "".join([told.delta.text async for told in host.desk.answer(wished)])

        return await asyncio.gather(*(one(i) for i in range(12)))

    together = host.do(all_of_them())
    alone = [
        host.text(Image(media.picture(size=(28 * (i % 3 + 1), 56))), f"{i}?", max_tokens=6) for i in range(12)
    ]
    assert together == alone
    assert host.desk.state()["inside"] == 0


@pytest.mark.soak
def test_an_invariant_house_answers_to_the_last_bit_alone_and_in_a_crowd() -> None:
    wishes: dict[str, Any] = {"temperature": 1.5, "logprobs": 1, "shape": Matching("[a-z ]{40}")}
    with hosting(HostSettings(Setup(invariant=True))) as host:

        async def one(i: int) -> list[Any]:
            shown = Image(media.picture(size=(28 * (i % 3 + 1), 56)))
            told = host.desk.answer(order(shown, f"{i}?", max_tokens=24, seed=i, **wishes))
            return [chosen async for piece in told for chosen in piece.delta.chosen]

        async def crowd() -> list[list[Any]]:
            return await asyncio.gather(*(one(i) for i in range(6)))

        alone = [host.do(one(i)) for i in range(6)]
        assert host.do(crowd()) == alone
    assert min(map(len, alone)) > 4


def test_closing_an_answer_ends_it_behind_the_desk_too(host: Host) -> None:
    async def a_piece() -> None:
        async with aclosing(host.desk.answer(order("Tell me a story.", **LONG))) as answer:
            async for _ in answer:
                if host.desk.state()["running"]:
                    assert host.desk.state()["pages_used"]
                    return

    host.do(a_piece())
    host.wait_for(running=0, waiting=0, inside=0, pages_used=0)


def test_whoever_leaves_while_a_picture_is_decoded_frees_its_decoder(host: Host) -> None:
    async def left() -> None:
        answer = host.desk.answer(order(Image(media.png(7000, 7000)), "?"))
        asking = asyncio.ensure_future(anext(answer))
        while host.desk._turns._free == SAFE.jobs:
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert host.desk._turns._free == SAFE.jobs

    host.do(left())
    assert host.told(Image(media.picture(size=(56, 140))), "?", max_tokens=1)


def test_an_answer_that_nobody_reads_is_ended_and_costs_nobody_else(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "UNREAD", 3)

    async def asleep() -> None:
        async with aclosing(host.desk.answer(order("Tell me a story.", **LONG))) as answer:
            await anext(answer)
            (worker,) = host.desk._fleet.workers
            async with asyncio.timeout(300):
                while not worker._leaving:  # so long nothing is read
                    await asyncio.sleep(0)
            async for _ in answer:
                pass

    with pytest.raises(Interrupted, match="not read for too long"):
        host.do(asleep())
    host.wait_for(running=0, waiting=0)


def test_more_orders_than_have_room_are_told_to_come_again(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host.desk, "_inside", HostSettings().inside)
    with pytest.raises(Busy, match="all that have room"):
        host.text("?")


def test_a_conversation_that_engines_died_at_is_refused(host: Host) -> None:
    wished = order("Do you remember me?", max_tokens=1)
    for _ in range(DEATHS):
        host.desk._quarantine.deaths.died(_digest(wished.messages, wished.options))
    with pytest.raises(BadMessage, match="not tried again"):
        host.told("Do you remember me?", max_tokens=1)
    assert host.told("Do you remember me too?", max_tokens=1)


def test_when_an_engine_is_killed_those_inside_are_told_and_the_next_is_answered(host: Host) -> None:
    restarts = host.desk.state()["engine_restarts"]
    while len(host.desk.state()["processes"]["engines"]) < 2:
        host.do(asyncio.sleep(0.05))
    engine, spare = host.desk.state()["processes"]["engines"]

    async def killed() -> list[object]:
        begun = asyncio.Semaphore(0)

        async def one(i: int) -> str:
            text = ""
            async with aclosing(host.desk.answer(order(f"Story {i}", **LONG))) as answer:
                async for told in answer:
                    begun.release()
                    text += told.delta.text
            return text

        asked = [asyncio.create_task(one(i)) for i in range(3)]
        await begun.acquire()
        os.kill(engine, signal.SIGKILL)
        return list(await asyncio.gather(*asked, return_exceptions=True))

    fates = host.do(killed())
    assert [type(fate) for fate in fates] == [Interrupted] * 3
    assert host.text("And now?", max_tokens=3) is not None
    assert host.desk.state()["engine_restarts"] == restarts + 1
    assert host.desk.state()["processes"]["engines"][0] == spare
    assert not alive([engine])


def test_when_the_decoder_is_killed_the_next_picture_is_decoded(host: Host) -> None:
    first, _ = host.desk.state()["processes"]["decoders"]
    os.kill(first, signal.SIGKILL)
    assert host.told(Image(media.picture(size=(140, 56))), "?", max_tokens=1)
    host.wait_for(inside=0)


def test_a_model_that_is_not_there_is_said_at_once() -> None:
    wrong = HostSettings(setup=Setup(model="no-such-model"), spare=False)
    with pytest.raises(UnknownModel, match="no model is called"), hosting(wrong):
        pass


def test_nothing_is_left_of_a_closed_house() -> None:
    files = len(os.listdir("/proc/self/fd"))
    with hosting(HostSettings(replicas=2)) as host:
        assert host.told(Text("?"), max_tokens=1)
        host.wait_for(engines=2)
        told = host.desk.state()["processes"]
    assert not alive([*told["engines"], *told["decoders"]])
    assert len(os.listdir("/proc/self/fd")) == files


def test_options_are_told_whole(host: Host) -> None:
    told = [
        host.text(Image(PICTURE), "Describe the picture.", temperature=2.0, seed=seed, max_tokens=16)
        for seed in (1, 1, 2, 3)
    ]
    assert told[0] == told[1]
    assert len(set(told)) > 1
