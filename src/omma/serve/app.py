"""The routes put on FastAPI, and the document that describes them. No other file knows the web framework."""

from __future__ import annotations

from functools import partial
from typing import Any

from omma.errors import MissingExtra

try:
    from fastapi import FastAPI, Request, Response
    from fastapi.routing import APIRoute
    from pydantic.json_schema import models_json_schema
    from starlette.exceptions import HTTPException
    from starlette.routing import Match

    from omma.serve.meters import Meters
    from omma.serve.routes import ROUTES, Route
    from omma.serve.service import Service, Work
except ModuleNotFoundError as absent:
    raise MissingExtra(
        f'the server needs {absent.name}, which is not installed; get it with: pip install "omma[serve]"'
    ) from absent

from omma.serve.desk import Desk
from omma.serve.doorway import NO_TRACES, Doorway
from omma.serve.faults import Refused
from omma.serve.keys import KeyRing
from omma.serve.reply import Reply, as_json
from omma.serve.settings import Fetcher, Gate, Settings, Shelf
from omma.serve.sources import Sources
from omma.serve.static import page_files, send_page
from omma.serve.traces import Traces
from omma.serve.visit import Receive, Scope, Send, Visit

SAFE = Settings()
NOBODY = KeyRing(())
DOCUMENT = "/openapi.json"
# The framework's own telemetry would tell errors' words; `serve.traces` does not.
SILENT: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def build_app(
    desk: Desk,
    settings: Settings = SAFE,
    *,
    keys: KeyRing = NOBODY,
    fetcher: Fetcher | None = None,
    shelf: Shelf | None = None,
    gate: Gate | None = None,
    traces: Traces = NO_TRACES,
) -> Doorway:
    """The server around a desk, as an ASGI application.

    Without `keys` everyone may come in; without a `fetcher` no address is opened; without a `shelf` nothing
    is uploaded; without a `gate` nobody waits for anybody; `traces` follow requests. Raises MissingExtra.
    """
    meters = Meters(desk)
    service = Service(desk, settings, Sources(fetcher, shelf), gate, meters)
    app = FastAPI(
        title="omma",
        version="1",
        summary="Answers about pictures and videos, in OpenAI's form.",
        openapi_url=None,
        redirect_slashes=False,
        telemetry=SILENT,
    )
    for route in ROUTES:
        _add(app, service, route)
    if settings.page:
        _serve_page(app, service)
    if settings.docs:
        _serve(app, service, DOCUMENT, as_json(_document(app)), "application/json")
    app.add_exception_handler(HTTPException, _nothing_here)
    return Doorway(app, settings, keys, meters, traces)


class _Answered(Response):
    """A response that the service sends by itself."""

    def __init__(self, service: Service, work: Work, visit: Visit) -> None:
        self.background = None
        self._service, self._work, self._visit = service, work, visit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._service.run(self._work, self._visit, receive, send)


def _add(app: FastAPI, service: Service, route: Route) -> None:
    endpoint = _endpoint(service, route.path, partial(route.work, service))
    app.add_api_route(
        route.path,
        endpoint,
        methods=[route.method],
        summary=route.summary,
        responses=route.responses,  # type: ignore[arg-type]
        openapi_extra=route.extra,
        operation_id=route.work.__name__,
        response_class=Response,
        response_model=None,
    )
    if route.method == "GET":  # who asks for the head alone may have it
        app.add_api_route(
            route.path, endpoint, methods=["HEAD"], include_in_schema=False, response_model=None
        )


def _serve(app: FastAPI, service: Service, path: str, raw: bytes, kind: str) -> None:
    """A file that is there from the beginning."""

    async def work(visit: Visit, receive: Receive, reply: Reply) -> None:
        await reply.whole(200, raw, kind)

    app.add_api_route(
        path,
        _endpoint(service, path, work),
        methods=["GET", "HEAD"],
        include_in_schema=False,
        response_model=None,
    )


def _serve_page(app: FastAPI, service: Service) -> None:
    """The page at / and the files beside it."""
    files = page_files()

    async def work(visit: Visit, receive: Receive, reply: Reply) -> None:
        await send_page(files, visit, reply)

    for path in ("/", "/page/{name}"):
        app.add_api_route(
            path,
            _endpoint(service, path, work),
            methods=["GET", "HEAD"],
            include_in_schema=False,
            response_model=None,
        )


def _endpoint(service: Service, path: str, work: Work) -> Any:
    async def endpoint(request: Request) -> Response:
        visit: Visit = request.scope["omma.visit"]
        visit.route = path
        return _Answered(service, work, visit)

    return endpoint


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: what the framework makes of answers, and what is read of requests."""
    written = app.openapi()
    bodies = {route.body for route in ROUTES if route.body is not None}
    _, schemas = models_json_schema(
        [(body, "validation") for body in sorted(bodies, key=lambda body: body.__name__)],
        ref_template="#/components/schemas/{model}",
    )
    described = written.setdefault("components", {}).setdefault("schemas", {})
    twice = schemas["$defs"].keys() & described.keys()
    assert not twice, f"two models of the wire are called {', '.join(twice)}"
    described |= schemas["$defs"]
    written["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    written["security"] = [{"key": []}, {}]
    return written


async def _nothing_here(request: Request, error: Exception) -> Response:
    """A path that leads nowhere, or a method that a route does not know."""
    assert isinstance(error, HTTPException)
    shown = f"{request.method[:16]} {request.url.path[:80]}"
    if error.status_code == 405:
        text, code = f"{shown} is not offered; look at {DOCUMENT} for what is", "method_not_allowed"
    else:
        text, code = f"{shown} leads nowhere; look at {DOCUMENT} for what is offered", "not_found"
    refused = Refused(error.status_code, text, code=code)
    request.scope["omma.visit"].notes["code"] = code
    headers = dict(error.headers or {})
    if "Allow" in headers:  # the first route of a path tells of itself alone
        headers["Allow"] = ", ".join(_methods(request))
    return Response(refused.raw, refused.status, headers, "application/json")


def _methods(request: Request) -> list[str]:
    """The methods of all routes that stand at a request's path."""
    there = (route for route in request.app.routes if isinstance(route, APIRoute))
    found = (route for route in there if route.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for route in found for method in route.methods or ()})
