"""What a row's answer may call, as `tool_choice` says it: read as the server reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from omma.chat import Tool
from omma.errors import UnknownOption
from omma.shape import Calls
from omma.turns import NO_PARAMETERS

NOTHING: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


def chosen(tools: Sequence[Tool], choice: Any, several: Any) -> tuple[tuple[Tool, ...], Calls | None]:
    """The tools that the model is told of, and what its answer is held to. Raises UnknownOption.

    "auto", or nothing, lets it speak, call, or both; "required" makes it call; of a choice that names tools
    it is told of those alone; with "none" of no tool.
    """
    if several not in (None, True, False):
        raise UnknownOption(f"parallel_tool_calls is {several!r}; wanted true or false")
    if not tools:
        if choice not in (None, "none", "auto"):
            raise UnknownOption("tool_choice wants a call and there are no tools; send tools")
        return (), None
    many = several is not False
    match choice:
        case "none":
            return (), None
        case None | "auto" | "required":
            return tuple(tools), _calls(tools, must=choice == "required", several=many)
        case {"type": "function", "function": {"name": str(name)}}:
            wanted = _named([name], tools)
            return wanted, _calls(wanted, must=True, several=False)
        case {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "auto" | "required" as mode, "tools": list(some)},
        }:
            wanted = _named([_name(one) for one in some], tools)
            return wanted, _calls(wanted, must=mode == "required", several=many)
    raise UnknownOption(
        f"tool_choice is {str(choice)[:80]}; wanted none, auto, required, a function's name or allowed_tools"
    )


def _name(tool: Any) -> str:
    match tool:
        case {"type": "function", "function": {"name": str(name)}}:
            return name
    raise UnknownOption(f"tool_choice allows {str(tool)[:80]}; wanted a function with its name")


def _named(names: Sequence[str], tools: Sequence[Tool]) -> tuple[Tool, ...]:
    known = {tool.name: tool for tool in tools}
    if not names:
        raise UnknownOption(f"tool_choice allows no tool; wanted some of {', '.join(known)}")
    if strange := [name for name in names if name not in known]:
        raise UnknownOption(f"no tool is called {strange[0]!r}; wanted {', '.join(known)}")
    return tuple(known[name] for name in dict.fromkeys(names))


def _calls(tools: Sequence[Tool], *, must: bool, several: bool) -> Calls:
    """What calls are held to: of a tool that names no arguments, to none."""
    held = [NOTHING if tool.parameters == NO_PARAMETERS else tool.parameters for tool in tools]
    return Calls(tuple((tool.name, one) for tool, one in zip(tools, held, strict=True)), must, several)
