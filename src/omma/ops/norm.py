"""Root-mean-square norm."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def rms_norm(x_TD: Tensor, weight_D: Tensor, eps: float) -> Tensor:
    """Divide each row by its root mean square, in fp32, and weigh it."""
    return F.rms_norm(x_TD, weight_D.shape, weight_D, eps)
