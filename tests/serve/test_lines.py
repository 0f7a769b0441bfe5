"""Every line of the log is JSON, whoever writes it, and quotes nobody."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from typing import Any

import pytest

from omma.serve.lines import JsonLine, log_to_stderr


def line(name: str, text: str, *words: Any, fault: Exception | None = None) -> Any:
    told = None if fault is None else (type(fault), fault, fault.__traceback__)
    return json.loads(JsonLine().format(logging.LogRecord(name, 40, "", 0, text, words, told)))


def test_others_lines_become_objects() -> None:
    said = line("uvicorn.error", "Cancel %s running task(s), timeout graceful shutdown exceeded", 2)
    assert said.pop("time") > 0
    assert said == {
        "level": "error",
        "log": "uvicorn.error",
        "message": "Cancel 2 running task(s), timeout graceful shutdown exceeded",
    }


def test_a_requests_line_is_as_it_was() -> None:
    assert line("omma.serve", "%s", '{"id": "a"}') == {"id": "a"}


def test_an_error_says_where_it_happened_and_not_what_was_asked() -> None:
    try:
        raise ValueError("the secret question")
    except ValueError as error:
        said = line("asyncio", "Task exception was never retrieved\nfuture: secret", fault=error)
    assert said["message"] == "Task exception was never retrieved"
    assert said["fault"][0] == "ValueError"
    assert "secret" not in str(said)


@pytest.mark.parametrize("quiet", [True, False])
def test_quiet_is_no_line_for_each_request(
    quiet: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, requests = logging.getLogger(), logging.getLogger("omma.serve")
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    level = requests.level
    try:
        log_to_stderr(quiet=quiet)
        requests.info("%s", "{}")
        requests.error("%s", "[]")
    finally:
        requests.setLevel(level)
        logging.captureWarnings(False)
    assert capsys.readouterr().err.split() == (["[]"] if quiet else ["{}", "[]"])


LOUD = """
import sys, threading, warnings
from omma.serve.lines import log_to_stderr
log_to_stderr()
warnings.warn("something is old\\nand quotes a secret")
def work():
    raise ValueError("the secret question")
one = threading.Thread(target=work, name="omma-engine")
one.start()
one.join()
"""


def test_warnings_and_threads_that_break_off_are_lines_too() -> None:
    done = subprocess.run([sys.executable, "-c", LOUD], capture_output=True, text=True, check=True)
    warned, broken = (json.loads(line) for line in done.stderr.splitlines())
    assert "something is old" in warned["message"]
    assert (broken["message"], broken["fault"][0]) == ("omma-engine broke off", "ValueError")
    assert "secret" not in done.stderr
