"""`omma train` runs where freed memory stays: it starts anew once, with the same words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from omma.cli.pages import TUNABLES, WANTED

TOLD = """
import os, sys
from omma.cli.pages import keep_pages
print("began", flush=True)
keep_pages()
print(os.environ.get("GLIBC_TUNABLES"), os.getpid(), *sys.argv[1:])
"""
glibc = pytest.mark.skipif(
    not sys.platform.startswith("linux") or "glibc" not in (os.confstr("CS_GNU_LIBC_VERSION") or ""),
    reason="these are settings of glibc",
)


def told(said: str | None, *words: str) -> list[str]:
    """What a program prints that keeps its pages, begun with these tunables."""
    around = {name: value for name, value in os.environ.items() if name != TUNABLES}
    ran = subprocess.Popen(
        [sys.executable, "-c", TOLD, *words],
        env=around if said is None else around | {TUNABLES: said},
        stdout=subprocess.PIPE,
        text=True,
    )
    out, _ = ran.communicate(timeout=60)
    assert ran.returncode == 0
    return out.replace(str(ran.pid), "PID").splitlines()


@glibc
def test_a_process_starts_anew_once_as_itself_with_its_own_words() -> None:
    wanted = ":".join(f"{name}={value}" for name, value in WANTED.items())
    assert told(None, "a word", "--and", "ü") == ["began", "began", f"{wanted} PID a word --and ü"]


@glibc
def test_what_the_caller_has_set_stands() -> None:
    own = "glibc.malloc.mmap_threshold=4096:glibc.malloc.arena_max=1"
    hugetlb, _, trim = (f"{name}={value}" for name, value in WANTED.items())
    assert told(own)[-1] == f"{own}:{hugetlb}:{trim} PID"


@glibc
def test_where_all_is_set_nothing_starts_anew() -> None:
    all_set = ":".join(f"{name}=0" for name in WANTED)
    assert told(all_set) == ["began", f"{all_set} PID"]


@glibc
def test_only_the_shell_s_own_command_starts_anew(tmp_path: Path) -> None:
    program = (
        "import os; from omma.cli import main; "
        "print(main(['train', 'no.py:x']), os.environ.get('GLIBC_TUNABLES'))"
    )
    around = {name: value for name, value in os.environ.items() if name != TUNABLES}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=around, capture_output=True, text=True, cwd=tmp_path
    )
    assert ran.stdout.split() == ["2", "None"], ran.stderr
