"""What strangers bring: folders in folders, forms side by side, half a tag, shards cut between files."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from omma.chat import Image
from omma.corpus.duplicates import record_digest
from omma.corpus.reading import Corpus
from omma.corpus.record import Raw
from omma.errors import BadData, BadInput
from tests.corpus.goods import (
    captioned,
    llava,
    native,
    picture,
    put_pictures,
    qwen,
    write_lines,
    write_list,
    write_shard,
)  # fmt: skip


def reasons(corpus: Corpus) -> list[str]:
    """What is wrong with each record; nothing where it can be used."""

    def reason(raw: Raw) -> str:
        try:
            corpus.record(raw)
        except BadInput as problem:
            return str(problem)
        return ""

    return [reason(raw) for raw in corpus.scan()]


def test_a_shard_that_ends_between_two_files_is_told(tmp_path: Path) -> None:
    whole = write_shard(tmp_path / "whole.tar", [llava(i) for i in range(3)])
    with tarfile.open(whole) as tar:
        last = tar.getmembers()[-2].offset
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole.read_bytes()[:last])
    assert "no end mark" in reasons(Corpus(cut))[-1]
    with pytest.raises(BadData) as told:
        Corpus(cut).record(list(Corpus(cut).scan())[-1])
    assert told.value.kind == "broken file"  # not among the many that are no records
    assert not any(reasons(Corpus(whole)))


@pytest.mark.parametrize("packed", ["b.jsonl.bz2", "b.tar.xz", "b.parquet.gz", "b.parquet.zst"])
def test_a_folder_with_packed_data_is_refused(packed: str, tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [native(0)])
    (tmp_path / packed).write_bytes(b"\x1f\x8b")
    with pytest.raises(BadData, match=packed):
        Corpus(tmp_path)


def test_a_folder_with_data_further_down_is_refused_and_its_pattern_reads_all(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "more"):
        folder.mkdir(exist_ok=True)
        write_lines(folder / "a.jsonl", [captioned(0)])
    with pytest.raises(BadData, match=r"\*\*/\*\.jsonl"):
        Corpus(tmp_path)
    assert len(Corpus(f"{tmp_path}/**/*.jsonl")) == 2


def test_pictures_in_folders_are_no_data(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [captioned(0)])
    (tmp_path / "pictures").mkdir()
    put_pictures(tmp_path / "pictures", 2)
    assert len(Corpus(tmp_path)) == 1


def test_braces_are_counted_out_wherever_they_stand(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}").mkdir()
        for part in range(3):
            write_lines(tmp_path / f"{number}" / f"{part:02}.jsonl", [captioned(0)])
    assert len(Corpus(f"{tmp_path}/{{0..1}}/{{00..02}}.jsonl")) == 6
    with pytest.raises(BadData, match="at most"):
        Corpus("{0..99999999999}.jsonl")


def test_each_record_is_read_by_its_own_form(tmp_path: Path) -> None:
    put_pictures(tmp_path, 4)
    mixed = [captioned(0), llava(1), native(2), qwen(3)]
    corpus = Corpus(write_list(tmp_path / "mixed.json", mixed))
    assert not any(reasons(corpus))
    shown = [corpus.record(raw).messages[0].parts for raw in corpus.scan()]
    assert all(sum(isinstance(part, Image) for part in parts) == 1 for parts in shown)


def test_captions_and_dialogues_may_lie_in_one_shard(tmp_path: Path) -> None:
    file = write_shard(tmp_path / "mixed.tar", [llava(0)])
    with tarfile.open(file, "a") as tar:
        for ending, body in (("png", picture(0)), ("txt", b"red")):
            member = tarfile.TarInfo(f"z/9.{ending}")
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    assert reasons(Corpus(file)) == ["", ""]


def test_a_form_that_was_named_is_the_only_one(tmp_path: Path) -> None:
    file = write_list(tmp_path / "mixed.json", [captioned(0), native(1)])
    assert [reason == "" for reason in reasons(Corpus(file, "captions"))] == [True, False]


def test_turns_may_have_roles_and_contents(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "<image>\nWhat?"}, {"role": "assistant", "content": "red"}]
    file = write_list(tmp_path / "turns.json", [{"image": "0.png", "conversations": turns}])
    corpus = Corpus(file)
    said = [(message.role, message.text) for message in corpus.record(corpus.at(0)).messages]
    assert said == [("user", "What?"), ("assistant", "red")]


def test_the_same_picture_at_another_size_is_another_record(tmp_path: Path) -> None:
    put_pictures(tmp_path, 1)

    def sized(**limits: int) -> dict[str, Any]:
        shown = {"type": "image", "image": "0.png", **limits}
        asked = {"role": "user", "content": [shown]}
        return {"messages": [asked, {"role": "assistant", "content": "red"}]}

    corpus = Corpus(write_lines(tmp_path / "a.jsonl", [sized(), sized(max_pixels=784), sized()]))
    first, small, again = (record_digest(corpus.record(raw)) for raw in corpus.scan())
    assert first == again != small


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (qwen(0) | {"conversations": [{"from": "user", "value": "<img>0.png\nWhat?"}]}, "not closed"),
        (qwen(0) | {"conversations": [{"from": "user", "value": "<img></img>What?"}]}, "empty name"),
        ({"image": "0.png", "question": "What?"}, "no caption"),
        ({"image": "0.png", "caption": ["a", "b"]}, "there are 2 captions; wanted one text"),
        ({"image": "", "caption": "red"}, "no picture"),
        ({"videos": [["0.png", "1.png"]], **native(0)}, "0 <video> and the record 1 video"),
        ({"images": [["0.png", "1.png"]], **native(0)}, "a picture or video is list"),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_the_record(
    record: dict[str, Any], told: str, tmp_path: Path
) -> None:
    corpus = Corpus(write_list(tmp_path / "one.json", [captioned(1), qwen(1), record]))
    assert told in reasons(corpus)[-1]


def test_a_record_without_messages_is_told_by_its_fields(tmp_path: Path) -> None:
    corpus = Corpus(write_lines(tmp_path / "a.jsonl", [native(0), {"prompt": "Hi", "completion": "Ho"}]))
    assert reasons(corpus)[-1].startswith("the record has prompt, completion; wanted messages")
