"""What rows remember: keys and values in the pages of one pool, and attention over them where they lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from omma.engine.pages import PAGE, Copy, Pages, pages_for
from omma.errors import OutOfMemory
from omma.model.attend import Segments
from omma.model.memory import memory_for
from omma.spec import DecoderSpec

Name: TypeAlias = bytes  # of a page: what it holds and all that stands before it, digested
CALL = 96  # keys that could be read in the time of one more call: rows of unlike length go by themselves


class Part(NamedTuple):
    """What a step does with a row: `more` tokens, after the `start` that are remembered."""

    row: int
    start: int
    more: int

    @property
    def stop(self) -> int:
        """How many are remembered afterwards."""
        return self.start + self.more


class Store:
    """The pool: for each layer a slab of keys and one of values, (G, tokens, K), `PAGE` tokens a page.

    Heads come first: a call reads the keys of one head after the other, and they lie without a gap.
    """

    def __init__(self, spec: DecoderSpec, dtype: torch.dtype, device: torch.device) -> None:
        self.pages = 0
        empty = torch.empty(spec.key_heads, 0, spec.head_width, dtype=dtype, device=device)
        self.slabs: list[tuple[Tensor, Tensor]] = [(empty, empty) for _ in range(spec.depth)]

    @property
    def bytes(self) -> int:
        """Memory of all pages, held or not."""
        return sum(slab.nbytes for pair in self.slabs for slab in pair)

    def resize(self, pages: int) -> None:
        """Have so many pages, layer by layer; what lay in them lies there. Raises OutOfMemory."""
        if pages == self.pages:
            return
        with memory_for(f"remembering {pages * PAGE:,} tokens", "ask for fewer tokens or answers at a time"):
            for layer, (keys, values) in enumerate(self.slabs):
                self.slabs[layer] = _resized(keys, pages * PAGE), _resized(values, pages * PAGE)
        self.pages = pages

    def clean(self, pages: range) -> None:
        """Write zeros: a mask cannot hide what is not a number."""
        for pair in self.slabs:
            for slab in pair:
                slab[:, pages.start * PAGE : pages.stop * PAGE].zero_()

    def copy(self, copies: Sequence[Copy]) -> None:
        """Write pages to others. No page is both a source and a target."""
        source, target = ([one[i] for one in copies] for i in (0, 1))
        for pair in self.slabs:
            for slab in pair:
                paged = slab.view(len(slab), -1, PAGE, slab.shape[2])
                paged[:, target] = paged[:, source]


def _resized(slab: Tensor, tokens: int) -> Tensor:
    other = slab.new_empty(len(slab), tokens, slab.shape[2])
    both = min(slab.shape[1], tokens)
    other[:, :both] = slab[:, :both]
    return other


class Cache:
    """Keys and values of all rows: the page book, and the pool that it keeps book of.

    Bytes are `limit` pages at most; `keep` and `limit` as in `Pages`. With `steady` every token attends in a
    call of its own, whose numbers do not depend on what else the step does.
    """

    def __init__(
        self,
        spec: DecoderSpec,
        dtype: torch.dtype,
        device: torch.device,
        *,
        limit: int | None = None,
        keep: bool = False,
        steady: bool = False,
    ) -> None:
        self.pages = Pages(limit, keep=keep)
        self._store = Store(spec, dtype, device)
        self._device, self._steady = device, steady
        self.page_bytes = 2 * spec.depth * spec.key_heads * spec.head_width * dtype.itemsize * PAGE

    @property
    def bytes(self) -> int:
        """Memory of the pool."""
        return self._store.bytes

    def open(self, row: int, tokens: int, names: Sequence[Name] = ()) -> int | None:
        """Make room for a new row of so many tokens; give how many of them are remembered already.

        `names` are those of its first full pages. At least one token is left to be read. None where there is
        no room.
        """
        shared = self.pages.find(names)[: max(tokens - 1, 0) // PAGE]
        copies = self.pages.open(row, max(pages_for(tokens), 1), shared)
        return len(shared) * PAGE if self._settled(row, copies) else None

    def extend(self, row: int, tokens: int) -> bool:
        """Make room for so many tokens of a row. False where there is none; it may have lost all then."""
        if pages_for(tokens) <= len(self.pages.tables[row]):
            return True
        return self._settled(row, self.pages.extend(row, pages_for(tokens)))

    def drop(self, row: int) -> None:
        """Forget a row, if it is known."""
        self.pages.close(row)
        if self.pages.capacity < self._store.pages:
            self._store.resize(self.pages.capacity)

    def clear(self) -> None:
        """Forget what is kept of rows that have ended."""
        self.pages.clear()
        self._store.resize(self.pages.capacity)

    def ordered(self, parts: Sequence[Part]) -> list[Part]:
        """How rows lie best on the axis of a step: whole prompts, pieces of them, neighbours in lanes."""

        def place(part: Part) -> tuple[int, int, int]:
            if part.more > 1 or self._steady:
                return (0 if not part.start else 1, 0, part.row)
            lane = self.pages.lanes.get(part.row)
            return (2, 0, part.row) if lane is None else (3, lane.width, lane.start)

        return sorted(parts, key=place)

    def attend(self, parts: Sequence[Part]) -> Paged:
        """Attention of a step. Its rows lie on the axis T as the parts do; room has been made for them."""
        slots: list[int] = []
        for part in parts:
            slots += self._slots(part.row, part.start, part.stop)
        places_T = torch.tensor(slots, device=self._device)
        return Paged(self._store.slabs, places_T, list(self._pieces(parts)))

    def _pieces(self, parts: Sequence[Part]) -> Iterator[Piece]:
        firsts = list(accumulate((part.more for part in parts), initial=0))
        if self._steady:
            for part, first in zip(parts, firsts, strict=False):
                for i in range(part.more):
                    yield self._one(Part(part.row, part.start + i, 1), first + i)
            return
        fresh = sum(1 for part in parts if not part.start and part.more > 1)
        if fresh:
            yield _Fresh(firsts[fresh], Segments(firsts[: fresh + 1]))
        at = fresh
        while at < len(parts):
            alike = self._neighbours(parts[at:])
            yield self._group(alike, firsts[at]) if len(alike) > 1 else self._one(parts[at], firsts[at])
            at += len(alike)

    def _neighbours(self, parts: Sequence[Part]) -> Sequence[Part]:
        """The parts, of which one call does the first so many: rows that write, in lanes side by side."""
        lanes, together = self.pages.lanes, 1
        lane = lanes.get(parts[0].row) if parts[0].more == 1 else None
        while lane is not None and together < len(parts):
            following = lanes.get(parts[together].row)
            if following is None or following != (lane.stop, lane.stop + lane.width):
                break
            lane, together = following, together + 1
        longest, all_of_them = max(p.stop for p in parts[:together]), sum(p.stop for p in parts[:together])
        wasted = longest * together - all_of_them
        return parts[:1] if wasted > CALL * (together - 1) else parts[:together]

    def _group(self, parts: Sequence[Part], first: int) -> Piece:
        lane = self.pages.lanes[parts[0].row]
        lengths = [part.stop for part in parts]
        longest = max(lengths)
        mask = None
        if min(lengths) < longest:
            slab = self._store.slabs[0][0]
            lengths_S1 = torch.tensor(lengths, device=self._device)[:, None]
            beyond = torch.arange(longest, device=self._device) >= lengths_S1
            mask = torch.zeros(beyond.shape, dtype=slab.dtype, device=self._device)
            mask = mask.masked_fill_(beyond, -torch.inf)[:, None, None]
        return _Side(first, len(parts), lane.start * PAGE, lane.width * PAGE, longest, mask)

    def _one(self, part: Part, first: int) -> Piece:
        mask = None
        if part.more > 1:
            slab = self._store.slabs[0][0]
            seen = torch.ones(part.more, part.stop, dtype=torch.bool, device=self._device).tril_(part.start)
            mask = torch.zeros(seen.shape, dtype=slab.dtype, device=self._device)
            mask.masked_fill_(seen.logical_not_(), -torch.inf)
        if (start := self.pages.run(part.row)) is not None:
            return _Line(first, part.more, start * PAGE, part.stop, mask)
        slots = torch.tensor(self._slots(part.row, 0, part.stop), device=self._device)
        return _Strewn(first, part.more, slots, mask)

    def _slots(self, row: int, start: int, stop: int) -> Sequence[int]:
        if (lane := self.pages.lanes.get(row)) is not None:
            return range(lane.start * PAGE + start, lane.start * PAGE + stop)
        table = self.pages.tables[row]
        return [table[token // PAGE] * PAGE + token % PAGE for token in range(start, stop)]

    def _settled(self, row: int, copies: list[Copy] | None) -> bool:
        """Let the pool be as the book says. Where the machine has not the memory, the book is told."""
        if copies is None:
            return False
        try:
            self._store.resize(max(self.pages.capacity, self._store.pages))
        except OutOfMemory:
            self.pages.fresh.clear()
            self.pages.forget(row)
            self.pages.close(row)
            self.pages.refuse(self._store.pages)
            return False
        for lane in self.pages.fresh:
            self._store.clean(range(lane.start, lane.stop))
        self.pages.fresh.clear()
        if copies:
            self._store.copy(copies)
        return True


class Piece(Protocol):
    """Attention of some rows of the axis: `first` and so many more."""

    @property
    def first(self) -> int:
        """Where its rows begin on the axis."""
        ...

    @property
    def rows(self) -> int:
        """How many they are."""
        ...

    def __call__(self, q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, slab: tuple[Tensor, Tensor]) -> Tensor:
        """(rows, H, K) of these rows of queries; keys and values are those of the step."""
        ...


class Paged:
    """Attention of one step: new keys and values go to their places, then every piece attends."""

    def __init__(self, slabs: Sequence[tuple[Tensor, Tensor]], places_T: Tensor, pieces: list[Piece]) -> None:
        self._slabs, self._places_T, self._pieces = slabs, places_T, pieces

    def __call__(self, q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, layer: int) -> Tensor:
        """Keep and attend: (T, H, K). Rows behind the last part are nobody's, and get nothing."""
        keys, values = slab = self._slabs[layer]
        tokens = len(self._places_T)
        keys.index_copy_(1, self._places_T, k_TGK[:tokens].transpose(0, 1))
        values.index_copy_(1, self._places_T, v_TGK[:tokens].transpose(0, 1))
        made = [
            piece(q_THK[piece.first : piece.first + piece.rows], k_TGK, v_TGK, slab) for piece in self._pieces
        ]
        if tokens < len(q_THK):
            made.append(torch.zeros_like(q_THK[tokens:]))
        return made[0] if len(made) == 1 else torch.cat(made)


