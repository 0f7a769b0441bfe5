"""What a decoder's job cannot do, tried from inside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import omma

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the walls are Linux's")

TRIES = """
import ctypes, os, resource, socket, sys, threading
sys.path.insert(0, sys.argv[1])
from omma.host import confine
from omma.host.decode_child import _confined
from omma.host.limits import DecodeLimits

walls = [confine.leave_network(), *_confined(DecodeLimits(memory=256 << 20), os.getppid())]

def fails(work):
    try:
        work()
    except (OSError, MemoryError, RuntimeError, ValueError):
        return True
    return False

tries = {
    "open": lambda: open("/etc/passwd"),
    "write": lambda: open("/tmp/omma-was-here", "w"),
    "list": lambda: os.listdir("/"),
    "remove": lambda: os.unlink("/tmp/omma-was-not-here"),
    "socket": lambda: socket.socket(),
    "pair": lambda: socket.socketpair(),
    "fork": os.fork,
    "thread": threading.Thread(target=print).start,
    "program": lambda: os.execv("/bin/true", ["true"]),
    "kill": lambda: os.kill(os.getppid(), 0),
    "memory": lambda: bytearray(1 << 30),
    "more": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
    "memfd": lambda: os.memfd_create("x"),
}
print("\\n".join(walls))
print("DID", *(name for name, work in tries.items() if not fails(work)))
"""


def test_a_job_opens_no_file_reaches_nobody_starts_nothing() -> None:
    home = str(Path(omma.__file__).parent.parent)
    told = subprocess.run(
        [sys.executable, "-c", TRIES, home], capture_output=True, text=True, timeout=120, check=True
    )
    assert told.stdout.splitlines()[-1].split() == ["DID"], told.stdout


ORPHAN = """
import os, sys
sys.path.insert(0, sys.argv[1])
from omma.host.confine import die_with_parent
die_with_parent(int(sys.argv[2]))
print("still here")
"""


def test_who_was_left_before_it_said_whose_child_it_is_ends_at_once() -> None:
    home = str(Path(omma.__file__).parent.parent)
    for mother, said in ((os.getpid(), "still here"), (os.getpid() + 1, "")):
        told = subprocess.run(
            [sys.executable, "-c", ORPHAN, home, str(mother)], capture_output=True, text=True, timeout=120
        )
        assert told.stdout.strip() == said
