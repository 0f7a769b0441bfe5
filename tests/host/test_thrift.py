"""A process that lives long does not grow with its threads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from omma.host.thrift import HEAPS, KERNELS

MANY = """
import ctypes, os, subprocess, sys, threading
from omma.host.thrift import be_thrifty
be_thrifty()
met = threading.Barrier(8)
def meet():
    met.wait()
    held = [bytes(60_000) for _ in range(50)]
    met.wait()
threads = [threading.Thread(target=meet) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc = ctypes.CDLL(None)
libc.fdopen.restype, libc.malloc_info.argtypes, libc.fclose.argtypes = (
    ctypes.c_void_p, (ctypes.c_int, ctypes.c_void_p), (ctypes.c_void_p,))
out = libc.fdopen(1, b"w")
libc.malloc_info(0, out)
libc.fclose(out)
os.execvp("sh", ["sh", "-c", "echo kernels=$ONEDNN_PRIMITIVE_CACHE_CAPACITY >&2"])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="heaps are counted by glibc's own report")
def test_a_thrifty_process_has_few_heaps_however_many_threads_meet_and_few_kernels() -> None:
    told = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, check=True)
    assert 1 <= told.stdout.count("<heap nr=") <= HEAPS
    assert told.stderr.split() == [f"kernels={KERNELS}"]