class _Fresh:
    """Prompts from their beginning: each sees itself alone, and what is remembered is not looked at."""

    first = 0

    def __init__(self, rows: int, inside: Segments) -> None:
        self.rows, self._inside = rows, inside

    def __call__(self, q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, slab: tuple[Tensor, Tensor]) -> Tensor:
        return self._inside(q_THK, k_TGK[: self.rows], v_TGK[: self.rows], 0)


class _Side(NamedTuple):
    """One new token in each of several rows that lie at equal distances: the slab is read as it is."""

    first: int
    rows: int
    start: int
    distance: int
    longest: int
    mask: Tensor | None  # (S, 1, 1, longest), None when all rows are equally long

    def __call__(self, q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, slab: tuple[Tensor, Tensor]) -> Tensor:
        rows, heads, width = q_THK.shape
        groups, tokens, _ = slab[0].shape
        size, strides = (rows, groups, self.longest, width), (self.distance * width, tokens * width, width, 1)
        k, v = (one.as_strided(size, strides, self.start * width) for one in slab)
        # The query heads of one key head are laid out as its queries: nothing is repeated for them.
        q = q_THK.reshape(rows, groups, -1, width)
        mask = None if self.mask is None else self.mask.expand(-1, 1, q.shape[2], -1)
        return scaled_dot_product_attention(q, k, v, attn_mask=mask).reshape(rows, heads, width)


