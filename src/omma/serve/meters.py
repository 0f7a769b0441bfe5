"""What is counted and timed, for Prometheus. Nothing here names a tenant, a prompt or an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from omma.chat import Usage
from omma.serve.desk import Desk

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STAGES = ("fetch", "media", "resize", "encode", "prefill", "decode")
_FAST = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_SLOW = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 300, 600)


class Meters:
    """The meters of one server, with a registry of their own."""

    def __init__(self, desk: Desk) -> None:
        self.registry = of = CollectorRegistry()
        self._requests = Counter("omma_requests", "Requests answered.", ["route", "status"], registry=of)
        self._seconds = Histogram(
            "omma_request_seconds", "From head to last byte.", ["route"], buckets=_SLOW, registry=of
        )
        self._errors = Counter("omma_errors", "Requests refused or failed.", ["code"], registry=of)
        self._tokens = Counter(
            "omma_tokens",
            "Tokens read (text, image, video, of them cached) and written.",
            ["kind"],
            registry=of,
        )
        self._stages = Histogram(
            "omma_stage_seconds", "Seconds of an answer by stage.", ["stage"], buckets=_SLOW, registry=of
        )
        self._first = Histogram(
            "omma_first_token_seconds",
            "From a request's head to its first token.",
            buckets=_SLOW,
            registry=of,
        )
        self._between = Histogram(
            "omma_between_tokens_seconds", "Between two pieces of an answer.", buckets=_FAST, registry=of
        )
        self.open = Gauge("omma_requests_open", "Requests being answered.", registry=of)
        self._finished = Counter("omma_answers", "Answers by the reason they ended.", ["reason"], registry=of)
        of.register(_State(desk))

    def visited(self, route: str, status: int, seconds: float, code: str | None) -> None:
        """A request is over. Status 499 is a client that left."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if code is not None:
            self._errors.labels(code).inc()

    def first(self, seconds: float) -> None:
        """The first token of an answer came."""
        self._first.observe(seconds)

    def between(self, seconds: float) -> None:
        """Another piece of an answer came."""
        self._between.observe(seconds)

    def told(self, reason: str, usage: Usage | None, seconds: Mapping[str, float]) -> None:
        """An answer is whole."""
        self._finished.labels(reason).inc()
        for stage in STAGES:
            if stage in seconds:
                self._stages.labels(stage).observe(seconds[stage])
        if usage is None:
            return
        counts = {
            "text": usage.prompt_tokens - usage.visual_tokens,
            "image": usage.visual_tokens - usage.video_tokens,
            "video": usage.video_tokens,
            "cached": usage.cached_tokens,
            "written": usage.completion_tokens,
        }
        for kind, count in counts.items():
            self._tokens.labels(kind).inc(max(0, count))

    def page(self) -> bytes:
        """Everything in Prometheus' text form."""
        return generate_latest(self.registry)


class _State:
    """The desk's own numbers as gauges, read when they are asked for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def collect(self) -> list[GaugeMetricFamily]:
        told: list[GaugeMetricFamily] = []
        for name, value in self._desk.state().items():
            told += _gauges(f"omma_{name}", value)
        return told

    def describe(self) -> list[GaugeMetricFamily]:
        return []


def _gauges(name: str, value: Any) -> list[GaugeMetricFamily]:
    """A number is a gauge; an object of numbers is one with a label."""
    help = "As the desk states it."
    match value:
        case bool() | int() | float():
            return [GaugeMetricFamily(name, help, value=float(value))]
        case Mapping():
            numbers = {key: each for key, each in value.items() if isinstance(each, (int, float))}
            gauge = GaugeMetricFamily(name, help, labels=["of"])
            for key, each in numbers.items():
                gauge.add_metric([str(key)], float(each))
            return [gauge] if numbers else []
        case _:
            return []
