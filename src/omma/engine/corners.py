"""The arithmetic of places: numbers inside the picture, and each box's second corner beyond its first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from omma.errors import BadShape
from omma.prep.dialects import dialect_of
from omma.shape import Places

FIGURES = frozenset(b"0123456789")


@dataclass(frozen=True)
class Corners:
    """What has been written of a list of places, byte by byte, and whether it can still come right.

    A text is read as `lark` lets it be written: figures outside of labels are numbers of places. In JSON a
    label stands between quotes, between tags or marks it is the phrase. A box is x1, y1, x2, y2 with
    x1 < x2 and y1 < y2; every number is at most `most` (of x, of y), both the model's own.
    """

    most: tuple[int, int]
    points: bool = False
    quoted: bool = True  # labels stand between quotes; else between marks, and `named` ones are labels
    inside: bool = False  # in a label
    escaped: bool = False
    mark: bytes | None = None
    numbers: tuple[int, ...] = ()
    figures: bytes = b""

    @classmethod
    def of(cls, places: Places) -> Corners:
        """Nothing written yet. Raises BadShape when no box has room in the picture, or nobody's dialect."""
        if places.resized is None or places.boxes is None:
            raise BadShape("places are in no picture; say its size as the model saw it, and the dialect")
        dialect = dialect_of(places.boxes)
        units = dialect.units(places.resized)
        most = (units.width - dialect.cut, units.height - dialect.cut)
        if min(most) < (0 if places.points else 1):
            raise BadShape(f"no box has room in {units.width} × {units.height}; wanted 2 × 2 or more")
        return cls(most, places.points, quoted=dialect.dress == "json")

    @property
    def whole(self) -> bool:
        """Whether something else than a figure may come: no number, or one that may stand as it is."""
        return self._ended() is not None

    def after(self, text: bytes) -> Corners | None:
        """What stands when `text` is written too; None if it could not come right any more."""
        now: Corners | None = self
        for byte in text:
            now = now._after(byte) if now is not None else None
        return now

    def _after(self, byte: int) -> Corners | None:
        if self.mark is not None or (not self.quoted and byte == ord("<")):
            return self._in_mark(byte)
        if self.inside:
            return self._in_label(byte)
        if byte in FIGURES:
            longer = replace(self, figures=self.figures + bytes([byte]))
            return longer if longer._reachable() else None
        ended = self._ended()
        if ended is not None and self.quoted and byte == ord('"'):
            return replace(ended, inside=True)
        return ended

    def _in_mark(self, byte: int) -> Corners | None:
        """Between `<` and `>`: the name of a mark; that of a phrase begins a label or ends one."""
        ended = self if self.mark is not None else self._ended()
        if ended is None:
            return None
        name = (ended.mark or b"") + bytes([byte])
        if byte != ord(">"):
            return replace(ended, mark=name)
        return replace(ended, mark=None, inside=name in (b"<ref>", b"<|object_ref_start|>"))

    def _in_label(self, byte: int) -> Corners:
        if not self.quoted:
            return self
        if self.escaped:
            return replace(self, escaped=False)
        return replace(self, escaped=byte == ord("\\"), inside=byte != ord('"'))

    def _ended(self) -> Corners | None:
        """The number that was being written is whole; None if it is not one that may stand there."""
        if not self.figures:
            return self
        number, (low, high) = int(self.figures), self._range()
        if not low <= number <= high:
            return None
        numbers = (*self.numbers, number)
        whole = len(numbers) == (2 if self.points else 4)
        return replace(self, numbers=() if whole else numbers, figures=b"")

    def _range(self) -> tuple[int, int]:
        """The least and the largest number that may stand next."""
        place = len(self.numbers)
        most = self.most[place % 2]
        if self.points:
            return 0, most
        return (0, most - 1) if place < 2 else (self.numbers[place - 2] + 1, most)

    def _reachable(self) -> bool:
        """Whether figures can still follow, or none, so that the number is in its range."""
        low, high = self._range()
        first = last = int(self.figures)
        if self.figures == b"0":  # no figure follows a nought
            return low == 0
        while first <= high:
            if last >= low:
                return True
            first, last = first * 10, last * 10 + 9
        return False
