"""Traces of requests for OpenTelemetry, an extra: a span each, with its numbers and nothing it said."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol
from urllib.parse import urlsplit

from omma.errors import MissingExtra, UnknownOption
from omma.serve.visit import Visit

# Notes of a visit that go into its span, by the conventions' names where there are some.
ATTRIBUTES = {
    "model": "gen_ai.request.model",
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
    "finish": "gen_ai.response.finish_reason",
    "code": "error.type",
    "stream": "omma.stream",
    "first_token": "omma.first_token_seconds",
}


class Traces(Protocol):
    """Follows requests."""

    def follow(self, visit: Visit) -> AbstractContextManager[None]:
        """Held from a request's head to its answer's last byte."""
        ...

    def close(self) -> None:
        """Send what was gathered."""
        ...


class NoTraces:
    """Follows nothing."""

    def follow(self, visit: Visit) -> AbstractContextManager[None]:
        """Nothing happens."""
        return nullcontext()

    def close(self) -> None:
        """Nothing was gathered."""


class OpenTelemetry:
    """Spans of a `TracerProvider`; what calls us may say by `traceparent` which trace this belongs to."""

    def __init__(self, provider: Any) -> None:
        try:
            from opentelemetry.trace import SpanKind, StatusCode
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ModuleNotFoundError as absent:
            raise _absent(absent) from absent
        self._provider = provider
        self._tracer = provider.get_tracer("omma")
        self._kind, self._error = SpanKind.SERVER, StatusCode.ERROR
        self._carrier = TraceContextTextMapPropagator()

    @contextmanager
    def follow(self, visit: Visit) -> Iterator[None]:
        """A span around the request; seconds by stage are its attributes, the first token an event."""
        context = self._carrier.extract(dict(visit.headers))
        began = time.time_ns()
        span = self._tracer.start_span(visit.method[:16], context, kind=self._kind, start_time=began)
        try:
            yield
        finally:
            if visit.route:
                span.update_name(f"{visit.method[:16]} {visit.route}")
            told = {"http.request.method": visit.method[:16], "http.route": visit.route or "unknown"}
            span.set_attributes({**told, "http.response.status_code": visit.status, "omma.id": visit.id})
            for note, name in ATTRIBUTES.items():
                if note in visit.notes:
                    span.set_attribute(name, visit.notes[note])
            for stage, seconds in visit.stages.items():
                span.set_attribute(f"omma.seconds.{stage}", seconds)
            if "first_token" in visit.notes:
                span.add_event("first token", timestamp=began + int(visit.notes["first_token"] * 1e9))
            if visit.status >= 500:
                span.set_status(self._error)
            span.end()

    def close(self) -> None:
        """Send what was gathered, and end."""
        self._provider.shutdown()


def sent_to(endpoint: str, name: str = "omma") -> OpenTelemetry:
    """Traces sent to a collector's OTLP address, such as ``http://localhost:4318/v1/traces``.

    Raises UnknownOption for what is no address of the web, and MissingExtra. Nothing of the environment is
    asked but what the exporter itself reads.
    """
    _check(endpoint)
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as absent:
        raise _absent(absent) from absent
    provider = TracerProvider(resource=Resource({"service.name": name}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return OpenTelemetry(provider)


def _check(endpoint: str) -> None:
    """Raise UnknownOption for an address that nothing is ever sent to: the exporter would only log that."""
    try:
        parts = urlsplit(endpoint)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # no port's number, or half of an IPv6 address
        sound = False
    if not sound or re.search(r"\s", endpoint):
        raise UnknownOption(
            f"traces are to go to {endpoint!r}; wanted an http or https address such as "
            "http://localhost:4318/v1/traces"
        )


def _absent(absent: ModuleNotFoundError) -> MissingExtra:
    return MissingExtra(
        f'traces need {absent.name}, which is not installed; get it with: pip install "omma[traces]"'
    )
