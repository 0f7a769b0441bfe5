"""Memory that a step gives back is kept for the next one, in huge pages."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

TUNABLES = "GLIBC_TUNABLES"
# A step's arrays are larger than what malloc keeps by itself (32 MiB at most): each would be mapped, cleared
# and unmapped again. No array of a step on a processor reaches the first limit, and no step the second.
WANTED = {
    "glibc.malloc.hugetlb": "1",  # asks the kernel for huge pages, where it leaves that to programs
    "glibc.malloc.mmap_threshold": str(1 << 30),
    "glibc.malloc.trim_threshold": str(1 << 34),
}


def keep_pages() -> None:
    """Start this program anew with memory kept, once; for a process's first lines, before it holds anything.

    glibc reads these settings when a program starts, and never again. What the caller has set stands. Nothing
    happens without glibc, or where Python does not know its own command line.
    """
    if not _has_glibc() or not sys.executable or not sys.orig_argv:
        return
    said = [pair for pair in os.environ.get(TUNABLES, "").split(":") if pair]
    names = {pair.partition("=")[0] for pair in said}
    missing = [f"{name}={value}" for name, value in WANTED.items() if name not in names]
    if not missing:
        return
    os.environ[TUNABLES] = ":".join(said + missing)
    sys.stdout.flush()
    sys.stderr.flush()
    with suppress(OSError):  # where nobody may start it anew, a step is only slower
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _has_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError, OSError):
        return False
