"""POST /v1/chat/completions and /v1/cost: a conversation is answered, or only weighed."""

from __future__ import annotations

from contextlib import aclosing

from omma.serve import wire
from omma.serve.chat_form import ChatForm
from omma.serve.conversation import Taken, taken
from omma.serve.desk import Card, Order
from omma.serve.merging import while_listening
from omma.serve.orders import card_of, chat_options, copies, place_of
from omma.serve.reply import Reply
from omma.serve.service import Service, send_stream
from omma.serve.told import Gathered, cost_form
from omma.serve.visit import Receive, Visit


async def chat(service: Service, visit: Visit, receive: Receive, reply: Reply) -> None:
    """Answer a conversation, whole or as a stream."""
    asked = await service.read(wire.ChatRequest, visit, receive)
    await while_listening(_chat(service, asked, visit, reply), receive)


async def cost(service: Service, visit: Visit, receive: Receive, reply: Reply) -> None:
    """Say what a conversation would take."""
    asked = await service.read(wire.ChatRequest, visit, receive)
    await while_listening(_cost(service, asked, visit, reply), receive)


async def _chat(service: Service, asked: wire.ChatRequest, visit: Visit, reply: Reply) -> None:
    card, said, order = await _order(service, asked, visit)
    gathered = [Gathered() for _ in range(asked.n or 1)]
    form = ChatForm(
        card.name,
        logprobs=bool(asked.logprobs),
        usage=bool(asked.stream_options and asked.stream_options.include_usage),
        fetch=said.fetch,
        ignored=[*asked.ignored, *said.ignored],
    )
    orders = copies(order, len(gathered))
    how = {"thinks": card.thinks, "calls": bool(order.options.tools)}
    told = service.answers(orders, visit, gathered, fetch=said.fetch, **how)
    if asked.stream:
        await send_stream(reply, form.chunks(told, gathered))
        return
    async with aclosing(told):
        async for _ in told:
            pass
    await reply.json(200, form.whole(gathered))


async def _cost(service: Service, asked: wire.ChatRequest, visit: Visit, reply: Reply) -> None:
    card, _, order = await _order(service, asked, visit)
    await reply.json(200, cost_form(await service.desk.cost(order), card.name))


async def _order(service: Service, asked: wire.ChatRequest, visit: Visit) -> tuple[Card, Taken, Order]:
    card = card_of(service.desk.models(), asked.model)
    visit.notes |= {"model": card.name, "stream": bool(asked.stream)}
    options = chat_options(asked, card)
    said = await taken(
        asked.messages, service.sources, service.settings, tenant=visit.tenant, thinks=card.thinks
    )
    visit.shape_at = place_of(options.shape, "response_format.json_schema.schema")
    visit.shown_at = said.places
    return card, said, Order(said.messages, options, card.name, visit.tenant, visit.id)
