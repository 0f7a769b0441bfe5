"""POST /v1/responses: OpenAI's newer form. Nothing is kept between requests: each brings its conversation."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

from omma.chat import Options
from omma.serve import wire
from omma.serve import wire_responses as asks
from omma.serve.conversation import Taken, taken
from omma.serve.desk import Card, Order
from omma.serve.faults import Refused
from omma.serve.items import kept_elsewhere, place_of, turns
from omma.serve.merging import while_listening
from omma.serve.orders import card_of, one_form, one_shape, options_of
from omma.serve.orders import place_of as shape_place
from omma.serve.reply import Reply
from omma.serve.response_form import ResponseForm
from omma.serve.service import Service, send_stream
from omma.serve.told import Gathered
from omma.serve.toolbox import offered
from omma.serve.visit import Receive, Visit
from omma.shape import Json, Schema, Shape

LOGPROBS = "message.output_text.logprobs"


async def response(service: Service, visit: Visit, receive: Receive, reply: Reply) -> None:
    """Answer a conversation, whole or as a stream of events."""
    asked = await service.read(asks.ResponseRequest, visit, receive)
    await while_listening(_respond(service, asked, visit, reply), receive)


async def _respond(service: Service, asked: asks.ResponseRequest, visit: Visit, reply: Reply) -> None:
    card = card_of(service.desk.models(), asked.model)
    visit.notes |= {"model": card.name, "stream": bool(asked.stream)}
    options = _options(asked, card)
    said = await _taken(service, asked, visit, card)
    visit.shape_at, visit.shown_at = shape_place(options.shape, "text.format.schema"), said.places
    order = Order(said.messages, options, card.name, visit.tenant, visit.id)
    gathered = Gathered()
    form = ResponseForm(
        asked,
        card.name,
        gathered,
        logprobs=options.logprobs is not None,
        fetch=said.fetch,
        ignored=[*asked.ignored, *said.ignored],
    )
    how = {"thinks": card.thinks, "calls": bool(options.tools)}
    told = service.answers([order], visit, [gathered], fetch=said.fetch, **how)
    if asked.stream:
        reply.failure = form.failure
        await send_stream(reply, form.events(told))
        return
    async with aclosing(told):
        async for _, one in told:
            form.take(one)
    await reply.json(200, form.whole())


async def _taken(service: Service, asked: asks.ResponseRequest, visit: Visit, card: Card) -> Taken:
    """The conversation with its media; places of what is wrong are named as this form has them."""
    said, places = turns(asked)
    try:
        told = await taken(said, service.sources, service.settings, tenant=visit.tenant, thinks=card.thinks)
    except Refused as refused:
        if refused.param is None:
            raise
        param = place_of(refused.param, places)
        text = str(refused).replace(refused.param, param)
        raise Refused(
            refused.status, text, code=refused.code, param=param, headers=refused.headers
        ) from refused
    unread = (*(place_of(one, places) for one in told.ignored), *kept_elsewhere(asked))
    return replace(told, ignored=unread, places=tuple(place_of(one, places) for one in told.places))


def _options(asked: asks.ResponseRequest, card: Card) -> Options:
    tools = [_tool(one) for one in asked.tools or ()]
    several = asked.parallel_tool_calls is not False
    told, calls = offered(tools, _choice(asked.tool_choice), several=several, card=card)
    wanted = LOGPROBS in (asked.include or ()) or asked.top_logprobs is not None
    return options_of(
        asked,
        most=asked.max_output_tokens,
        logprobs=(asked.top_logprobs or 0) if wanted else None,
        shape=one_shape(one_form(_shape(asked.text), asked.places), calls, "text.format"),
        tools=told,
    )


def _choice(choice: asks.FunctionChoice | None) -> wire.ToolChoice | None:
    match choice:
        case asks.NamedFunctionTool():
            return _named(choice)
        case asks.AllowedFunctions(mode=mode, tools=tools):
            allowed = wire.Allowed(mode=mode, tools=[_named(one) for one in tools])
            return wire.AllowedTools(type="allowed_tools", allowed_tools=allowed)
        case _:
            return choice


def _named(tool: asks.NamedFunctionTool) -> wire.NamedTool:
    return wire.NamedTool(type="function", function=wire.NamedFunction(name=tool.name))


def _tool(asked: asks.FunctionTool) -> wire.Tool:
    function = wire.Function(
        name=asked.name, description=asked.description, parameters=asked.parameters, strict=asked.strict
    )
    return wire.Tool(type="function", function=function)


def _shape(text: asks.TextConfig | None) -> Shape | None:
    match text and text.format:
        case asks.AnyObjectFormat():
            return Json()
        case asks.NamedSchemaFormat(held_to=schema):
            return Schema(schema)
        case _:
            return None
