"""Calls of tools in a model's text: what to do on a screen, in pixels of the screen that was shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from omma.chat import Seen
from omma.errors import BadInput
from omma.prep.boxes import Box, Point
from omma.prep.dialects import Frame, compact, dialect_of, frame_of
from omma.prep.forms import finite, listed
from omma.prep.loose import Entry, entries, text_start

COMPUTER, MOBILE = "computer_use", "mobile_use"
# What each action needs, by the names of its arguments (facts §7.3).
NEEDS: dict[str, dict[str, tuple[str, ...]]] = {
    COMPUTER: {
        "key": ("keys",), "type": ("text",), "mouse_move": ("coordinate",), "left_click": ("coordinate",),
        "left_click_drag": ("coordinate",), "right_click": ("coordinate",), "middle_click": ("coordinate",),
        "double_click": ("coordinate",), "triple_click": ("coordinate",), "scroll": ("pixels",),
        "hscroll": ("pixels",), "wait": ("time",), "terminate": ("status",), "answer": ("text",),
    },
    MOBILE: {
        "key": ("text",), "click": ("coordinate",), "long_press": ("coordinate", "time"),
        "swipe": ("coordinate", "coordinate2"), "type": ("text",), "system_button": ("button",),
        "open": ("text",), "wait": ("time",), "terminate": ("status",), "answer": ("text",),
    },
}  # fmt: skip
NOT_YET = {COMPUTER: ("triple_click", "hscroll", "answer"), MOBILE: ("answer",)}  # before Qwen3-VL
GONE = {COMPUTER: (), MOBILE: ("key", "open")}  # in Qwen3-VL
BUTTONS = ("Back", "Home", "Menu", "Enter")
ENDINGS = ("success", "failure")
PHONE = 999  # what a side of a phone's screen counts where places are relative (facts §7.1, §7.3)


@dataclass(frozen=True)
class Call:
    """A tool's name and its arguments, as the model gave them."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Action:
    """One thing to do with a `tool`, "computer_use" or "mobile_use". What it does not need is None.

    `point` and `to` are in pixels of the screen that was shown. `keys` are pressed in their order and let go
    the other way round. `scroll` is how far, upwards over nought (to the left for "hscroll"), in the model's
    own steps. `time` is in seconds.
    """

    tool: str
    name: str
    point: Point | None = None
    to: Point | None = None
    text: str | None = None
    keys: tuple[str, ...] | None = None
    scroll: float | None = None
    time: float | None = None
    button: str | None = None
    status: str | None = None

    def __post_init__(self) -> None:
        """Points may come as objects and keys as a list, as JSON has them."""
        for name in ("point", "to"):
            if isinstance(place := getattr(self, name), dict):
                object.__setattr__(self, name, Point(**place))
        if self.keys is not None:
            object.__setattr__(self, "keys", tuple(self.keys))

    @property
    def ends(self) -> bool:
        """Whether nothing is to be done after it."""
        return self.name in ("terminate", "answer")

    def described(self) -> str:
        """The action in a few words, for a history: "left_click at 120, 48"."""
        told = [self.name]
        if self.point is not None:
            told.append(f"at {self.point.x:.0f}, {self.point.y:.0f}")
        if self.to is not None:
            told.append(f"to {self.to.x:.0f}, {self.to.y:.0f}")
        named = {f.name: getattr(self, f.name) for f in fields(self)[4:]}
        told += [" ".join(v) if isinstance(v, tuple) else f"{v}" for v in named.values() if v is not None]
        return " ".join(told)


@dataclass(frozen=True)
class Step:
    """An answer that acts: what the model thought, how it calls what it does, and the actions themselves."""

    actions: tuple[Action, ...]
    thought: str = ""
    saying: str = ""

    @classmethod
    def of_json(cls, raw: dict[str, Any]) -> Step:
        """The step that `dataclasses.asdict` told."""
        return cls(tuple(Action(**action) for action in raw["actions"]), raw["thought"], raw["saying"])


@dataclass(frozen=True)
class Look:
    """A wish to see a part of a picture larger (facts §7.3): its box in pixels, and which picture it is."""

    box: Box
    picture: int = 0


# Writing


def write_actions(actions: Sequence[Action], seen: Seen) -> str:
    """Actions as calls in the dialect of the model that was shown the screen, one under the other.

    ``<tool_call>`` and ``</tool_call>`` around ``{"name":"computer_use","arguments":{"action":…}}``; Qwen2-VL
    writes ``*FUNCTION*: computer_use`` and ``*ARGS*: {"action":…}`` with places between its marks of boxes.
    Raises BadInput for an action that its tool does not know, or that lacks what it needs.
    """
    return "\n".join(_call(action, seen) for action in actions)


