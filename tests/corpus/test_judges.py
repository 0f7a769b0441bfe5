"""Other people's programs judge: what `datasets` and `webdataset` write is read as they read it."""

from __future__ import annotations

import io
from pathlib import Path

import datasets
import pyarrow
import pyarrow.parquet
import pytest
import webdataset
from PIL import Image as Picture

from omma.chat import Image
from omma.corpus.reading import Corpus
from omma.corpus.record import Record
from omma.corpus.survey import Survey
from omma.prep.pictures import open_picture
from tests.corpus.goods import COLOURS, picture
from tests.corpus.models import processor

COUNT = 10


def told(record: Record) -> tuple[str, str, tuple[int, ...]]:
    """Question, answer, and the colour of the picture's corner."""
    shown = record.messages[0].parts[0]
    assert isinstance(shown, Image)
    return record.messages[0].text, record.messages[1].text, open_picture(shown.source).getpixel((0, 0))  # type: ignore[return-value]


WANTED = [
    ("What colour?", COLOURS[i % 3], Picture.new("RGB", (1, 1), COLOURS[i % 3]).getpixel((0, 0)))
    for i in range(COUNT)
]


def pictures() -> list[Picture.Image]:
    return [Picture.open(io.BytesIO(picture(i))) for i in range(COUNT)]


TABLES = {
    "questions": {
        "image": pictures,
        "question": lambda: ["What colour?"] * COUNT,
        "answer": lambda: [COLOURS[i % 3] for i in range(COUNT)],
    },
    "messages": {
        "images": lambda: [[one] for one in pictures()],
        "messages": lambda: [
            [
                {
                    "role": "user",
                    "content": [{"type": "image", "text": None}, {"type": "text", "text": "What colour?"}],
                },
                {"role": "assistant", "content": [{"type": "text", "text": COLOURS[i % 3]}]},
            ]
            for i in range(COUNT)
        ],
    },
    "conversations": {
        "image": pictures,
        "conversations": lambda: [
            [{"from": "human", "value": "<image>\nWhat colour?"}, {"from": "gpt", "value": COLOURS[i % 3]}]
            for i in range(COUNT)
        ],
    },
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_that_datasets_wrote_is_read(kind: str, tmp_path: Path) -> None:
    columns = {name: column() for name, column in TABLES[kind].items()}
    whole = datasets.Dataset.from_dict(columns)
    if "image" in columns:
        whole = whole.cast_column("image", datasets.Image())
    else:
        whole = whole.cast_column("images", datasets.List(datasets.Image()))
    whole.to_parquet(str(tmp_path / "data.parquet"), batch_size=4)
    corpus = Corpus(tmp_path / "data.parquet")
    assert [told(corpus.record(raw)) for raw in corpus.scan()] == WANTED
    assert [told(corpus.record(corpus.at(i))) for i in reversed(range(COUNT))] == WANTED[::-1]


@pytest.mark.filterwarnings("ignore:unclosed file", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("ending", ["png", "jpeg", "webp"])
def test_a_shard_that_webdataset_wrote_is_grouped_as_webdataset_groups_it(
    ending: str, tmp_path: Path
) -> None:
    file = tmp_path / "data.tar"
    with webdataset.TarWriter(str(file)) as tar:
        for i, shown in enumerate(pictures()):
            held = io.BytesIO()
            shown.save(held, ending)
            entry = {"question": "What colour?", "answer": COLOURS[i % 3]}
            tar.write({"__key__": f"deep/er/{i:04d}.extra", ending: held.getvalue(), "json": entry, "cls": i})
    corpus = Corpus(file)
    theirs = list(webdataset.WebDataset(str(file), shardshuffle=False, empty_check=False))
    ours = [raw.read() for raw in corpus.scan()]
    assert len(ours) == len(theirs) == COUNT
    for loose, entry in zip(ours, theirs, strict=True):
        endings = {name for name in entry if not name.startswith("__")}
        assert loose.beside["image"] == [entry[next(name for name in endings if name.endswith(ending))]]
    questions = [told(corpus.record(raw))[:2] for raw in corpus.scan()]
    assert questions == [wanted[:2] for wanted in WANTED]


def test_captions_beside_pictures_are_read_from_a_shard(tmp_path: Path) -> None:
    file = tmp_path / "data.tar"
    with webdataset.TarWriter(str(file)) as tar:
        for i, shown in enumerate(pictures()):
            tar.write({"__key__": f"{i:04d}", "jpg": shown, "txt": f"A {COLOURS[i % 3]} square, ü."})
    corpus = Corpus(file)
    assert corpus.form == "captions"
    assert corpus.record(corpus.at(4)).messages[1].text == "A green square, ü."


def test_a_row_group_that_is_broken_costs_its_own_rows_only(tmp_path: Path) -> None:
    file = tmp_path / "data.parquet"
    rows = [{"question": f"{'why? ' * 40}{i}", "answer": "so"} for i in range(12)]
    pyarrow.parquet.write_table(
        pyarrow.Table.from_pylist(rows), file, row_group_size=4, compression="zstd", use_dictionary=False
    )
    column = pyarrow.parquet.ParquetFile(file).metadata.row_group(1).column(1)
    body = bytearray(file.read_bytes())
    start = column.data_page_offset
    body[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    file.write_bytes(body)
    survey = Survey(Corpus(file), processor())
    found = [survey.take(raw) for raw in survey.corpus.scan()]
    assert [aside is None for aside in found] == [True] * 4 + [False] * 4 + [True] * 4
    assert all("row" in aside.reason and "cannot be decoded" in aside.reason for aside in found if aside)
