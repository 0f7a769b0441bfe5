"""Models by name: the published ones, those that are only described, and toys with the variants of each."""

from __future__ import annotations

from omma.errors import UnknownModel
from omma.presets.described import DESCRIBED_PRESETS
from omma.presets.published import PUBLISHED_PRESETS
from omma.presets.toys import TOYS
from omma.spec import ModelSpec

__all__ = ["DESCRIBED", "GENERATIONS", "PRESETS", "preset", "tiny"]

PRESETS: dict[str, ModelSpec] = PUBLISHED_PRESETS | DESCRIBED_PRESETS
DESCRIBED: tuple[str, ...] = tuple(DESCRIBED_PRESETS)
# Those that see pictures of every shape and size: most properties are said of them.
GENERATIONS: tuple[str, ...] = tuple(
    name for name, spec in TOYS.items() if spec.vision.side is None and name not in DESCRIBED
)


def preset(name: str) -> ModelSpec:
    """The model of this name. Raises UnknownModel with the names there are."""
    if name not in PRESETS:
        raise UnknownModel(f"no preset is called {name!r}; known: {', '.join(PRESETS)}")
    return PRESETS[name]


def tiny(generation: str) -> ModelSpec:
    """A toy of a generation or of a described model: its real variants at toy widths, milliseconds on a CPU.

    Raises UnknownModel.
    """
    if generation not in TOYS:
        raise UnknownModel(f"no generation is called {generation!r}; known: {', '.join(TOYS)}")
    return TOYS[generation]
