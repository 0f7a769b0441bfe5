"""Progress on long work: a bar that stays in one place at a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SILENCE = 30.0  # seconds between two lines of a log


class Steps:
    """Steps of a known number, and the figures that come with them. Written to stderr."""

    def __init__(self, name: str, total: int, *, quiet: bool = False) -> None:
        self.name, self.total, self.quiet = name, total, quiet
        self.live = sys.stderr.isatty() and not quiet
        self._said = time.monotonic()
        self._bar = Progress(
            TextColumn(name), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(), console=Console(stderr=True), transient=False,
        )  # fmt: skip
        self._task = self._bar.add_task(name, total=total, figures="")

    def __enter__(self) -> Steps:
        if self.live:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live:
            self._bar.stop()

    def take(self, line: Mapping[str, Any]) -> None:
        """Show one step's line: `step`, and any figures beside it."""
        step = int(line["step"])
        if self.live:
            self._bar.update(self._task, completed=step, figures=figures(line))
            if held_out := line.get("held_out"):
                self._bar.console.print(f"{self.name} {step}/{self.total}  held out: {figures(held_out)}")
            return
        now = time.monotonic()
        if not self.quiet and (now - self._said > SILENCE or step == self.total or "held_out" in line):
            self._said = now
            more = f"  held out: {figures(line['held_out'])}" if "held_out" in line else ""
            print(f"{self.name} {step}/{self.total}  {figures(line)}{more}", file=sys.stderr, flush=True)

    def count(self, done: int, total: int) -> None:
        """Show how many are done, of how many."""
        self.total = total
        self._bar.update(self._task, total=total)
        self.take({"step": done})


def figures(line: Mapping[str, Any]) -> str:
    """The numbers of a line as a person reads them; steps and counts are left out, but for what was lost."""
    shown = [
        f"{name} {value:.4g}" for name, value in line.items() if isinstance(value, float) and name != "rate"
    ]
    return "  ".join([*shown, *([f"{line['set_aside']} set aside"] if line.get("set_aside") else [])])
