"""One reader: whatever the form, the same record is said, and any record can be reached."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from omma.chat import Image, Text
from omma.corpus.reading import Corpus, Share
from omma.corpus.record import Record
from omma.errors import BadData, MissingExtra, MissingFile, UnknownOption
from omma.prep.pictures import open_picture
from tests.corpus.goods import COLOURS, FORMS, native, write, write_lines, write_list, write_shard

COUNT = 37


@pytest.fixture(scope="module", params=FORMS)
def corpus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(write(request.param, tmp_path_factory.mktemp("data"), COUNT))


def said(record: Record) -> tuple[str, str, int]:
    """What was asked, what was answered, and how wide the picture is."""
    (shown, asked), (answered,) = (message.parts for message in record.messages)
    assert isinstance(shown, Image)
    assert isinstance(asked, Text)
    assert isinstance(answered, Text)
    return asked.text, answered.text, open_picture(shown.source).width


def test_every_form_says_the_same(corpus: Corpus) -> None:
    told = [said(corpus.record(raw)) for raw in corpus.scan()]
    assert told == [("What colour?", COLOURS[i % 3], 56 + i) for i in range(COUNT)]


def test_only_answers_have_a_weight(corpus: Corpus) -> None:
    assert all(corpus.record(raw).weights == (0.0, 1.0) for raw in corpus.scan())


@pytest.mark.parametrize("weight", [1e-46, -1.0, 1e6, float("nan"), float("inf"), True, "1"])
def test_a_weight_that_cannot_count_is_refused(weight: object, tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "a"}]
    write_lines(tmp_path / "a.jsonl", [{"messages": turns, "weight": weight}])
    corpus = Corpus(tmp_path / "a.jsonl")
    with pytest.raises(BadData, match=r"weight is .*; wanted 0, or a number from 0\.000001 to 1,000,000"):
        corpus.record(next(iter(corpus.scan())))


def test_any_record_can_be_reached_alone(corpus: Corpus) -> None:
    assert len(corpus) == COUNT
    whole = [(raw.place, raw.offset) for raw in corpus.scan()]
    assert [(raw.place, raw.offset) for raw in map(corpus.at, range(COUNT))] == whole


@pytest.mark.parametrize("start", [0, 1, 15, 16, 17, COUNT - 1, COUNT, COUNT + 5])
def test_reading_goes_on_from_any_record(corpus: Corpus, start: int) -> None:
    whole = [raw.place for raw in corpus.scan()]
    assert [raw.place for raw in corpus.scan(start)] == whole[start:]


@pytest.mark.parametrize("of", [1, 2, 5])
def test_shares_together_are_everything_once(corpus: Corpus, of: int) -> None:
    shares = [[raw.place for raw in corpus.scan(share=Share(rank, of))] for rank in range(of)]
    assert sorted(place for share in shares for place in share) == sorted(raw.place for raw in corpus.scan())
    assert [raw.place for raw in corpus.scan(2, Share(of - 1, of))] == shares[-1][2:]


def test_whole_shards_are_dealt(tmp_path: Path) -> None:
    for number in range(5):
        write_lines(tmp_path / f"part-{number:02d}.jsonl", [native(i) for i in range(number + 1)])
    corpus = Corpus(tmp_path / "part-{00..04}.jsonl")
    shares = [{raw.place.file for raw in corpus.scan(share=Share(rank, 2))} for rank in range(2)]
    assert not shares[0] & shares[1]
    assert len(corpus) == len(Corpus(tmp_path)) == len(Corpus(f"{tmp_path}/part-*.jsonl")) == 15
    assert corpus.at(14).place == (f"{tmp_path}/part-04.jsonl", 5, "line", None)
    assert [raw.place for raw in corpus.scan(1, Share(1, 2))] == [
        raw.place for raw in corpus.scan(share=Share(1, 2))
    ][1:]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("native lines", "JSON Lines of OpenAI-style messages"),
        ("llava list", "a JSON list of LLaVA or ShareGPT conversations"),
        ("qwen list", "a JSON list of Qwen conversations with <img> tags"),
        ("caption shard", "a WebDataset shard of pictures with captions"),
        ("llava table", "a parquet table of LLaVA or ShareGPT conversations"),
    ],
)
def test_what_was_recognised_is_said(form: str, words: str, tmp_path: Path) -> None:
    assert Corpus(write(form, tmp_path, 2)).what == words


def test_the_ending_of_a_name_says_nothing(tmp_path: Path) -> None:
    file = write("llava table", tmp_path, 2).rename(tmp_path / "data.jsonl")
    assert "parquet" in Corpus(file).what


def test_a_form_can_be_named(tmp_path: Path) -> None:
    file = write_list(
        tmp_path / "data.json", [{"conversations": [{"from": "human", "value": "<img>a</img>"}]}]
    )
    assert Corpus(file).form == "qwen"
    assert Corpus(file, "llava").form == "llava"
    with pytest.raises(UnknownOption, match="known: native, llava, qwen, captions"):
        Corpus(file, "lava")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "it is empty"),
        (b" \n\n", "it is empty"),
        (b"\x89PNG\r\n\x1a\n", "is not a data file"),
        ('{"messages": []}'.encode("utf-16"), "is text in UTF-16; wanted UTF-8"),
        (b"name,age\nanna,7\n", "is not a data file"),
        (b"BZh91AY&SY", "packed with bzip2; unpack it"),
        (b'{\n  "messages": []\n}\n', "is not a data file"),
        (b"PAR1 and nothing more", "is a broken parquet table"),
        (b"[]", "holds no record that can be read"),
        (b"[1, 2]", "holds int"),
        (b'{"question": "why?"}\n', "has records of question; wanted messages, conversations"),
    ],
)
def test_what_is_no_data_file_is_refused_in_a_sentence(body: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_bytes(body)
    with pytest.raises(BadData, match=words) as refused:
        Corpus(tmp_path / "data.jsonl")
    assert "data.jsonl" in str(refused.value)


def test_a_table_without_its_extra_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write("llava table", tmp_path, 2)
    monkeypatch.setattr("omma.corpus.tables.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"omma\[data\]"):
        Corpus(file)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    for name in ("none.jsonl", "none-{0..2}.tar", "*.tar", ""):
        with pytest.raises(MissingFile):
            Corpus(tmp_path / name)


def test_a_pipe_is_no_data_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(MissingFile, match="a device or a pipe; wanted a file"):
        Corpus(tmp_path / "pipe.jsonl")


@pytest.mark.parametrize(
    ("line", "told"),
    [('{"a": ' + "9" * 5000 + "}", "more than 4,300 figures"), ('{"a": ' + "[" * 100_000, "nested too deep")],
)
def test_what_json_says_and_nobody_can_hold_is_told_in_words(line: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text(json.dumps(native(0)) + f"\n{line}\n")
    _, raw = (corpus := Corpus(tmp_path / "data.jsonl")).scan()
    with pytest.raises(BadData, match=told):
        corpus.record(raw)


def test_a_bad_record_does_not_hide_its_neighbours(tmp_path: Path) -> None:
    lines = [json.dumps(native(0)), "{", "", "[1]", '{"messages": 7}', json.dumps(native(1))]
    (tmp_path / "data.jsonl").write_text("\n".join(lines))
    corpus = Corpus(tmp_path / "data.jsonl")
    told = []
    for raw in corpus.scan():
        try:
            corpus.record(raw)
            told.append(f"{raw.place.number} good")
        except BadData:
            told.append(f"{raw.place.number} bad")
    assert told == ["1 good", "2 bad", "4 bad", "5 bad", "6 good"]


def test_a_picture_that_the_shard_renamed_is_found_in_its_place(tmp_path: Path) -> None:
    record = {
        "image": "coco/0007.jpg",
        "conversations": [{"from": "human", "value": "<image>"}, {"from": "gpt", "value": "red"}],
    }
    corpus = Corpus(write_shard(tmp_path / "data.tar", [record]))
    shown = corpus.record(corpus.at(0)).messages[0].parts[0]
    assert isinstance(shown, Image)
    assert open_picture(shown.source).width == 56
