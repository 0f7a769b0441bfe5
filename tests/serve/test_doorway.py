"""The door: ids, hosts, other sites, headers of safety, the log, stopping."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import openai
import pytest

from omma.errors import UnknownOption
from omma.serve.settings import Settings
from omma.serve.traces import OpenTelemetry, sent_to
from tests.serve.desks import NAME, ScriptDesk, Served, in_time, serving

ASKED = {"messages": [{"role": "user", "content": "the secret words"}]}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(ScriptDesk()) as served:
        yield served


@pytest.fixture
def http(served: Served) -> Iterator[httpx.Client]:
    with served.http() as http:
        yield http


def test_a_plain_request_id_comes_back_and_another_is_replaced(http: httpx.Client) -> None:
    assert http.get("/healthz", headers={"x-request-id": "job-7.a"}).headers["x-request-id"] == "job-7.a"
    for bad in ("a b", "x" * 129, "<script>"):
        assert http.get("/healthz", headers={"x-request-id": bad}).headers["x-request-id"].startswith("req-")


def test_the_official_client_sees_the_id(served: Served) -> None:
    with served.client() as client:
        raw = client.chat.completions.with_raw_response.create(
            model=NAME,
            messages=ASKED["messages"],
            extra_headers={"x-request-id": "mine"},  # type: ignore[arg-type]
        )
    assert raw.headers["x-request-id"] == "mine"
    assert raw.parse()._request_id == "mine"


@pytest.mark.parametrize("path", ["/healthz", "/v1/models", "/nothing", "/"])
def test_every_answer_has_the_headers_of_safety_and_none_of_cors(http: httpx.Client, path: str) -> None:
    headers = http.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert not [name for name in headers if name.startswith("access-control")]


def test_a_name_that_points_here_from_elsewhere_is_refused(http: httpx.Client) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost@evil.example", ""):
        assert http.get("/v1/models", headers={"host": host}).status_code == 421
    assert http.get("/v1/models", headers={"host": "LOCALHOST:80"}).status_code == 200


def test_a_page_of_another_site_may_not_ask(served: Served, http: httpx.Client) -> None:
    for origin in ("https://evil.example", "null", served.address.replace("127.0.0.1", "localhost")):
        answer = http.post("/v1/chat/completions", json=ASKED, headers={"origin": origin})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_origin")
    assert (
        http.post("/v1/chat/completions", json=ASKED, headers={"origin": served.address}).status_code == 200
    )


def test_the_log_has_numbers_and_no_words(http: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    def lines() -> list[dict[str, Any]]:
        return [json.loads(record.message) for record in caplog.records if record.name == "omma.serve"]

    with caplog.at_level(logging.INFO, "omma.serve"):
        http.get("/secret/path")
        http.post("/v1/chat/completions", json=ASKED, headers={"x-request-id": "job-8"})
        mine = in_time(lambda: next((line for line in lines() if line["id"] == "job-8"), None))
    assert (mine["route"], mine["status"], mine["model"]) == ("/v1/chat/completions", 200, NAME)
    assert mine["completion_tokens"] == 2
    assert mine["finish"] == "stop"
    assert "secret" not in caplog.text


def test_metrics_count_what_was_answered(http: httpx.Client) -> None:
    http.post("/v1/chat/completions", json=ASKED)
    page = in_time(lambda: "omma_running 0.0" in (told := http.get("/metrics").text) and told)
    for name in (
        'omma_requests_total{route="/v1/chat/completions",status="200"}',
        'omma_tokens_total{kind="written"}',
        'omma_stage_seconds_count{stage="prefill"}',
        "omma_first_token_seconds_count",
        "omma_between_tokens_seconds_bucket",
        "omma_running 0.0",
        'omma_answers_total{reason="stop"}',
    ):
        assert name in page, name


def test_readiness_is_what_the_desk_says() -> None:
    with serving(desk := ScriptDesk(is_ready=False)) as served, served.http() as http:
        assert http.get("/readyz").status_code == 503
        assert http.get("/healthz").status_code == 200
        desk.is_ready = True
        assert http.get("/readyz").json()["status"] == "ready"


def test_a_server_that_is_stopped_ends_its_answers_and_takes_no_new_ones() -> None:
    desk = ScriptDesk(held=1)
    with serving(desk) as served, served.client() as client, served.http() as http:
        got: list[str] = []

        def ask() -> None:
            answer = client.chat.completions.create(model=NAME, messages=ASKED["messages"])  # type: ignore[arg-type]
            got.append(answer.choices[0].message.content or "")

        asking = threading.Thread(target=ask)
        asking.start()
        assert desk.waits.wait(30)
        served.stop()
        answer = http.post("/v1/chat/completions", json=ASKED)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stopping")
        assert answer.headers["retry-after"]
        assert http.get("/readyz").status_code == 503
        desk.release()
        asking.join(30)
        assert served.stopped()
    assert got == ["Hello there"]


def test_an_answer_that_the_servers_end_does_not_wait_for_is_told_so() -> None:
    desk = ScriptDesk(held=1)
    with serving(desk, Settings(leaving=0.1)) as served, served.client() as client:
        cut = []

        def ask() -> None:
            with pytest.raises(openai.APIError, match="stopped before the answer") as told:
                list(client.chat.completions.create(model=NAME, messages=ASKED["messages"], stream=True))  # type: ignore[call-overload]
            cut.append(told.value.code)

        asking = threading.Thread(target=ask)
        asking.start()
        assert desk.waits.wait(30)
        served.stop()
        assert not served.stopped()
        asking.join(30)
        assert desk.left.wait(30)
    assert cut == ["stopping"]


def test_an_answer_that_takes_too_long_is_504() -> None:
    with serving(ScriptDesk(held=0), Settings(deadline=0.2)) as served, served.client() as client:
        with pytest.raises(openai.InternalServerError, match="fewer tokens") as late:
            client.chat.completions.create(model=NAME, messages=ASKED["messages"])  # type: ignore[arg-type]
        assert late.value.status_code == 504
    late_too = pytest.raises(openai.APIError, match="fewer tokens")
    with serving(ScriptDesk(held=1), Settings(deadline=0.2)) as served, served.client() as client, late_too:
        list(client.chat.completions.create(model=NAME, messages=ASKED["messages"], stream=True))  # type: ignore[call-overload]


def test_a_body_that_comes_too_slowly_is_408() -> None:
    import socket

    with serving(ScriptDesk(), Settings(arriving=0.2)) as served:
        host, port = served.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as line:
            head = (
                "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            )
            line.sendall(f"{head}content-length: 100\r\n\r\n{{".encode())
            assert line.recv(4096).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_cancels_its_answer(stream: bool) -> None:
    desk = ScriptDesk(held=1)

    async def leave(address: str) -> None:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
            asked: Any = {"model": NAME, "messages": ASKED["messages"], "stream": stream}
            asking = asyncio.create_task(client.chat.completions.create(**asked))
            assert await asyncio.to_thread(desk.waits.wait, 30)
            assert not desk.left.is_set()
            if stream:
                await (await asking).close()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    with serving(desk) as served:
        asyncio.run(leave(served.address))
        assert desk.left.wait(30)


def test_a_client_waits_no_longer_than_it_said() -> None:
    late = pytest.raises(openai.APITimeoutError)
    with serving(ScriptDesk(held=0)) as served, served.client(timeout=0.2) as client, late:
        client.chat.completions.create(model=NAME, messages=ASKED["messages"])  # type: ignore[arg-type]


def test_a_request_is_one_span_of_the_callers_trace() -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with serving(ScriptDesk(), traces=OpenTelemetry(provider)) as served, served.http() as http:
        caller = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        http.post("/v1/chat/completions", json=ASKED, headers=caller)
    (span,) = exporter.get_finished_spans()
    assert span.name == "POST /v1/chat/completions"
    assert f"{span.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert span.attributes["omma.seconds.prefill"] == 0.1
    assert span.attributes["gen_ai.usage.output_tokens"] == 2
    assert [event.name for event in span.events] == ["first token"]
    assert "secret" not in str(span.to_json())


@pytest.mark.parametrize(
    "address", ["nonsense", "localhost:4318", "ftp://a/b", "http://", "http://a:x", "http://[", "http://a b/"]
)
def test_traces_go_to_an_address_of_the_web_or_are_refused(address: str) -> None:
    with pytest.raises(UnknownOption, match="such as http://localhost:4318/v1/traces"):
        sent_to(address)


def test_traces_reach_a_collector() -> None:
    heard: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        traces = sent_to(f"http://127.0.0.1:{collector.server_port}/v1/traces")
        with serving(ScriptDesk(), traces=traces) as served, served.http() as http:
            http.post("/v1/chat/completions", json=ASKED)
        collector.shutdown()
    ((path, body),) = heard
    assert path == "/v1/traces"
    assert b"POST /v1/chat/completions" in body
    assert b"secret" not in body
