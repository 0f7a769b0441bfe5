"""What is packed with gzip is read as what it is: any record alone, whatever is cut off or damaged told."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omma.corpus import gzipped
from omma.corpus.aside import aside
from omma.corpus.gzipped import Gzipped
from omma.corpus.reading import Corpus
from omma.errors import BadData, BadInput
from tests.corpus.goods import native, write, write_lines

COUNT = 37
squeezed = partial(gzip.compress, mtime=0)  # the same bytes at any hour
PACKABLE = ("native lines", "llava list", "llava shard", "native shard")


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops every few bytes, and few of them, so that short files show what long ones do."""
    for name, value in {"BITE": 37, "OUT": 101, "APART": 211, "MOST": 8}.items():
        monkeypatch.setattr(gzipped, name, value)


def packed(file: Path, members: int = 1) -> Path:
    body = file.read_bytes()
    size = -(-len(body) // members)
    parts = [squeezed(body[at : at + size]) for at in range(0, len(body), size)]
    file.with_name(file.name + ".gz").write_bytes(b"".join(parts))
    return file.with_name(file.name + ".gz")


@pytest.mark.parametrize("members", [1, 5])
@pytest.mark.parametrize("form", PACKABLE)
def test_packed_is_the_same_as_plain(form: str, members: int, tmp_path: Path) -> None:
    plain = Corpus(file := write(form, tmp_path, COUNT))
    corpus = Corpus(packed(file, members))
    assert len(corpus) == COUNT
    records = [plain.record(raw) for raw in plain.scan()]
    assert [corpus.record(raw) for raw in corpus.scan()] == records
    assert [corpus.record(corpus.at(i)) for i in reversed(range(COUNT))] == records[::-1]
    assert [corpus.record(raw) for raw in corpus.scan(17)] == records[17:]
    assert "packed with gzip, of" in corpus.what
    assert corpus.form == plain.form


@pytest.mark.parametrize("members", [1, 4])
def test_any_stretch_is_reached(members: int, tmp_path: Path) -> None:
    dice = random.Random(members)
    body = dice.randbytes(3000) + b"a" * 9000 + dice.randbytes(2000)
    (tmp_path / "x").write_bytes(body)
    whole = Gzipped(packed(tmp_path / "x", members))
    for _ in range(200):
        start, size = dice.randrange(len(body) + 9), dice.randrange(700)
        with whole.open() as file:
            file.seek(start)
            assert file.read(size) == body[start : start + size]
    assert len(whole.stops) <= gzipped.MOST
    assert whole.problem() == ""
    with whole.open() as file:
        assert file.seek(0, io.SEEK_END) == len(body)


def told(corpus: Corpus) -> list[str]:
    """Each record as it is read, or the kind of what is wrong with it."""
    found = []
    for raw in corpus.scan():
        try:
            found.append(str(corpus.record(raw)))
        except BadInput as problem:
            found.append(aside(raw.place, problem).kind)
    return found


@pytest.mark.parametrize("form", PACKABLE)
@settings(max_examples=25)
@given(share=st.floats(0, 1), bit=st.none() | st.integers(0, 7))
def test_a_damage_is_told_and_hides_nothing_before_it(
    form: str, share: float, bit: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("data")
    plain = told(Corpus(file := write(form, folder, 16)))
    body = bytearray((path := packed(file)).read_bytes())
    at = min(int(share * len(body)), len(body) - 1)
    if bit is None:
        del body[at:]
    elif 3 <= at < 10:
        return  # what is said of it: how, when and on what it was packed
    else:
        body[at] ^= 1 << bit
    path.write_bytes(body)
    try:
        corpus = Corpus(path)
    except BadData:
        return
    found = told(corpus)
    good = next((i for i, one in enumerate(found) if i >= len(plain) or one != plain[i]), len(found))
    assert found[-1] == "broken file"
    assert good < len(found)
    again = [corpus.at(i) for i in range(len(corpus))]
    assert len(again) == len(found)
    assert [raw.place for raw in again] == [raw.place for raw in corpus.scan()]


def test_every_line_before_a_cut_is_read(tmp_path: Path) -> None:
    lines = [native(i) for i in range(200)]
    path = packed(write_lines(tmp_path / "data.jsonl", lines))
    path.write_bytes(path.read_bytes()[:-200])
    corpus = Corpus(path)
    *read, broken, cut = corpus.scan()
    assert [raw.read().value for raw in read] == lines[: len(read)]
    assert len(read) > 50
    with pytest.raises(BadData, match="not JSON"):
        broken.read()
    with pytest.raises(BadData, match=r"line \d+ is where the packed file breaks off: it ends in the middle"):
        cut.read()


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("a.jsonl.gz", squeezed(b""), "nothing is packed in it"),
        ("a.jsonl.gz", squeezed(b"PAR1 and more"), "parquet table, which is read as it is"),
        ("a.jsonl.gz", squeezed(squeezed(b"{}")[:8] + b"x" * 90), "is not a data file"),
        ("a.jsonl.gz", squeezed(b"BZh9"), "what is packed in .* is packed with bzip2"),
        ("a.jsonl.zst", b"\x28\xb5\x2f\xfd....", "packed with zstd; unpack it first, or pack it with gzip"),
        ("a.jsonl.gz", b"\x1f\x8b\x08\x00", "it ends in the middle"),
        ("a.jsonl.gz", b"\x1f\x8b\x08\xff\x00nothing of the kind", "it is damaged|ends in the middle"),
    ],
    ids=["nothing", "a table", "gzip in gzip", "bzip2 in gzip", "zstd", "a head cut off", "a head alone"],
)
def test_what_cannot_be_read_packed_is_refused_in_a_sentence(
    name: str, body: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(body)
    with pytest.raises(BadData, match=words):
        Corpus(tmp_path / name)


def test_a_folder_of_packed_shards_is_one_body_of_data(tmp_path: Path) -> None:
    for number in range(3):
        file = write("llava shard", tmp_path, 5).rename(tmp_path / f"part-{number}.tar")
        packed(file).rename(tmp_path / f"part-{number}.{'tgz' if number else 'tar.gz'}")
        file.unlink()
    for picture in tmp_path.glob("*.png"):
        picture.unlink()
    assert len(Corpus(tmp_path)) == 15
    (tmp_path / "part-0.tar").write_bytes(b"")
    with pytest.raises(BadData, match=r"files of several kinds, tar, tar\.gz"):
        Corpus(tmp_path)


def test_a_shard_that_another_program_packed_is_read(tmp_path: Path) -> None:
    file = write("llava shard", tmp_path, 9)
    with tarfile.open(file) as plain, tarfile.open(tmp_path / "again.tgz", "w:gz") as tar:
        for member in plain:
            tar.addfile(member, plain.extractfile(member))
    records = [Corpus(name) for name in (file, tmp_path / "again.tgz")]
    assert told(records[0]) == told(records[1])


def test_one_long_line_is_read(tmp_path: Path) -> None:
    record = native(0) | {"id": "x" * 100_000}
    path = packed(write_lines(tmp_path / "data.jsonl", [native(1), record, native(2)]))
    assert [json.loads(json.dumps(raw.read().value)) for raw in Corpus(path).scan()] == [
        native(1), record, native(2)
    ]  # fmt: skip
