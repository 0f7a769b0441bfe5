"""How the processes behind a server are run: which model, how many, and what each may take."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from omma.host.limits import SAFE, DecodeLimits


@dataclass(frozen=True)
class Setup:
    """What an engine's process loads. The words are those of `omma.load`; `name` is how it is offered.

    `rows` answers are written at a time. `pages` and `features` are bytes for keys and values, and for what
    the tower saw, at most; None leaves them to `running.Limits`. With `invariant` an answer does not depend
    on who else asks, to the last bit of every number; that costs time.
    """

    model: str = "omma-nano"
    name: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    adapter: str | None = None
    revision: str | None = None
    rows: int = 32
    pages: int | None = None
    features: int | None = None
    invariant: bool = False


@dataclass(frozen=True)
class HostSettings:
    """Everything about the processes, safe as it stands.

    `replicas` engines answer, each in a process of its own, and with `spare` one more stands by, which holds
    a light model already. `memory` is the most bytes that an engine's process may hold before it is replaced;
    None is no limit. `inside` orders are in the house at a time, the next is told to come again. An order
    waits `patience` seconds for an engine. One that gives no sign for `stalled` seconds while it has work is
    replaced. `clips` bytes of decoded media are remembered.
    """

    setup: Setup = Setup()
    decode: DecodeLimits = SAFE
    replicas: int = 1
    spare: bool = True
    memory: int | None = None
    inside: int = 256
    patience: float = 30.0
    loading: float = 600.0
    stalled: float = 120.0
    clips: int = 64 << 20

    @property
    def shared(self) -> Setup:
        """What each engine is told to load: they share this machine, and stay well within their limit."""
        setup, most = self.setup, self.memory
        if most is None and self.replicas > 1:
            most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // self.replicas
        if most is None or setup.pages is not None:
            return setup
        return replace(setup, pages=most // 4)
