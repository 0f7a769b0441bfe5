"""Runs Python with these words as a child; says on stderr how much memory the child held."""

from __future__ import annotations

import os
import sys

# This process imports next to nothing: a child's peak is counted from its parent's size on.
if __name__ == "__main__":
    child = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ)
    _, status, used = os.wait4(child, 0)
    print(f"peak {used.ru_maxrss * 1024}", file=sys.stderr)
    raise SystemExit(os.waitstatus_to_exitcode(status))
