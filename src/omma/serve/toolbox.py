"""Tools that a request offers, and how its answer is held to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from omma.chat import Tool
from omma.serve import wire
from omma.serve.desk import Card
from omma.serve.faults import Refused
from omma.shape import Calls
from omma.turns import NO_PARAMETERS

NOTHING: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


def offered(
    asked: Sequence[wire.Tool] | None, choice: wire.ToolChoice | None, *, several: bool, card: Card
) -> tuple[tuple[Tool, ...], Calls | None]:
    """The tools that the model is told of, and the shape of its answer. Raises Refused.

    "auto", which is what no choice means, lets it speak, call, or both; "required" and a name make it call;
    with "none" it is not told of any tool.
    """
    if not asked:
        if choice not in (None, "none", "auto"):
            raise _wrong("tool_choice", "tool_choice wants a call and there are no tools; send tools")
        return (), None
    tools = tuple(_tool(one) for one in asked)
    names = [tool.name for tool in tools]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise _wrong(f"tools[{index}].function.name", f"two tools are called {name!r}; name them apart")
    if choice == "none":
        return (), None
    if not card.calls:
        raise _wrong("tools", f"{card.name} was not taught to call tools; choose another model")
    match choice:
        case wire.NamedTool(function=function):
            wanted = _named([function.name], tools, "tool_choice.function.name")
            return tools, _calls(wanted, must=True, several=False)
        case wire.AllowedTools(allowed_tools=allowed):
            wanted = _named([one.function.name for one in allowed.tools], tools, "tool_choice.allowed_tools")
            return tools, _calls(wanted, must=allowed.mode == "required", several=several)
    return tools, _calls(tools, must=choice == "required", several=several)


def _named(names: Sequence[str], tools: Sequence[Tool], where: str) -> list[Tool]:
    """The tools of these names. Raises Refused where there is none of a name."""
    known = {tool.name: tool for tool in tools}
    for name in names:
        if name not in known:
            raise _wrong(where, f"no tool is called {name!r}; wanted {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def _calls(tools: Sequence[Tool], *, must: bool, several: bool) -> Calls:
    """What calls are held to: of a tool that names no arguments, to none."""
    held = [NOTHING if tool.parameters == NO_PARAMETERS else tool.parameters for tool in tools]
    return Calls(tuple((tool.name, one) for tool, one in zip(tools, held, strict=True)), must, several)


def _tool(asked: wire.Tool) -> Tool:
    told = asked.function
    return Tool(told.name, told.description or "", told.parameters or NO_PARAMETERS)


def _wrong(param: str, text: str) -> Refused:
    return Refused(400, text, code="invalid_value", param=param)
