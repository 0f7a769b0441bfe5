"""A mark for each tensor, kept in a file's header: what was changed since it was written is named.

A shape cannot tell a square matrix from its transpose, nor any matrix from another of its size.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from zlib import crc32

import torch
from torch import Tensor

MARKS = "omma.marks"  # the key in a safetensors file's metadata
_ENDS = 512  # numbers at either end that a mark is made of: loading stays a matter of a page or two a tensor


def mark(tensor: Tensor) -> str:
    """Eight hexadecimal digits of the first and the last numbers as they lie in the file."""
    flat = tensor.detach().reshape(-1)
    ends = (flat[:_ENDS].contiguous(), flat[-_ENDS:].contiguous())
    first, last = (end.cpu().view(torch.uint8).numpy().tobytes() for end in ends)
    return f"{crc32(last, crc32(first)):08x}"


def marked(marks: Mapping[str, str]) -> dict[str, str]:
    """The metadata of a file that holds tensors of these marks, by their public names."""
    return {"format": "pt", MARKS: json.dumps(marks, separators=(",", ":"))}


def read_marks(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """Marks by public names; none where the file was written by others, or says what cannot be read."""
    try:
        marks = json.loads((metadata or {}).get(MARKS, "{}"))
    except (ValueError, RecursionError):
        return {}
    return {name: str(value) for name, value in marks.items()} if isinstance(marks, dict) else {}
