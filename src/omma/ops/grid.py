"""A square table of learned positions stretched over a picture of any size."""

from __future__ import annotations

import torch
from torch import Tensor


def corners(places_P2: Tensor, rows: int, columns: int, side: int) -> tuple[Tensor, Tensor]:
    """The four rows of a (side · side)-row table around each place (row, column) of a rows × columns picture.

    The picture's first and last places stand on the table's (facts §2.7): numbers (P, 4) int64, and each
    one's share (P, 4) fp32, adding up to 1.
    """
    down, right = (
        torch.linspace(0, side - 1, count)[places_P2[:, axis]] for axis, count in enumerate((rows, columns))
    )
    top, left = down.long(), right.long()
    below, beside = (top + 1).clamp(max=side - 1), (left + 1).clamp(max=side - 1)
    low, far = down - top, right - left
    numbers = [top * side + left, top * side + beside, below * side + left, below * side + beside]
    shares = [(1 - low) * (1 - far), (1 - low) * far, low * (1 - far), low * far]
    return torch.stack(numbers, -1), torch.stack(shares, -1)
