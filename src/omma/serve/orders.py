"""From what was asked on the wire to how a desk is to answer: the model, the options, the choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from omma.chat import Options, Tool
from omma.errors import UnknownModel
from omma.serve import wire
from omma.serve.desk import Card, Order
from omma.serve.faults import Refused
from omma.serve.toolbox import offered
from omma.shape import Calls, Json, Matching, Places, Schema, Shape

SEEDS = 2**64  # from -2**63 on


def card_of(cards: Sequence[Card], name: str | None) -> Card:
    """The model that is asked for, the first where none is named. Raises UnknownModel."""
    if not cards:
        raise Refused(
            503, "no model is ready yet; ask again soon", code="not_ready", headers={"retry-after": "2"}
        )
    for card in cards:
        if name is None or card.name == name:
            return card
    known = ", ".join(card.name for card in cards[:8])
    raise UnknownModel(f"there is no model {(name or '')[:80]!r} here; known: {known}")


def copies(order: Order, count: int) -> list[Order]:
    """The order as often as choices are wanted; a seed goes up by one from choice to choice.

    After the greatest number of 64 bits comes the least.
    """
    seed = order.options.seed
    if seed is None:
        return [order] * count
    seeds = [(seed + i + SEEDS // 2) % SEEDS - SEEDS // 2 for i in range(count)]
    return [replace(order, options=replace(order.options, seed=each)) for each in seeds]


def options_of(
    asked: wire.Sampling,
    *,
    most: int | None,
    logprobs: int | None,
    shape: Shape | None = None,
    tools: tuple[Tool, ...] = (),
    stop: str | Sequence[str] | None = None,
) -> Options:
    """The options of an answer. Raises Refused where two of them say two things."""
    if asked.regex is not None:
        if shape is not None:
            raise _clash("regex", "regex and a format, places or tools say two things; take one out")
        shape = Matching(asked.regex)
    options = Options(
        max_tokens=most,
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        min_p=asked.min_p,
        repetition_penalty=asked.repetition_penalty,
        presence_penalty=asked.presence_penalty,
        frequency_penalty=asked.frequency_penalty,
        seed=asked.seed,
        logprobs=logprobs,
        shape=shape,
        stop=(stop,) if isinstance(stop, str) else tuple(stop or ()),
        tools=tools,
        keep_loops=bool(asked.keep_loops),
    )
    options.check()
    return options


def chat_options(asked: wire.ChatRequest, card: Card) -> Options:
    """The options of a chat's answer."""
    most = asked.max_completion_tokens
    if most is not None and asked.max_tokens not in (None, most):
        raise _clash("max_tokens", "max_tokens and max_completion_tokens say two things; take one out")
    if asked.top_logprobs is not None and not asked.logprobs:
        raise _clash("top_logprobs", "top_logprobs needs logprobs to be true")
    check_stream(asked)
    several = asked.parallel_tool_calls is not False
    tools, calls = offered(asked.tools, asked.tool_choice, several=several, card=card)
    return options_of(
        asked,
        most=asked.max_tokens if most is None else most,
        logprobs=(asked.top_logprobs or 0) if asked.logprobs else None,
        shape=one_shape(one_form(shape_of(asked.response_format), asked.places), calls, "response_format"),
        tools=tools,
        stop=asked.stop,
    )


def check_stream(asked: wire.Choosing) -> None:
    """Raises Refused for stream_options without a stream."""
    if asked.stream_options is not None and not asked.stream:
        raise _clash("stream_options", "stream_options is for streams; set stream to true or take it out")


def one_shape(form: Shape | None, calls: Shape | None, param: str) -> Shape | None:
    """What the answer is held to: a format, or calls. Raises Refused where both are wanted."""
    if form is not None and calls is not None:
        raise _clash(param, f"{param} and tools hold the answer to two things; ask in two requests")
    return form or calls


def one_form(form: Shape | None, places: wire.InsidePicture | None) -> Shape | None:
    """What the words are held to: a format, or places in a picture. Raises Refused where both are wanted."""
    if places is None:
        return form
    if form is not None:
        raise _clash("places", "places and a format say two things; take one out")
    return Places(most=places.most, points=places.kind == "points", picture=places.picture)


def shape_of(form: wire.Format | None) -> Shape | None:
    """What `response_format` holds the text to."""
    match form:
        case wire.ObjectFormat():
            return Json()
        case wire.SchemaFormat(json_schema=named):
            return Schema(named.held_to)
        case _:
            return None


def place_of(shape: Shape | None, schema: str) -> str | None:
    """Where in the request an answer's shape stands; `schema` is where a schema does."""
    match shape:
        case Schema():
            return schema
        case Matching():
            return "regex"
        case Calls():
            return "tools"
        case Places():
            return "places"
        case _:
            return None


def _clash(param: str, text: str) -> Refused:
    return Refused(400, text, code="invalid_value", param=param)
