"""One table of measured figures: printed for a person, written to docs/results/NAME.json for the docs."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.table import Table as Grid

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results"
PAGE = "README.md"

Figure: TypeAlias = float | int | str | None


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, in which unit, what was wanted, and whether it was met.

    `value` None means that it could not be measured; `note` then says why. `met` None means that nothing
    was promised. `peer` is the same figure of another implementation in the same run.
    """

    name: str
    value: Figure
    unit: str = ""
    goal: Figure = None
    met: bool | None = None
    peer: Figure = None
    note: str = ""


class Table:
    """Rows gathered by one command.

    ``table = Table("parity", "make parity")``, ``table.row("logits", 3e-6, "", goal="≤ 1e-4", met=True)`` for
    each figure, and at the end ``raise SystemExit(table.publish())``.
    """

    def __init__(self, name: str, command: str, *, folder: Path = RESULTS) -> None:
        self.name, self.command, self.folder = name, command, folder
        self.rows: list[Row] = []

    def row(
        self,
        name: str,
        value: Figure,
        unit: str = "",
        *,
        goal: Figure = None,
        met: bool | None = None,
        peer: Figure = None,
        note: str = "",
    ) -> None:
        """Add one figure. Numbers of numpy and torch are taken as plain Python's."""
        kept = None if met is None else bool(met)
        self.rows.append(Row(name, _plain(value), unit, _plain(goal), kept, _plain(peer), note))

    @property
    def exit_code(self) -> int:
        """1 if any figure missed what was promised of it, or none was taken; else 0."""
        return int(not self.rows or any(row.met is False for row in self.rows))

    @property
    def path(self) -> Path:
        """Where `publish` writes."""
        return self.folder / f"{self.name}.json"

    def publish(self) -> int:
        """Print the table, write the file, return the exit code."""
        self.show()
        self.write()
        return self.exit_code

    def show(self, console: Console | None = None) -> None:
        """Print the table."""
        grid = Grid(title=f"{self.name}   ({self.command})", title_justify="left", pad_edge=False)
        for column in ("figure", "value", "unit", "goal"):
            grid.add_column(
                column, justify="right" if column in ("value", "goal") else "left", overflow="fold"
            )
        grid.add_column("met")
        grid.add_column("peer", justify="right")
        grid.add_column("note", overflow="fold")
        for row in self.rows:
            met = {None: "", True: "[green]yes[/]", False: "[bold red]NO[/]"}[row.met]
            cells = (row.name, _show(row.value), row.unit, _show(row.goal))
            grid.add_row(*map(_escape, cells), met, _escape(_show(row.peer)), _escape(row.note))
        (console or Console(width=_width())).print(grid)

    def write(self) -> Path:
        """Write docs/results/NAME.json and return its path."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "command": self.command,
            "commit": commit(),
            "machine": machine(),
            "rows": [asdict(row) for row in self.rows],
        }
        self.path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        (self.folder / PAGE).write_text(page(self.folder), encoding="utf-8")
        return self.path


def page(folder: Path) -> str:
    """All tables of a folder as one Markdown page: what the docs show of them."""
    parts = [
        "# Results\n\nWritten by the commands themselves; each table has its figures beside it as JSON.\n"
    ]
    for path in sorted(folder.glob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        on = told["machine"]
        facts = (
            f"{on['cpu']}, {on['cores']} cores, {on['memory_gib']} GiB, torch {on['torch']}, {on['system']}"
        )
        parts.append(f"\n## {path.stem}\n\n`{told['command']}` at commit {told['commit']}; {facts}.\n\n")
        parts.append(
            "| figure | value | unit | goal | met | peer | note |\n|---|---:|---|---:|---|---:|---|\n"
        )
        parts += [_line(Row(**row)) for row in told["rows"]]
    return "".join(parts)


def _line(row: Row) -> str:
    met = {None: "", True: "yes", False: "**no**"}[row.met]
    cells = [row.name, _show(row.value), row.unit, _show(row.goal), met, _show(row.peer), row.note]
    return "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in cells) + " |\n"


def commit() -> str:
    """The commit the figures belong to, with "-dirty" when tracked files outside docs/ differ from it."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}-dirty" if changed else head


def machine() -> dict[str, Any]:
    """What the figures were taken on: processor, cores this process may use, memory, versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _cpu(),
        "cores": cores,
        "memory_gib": round(memory() / 2**30, 1),
        "torch": _version("torch"),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def memory() -> int:
    """Bytes of main memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _plain(value: Any) -> Figure:
    if value is None or isinstance(value, str):
        return value
    number = value.item() if hasattr(value, "item") else value
    return number if isinstance(number, int) else float(number)


def _show(value: Figure) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
        case int():
            return f"{value:,}"
        case _:
            return value


def _escape(text: str) -> str:
    return text.replace("[", r"\[")


def _width() -> int | None:
    """The terminal's width, or wide enough for notes where there is no terminal."""
    return None if os.isatty(1) else 150