def write_step(step: Step, seen: Seen) -> str:
    """A whole answer: "Thought: …", "Action: …", and the calls (facts §7.3)."""
    said = {"Thought": step.thought, "Action": step.saying}
    lines = [f"{name}: {' '.join(text.split())}" for name, text in said.items() if text]
    return "\n".join([*lines, *([write_actions(step.actions, seen)] if step.actions else [])])


def _call(action: Action, seen: Seen) -> str:
    needed = NEEDS.get(action.tool, {}).get(action.name)
    if needed is None:
        raise BadInput(f"{action.tool} knows no action {action.name!r}; see omma.prep.actions.NEEDS")
    arguments: dict[str, Any] = {"action": action.name}
    told = asdict(action) | {"coordinate": action.point, "coordinate2": action.to, "pixels": action.scroll}
    for name in dict.fromkeys((*needed, "coordinate", "coordinate2", "text", "time")):
        if (value := told[name]) is not None:
            arguments[name] = _told(value, action.tool, seen)
        elif name in needed:
            raise BadInput(f"{action.tool}'s {action.name} has no {name}; give it one")
    if dialect_of(seen.boxes).dress == "marks":
        return f"*FUNCTION*: {action.tool}\n*ARGS*: {compact(arguments)}"
    return f"<tool_call>\n{compact({'name': action.tool, 'arguments': arguments})}\n</tool_call>"


def _told(value: Any, tool: str, seen: Seen) -> Any:
    """A place in the model's numbers, a whole number without a point, anything else as it is."""
    if not isinstance(value, Point):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    x, y = screen(tool, seen).write(value.x, value.y)
    return f"<|box_start|>({x},{y})<|box_end|>" if dialect_of(seen.boxes).dress == "marks" else [x, y]


def screen(tool: str, seen: Seen) -> Frame:
    """The frame of a screen: a phone's counts 999 where other pictures count a relative 1000."""
    relative = seen.boxes == "relative"
    return frame_of(seen, whole=PHONE if relative and tool == MOBILE else None)


# Reading


def parse_calls(text: str) -> list[Call]:
    """The calls of tools in an answer, whatever tools they are, in their order. Never raises for any text.

    A call is an object with a name and arguments, in the marks of a call or not, or Qwen2-VL's form. A call
    that was cut is left out.
    """
    text = text[text_start(text) :]
    calls = [call for entry in entries(text) if (call := _named(entry)) is not None]
    return calls or list(_functions(text))


def parse_actions(text: str, seen: Seen) -> list[Action]:
    """What an answer says is to be done, in its order. Never raises for any text.

    Places outside the screen are moved to its edge. Left out is an action that its tool does not know, or
    that lacks what it needs: nobody may guess where to click.
    """
    return [action for call in parse_calls(text) if (action := action_of(call, seen)) is not None]


def parse_step(text: str, seen: Seen) -> Step:
    """The actions of an answer with the thought and the saying before them. Never raises for any text."""
    answer = text[text_start(text) :]
    before = re.split(r"<tool_call>|\*FUNCTION\*|✿FUNCTION✿|\{", answer, maxsplit=1)[0]
    thought = re.search(r"Thought:(.*?)(?=Action:|\Z)", before, re.DOTALL)
    saying = re.search(r"Action:(.*)", before, re.DOTALL)
    told = (" ".join(found[1].split()) if found else "" for found in (thought, saying))
    return Step(tuple(parse_actions(text, seen)), *told)


def parse_looks(text: str, seen: Seen) -> list[Look]:
    """The parts of pictures that an answer wants to see larger. `seen` is the picture that is meant."""
    looks = []
    for call in parse_calls(text):
        numbers = _numbers(call.arguments.get("bbox_2d"), 4)
        if call.name == "image_zoom_in_tool" and numbers is not None:
            frame = frame_of(seen)
            (x1, y1), (x2, y2) = frame.read(*numbers[:2]), frame.read(*numbers[2:])
            (x1, x2), (y1, y2) = sorted((x1, x2)), sorted((y1, y2))
            picture, label = call.arguments.get("img_idx", 0), call.arguments.get("label")
            if frame.holds(x1, y1, x2, y2):
                corners = (*frame.inside(x1, y1), *frame.inside(x2, y2))
                box = Box(*corners, label if isinstance(label, str) else "")
                looks.append(Look(box, picture if type(picture) is int and picture >= 0 else 0))
    return looks


