"""A JSON list is taken apart as it streams by: what json reads whole, in the memory of one record."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omma.corpus import lines, lists
from omma.corpus.lists import elements
from omma.corpus.reading import Corpus
from omma.errors import BadData
from tests.corpus.goods import FORMS, llava, write

VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=8), st.integers(1, 40), st.booleans(), st.sampled_from([None, 1]))
def test_elements_are_those_that_json_reads(
    values: list[object], chunk: int, ascii_only: bool, indent: int | None
) -> None:
    body = json.dumps(values, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "CHUNK", chunk)
        found = list(elements(io.BytesIO(body[1:]), 1))
    assert not any(element.problem for element in found)
    assert [json.loads(element.text.decode("utf-8", "surrogatepass")) for element in found] == values
    assert all(body[e.offset : e.offset + len(e.text)] == e.text for e in found)


def test_a_list_may_begin_with_a_mark_of_its_coding_and_blanks(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_bytes(b"\xef\xbb\xbf \n [ " + json.dumps(llava(0)).encode() + b" ]\n\n")
    corpus = Corpus(tmp_path / "data.json")
    assert len(corpus) == 1
    assert corpus.record(corpus.at(0)).answers == 1


@pytest.mark.parametrize("form", FORMS)
def test_memory_does_not_grow_with_the_file(form: str, tmp_path: Path) -> None:
    """Ten times the records take no more memory than a few of them, and what a chunk takes."""
    peaks = []
    for number, count in enumerate((40, 400)):
        folder = tmp_path / str(number)
        folder.mkdir()
        corpus = Corpus(write(form, folder, count))
        for raw in corpus.scan():
            raw.read()
        tracemalloc.start()
        try:
            for raw in corpus.scan():
                raw.read()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0] + 200_000


def test_a_large_list_is_read_in_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "data.json"
    record = json.dumps(llava(0) | {"padding": "x" * 20_000})
    with file.open("w") as out:
        out.write("[" + ",\n".join([record] * 500) + "]")
    assert file.stat().st_size > 10_000_000
    tracemalloc.start()
    try:
        corpus = Corpus(file)
        assert len(corpus) == 500
        assert sum(1 for raw in corpus.scan() if raw.read()) == 500
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


def test_a_record_without_an_end_is_not_taken_into_memory(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module in (lines, lists):
            patch.setattr(module, "LONGEST", 10_000)
        (tmp_path / "a.json").write_text(f'[{json.dumps(llava(0))}, {{"a": "{"x" * 900_000}')
        (tmp_path / "a.jsonl").write_text(f"{json.dumps(llava(0))}\n{'x' * 30_000}\n{json.dumps(llava(1))}\n")
        listed, lined = (list(Corpus(tmp_path / name).scan()) for name in ("a.json", "a.jsonl"))
    assert len(listed) == 2
    assert [raw.place.number for raw in lined] == [1, 2, 3]
    for raw in (listed[1], lined[1]):
        with pytest.raises(BadData, match="MiB"):
            raw.read()
    assert lined[2].read().value["id"] == "1"
