"""Which characters a font file draws, read from its own table (OpenType "cmap", formats 4 and 12)."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path


@cache
def drawn_by(path: str, index: int = 0) -> frozenset[int]:
    """The numbers of all characters that the font has a drawing for; none when the file is no font.

    `index` counts in a collection (.ttc).
    """
    data = Path(path).read_bytes()
    try:
        start = struct.unpack_from(">I", data, 12 + 4 * index)[0] if data[:4] == b"ttcf" else 0
        (count,) = struct.unpack_from(">H", data, start + 4)
        for row in range(count):
            tag, _, offset, _ = struct.unpack_from(">4sIII", data, start + 12 + 16 * row)
            if tag == b"cmap":
                return _best(data, offset)
    except struct.error:
        pass
    return frozenset()


def _best(data: bytes, start: int) -> frozenset[int]:
    """All characters of the table's subtables that can be read."""
    (count,) = struct.unpack_from(">H", data, start + 2)
    found: set[int] = set()
    for row in range(count):
        platform, _, offset = struct.unpack_from(">HHI", data, start + 4 + 8 * row)
        (form,) = struct.unpack_from(">H", data, start + offset)
        if platform in (0, 3) and form == 12:
            found |= _ranges(data, start + offset)
        elif platform in (0, 3) and form == 4:
            found |= _segments(data, start + offset)
    return frozenset(found)


def _ranges(data: bytes, at: int) -> set[int]:
    (groups,) = struct.unpack_from(">I", data, at + 12)
    found: set[int] = set()
    for group in range(groups):
        first, last, glyph = struct.unpack_from(">III", data, at + 16 + 12 * group)
        found.update(range(first + (glyph == 0), last + 1))
    return found


def _segments(data: bytes, at: int) -> set[int]:
    """Format 4: segments of numbers with a shift, or with a list of glyphs."""
    half = struct.unpack_from(">H", data, at + 6)[0] // 2
    parts = struct.unpack_from(f">{half}H", data, at + 14)
    firsts = struct.unpack_from(f">{half}H", data, at + 16 + 2 * half)
    shifts = struct.unpack_from(f">{half}H", data, at + 16 + 4 * half)
    lists = at + 16 + 6 * half
    offsets = struct.unpack_from(f">{half}H", data, lists)
    found: set[int] = set()
    for number, (first, last, shift, offset) in enumerate(zip(firsts, parts, shifts, offsets, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = (code + shift) % 65536
            if offset:
                (glyph,) = struct.unpack_from(">H", data, lists + 2 * number + offset + 2 * (code - first))
            if glyph:
                found.add(code)
    return found
