"""Fuzzers of the parsers that strangers' bytes reach: picture, video, schema, message, box.

    python -m bench.fuzz                           ten minutes each; writes docs/results/fuzz.json
    python -m bench.fuzz box --seconds 30 --dry    one parser, half a minute; prints, and writes nothing

Inputs are steered by what code they reach (atheris, where it is installed: pip install 'omma[fuzz]'), else
changed at random from whole ones. Each parser runs in a child process, so that a crash is a finding and not
the end. A finding is anything but an error of ours that refuses: another exception, a crash, or no end
within seconds. Findings are kept as files; `--again FILE` runs one of them alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.fuzz_child import again
from bench.fuzz_targets import PARSERS
from bench.results import ROOT, Table

SLACK = 240.0  # seconds that a child may take to start, which it does not fuzz in, and to end


def fuzz(name: str, seconds: float, kept: Path, seed: int) -> tuple[int, list[str], str]:
    """Fuzz a parser for so long: how many inputs, what was found, and how inputs were made."""
    folder = kept / name
    folder.mkdir(parents=True, exist_ok=True)
    count, found, how = 0, list[str](), ""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 1 and len(found) < 20:
        report = folder / "report.json"
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "bench.fuzz_child", name, str(folder), f"{left:.0f}", str(seed)]
        places = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        with (folder / "child.log").open("ab") as log:
            child = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": places}
            )
            try:
                code = child.wait(left + SLACK)
            except subprocess.TimeoutExpired:
                child.kill()
                code = child.wait()
        told: dict[str, Any] = {"count": 0, "found": [], "how": how}
        if report.exists():
            told = json.loads(report.read_text())
        count += told["count"]
        how = told["how"]
        found += [text for text in told["found"] if text not in found]
        if code == 0:
            break
        found.append(_fallen(folder, code))
        seed += 1
    return count, found, how


def main() -> None:
    """Fuzz, print, write."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument(
        "parsers", nargs="*", default=[], help=f"of {', '.join(PARSERS)}; all where none is named"
    )
    asked.add_argument("--seconds", type=float, default=600.0, help="for each parser")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--keep", type=Path, default=None, help="a folder for findings")
    asked.add_argument("--again", type=Path, default=None, metavar="FILE", help="run one finding alone")
    asked.add_argument("--dry", action="store_true", help="write nothing")
    given = asked.parse_args()
    names = given.parsers or list(PARSERS)
    if unknown := sorted(set(names) - set(PARSERS)):
        asked.error(f"no parser is called {', '.join(unknown)}; wanted of {', '.join(PARSERS)}")
    if given.again is not None:
        again(names[0], given.again)
        return
    kept = given.keep or Path(tempfile.mkdtemp(prefix="omma-fuzz-"))
    table = Table("fuzz", "python -m bench.fuzz")
    for name in names:
        count, found, how = fuzz(name, given.seconds, kept, given.seed)
        table.row(f"{name}: inputs", count, "", met=count > 0, note=f"{how}, {given.seconds:g} s")
        table.row(f"{name}: findings", len(found), "", goal=0, met=not found, note="; ".join(found[:5]))
    table.show() if given.dry else table.publish()
    if table.exit_code:
        print(f"findings are kept in {kept}")
    raise SystemExit(table.exit_code)


def _fallen(folder: Path, code: int) -> str:
    """What to say of a child that did not end by itself, whose last input is kept."""
    last = folder / "last"
    named = folder / f"fallen-{abs(code)}-{time.time_ns()}"
    if last.exists():
        last.rename(named)
    return f"the process ended with {code}, its input is {named.name}"


if __name__ == "__main__":
    main()
