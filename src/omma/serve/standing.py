"""How things stand: which models answer, whether the server is alive and ready, its counters."""

from __future__ import annotations

import json
from typing import Any

from omma.serve.desk import Card
from omma.serve.faults import Refused
from omma.serve.meters import CONTENT_TYPE
from omma.serve.orders import card_of
from omma.serve.reply import Reply
from omma.serve.service import Service
from omma.serve.visit import Receive, Visit


async def models(service: Service, visit: Visit, receive: Receive, reply: Reply) -> None:
    """List the models."""
    cards = service.desk.models()
    card_of(cards, None)  # says that none is ready yet, where that is so
    forms = [_model_form(card) for card in cards]
    await reply.json(200, {"object": "list", "data": forms})


async def model(service: Service, visit: Visit, receive: Receive, reply: Reply) -> None:
    """Describe one model."""
    wanted = visit.path.removeprefix("/v1/models/")
    await reply.json(200, _model_form(card_of(service.desk.models(), wanted)))


async def alive(service: Service, visit: Visit, receive: Receive, reply: Reply) -> None:
    """Say that the server answers."""
    await reply.json(200, {"status": "ok"})


async def ready(service: Service, visit: Visit, receive: Receive, reply: Reply) -> None:
    """Say whether models answer."""
    state = dict(service.desk.state())
    if visit.stopping or not state.get("ready", True):
        text = "the server is being stopped" if visit.stopping else "no model answers yet; ask again soon"
        raise Refused(503, text, code="not_ready", headers={"retry-after": "2"})
    await reply.json(200, {"status": "ready", "state": json.loads(json.dumps(state))})


async def metrics(service: Service, visit: Visit, receive: Receive, reply: Reply) -> None:
    """All counters and times."""
    await reply.whole(200, service.meters.page(), CONTENT_TYPE)


def _model_form(card: Card) -> dict[str, Any]:
    """A model as it is listed; what OpenAI's form has no place for stands in `omma`."""
    more = {
        "family": card.family,
        "context": card.context,
        "dialect": card.dialect,
        "thinks": card.thinks,
        "calls": card.calls,
        "digest": card.digest,
        "prompts": dict(card.prompts),
    }
    return {"id": card.name, "object": "model", "created": card.created, "owned_by": "omma", "omma": more}
