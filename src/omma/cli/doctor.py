"""The verb that looks at this machine and at a model: what is there, what is right, what is to be mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated

import typer

from omma.cli import options as given
from omma.cli.doctor_machine import Finding, machine_looks, packages
from omma.cli.options import DEFAULT_MODEL, examples
from omma.cli.say import rows, say, say_json
from omma.errors import OmmaError

HOUSE = "House"
UNWELL = 1

Name = Annotated[
    str, typer.Argument(metavar="[MODEL]", help="A bundled model, a folder, or a hub name in the cache.")
]
Record = Annotated[
    bool, typer.Option("--record", help="Keep this machine's logits in the model's folder, to compare with.")
]


def enrol(app: typer.Typer) -> None:
    """Put this room's verb on the program."""
    app.command(
        rich_help_panel=HOUSE,
        epilog=examples("omma doctor", "omma doctor Qwen/Qwen2.5-VL-3B-Instruct", "omma doctor --json"),
    )(doctor)


def doctor(
    model: Name = DEFAULT_MODEL,
    device: given.Device = "auto",
    dtype: given.Dtype = "auto",
    record: Record = False,
    json: given.Json = False,
) -> int:
    """Look at this machine, and ask a model what is known.

    Of the model: digests, tensors, logits beside recorded ones, and whether it
    names a colour, reads a word, finds a box and orders two events. Every line
    is ok, warn (worth knowing) or bad (to be mended). Exit code 1 if any is
    bad.
    """
    from omma.cli.doctor_model import model_findings

    found = [*packages(), *(look(name, at) for name, at in machine_looks())]
    if not json:
        _tell(found)
    found += (more := list(_safe(model, lambda: model_findings(model, device, dtype, record=record))))
    bad = [finding for finding in found if finding.state == "bad"]
    if json:
        say_json({"well": not bad, "findings": [finding._asdict() for finding in found]})
        return UNWELL if bad else 0
    say(f"\n{model}")
    _tell(more)
    say()
    say(f"to be mended: {', '.join(finding.name for finding in bad)}" if bad else "all is well")
    return UNWELL if bad else 0


def look(name: str, at: Callable[[], Finding]) -> Finding:
    """Look at one thing; a package without which it cannot be seen is what has to be mended."""
    try:
        return at()
    except ImportError as wrong:
        return Finding(name, "bad", f"cannot be looked at: {wrong}", "install what is missing")


def _safe(name: str, at: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Findings up to what makes it impossible to go on, which is the last of them."""
    try:
        yield from at()
    except OmmaError as wrong:
        yield Finding(name, "bad", str(wrong))
    except ImportError as wrong:
        yield Finding(name, "bad", f"cannot be looked at: {wrong}", "install what is missing")


def _tell(found: list[Finding]) -> None:
    said = (f"{finding.what}; {finding.to_do}" if finding.to_do else finding.what for finding in found)
    lines = zip(found, said, strict=True)
    say(rows((finding.name, finding.state, words) for finding, words in lines))
