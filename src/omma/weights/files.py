"""A safetensors file as every other file is: of the usual mode, the same bytes, no half of one left."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from omma.errors import BadFolder


def write_tensors(tensors: Mapping[str, Tensor], path: Path, facts: Mapping[str, str] | None = None) -> None:
    """Write tensors, with facts beside them. Raises BadFolder, and leaves no file, where the disk takes none.

    The library puts a file of its own in the place, which nobody else may read: the mode is that of a file
    made here the usual way.
    """
    path.unlink(missing_ok=True)
    path.touch()
    mode = path.stat().st_mode & 0o777
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(whole, path, metadata=dict(facts) if facts else None)
    except SafetensorError as error:
        path.unlink(missing_ok=True)
        raise BadFolder(f"{path.parent} cannot be written: {error}; make room or name another") from None
    if facts:
        _settle(path)
    path.chmod(mode)


def _settle(path: Path) -> None:
    """Put the metadata in a file's header in the order of their names: the same weights are the same bytes.

    The library writes them in an order that changes from run to run. Nothing but that order changes here.
    """
    with path.open("r+b") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        told = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        if len(told) <= length:
            file.seek(8)
            file.write(told.ljust(length))
