"""A process gives up what it does not need: network, files, other processes, memory and time without end.

Linux has all of it; elsewhere fewer walls stand, and the words that come back say which. Once given up,
nothing is had again.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
from contextlib import suppress
from pathlib import Path

NOBODY = 65534
NEW_NETWORK, NEW_USER = 0x40000000, 0x10000000  # of unshare(2)
DIE_WITH_PARENT, NO_NEW_RIGHTS, SECCOMP = 1, 38, 22  # of prctl(2)
LANDLOCK_CREATE, LANDLOCK_RESTRICT = 444, 446
# Rights to files that each version of Landlock knows, as a count of bits.
LANDLOCK_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
LANDLOCK_ALL = 16

# Calls that decoding never makes: sockets, programs, processes, files by name, other processes' memory.
_BARRED = {
    "x86_64": (
        0xC000003E,
        "2 41 42 43 49 50 53 56 57 58 59 62 82 85 87 90 101 165 200 234 248 249 250 257 263 264 272 288 298 "
        "308 310 311 316 319 321 322 323 424 425 434 435 437 438",
    ),
    "aarch64": (
        0xC00000B7,
        "35 38 40 53 56 97 117 129 130 131 198 199 200 201 202 203 217 218 219 220 221 241 242 268 270 271 "
        "276 279 280 281 282 424 425 434 435 437 438",
    ),
}
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # of the filter's machine
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_X32 = 0x40000000  # calls from here on are the same ones under other numbers
_FILTER = struct.Struct("=HBBI")

_libc = ctypes.CDLL(None, use_errno=True)


def leave_network() -> str:
    """Move this process and those it starts into a network of their own, without any way out; say so."""
    if not sys.platform.startswith("linux"):
        return "network: not cut off, this system has no namespaces"
    for flags, how in ((NEW_NETWORK, "an empty one"), (NEW_NETWORK | NEW_USER, "an empty one, as no user")):
        if _libc.unshare(flags) == 0:
            return f"network: {how}"
    return f"network: as here, a namespace was refused ({os.strerror(ctypes.get_errno())})"


def die_with_parent(parent: int) -> None:
    """End when the process of this number ends, which started this one; at once if it has ended already."""
    if sys.platform.startswith("linux"):
        _libc.prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(os.EX_UNAVAILABLE)


def bound(memory: int, processor: int, patience: float) -> None:
    """Limit this process: bytes of addresses, seconds of computing, seconds in all. No file is opened and
    none grows. Over its time it is killed by SIGXCPU or SIGALRM."""
    for number in (signal.SIGALRM, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, patience)
    bounds = {
        "RLIMIT_AS": memory,
        "RLIMIT_CPU": processor,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 0,
    }
    for name, most in bounds.items():
        with suppress(ValueError, OSError):  # macOS knows no bound of memory
            resource.setrlimit(getattr(resource, name), (most, most))


def keep_to_one_core() -> None:
    """Run on one core only: then no library starts threads, which would be refused."""
    if sys.platform.startswith("linux"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})


def become_nobody() -> str:
    """Give up root, where this process is root; start no process from now on."""
    told = "user: as the server"
    if os.geteuid() == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            told = "user: nobody"
        except OSError as error:
            told = f"user: root, for nobody was refused ({error.strerror})"
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    return told


def close_files() -> str:
    """No file is opened, made or removed by its name from now on (Landlock)."""
    if not sys.platform.startswith("linux"):
        return "files: none can be opened (limit)"
    version = _libc.syscall(LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return "files: none can be opened (limit)"
    rights = ctypes.c_uint64((1 << LANDLOCK_RIGHTS.get(version, LANDLOCK_ALL)) - 1)
    _libc.prctl(NO_NEW_RIGHTS, 1, 0, 0, 0)
    rules = _libc.syscall(LANDLOCK_CREATE, ctypes.byref(rights), ctypes.sizeof(rights), 0)
    closed = rules >= 0 and _libc.syscall(LANDLOCK_RESTRICT, rules, 0) == 0
    if rules >= 0:
        os.close(rules)
    return "files: none can be opened (limit, Landlock)" if closed else "files: none can be opened (limit)"


def bar_calls() -> str:
    """Refuse system calls that decoding never makes (seccomp): they give EPERM."""
    known = _BARRED.get(platform.machine()) if sys.platform.startswith("linux") else None
    if known is None:
        return "calls: not barred, no filter is written for this machine"
    machine, barred = known[0], [int(number) for number in known[1].split()]
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    left = len(barred) + 1
    steps.append((_AT_LEAST, left, 0, _X32))
    steps += [(_EQUAL, left - 1 - i, 0, number) for i, number in enumerate(barred)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    code = ctypes.create_string_buffer(b"".join(_FILTER.pack(*step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
    _libc.prctl(NO_NEW_RIGHTS, 1, 0, 0, 0)
    if _libc.prctl(SECCOMP, 2, ctypes.c_void_p(ctypes.addressof(program)), 0, 0) != 0:
        return f"calls: not barred, the filter was refused ({os.strerror(ctypes.get_errno())})"
    return "calls: barred (seccomp)"


def held() -> int:
    """Bytes of addresses that this process holds now."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return 1 << 30
    return pages * resource.getpagesize()
