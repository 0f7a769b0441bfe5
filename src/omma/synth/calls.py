"""Calls of `computer_use` as answers: what is to be done on a screen, on the grid, and the truth of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from omma.sample import Size
from omma.synth.asking import on_grid
from omma.synth.world import Edges

TOOL = "computer_use"


class Deed(NamedTuple):
    """One action and its arguments; `box` is what must be hit, in pixels, where the action has a place."""

    action: str
    box: Edges | None = None
    given: tuple[tuple[str, Any], ...] = ()

    def told(self, size: Size) -> dict[str, Any]:
        """The arguments of the call; the place is the middle of the box, in thousandths."""
        place = {}
        if self.box is not None:
            x, y = (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2
            place = {"coordinate": [on_grid(x, size.width), on_grid(y, size.height)]}
        return {"action": self.action, **place, **{name: _listed(value) for name, value in self.given}}

    @property
    def truth(self) -> dict[str, Any]:
        """What a scorer needs: the action with its arguments, and the box in place of a point."""
        place = {} if self.box is None else {"box": [round(edge, 1) for edge in self.box]}
        return {"action": self.action, **place, **{name: _listed(value) for name, value in self.given}}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def calls_text(deeds: Sequence[Deed], size: Size) -> str:
    """The calls in the form that models were taught, one under the other."""
    calls = ({"name": TOOL, "arguments": deed.told(size)} for deed in deeds)
    return "\n".join(
        f"<tool_call>\n{json.dumps(call, separators=(',', ':'), ensure_ascii=False)}\n</tool_call>"
        for call in calls
    )


def click(box: Edges, action: str = "left_click") -> Deed:
    """A click of some sort on a box."""
    return Deed(action, box)


def write(text: str) -> Deed:
    """Typing a text where the focus is."""
    return Deed("type", None, (("text", text),))


def press(*keys: str) -> Deed:
    """Keys pressed together."""
    return Deed("key", None, (("keys", keys),))


def scroll(pixels: int) -> Deed:
    """Turning the wheel: upwards over nought."""
    return Deed("scroll", None, (("pixels", pixels),))


def end(status: str) -> Deed:
    """Saying that nothing more is to be done: "success", or "failure" where it cannot be done."""
    return Deed("terminate", None, (("status", status),))
