"""What stands at the other end: whose server it is, which model it has, how that sees and writes places."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from omma.errors import UnknownModel, UnknownOption
from omma.prep.dialects import DIALECTS
from omma.prep.rules import PUBLISHED, QWEN3, PictureRules, square_rules
from omma.presets import preset

Make = Literal["omma", "vllm", "sglang", "other"]

# What a model's name says of its dialect (facts §7.1). The first that is found in it counts.
_NAMES: tuple[tuple[str, str], ...] = (
    (r"omma", "grid"),
    (r"qwen[-_. ]?2[._-]?5[-_. ]?vl", "pixels"),
    (r"qwen[-_. ]?2[-_. ]?vl", "marks"),
    (r"qwen[-_. ]?3[-_. ]?vl", "relative"),
    (r"qwen[-_. ]?vl", "tags"),
)


@dataclass(frozen=True)
class Peer:
    """A server's model. `make` is whose server it is, as far as that is known."""

    model: str
    dialect: str
    thinks: bool
    make: Make = "other"

    @property
    def rules(self) -> PictureRules:
        """How the model is shown pictures and videos, by the published folders (facts §6.2)."""
        if self.dialect == "tags":
            return square_rules(preset("qwen-vl-chat").vision) or PUBLISHED
        return QWEN3 if self.dialect == "relative" else PUBLISHED


def peer_of(cards: Sequence[Any], model: str | None, dialect: str | None, server: str) -> Peer:
    """The model `model` among what a server offers, or the first of them where nothing is said.

    `dialect` goes before what the card or the name says. Raises UnknownModel and UnknownOption.
    """
    offered = {card["id"]: card for card in cards if isinstance(card, Mapping) and card.get("id")}
    if model is None and not offered:
        raise UnknownModel(f"{server} does not say which models it has; name one")
    name = next(iter(offered)) if model is None else model
    if offered and name not in offered:
        raise UnknownModel(f"{server} has no model {name!r}; it has {', '.join(map(str, offered))}")
    card = offered.get(name, {})
    own = card.get("omma")
    facts: Mapping[str, Any] = own if isinstance(own, Mapping) else {}
    owner = str(card.get("owned_by", "")).lower()
    make: Make = "omma" if facts or owner == "omma" else "other"
    if owner in ("vllm", "sglang"):
        make = owner  # type: ignore[assignment]
    spoken = dialect or facts.get("dialect") or _named(f"{name} {card.get('root') or ''}")
    if spoken is None:
        raise UnknownOption(
            f"how {name!r} writes boxes cannot be told from its name; say dialect= one of "
            f"{', '.join(DIALECTS)} (such as 'relative' for shares of a thousand)"
        )
    if spoken not in DIALECTS:
        raise UnknownOption(f"dialect is {spoken!r}; wanted one of {', '.join(DIALECTS)}")
    return Peer(name, spoken, bool(facts.get("thinks", "thinking" in name.lower())), make)


def _named(name: str) -> str | None:
    return next((spoken for form, spoken in _NAMES if re.search(form, name, re.IGNORECASE)), None)
