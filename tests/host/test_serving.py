"""`omma serve` from its first line to SIGTERM, as a person runs it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.host import media
from tests.host.house import alive

KEY = "a-key-of-sixteen-letters"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMMA_KEY": ""}


@contextmanager
def served(*words: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """A server of its own process, and a client that knows the key."""
    command = [sys.executable, "-m", "omma", "serve", "--port", "0", "--json", "--key", KEY, *words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as server:
        assert server.stdout is not None
        said = server.stdout.readline()
        try:
            assert said, server.stderr and server.stderr.read()
            headers = {"authorization": f"Bearer {KEY}"}
            with httpx.Client(base_url=json.loads(said)["url"], headers=headers, timeout=300) as client:
                yield server, client
        finally:
            server.kill()


def body(text: str, **more: Any) -> dict[str, Any]:
    url = "data:image/png;base64," + b64encode(media.picture()).decode()
    content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": text}]
    return {"model": "omma-nano", "messages": [{"role": "user", "content": content}], **more}


def failed(*words: str) -> str:
    """The one sentence with which a command ends by itself, code 2."""
    told = subprocess.run(
        [sys.executable, "-m", "omma", "serve", *words],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert told.returncode == 2, told.stderr
    assert told.stdout == ""
    (sentence,) = told.stderr.splitlines()
    return sentence


def test_it_serves_answers_under_way_are_finished_at_sigterm_and_nothing_is_left() -> None:
    with served() as (server, client):
        assert client.get("/v1/models").json()["data"][0]["id"] == "omma-nano"
        assert client.get("/", headers={"authorization": ""}).status_code == 401
        answer = client.post("/v1/chat/completions", json=body("What is this?", max_tokens=4)).json()
        assert answer["usage"]["prompt_tokens_details"]["image_tokens"] > 0
        state = client.get("/readyz").json()["state"]
        numbers = [*state["processes"]["engines"], *state["processes"]["decoders"]]
        asked = body("Read all of it.", stream=True, max_tokens=16)
        with client.stream("POST", "/v1/chat/completions", json=asked) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("data: ")
            server.send_signal(signal.SIGTERM)
            assert [line for line in lines if line][-1] == "data: [DONE]"
        assert server.wait(120) == 0
        assert not alive(numbers)
        assert server.stderr is not None
        log = [json.loads(line) for line in server.stderr.read().splitlines()]
        assert {line.get("route") for line in log} >= {"/v1/models", "/v1/chat/completions"}
        assert "What is this" not in str(log)


def test_while_the_model_is_loaded_the_server_says_that_it_is_not_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "omma", "serve", "--port", str(port), "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=ENVIRONMENT
    ) as server:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
                while True:
                    try:
                        assert client.get("/healthz").status_code == 200
                        break
                    except httpx.ConnectError:
                        assert server.poll() is None
                        threading.Event().wait(0.02)
                early = {path: client.get(path) for path in ("/readyz", "/v1/models", "/metrics", "/")}
                early["chat"] = client.post("/v1/chat/completions", json=body("What is this?"))
                assert server.stdout is not None
                assert json.loads(server.stdout.readline())["model"] == "omma-nano"
                assert client.get("/readyz").status_code == 200
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(120) == 0
    for path in ("/readyz", "/v1/models", "chat"):
        assert (early[path].status_code, early[path].json()["error"]["code"]) == (503, "not_ready"), path
        assert early[path].headers["retry-after"]
    assert (early["/metrics"].status_code, early["/"].status_code) == (200, 200)


def test_ctrl_c_while_the_model_is_loaded_ends_it() -> None:
    command = [sys.executable, "-m", "omma", "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as server:
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
        while server.poll() is None and len(numbers := children.read_text().split()) < 3:
            threading.Event().wait(0.02)
        server.send_signal(signal.SIGINT)
        assert server.wait(120) == 0
        assert not alive([int(number) for number in numbers])


def test_a_place_that_cannot_be_had_is_said_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = f"omma: port {port} of 127.0.0.1 cannot be had: address already in use"
        assert failed("--port", str(port)) == f"{said}; give another --port, or 0 for any"
    assert "no address here" in failed("--host", "no.such.host.invalid")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_others_are_let_in_by_a_key_only(host: str) -> None:
    assert "no key is asked for; give --key or --key-file" in failed("--host", host)


def test_a_weak_key_two_keys_and_a_model_that_is_not_there_are_said(tmp_path: Path) -> None:
    assert "wanted 16 ASCII letters" in failed("--key", "short")
    assert "twice" in failed("--key", KEY, "--key-file", str(tmp_path / "keys.toml"))
    assert "cannot be opened" in failed("--key-file", str(tmp_path / "keys.toml"))
    assert "no model is called" in failed("--port", "0", "--model", "no-such-model")


@pytest.mark.parametrize("lacking", ["uvicorn", "fastapi"])
def test_a_missing_extra_is_named(lacking: str) -> None:
    words = (
        f"import sys; sys.modules[{lacking!r}] = None; from omma.cli import main; sys.exit(main(['serve']))"
    )
    told = subprocess.run(
        [sys.executable, "-c", words], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert told.returncode == 2
    assert "omma[serve]" in told.stderr
