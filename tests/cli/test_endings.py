"""Every kind of no ends a command with one sentence and a code of its own."""

from __future__ import annotations

import pytest

from omma.cli.outcome import ending
from omma.errors import BadInput, Busy, Interrupted, NotStarted, OmmaError, OutOfMemory


@pytest.mark.parametrize(
    ("kind", "code"), [(BadInput, 2), (Busy, 75), (Interrupted, 75), (OutOfMemory, 71), (NotStarted, 70)]
)
def test_each_kind_of_no_has_its_code(
    kind: type[OmmaError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise kind("no\nmore")

    assert ending(fail) == code
    assert capsys.readouterr().err == "omma: no more\n"
