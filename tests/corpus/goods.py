"""Good data in every form, written small: three pictures of one colour, a question and an answer each."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import webdataset
from PIL import Image

COLOURS = ("red", "green", "blue")


def picture(number: int) -> bytes:
    """A PNG of one colour, each number another width."""
    held = io.BytesIO()
    Image.new("RGB", (56 + number, 56), COLOURS[number % 3]).save(held, "PNG")
    return held.getvalue()


def put_pictures(folder: Path, count: int) -> None:
    for number in range(count):
        (folder / f"{number}.png").write_bytes(picture(number))


def native(number: int) -> dict[str, Any]:
    shown = {"type": "image_url", "image_url": {"url": f"{number}.png"}}
    asked = {"role": "user", "content": [shown, {"type": "text", "text": "What colour?"}]}
    return {"messages": [asked, {"role": "assistant", "content": COLOURS[number % 3]}]}


def llava(number: int) -> dict[str, Any]:
    asked = {"from": "human", "value": "<image>\nWhat colour?"}
    turns = [asked, {"from": "gpt", "value": COLOURS[number % 3]}]
    return {"id": str(number), "image": f"{number}.png", "conversations": turns}


def qwen(number: int) -> dict[str, Any]:
    asked = {"from": "user", "value": f"Picture 1: <img>{number}.png</img>\nWhat colour?"}
    return {"id": str(number), "conversations": [asked, {"from": "assistant", "value": COLOURS[number % 3]}]}


def captioned(number: int) -> dict[str, Any]:
    return {"image": f"{number}.png", "question": "What colour?", "answer": COLOURS[number % 3]}


def write_lines(file: Path, records: Sequence[Any]) -> Path:
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def write_list(file: Path, records: Sequence[Any]) -> Path:
    file.write_text(json.dumps(records, indent=2))
    return file


def write_shard(file: Path, records: Sequence[dict[str, Any]]) -> Path:
    """A shard as webdataset's own writer makes it; pictures by number, records as .json."""
    with webdataset.TarWriter(str(file)) as tar:
        for number, record in enumerate(records):
            tar.write({"__key__": f"a/{number:06d}", "png": picture(number), "json": record})
    return file


def write_table(file: Path, records: Sequence[dict[str, Any]], group: int = 4) -> Path:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(records)), file, row_group_size=group)
    return file


# One file of `count` records in every form; all of them say the same.
Written = Callable[[Path, int], Path]
FORMS: dict[str, Written] = {
    "native lines": lambda folder, n: write_lines(folder / "data.jsonl", [native(i) for i in range(n)]),
    "native list": lambda folder, n: write_list(folder / "data.json", [native(i) for i in range(n)]),
    "llava list": lambda folder, n: write_list(folder / "data.json", [llava(i) for i in range(n)]),
    "llava lines": lambda folder, n: write_lines(folder / "data.jsonl", [llava(i) for i in range(n)]),
    "qwen list": lambda folder, n: write_list(folder / "data.json", [qwen(i) for i in range(n)]),
    "llava shard": lambda folder, n: write_shard(folder / "data.tar", [llava(i) for i in range(n)]),
    "native shard": lambda folder, n: write_shard(
        folder / "data.tar",
        [
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image"}, {"type": "text", "text": "What colour?"}],
                    },
                    {"role": "assistant", "content": COLOURS[i % 3]},
                ]
            }
            for i in range(n)
        ],
    ),
    "caption shard": lambda folder, n: write_shard(
        folder / "data.tar", [{"question": "What colour?", "answer": COLOURS[i % 3]} for i in range(n)]
    ),
    "llava table": lambda folder, n: write_table(folder / "data.parquet", [llava(i) for i in range(n)]),
    "native table": lambda folder, n: write_table(
        folder / "data.parquet",
        [
            {
                "images": [{"bytes": picture(i), "path": None}],
                "messages": [
                    {"role": "user", "content": "<image>\nWhat colour?"},
                    {"role": "assistant", "content": COLOURS[i % 3]},
                ],
            }
            for i in range(n)
        ],
    ),
    "caption table": lambda folder, n: write_table(
        folder / "data.parquet",
        [{"image": picture(i), "question": "What colour?", "answer": COLOURS[i % 3]} for i in range(n)],
    ),
}


def write(form: str, folder: Path, count: int) -> Path:
    """The file of this form, with its pictures beside it."""
    put_pictures(folder, count)
    return FORMS[form](folder, count)
