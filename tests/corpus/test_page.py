"""The page on data forms says nothing that the reader does not do."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from bench.results import ROOT
from omma.corpus.aside import aside
from omma.corpus.dialogue import sample_of
from omma.corpus.forms import READERS, recognise
from omma.corpus.reading import Corpus
from omma.corpus.record import Place
from omma.errors import BadInput
from tests.corpus.models import processor

PAGE = (ROOT / "docs" / "data.md").read_text()
SHOWN = re.findall(r"<!-- (\w+) -->\n```json\n(.*?)\n```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("form", "text"), SHOWN)
def test_a_record_on_the_page_is_read_as_the_page_says(form: str, text: str, tmp_path: Path) -> None:
    for name in ("mug", "before", "after"):
        Image.new("RGB", (64, 60)).save(tmp_path / f"{name}.png")
    record = json.loads(text)
    assert recognise([record]) == form
    (tmp_path / "data.jsonl").write_text(json.dumps(record) + "\n")
    corpus = Corpus(tmp_path / "data.jsonl")
    read = corpus.record(corpus.at(0))
    assert sample_of(read, processor()).length > 0
    assert not read.unread


def test_every_form_is_on_the_page() -> None:
    assert {form for form, _ in SHOWN} == set(READERS)
    assert all(f"| `{form}` |" in PAGE for form in READERS)


def test_the_line_of_a_report_is_one(tmp_path: Path) -> None:
    (shown,) = re.findall(r'```json\n(\{"file".*?)\n```', PAGE)
    record = {"messages": [{"role": "assistant", "content": "x"}, {"role": "user", "content": [
        {"type": "image", "image": "mug.png"}]}]}  # fmt: skip
    (tmp_path / "train.jsonl").write_text(json.dumps(record) + "\n")
    corpus = Corpus(tmp_path / "train.jsonl")
    with pytest.raises(BadInput) as missing:
        sample_of(corpus.record(corpus.at(0)), processor())
    told = aside(Place("train.jsonl", 12, "line"), missing.value).form()
    assert told | {"reason": told["reason"].replace(f"{tmp_path}/", "")} == json.loads(shown)


def test_the_recipe_on_the_page_can_be_made() -> None:
    (shown,) = re.findall(r"```python\n(.*?)\n```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(ast.parse(shown), "data.md", "exec"), names)
    assert len(names["data"].shares) == 2  # type: ignore[attr-defined]
