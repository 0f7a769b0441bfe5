"""Fill the docs from the thing itself: docs/cli.md from the help, README's examples from real runs.

python -m bench.docs            everything
python -m bench.docs cli        docs/cli.md only (needs no model)
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from bench.results import ROOT
from omma.cli.app import verbs

README = ROOT / "README.md"
CLI = ROOT / "docs" / "cli.md"
BLOCK = re.compile(r"<!-- (run|file): (.+?) -->\n.*?<!-- end -->", re.DOTALL)
# Verbs inside verbs that have a page of their own.
INSIDE = ("omma data make", "omma train recipe", "omma train tune", "omma train merge")
HELP = """
import sys, omma.cli
for line in sys.stdin:
    words = line.split()
    print("\\f" + " ".join(words), flush=True)
    omma.cli.main([*words[1:], "--help"])
"""
PLAIN = {"COLUMNS": "96", "TERMINAL_WIDTH": "96", "NO_COLOR": "1", "TERM": "dumb"}


def cli_page() -> str:
    """Every help page, as a terminal of 96 columns shows it."""
    commands = ["omma", *(f"omma {verb}" for verb in verbs()), *INSIDE]
    done = subprocess.run(
        [sys.executable, "-c", HELP],
        input="\n".join(commands),
        env={**os.environ, **PLAIN},
        check=True,
        capture_output=True,
        text=True,
    )
    parts = [
        "# The command line\n\nMade by `make docs` from the program's own help; a test holds the two equal.\n"
    ]
    for told in done.stdout.split("\f")[1:]:
        command, _, text = told.partition("\n")
        lines = "\n".join(line.rstrip() for line in text.strip("\n").splitlines()).strip("\n")
        parts.append(f"\n## {command}\n\n```text\n{lines}\n```\n")
    return "".join(parts)


def readme_page(text: str) -> str:
    """The README with every marked block filled anew."""
    return BLOCK.sub(lambda found: filled(found.group(1), found.group(2)), text)


def filled(kind: str, what: str) -> str:
    """One marked block: a command with what it printed, or a file as it stands."""
    if kind == "file":
        language = {".py": "python", ".json": "json"}.get(Path(what).suffix, "text")
        body = f"```{language}\n{(ROOT / what).read_text(encoding='utf-8').strip()}\n```"
    else:
        body = f"```console\n$ {what}\n{output(what)}\n```"
    return f"<!-- {kind}: {what} -->\n{body}\n<!-- end -->"


def output(command: str) -> str:
    """What a command prints, run in the repository with the project's own Python. It must succeed."""
    words = shlex.split(command)
    program = {"omma": [sys.executable, "-m", "omma"], "python": [sys.executable]}.get(words[0], words[:1])
    done = subprocess.run(
        [*program, *words[1:]], cwd=ROOT, env={**os.environ, **PLAIN}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"$ {command}\nended with {done.returncode}: {done.stderr.strip()}")
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())


def main() -> None:
    """Write what the words of the command name."""
    wanted = sys.argv[1:] or ["cli", "readme"]
    if "cli" in wanted:
        CLI.write_text(cli_page(), encoding="utf-8")
        print(f"wrote {CLI.relative_to(ROOT)}")
    if "readme" in wanted:
        (ROOT / "docs" / "pictures").mkdir(exist_ok=True)
        README.write_text(readme_page(README.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"wrote {README.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
