"""What each rule did to a whole run: how many pairs it saw, changed and dropped, and the first examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

EXAMPLES = 3  # of each rule
SHOWN = 80  # letters of an example
RECORD = "record"  # the check before all rules: is it a pair at all


@dataclass
class Tally:
    """One rule's figures. `seen` are the pairs that came as far as this rule."""

    seen: int = 0
    changed: int = 0
    dropped: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)

    def show(self, where: str, why: str, before: str, after: str | None) -> None:
        """Remember an example, while there are few."""
        if len(self.examples) < EXAMPLES:
            told = {"where": where, "why": why, "before": before[:SHOWN]}
            self.examples.append(told if after is None else told | {"after": after[:SHOWN]})


class Report:
    """A tally for each rule, in the order they are walked through."""

    def __init__(self, rules: Sequence[str]) -> None:
        self.tallies: dict[str, Tally] = {name: Tally() for name in (RECORD, *rules)}
        self.pairs = 0
        self.kept = 0

    def take(self, where: str, outcome: Mapping[str, Any]) -> None:
        """Count the outcome of one pair, in the order of the data."""
        self.pairs += 1
        dropped = RECORD if "unread" in outcome else None
        if dropped:
            tally = self.tallies[RECORD]
            tally.dropped += 1
            tally.show(where, outcome["unread"]["why"], str(outcome["unread"]["value"]), None)
        for step in outcome.get("steps", ()):
            tally = self.tallies[step["rule"]]
            after = step.get("after")
            tally.show(where, step["why"], _first(step["before"]), None if after is None else _first(after))
            if after is None:
                tally.dropped += 1
                dropped = step["rule"]
            else:
                tally.changed += 1
        self.kept += dropped is None
        for name, tally in self.tallies.items():
            tally.seen += 1
            if name == dropped:
                break

    def form(self) -> dict[str, Any]:
        """The report as JSON has it."""
        rules = [{"rule": name, **vars(tally)} for name, tally in self.tallies.items()]
        return {"pairs": self.pairs, "kept": self.kept, "dropped": self.pairs - self.kept, "rules": rules}

    def table(self) -> list[list[str]]:
        """The report as rows of a table, its head first."""
        rows = [["rule", "seen", "changed", "dropped", "%", "the first it dropped or changed"]]
        for name, tally in self.tallies.items():
            share = f"{100 * tally.dropped / tally.seen:.1f}" if tally.seen else ""
            why = tally.examples[0]["why"] if tally.examples else ""
            counts = [f"{count:,}" for count in (tally.seen, tally.changed, tally.dropped)]
            rows.append([name, *counts, share, why if len(why) <= SHOWN else f"{why[: SHOWN - 1]}…"])
        share = f"{100 * (self.pairs - self.kept) / self.pairs:.1f}" if self.pairs else ""
        counts = [f"{self.pairs:,}", "", f"{self.pairs - self.kept:,}"]
        return [*rows, ["all", *counts, share, f"{self.kept:,} kept"]]


def _first(form: Mapping[str, Any]) -> str:
    """What an example shows of a pair: its first text, or whatever the rule changed."""
    texts = form.get("texts")
    return str(texts[0]) if texts else str(next(iter(form.values()), ""))