def action_of(call: Call, seen: Seen) -> Action | None:
    """The action of a call, None where it is none that can be done."""
    given = call.arguments
    name = given.get("action")
    needed = NEEDS.get(call.name, {}).get(name) if isinstance(name, str) else None
    if needed is None or not isinstance(name, str):
        return None
    frame = screen(call.name, seen)
    keys = given.get("keys")
    keys = [keys] if isinstance(keys, str) else keys
    read: dict[str, Any] = {
        "coordinate": _point(given.get("coordinate"), frame),
        "coordinate2": _point(given.get("coordinate2"), frame),
        "text": given["text"] if isinstance(given.get("text"), str) else None,
        "keys": tuple(map(str, keys)) if isinstance(keys, list) and keys else None,
        "pixels": finite(given.get("pixels")),
        "time": _seconds(given.get("time")),
        "button": _one_of(BUTTONS, given.get("button")),
        "status": _one_of(ENDINGS, given.get("status")),
    }
    if any(read[need] is None for need in needed):
        return None
    points = {"point": read.pop("coordinate"), "to": read.pop("coordinate2"), "scroll": read.pop("pixels")}
    return Action(call.name, name, **points, **read)


def _named(entry: Entry) -> Call | None:
    """A call in JSON; its arguments may be JSON in a text."""
    name, arguments = entry.get("name"), entry.get("arguments")
    if isinstance(arguments, str):
        arguments = next(entries(arguments), None)
    sound = not entry.cut and isinstance(name, str) and isinstance(arguments, dict)
    return Call(str(name), dict(arguments or {})) if sound else None


def _functions(text: str) -> Iterator[Call]:
    """Qwen2-VL's form: the name behind one sign, the arguments behind the next (facts §7.3)."""
    parts = re.split(r"[*✿]FUNCTION[*✿]\s*+:?", text)
    for part in parts[1:]:
        name, _, rest = re.sub(r"[*✿]ARGS[*✿]\s*+:?", "\0", part, count=1).partition("\0")
        arguments = next(entries(re.split(r"[*✿](?:RESULT|RETURN)[*✿]", rest, maxsplit=1)[0]), None)
        if arguments is not None and not arguments.cut:
            yield Call(name.strip(), dict(arguments))


def _numbers(raw: Any, count: int) -> tuple[float, ...] | None:
    raw = listed(raw)
    numbers = [finite(number) for number in raw] if isinstance(raw, list) else []
    whole = tuple(number for number in numbers if number is not None)
    return whole if len(whole) == len(numbers) == count else None


def _point(raw: Any, frame: Frame) -> Point | None:
    numbers = _numbers(raw, 2)
    return None if numbers is None else Point(*frame.inside(*frame.read(*numbers)))


def _seconds(raw: Any) -> float | None:
    try:
        second = finite(float(raw) if isinstance(raw, str) else raw)
    except ValueError:
        return None
    return second if second is not None and second >= 0 else None


def _one_of(known: Sequence[str], word: Any) -> str | None:
    """The word as it is known, however it is written."""
    told = word.strip().casefold() if isinstance(word, str) else ""
    return next((name for name in known if name.casefold() == told), None)


# Declaring

_ABOUT = {
    COMPUTER: "Work a computer with its mouse and keyboard. What the screen shows is in the screenshot.",
    MOBILE: "Work a phone by touching its screen. What the screen shows is in the screenshot.",
}
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "coordinate": {"type": "array", "items": {"type": "number"}, "description": "x and y of the place."},
    "coordinate2": {"type": "array", "items": {"type": "number"}, "description": "x and y of the end."},
    "text": {"type": "string", "description": "What is typed, opened, pressed or answered."},
    "keys": {"type": "array", "items": {"type": "string"}, "description": "Keys, in the order of pressing."},
    "pixels": {"type": "number", "description": "How far to scroll; upwards over nought."},
    "time": {"type": "number", "description": "Seconds."},
    "button": {"type": "string", "enum": list(BUTTONS), "description": "The system's button."},
    "status": {"type": "string", "enum": list(ENDINGS), "description": "How the task ended."},
}


def declare(tool: str, seen: Seen) -> dict[str, Any]:
    """The tool as a function in JSON schema, with the screen's size in the numbers that the model is to use.

    Raises BadInput for a tool that is not known.
    """
    if tool not in NEEDS:
        raise BadInput(f"no tool is called {tool!r}; wanted {' or '.join(NEEDS)}")
    without = GONE[tool] if seen.boxes == "relative" else NOT_YET[tool]
    known = {name: needs for name, needs in NEEDS[tool].items() if name not in without}
    width, height = screen(tool, seen).units
    used = [name for name in _ARGUMENTS if any(name in needs for needs in known.values())]
    action = {"type": "string", "enum": list(known), "description": "What to do."}
    return {
        "type": "function",
        "function": {
            "name": tool,
            "description": f"{_ABOUT[tool]} The screen is {width}x{height}.",
            "parameters": {
                "type": "object",
                "properties": {"action": action} | {name: _ARGUMENTS[name] for name in used},
                "required": ["action"],
            },
        },
    }
