"""POST /v1/responses: OpenAI's newer form. Nothing is kept between requests: each brings its conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import aclosing

from omma.chat import Options
from omma.serve import wire
from omma.serve import wire_responses as asks
from omma.serve.conversation import Taken, taken
from omma.serve.desk import Card, Order
from omma.serve.faults import Refused
from omma.serve.merging import while_listening
from omma.serve.orders import card_of, one_shape, options_of
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
    said, places = _messages(asked)
    try:
        return await taken(said, service.sources, service.settings, tenant=visit.tenant, thinks=card.thinks)
    except Refused as refused:
        param = _place(refused.param, places)
        text = str(refused).replace(refused.param, param) if refused.param and param else str(refused)
        raise Refused(
            refused.status, text, code=refused.code, param=param, headers=refused.headers
        ) from refused


def _options(asked: asks.ResponseRequest, card: Card) -> Options:
    tools = [_tool(one) for one in asked.tools or ()]
    several = asked.parallel_tool_calls is not False
    told, calls = offered(tools, _choice(asked.tool_choice), several=several, card=card)
    wanted = LOGPROBS in (asked.include or ()) or asked.top_logprobs is not None
    return options_of(
        asked,
        most=asked.max_output_tokens,
        logprobs=(asked.top_logprobs or 0) if wanted else None,
        shape=one_shape(_shape(asked.text), calls, "text.format"),
        tools=told,
    )


def _choice(choice: asks.FunctionChoice | None) -> wire.ToolChoice | None:
    if isinstance(choice, asks.NamedFunctionTool):
        return wire.NamedTool(type="function", function=wire.NamedFunction(name=choice.name))
    return choice


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


def _messages(asked: asks.ResponseRequest) -> tuple[list[wire.Message], list[str]]:
    """The items as messages of a chat, and where each of them stands in the input.

    Thoughts, words and calls that follow each other are one turn of the assistant.
    """
    said: list[wire.Message] = []
    places: list[str] = []
    if asked.instructions:
        said.append(wire.SystemMessage(role="system", content=asked.instructions))
        places.append("instructions")
    if isinstance(asked.input, str):
        said.append(wire.UserMessage(role="user", content=asked.input))
        return said, [*places, "input"]
    for index, item in enumerate(asked.input):
        turn = _turn(item, f"input[{index}]")
        last = said[-1] if said else None
        if (joined := _joined(last, turn)) is not None:
            said[-1] = joined
            continue
        said.append(turn)
        places.append(f"input[{index}]")
    return said, places


def _turn(item: asks.Item, where: str) -> wire.Message:
    match item:
        case asks.InputMessage(role="assistant", content=content):
            return wire.AssistantMessage(role="assistant", content=_said(content, where))
        case asks.InputMessage(role="user", content=content):
            return wire.UserMessage(role="user", content=_shown(content))
        case asks.InputMessage(content=content):
            return wire.SystemMessage(role="system", content=_said(content, where))
        case asks.CalledFunction():
            function = wire.CalledFunction(name=item.name, arguments=item.arguments)
            call = wire.CalledTool(id=item.call_id, type="function", function=function)
            return wire.AssistantMessage(role="assistant", tool_calls=[call])
        case asks.FunctionOutput(output=output):
            return wire.ToolMessage(role="tool", tool_call_id=item.call_id, content=_said(output, where))
        case asks.Reasoning(content=content):
            thoughts = "".join(part.text for part in content or ())
            return wire.AssistantMessage(role="assistant", content="", reasoning_content=thoughts)


def _joined(before: wire.Message | None, after: wire.Message) -> wire.AssistantMessage | None:
    """One turn of the assistant out of two: thoughts, words, then calls; None where they are not that."""
    if not isinstance(before, wire.AssistantMessage) or not isinstance(after, wire.AssistantMessage):
        return None
    if (before.tool_calls or before.content) and (after.content or after.reasoning_content):
        return None
    return wire.AssistantMessage(
        role="assistant",
        content=after.content or before.content,
        reasoning_content=before.reasoning_content or after.reasoning_content,
        tool_calls=[*(before.tool_calls or ()), *(after.tool_calls or ())] or None,
    )


def _said(content: str | Sequence[asks.InputPart], where: str) -> str | list[wire.TextPart]:
    if isinstance(content, str):
        return content
    texts = []
    for index, part in enumerate(content):
        if not isinstance(part, (asks.InputText, asks.OutputText)):
            param = f"{where}.content[{index}]"
            text = f"{param} is {part.type}; only a person shows something, wanted words here"
            raise Refused(400, text, code="invalid_value", param=param)
        texts.append(wire.TextPart(type="text", text=part.text))
    return texts


def _shown(content: str | Sequence[asks.InputPart]) -> str | list[wire.Part]:
    return content if isinstance(content, str) else [_part(part) for part in content]


def _part(part: asks.InputPart) -> wire.Part:
    match part:
        case asks.InputImage():
            url = part.image_url or f"media:{part.file_id or ''}"
            limits = {"detail": part.detail, "min_pixels": part.min_pixels, "max_pixels": part.max_pixels}
            source = wire.PictureSource.model_validate({"url": url, **limits})
            return wire.PicturePart(type="image_url", image_url=source)
        case asks.InputVideo():
            told = part.model_dump(exclude={"type", "video_url"})
            film = wire.VideoSource.model_validate({"url": part.video_url, **told})
            return wire.VideoPart(type="video_url", video_url=film)
        case _:
            return wire.TextPart(type="text", text=part.text)


def _place(param: str | None, places: Sequence[str]) -> str | None:
    """The place of a message in the input: ``messages[1].content[0].image_url.url`` stood elsewhere there."""
    if param is None or (found := re.match(r"messages\[(\d+)\]", param)) is None:
        return "input" if param == "messages" else param
    rest = param[found.end() :].replace("image_url.url", "image_url").replace("video_url.url", "video_url")
    return places[int(found.group(1))] + rest
