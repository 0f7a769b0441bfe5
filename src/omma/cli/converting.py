"""The verb that writes a model anew: in another dtype, in other shards, under other names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from omma.cli import options as given
from omma.cli.options import examples
from omma.cli.progress import Steps
from omma.cli.say import aside, say, say_json
from omma.errors import UnknownOption

if TYPE_CHECKING:
    from omma.weights.convert import Converted

HOUSE = "House"
UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
LEAST = 1_000_000  # bytes of a shard

Source = Annotated[
    str,
    typer.Argument(
        metavar="A", help="A model's folder, a bundled model, or a hub name in the cache.", show_default=False
    ),
]
Target = Annotated[
    Path, typer.Argument(metavar="B", help="The folder to write; not there yet.", show_default=False)
]
Dtype = Annotated[
    Literal["keep", "float32", "bfloat16", "float16"],
    typer.Option(help="What the numbers become; keep leaves them."),
]
ShardSize = Annotated[
    str, typer.Option(metavar="SIZE", help="The most that one file holds, such as 500MB or 5GB.")
]
Names = Annotated[
    Literal["official", "memory"],
    typer.Option(help="Tensors' names: the family's official ones, or those of transformers in memory."),
]


def enrol(app: typer.Typer) -> None:
    """Put this room's verb on the program."""
    app.command(
        rich_help_panel=HOUSE,
        epilog=examples(
            "omma convert omma-nano runs/nano-fp32 --dtype float32",
            "omma convert Qwen/Qwen2.5-VL-7B-Instruct small-files --shard-size 1GB",
        ),
    )(convert)


def convert(
    a: Source,
    b: Target,
    dtype: Dtype = "keep",
    shard_size: ShardSize = "5GB",
    names: Names = "official",
    json: given.Json = False,
) -> None:
    """Write the model A anew as the folder B.

    Tensor by tensor: whatever its size, the model never lies in memory. All
    of A is accounted for before anything is written; B appears whole, or not
    at all. Settings and words go along, programs and pickles do not.
    """
    import torch

    from omma.loading import resolve
    from omma.weights.convert import Change, convert_folder

    kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    change = Change(kinds.get(dtype), read_bytes(shard_size), names)
    with Steps("writing", 100, quiet=json) as shown:
        told = convert_folder(
            resolve(a), b, change, listener=lambda done, total: shown.count(100 * done // total, 100)
        )
    _tell(told, b, json=json)


def _tell(told: Converted, target: Path, *, json: bool) -> None:
    if json:
        say_json({"model": str(target), **told._asdict(), "left_behind": list(told.left_behind)})
        return
    files = "1 file" if told.files == 1 else f"{told.files} files"
    say(f"{target}: {told.tensors} tensors, {_size(told.bytes)} in {files}")
    if told.left_behind:
        aside(f"left behind, since nobody here reads them: {', '.join(told.left_behind)}")


def read_bytes(text: str) -> int:
    """Bytes from "500MB" or "1.5 GiB". Raises UnknownOption."""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([KMG]?I?B)", text.strip().upper())
    size = int(float(found[1]) * UNITS.get(found[2], 0)) if found else 0
    if size < LEAST:
        raise UnknownOption(f"--shard-size {text}: wanted a size of 1MB or more, such as 500MB or 5GB")
    return size


def _size(count: int) -> str:
    """Bytes in the unit that suits them: 22.4 MB, 7.51 GB."""
    return f"{count / 1e6:.3g} MB" if count < 1e9 else f"{count / 1e9:.2f} GB"
