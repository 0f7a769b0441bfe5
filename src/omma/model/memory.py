"""What to say when memory does not suffice: what was too large, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from omma.errors import OutOfMemory

_REFUSED = ("can't allocate memory", "not enough memory")  # how torch says it on a processor


@contextmanager
def memory_for(what: str, advice: str) -> Iterator[None]:
    """Raise OutOfMemory, made of `what` takes too much and the `advice`, when work inside runs out of it."""
    try:
        yield
    except (RuntimeError, MemoryError) as wrong:
        if not _ran_out(wrong):
            raise
        raise OutOfMemory(f"{what} takes more memory than there is; {advice}") from None


def _ran_out(wrong: RuntimeError | MemoryError) -> bool:
    known = isinstance(wrong, (MemoryError, torch.OutOfMemoryError))
    return known or any(said in str(wrong) for said in _REFUSED)
