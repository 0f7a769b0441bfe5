"""Every kind of no ends a command with one sentence and a code of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from omma.cli.outcome import ending
from omma.errors import BadInput, Busy, Interrupted, NotStarted, OmmaError, OutOfMemory


@pytest.mark.parametrize(
    ("kind", "code"), [(BadInput, 2), (Busy, 75), (Interrupted, 75), (OutOfMemory, 71), (NotStarted, 70)]
)
def test_each_kind_of_no_has_its_code(
    kind: type[OmmaError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise kind("no\nmore")

    assert ending(fail) == code
    assert capsys.readouterr().err == "omma: no more\n"


def test_a_verb_that_is_stopped_says_so_once(capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()

    @app.command()
    def work() -> None:
        raise KeyboardInterrupt

    assert ending(lambda: app([], standalone_mode=False)) == 130
    assert capsys.readouterr().err == "omma: stopped\n"


WRAPPER = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from omma.cli import main
sys.exit(main())
"""
SLOW = """
import time
print("loading", flush=True)
time.sleep(60)
"""


def test_ctrl_c_while_the_verbs_are_loaded_leaves_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text(SLOW)  # what the verbs import first, as from a slow disk
    around = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    program = [sys.executable, "-c", WRAPPER, "--help"]
    with subprocess.Popen(program, env=around, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"loading\n"
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (130, b"omma: stopped\n")
