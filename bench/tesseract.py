"""What Tesseract, a reader of printed pages, makes of suites of printed lines: the peer in `make eval`."""

from __future__ import annotations

import os
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import PIL.Image

from omma.chat import Answer, Usage
from omma.evals.figures import figure
from omma.evals.marks import mark
from omma.evals.suites import Suite

PROGRAM = "tesseract"
LARGER = 3  # times; it was made for scans, and reads letters of ten pixels hardly at all
LANGUAGES = {"chinese_lines": "chi_sim"}  # of all others English
BLOCK, PAGE, SPARSE = "6", "3", "11"  # its ways to look for lines (--psm)
WAYS = {"pages": PAGE, "rotated": SPARSE}  # of all others BLOCK


def read_by_tesseract(suite: Suite) -> tuple[float | None, str]:
    """The share of letters wrong in a suite of printed lines, and a note; None where it does not apply."""
    if not suite.counts_errors:
        return None, ""
    language = LANGUAGES.get(suite.name, "eng")
    if shutil.which(PROGRAM) is None:
        return None, "Tesseract is not installed"
    if language not in _run(["--list-langs"], b"").split():
        return None, f"Tesseract is there without {language}"
    words = ["stdin", "stdout", "-l", language, "--psm", WAYS.get(suite.name, BLOCK)]
    read = [_run(words, _enlarged(question.picture)) for question in suite.questions]
    marks = [
        mark(question.truth, Answer(text, "stop", Usage(0, 0)))
        for question, text in zip(suite.questions, read, strict=True)
    ]
    return figure(marks).value, "peer: Tesseract"


def _enlarged(path: Path) -> bytes:
    """The picture as PNG, larger."""
    with PIL.Image.open(path) as picture:
        size = (picture.width * LARGER, picture.height * LARGER)
        held = BytesIO()
        picture.convert("RGB").resize(size, PIL.Image.Resampling.LANCZOS).save(held, "PNG")
    return held.getvalue()


def _run(words: list[str], given: bytes) -> str:
    """What it prints. One thread: it shares the machine with a model's answers."""
    alone = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    done = subprocess.run([PROGRAM, *words], input=given, env=alone, check=True, capture_output=True)
    return done.stdout.decode("utf-8", "replace")
