"""What the running rows remember: keys and values on shelves, every row in a slot that is long enough."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from omma.model.attend import Segments
from omma.spec import DecoderSpec

SHORTEST = 64  # tokens in a slot of the lowest shelf; each shelf above holds twice as many


class Shelf:
    """Slots of one length: a slab (slots, G, capacity, K) of keys and one of values for each layer.

    Rows stand in the first slots without a gap, so that a decoding step reads them as one view.
    """

    def __init__(self, spec: DecoderSpec, capacity: int, dtype: torch.dtype, device: torch.device) -> None:
        self.capacity = capacity
        self.rows: list[int] = []
        empty = torch.empty(0, spec.key_heads, capacity, spec.head_width, dtype=dtype, device=device)
        self.slabs: list[tuple[Tensor, Tensor]] = [(empty, empty) for _ in range(spec.depth)]

    @property
    def slots(self) -> int:
        """Slots there are, taken or free."""
        return len(self.slabs[0][0])

    def take(self, row: int) -> int:
        """Put a row in the first free slot, emptied; the slabs double when there is none."""
        slot = len(self.rows)
        if slot == self.slots:
            self.slabs = [(_doubled(keys), _doubled(values)) for keys, values in self.slabs]
        else:
            for keys, values in self.slabs:  # an earlier row's numbers may have been none
                keys[slot].zero_()
                values[slot].zero_()
        self.rows.append(row)
        return slot

    def drop(self, row: int) -> None:
        """Take a row out; the last one moves into its slot. An empty shelf keeps no memory."""
        slot, last = self.rows.index(row), self.rows.pop()
        if last != row:
            self.rows[slot] = last
            for keys, values in self.slabs:
                keys[slot], values[slot] = keys[len(self.rows)], values[len(self.rows)]
        if not self.rows:
            self.slabs = [(keys.new_empty(0, *keys.shape[1:]),) * 2 for keys, _ in self.slabs]


def _doubled(slab: Tensor) -> Tensor:
    # Zeros, because what lies past a row's end is masked, and a mask cannot hide what is not a number.
    larger = slab.new_zeros(max(1, 2 * len(slab)), *slab.shape[1:])
    larger[: len(slab)] = slab
    return larger


class Cache:
    """Keys and values of all running rows.

    A row stands on the lowest shelf that holds it and moves one up when it outgrows its slot: copying is
    amortised, rows of like length attend in one call, and of a slot that is longer than SHORTEST at most half
    is unused. What runs out of memory here leaves every row as it was.
    """

    def __init__(self, spec: DecoderSpec, dtype: torch.dtype, device: torch.device) -> None:
        self._spec, self._dtype, self._device = spec, dtype, device
        self._shelves: dict[int, Shelf] = {}
        self._homes: dict[int, Shelf] = {}
        self.lengths: dict[int, int] = {}

    @property
    def order(self) -> list[int]:
        """The rows, shelf by shelf: so they lie on the axis of a decoding step."""
        return [row for shelf in self._shelves.values() for row in shelf.rows]

    @property
    def bytes(self) -> int:
        """Memory held by all slots."""
        return sum(slab.nbytes for shelf in self._shelves.values() for pair in shelf.slabs for slab in pair)

    def drop(self, row: int) -> None:
        """Forget a row, if it is known."""
        if row in self._homes:
            self._homes.pop(row).drop(row)
            del self.lengths[row]

    def prefill(self, rows: Sequence[int], starts: Sequence[int]) -> Prefill:
        """Take in new rows: segment i between the `starts` is the prompt of ``rows[i]``."""
        slots = []
        for row, (a, b) in zip(rows, pairwise(starts), strict=True):
            shelf = self._shelf(b - a)
            slots.append((shelf, shelf.take(row), a, b))
            self._homes[row], self.lengths[row] = shelf, b - a
        return Prefill(slots, starts)

    def decode(self) -> Decode:
        """Make room for one more token in every row, in `order`."""
        for row, length in self.lengths.items():
            if length == self._homes[row].capacity:
                self._move(row, length)
        for row in self.lengths:
            self.lengths[row] += 1
        stretches, first = [], 0
        for shelf in self._shelves.values():
            if shelf.rows:
                stretches.append(_stretch(shelf, first, [self.lengths[row] for row in shelf.rows]))
                first += len(shelf.rows)
        return Decode(stretches)

    def _shelf(self, length: int) -> Shelf:
        capacity = SHORTEST
        while capacity < length:
            capacity *= 2
        if capacity not in self._shelves:
            self._shelves[capacity] = Shelf(self._spec, capacity, self._dtype, self._device)
        return self._shelves[capacity]

    def _move(self, row: int, length: int) -> None:
        old, new = self._homes[row], self._shelf(length + 1)
        here, there = old.rows.index(row), new.take(row)
        for source, target in zip(old.slabs, new.slabs, strict=True):
            for before, after in zip(source, target, strict=True):
                after[there, :, :length] = before[here, :, :length]
        old.drop(row)
        self._homes[row] = new


class Prefill:
    """Attention while prompts are read: inside each segment, and every key and value is kept."""

    def __init__(self, slots: Sequence[tuple[Shelf, int, int, int]], starts: Sequence[int]) -> None:
        self._slots, self._inside = slots, Segments(starts)

    def __call__(self, q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, layer: int) -> Tensor:
        """Attend and keep: (T, H, K)."""
        for shelf, slot, a, b in self._slots:
            keys, values = shelf.slabs[layer]
            keys[slot, :, : b - a] = k_TGK[a:b].transpose(0, 1)
            values[slot, :, : b - a] = v_TGK[a:b].transpose(0, 1)
        return self._inside(q_THK, k_TGK, v_TGK, layer)


class _Stretch(NamedTuple):
    """The rows of one shelf in a decoding step: `first` is their place on the axis of rows."""

    shelf: Shelf
    first: int
    slots_S: Tensor
    places_S: Tensor  # where each row's new key goes
    longest: int
    mask: Tensor | None  # (S, 1, 1, longest), None when all rows are equally long


def _stretch(shelf: Shelf, first: int, lengths: Sequence[int]) -> _Stretch:
    slab = shelf.slabs[0][0]
    longest = max(lengths)
    lengths_S = torch.tensor(lengths, device=slab.device)
    mask = None
    if min(lengths) < longest:
        beyond = torch.arange(longest, device=slab.device) >= lengths_S[:, None]
        mask = torch.zeros(beyond.shape, dtype=slab.dtype, device=slab.device)
        mask = mask.masked_fill_(beyond, -torch.inf)[:, None, None]
    slots_S = torch.arange(len(lengths), device=slab.device)
    return _Stretch(shelf, first, slots_S, lengths_S - 1, longest, mask)


class Decode:
    """Attention of one new token a row over all its row remembers, itself included."""

    def __init__(self, stretches: Sequence[_Stretch]) -> None:
        self._stretches = stretches

    def __call__(self, q_SHK: Tensor, k_SGK: Tensor, v_SGK: Tensor, layer: int) -> Tensor:
        """Keep the new keys and values, and attend: (S, H, K)."""
        parts = [_attend(part, q_SHK, k_SGK, v_SGK, layer) for part in self._stretches]
        return parts[0] if len(parts) == 1 else torch.cat(parts)


def _attend(part: _Stretch, q_SHK: Tensor, k_SGK: Tensor, v_SGK: Tensor, layer: int) -> Tensor:
    """The query heads of one key head are laid out as its queries: nothing is repeated for them."""
    rows = len(part.slots_S)
    keys, values = part.shelf.slabs[layer]
    here = slice(part.first, part.first + rows)
    if part.mask is None:
        keys[:rows, :, part.longest - 1] = k_SGK[here]
        values[:rows, :, part.longest - 1] = v_SGK[here]
    else:
        keys[part.slots_S, :, part.places_S] = k_SGK[here]
        values[part.slots_S, :, part.places_S] = v_SGK[here]
    _, heads, width = q_SHK.shape
    q = q_SHK[here].reshape(rows, keys.shape[1], -1, width)
    mask = None if part.mask is None else part.mask.expand(-1, 1, q.shape[2], -1)
    k, v = keys[:rows, :, : part.longest], values[:rows, :, : part.longest]
    return scaled_dot_product_attention(q, k, v, attn_mask=mask).reshape(rows, heads, width)
