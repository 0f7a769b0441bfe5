"""Requests made by schemathesis from the OpenAPI document: no 5xx, and every answer as it is described.

python -m bench.openapi                      ten minutes; writes docs/results/openapi.json
python -m bench.openapi --seconds 40 --dry   a short try; prints, and writes nothing
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    with running() as url, tempfile.TemporaryDirectory() as folder:
        code, told = _run(url, given.seconds, given.seed, Path(folder))
    scenarios = list(_scenarios(told))
    failures = sorted({text for scenario in scenarios for text in _failures(scenario)})
    calls = sum(len(scenario["recorder"]["interactions"]) for scenario in scenarios)
    table.row("requests made from the document", calls, "", met=calls > 0, note=f"{given.seconds} s")
    table.row("operations that were asked", len({one["recorder"]["label"] for one in scenarios}))
    note = "; ".join(failures[:8])
    table.row(
        "failures", len(failures), "", goal=0, met=not failures and code == 0, note=note or f"exit {code}"
    )
    table.show() if given.dry else table.publish()
    raise SystemExit(table.exit_code)


def _run(url: str, seconds: int, seed: int, folder: Path) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and what was told on the way, an event a line."""
    report = folder / "events.ndjson"
    command = [
        *(str(Path(sys.executable).parent / "schemathesis"), "run", f"{url}/openapi.json", "--workers", "2"),
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
        *("--report", "ndjson", "--report-ndjson-path", str(report)),
    ]
    code = subprocess.run(command, cwd=folder, check=False).returncode
    lines = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
    return code, [json.loads(line) for line in lines]


def _scenarios(told: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for event in told:
        if "ScenarioFinished" in event:
            yield event["ScenarioFinished"]


def _failures(scenario: dict[str, Any]) -> Iterator[str]:
    for checks in scenario["recorder"]["checks"].values():
        for check in checks:
            if check["status"] == "failure":
                yield f"{scenario['recorder']['label']}: {check['name']}"


if __name__ == "__main__":
    main()
