"""Whether an answer goes round in a circle: the same tokens so often that nobody means it. No torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LOOK = 16  # an answer is looked at whenever it has a multiple of so many tokens
LONGEST = 256  # tokens of the longest circle that is looked for
TIMES = 48  # a circle is gone round so often before it is called one: no page has more empty rows of a table
SPAN = 512  # and takes so many tokens: no row of dots is longer


def circles(written: Sequence[int]) -> bool:
    """Whether the end of an answer is one circle, gone round TIMES times and over SPAN tokens or more.

    Looks only at every LOOK-th token, so that what is found does not depend on how tokens came.
    """
    if len(written) < SPAN or len(written) % LOOK:
        return False
    tail = np.asarray(written[-(LONGEST + LOOK) :])
    windows = np.lib.stride_tricks.sliding_window_view(tail, LOOK)
    again = np.flatnonzero((windows[:-1] == tail[-LOOK:]).all(1))
    if not len(again):
        return False
    period = len(windows) - 1 - int(again[-1])
    span = max(SPAN, TIMES * period)
    if len(written) < span:
        return False
    whole = np.asarray(written[-span:])
    return bool((whole[period:] == whole[:-period]).all())
