"""The page about suites shows questions and truths that are read, one of every form."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from omma.evals.questions import FURTHER, NEEDED
from omma.evals.suites import read_suite
from omma.evals.truths import BESIDE, FORMS

PAGE = (Path(__file__).parents[2] / "docs" / "eval.md").read_text()
SHOWN = [
    (kind, json.loads(text))
    for kind, text in re.findall(r"<!-- (\w+) -->\n```json\n(.*?)```", PAGE, re.DOTALL)
]
QUESTION = SHOWN[0][1]


@pytest.mark.parametrize(("kind", "told"), SHOWN, ids=lambda part: part if isinstance(part, str) else "")
def test_what_the_page_shows_is_read(kind: str, told: dict[str, Any], tmp_path: Path) -> None:
    question = told if kind == "question" else QUESTION | {"truth": told}
    width, height = question["size"]
    for name in (question["picture"], *question.get("more", ())):
        PIL.Image.new("RGB", (width, height)).save(tmp_path / name)
    (tmp_path / "suite.jsonl").write_text(json.dumps(question))
    assert read_suite(tmp_path / "suite.jsonl").questions[0].question == question["question"]


def test_every_form_and_field_is_on_the_page() -> None:
    assert {name for kind, told in SHOWN if kind == "truth" for name in told} >= set(FORMS)
    fields = {*NEEDED, *FURTHER, *(name for names in BESIDE.values() for name in names)}
    assert {name for name in fields if f"`{name}`" not in PAGE} == set()
