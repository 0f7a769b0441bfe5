"""Requests made by schemathesis from the OpenAPI document: no 5xx, and every answer as it is described.

python -m bench.openapi                      ten minutes; writes docs/results/openapi.json
python -m bench.openapi --seconds 40 --dry   a short try; prints, and writes nothing
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.hostile import HONEST, running
from bench.results import Table

# What is asked of every answer. What a document cannot say (that a data: URL holds a picture) may be refused,
# so that data which fit the schemas are accepted is not asked.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "ignored_auth",
)


def main() -> None:
    """Run schemathesis against a server of its own, print, write."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seconds", type=int, default=600)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--dry", action="store_true", help="write nothing")
    given = asked.parse_args()
    table = Table("openapi", "python -m bench.openapi")
    with running() as url:
        code, told = _run(url, given.seconds, given.seed)
    print(told)
    made, passed = (_count(told, word) for word in ("generated", "passed"))
    failed = sorted(set(re.findall(r"^_+ ([A-Z]+ /\S*) _+$", told, re.MULTILINE)))
    table.row("requests made from the document", made, "", met=made > 0, note=f"{given.seconds} s")
    note = f"exit {code}" + "".join(f"; {name}" for name in failed)
    table.row("requests without a fault", passed, "", goal=made, met=code == 0 and passed == made, note=note)
    table.show() if given.dry else table.publish()
    raise SystemExit(table.exit_code)


def _run(url: str, seconds: int, seed: int) -> tuple[int, str]:
    """The exit code, and what was printed.

    By one worker: in two threads at a time hypothesis' reading of sources fails inside CPython 3.11 itself
    ("AST constructor recursion depth mismatch"), and such a failure of the tool counts as an error.
    """
    command = [
        *(str(Path(sys.executable).parent / "schemathesis"), "run", f"{url}/openapi.json", "--workers", "1"),
        *("--header", f"Authorization: Bearer {HONEST}", "--max-time", str(seconds), "--seed", str(seed)),
        *("--checks", ",".join(CHECKS), "--continue-on-failure", "--request-timeout", "120"),
        *(
            "--suppress-health-check",
            "all",
            "--generation-database",
            "none",
            "--warnings",
            "off",
            "--no-color",
        ),
    ]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout


def _count(told: str, word: str) -> int:
    """The figure of the line of test cases, as "148 generated, 148 passed"."""
    found = re.search(rf"^\s+(?:.*, )?([\d,]+) {word}\b", told.partition("Test cases:")[2], re.MULTILINE)
    return int(found[1].replace(",", "")) if found else 0


if __name__ == "__main__":
    main()
