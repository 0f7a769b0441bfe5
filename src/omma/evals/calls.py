"""What calls of `computer_use` are worth: the same actions in the same order, each place in its box."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from omma.chat import Answer
from omma.evals.places import sound_box
from omma.prep.actions import COMPUTER, NEEDS, Action, parse_actions
from omma.sample import Size

Truth: TypeAlias = Mapping[str, Any]


def calls_share(truth: Truth, answer: Answer) -> float:
    """1 where the answer does exactly what is wanted, in its order; else 0.

    A place must lie in its box. A text must be the same but for blanks around it, keys the same but for
    capitals; a wheel must be turned the right way, however far.
    """
    told = parse_actions(answer.text, answer.seen[0]) if answer.seen else []
    wanted = truth["calls"]
    return float(len(told) == len(wanted) and all(map(_same, wanted, told)))


def _same(wanted: Truth, told: Action) -> bool:
    if told.tool != COMPUTER or told.name != wanted["action"]:
        return False
    if "box" in wanted:
        x1, y1, x2, y2 = wanted["box"]
        if told.point is None or not (x1 <= told.point.x <= x2 and y1 <= told.point.y <= y2):
            return False
    if "text" in wanted and (told.text or "").strip() != wanted["text"].strip():
        return False
    if "keys" in wanted and [key.casefold() for key in told.keys or ()] != wanted["keys"]:
        return False
    if "pixels" in wanted and (told.scroll or 0) * wanted["pixels"] <= 0:
        return False
    return wanted.get("status") in (None, told.status)


def sound_calls(truth: Truth) -> tuple[bool, str]:
    """Whether a truth of calls can be held against an answer, and what is wanted of it."""
    calls = truth["calls"]
    wanted = f"a list of objects, each with an action of {', '.join(NEEDS[COMPUTER])} and what it needs"
    return isinstance(calls, list) and bool(calls) and all(map(_sound, calls)), wanted


_KINDS: dict[str, type | tuple[type, ...]] = {
    "text": str,
    "keys": list,
    "pixels": (int, float),
    "status": str,
    "time": (int, float),
}


def _sound(call: Any) -> bool:
    if not isinstance(call, Mapping) or call.get("action") not in NEEDS[COMPUTER]:
        return False
    needed = NEEDS[COMPUTER][str(call["action"])]
    plain = all(isinstance(call.get(name), _KINDS[name]) for name in needed if name in _KINDS)
    wanted = "box" in call or "coordinate" in needed
    return plain and (sound_box(call.get("box")) or not wanted)


def written_calls(truth: Truth) -> str:
    """Calls as text about as long as an answer that makes them."""
    calls = []
    for call in truth["calls"]:
        place = {"coordinate": [999, 999]} if "box" in call else {}
        given = {name: value for name, value in call.items() if name != "box"}
        calls.append(
            f"<tool_call>\n{json.dumps({'name': COMPUTER, 'arguments': given | place})}\n</tool_call>"
        )
    return "\n".join(calls)


class Asked(Protocol):
    """A question with its truth, and the size of its picture."""

    @property
    def truth(self) -> Truth: ...

    @property
    def size(self) -> Size: ...


def blind_calls(group: Sequence[Asked]) -> float:
    """How many of these one gets who never looks: the best of always one call, and of clicking anywhere.

    Clicks go to the middle, or to a random place; texts and keys are taken from the question.
    """
    still = Counter(json.dumps(q.truth["calls"]) for q in group if not _placed(q.truth))
    most = still.most_common(1)[0][1] if still else 0
    middle = area = 0.0
    for question in group:
        boxes = _placed(question.truth)
        size = question.size
        if boxes:
            x1, y1, x2, y2 = boxes[0]
            middle += x1 <= size.width / 2 <= x2 and y1 <= size.height / 2 <= y2
            area += (x2 - x1) * (y2 - y1) / (size.width * size.height)
    return max(float(most), middle, area)


def _placed(truth: Truth) -> list[list[float]]:
    return [call["box"] for call in truth["calls"] if "box" in call]