class _Line(NamedTuple):
    """New tokens of one row whose keys lie end to end."""

    first: int
    rows: int
    start: int
    length: int
    mask: Tensor | None  # (rows, length); None for one token, which sees all

    def __call__(self, q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, slab: tuple[Tensor, Tensor]) -> Tensor:
        keys, values = (one.narrow(1, self.start, self.length) for one in slab)
        return _over(q_THK, keys, values, self.mask)


class _Strewn(NamedTuple):
    """New tokens of one row whose pages lie anywhere: its keys are gathered first."""

    first: int
    rows: int
    slots: Tensor
    mask: Tensor | None

    def __call__(self, q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, slab: tuple[Tensor, Tensor]) -> Tensor:
        keys, values = (one.index_select(1, self.slots) for one in slab)
        return _over(q_THK, keys, values, self.mask)


def _over(q_THK: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """Attention of one row's new tokens over its keys (G, L, K)."""
    tokens, heads, width = q_THK.shape
    k, v = keys[None], values[None]
    if tokens == 1:
        q = q_THK.reshape(1, k.shape[1], -1, width)
        return scaled_dot_product_attention(q, k, v).reshape(1, heads, width)
    q = q_THK.transpose(0, 1)[None]
    return scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=heads != k.shape[1])[0].transpose(
        0, 1
    )
