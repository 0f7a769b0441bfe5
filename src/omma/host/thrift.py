"""Keeps a process that lives long at an even size: few heaps, and no more kernels than are used again."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

HEAPS = 2  # of malloc: by default every thread that meets another gets its own, and keeps what it once took
KERNELS = 256  # products that oneDNN has compiled and keeps, half a MiB each; 1,024 by default
MOST_HEAPS = -8  # M_ARENA_MAX of mallopt(3)


def be_thrifty() -> None:
    """Hold this process to few heaps and kernels. Before it has threads, and before its first product."""
    os.putenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(KERNELS))  # read once, by C
    if sys.platform.startswith("linux"):
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)
        if set_option is not None:  # musl has one heap anyway
            set_option(MOST_HEAPS, HEAPS)


def settle() -> None:
    """What this process holds now it holds for good: the collector of garbage looks at it no more.

    A look at all that a model's libraries are made of takes tens of milliseconds, in the midst of answers.
    """
    gc.collect()
    gc.freeze()
