"""Features of pictures that were seen, kept to be used again: by content and tenant, in so many bytes."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor


class Features:
    """What the tower made of pictures. At most `limit` bytes are kept; those unused for longest go first."""

    def __init__(self, limit: int = 0) -> None:
        self.limit, self.bytes = limit, 0
        self._kept: OrderedDict[tuple[str, bytes], Tensor] = OrderedDict()

    def get(self, tenant: str, digest: bytes) -> Tensor | None:
        """Features (N, X) of the picture with this digest, if they are kept for this tenant."""
        if (found := self._kept.get((tenant, digest))) is not None:
            self._kept.move_to_end((tenant, digest))
        return found

    def put(self, tenant: str, digest: bytes, features_NX: Tensor) -> None:
        """Keep them, if they are not larger than all that may be kept."""
        if features_NX.nbytes > self.limit or (tenant, digest) in self._kept:
            return
        self._kept[tenant, digest] = features_NX
        self.bytes += features_NX.nbytes
        while self.bytes > self.limit:
            self.bytes -= self._kept.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        """Keep nothing."""
        self._kept.clear()
        self.bytes = 0
