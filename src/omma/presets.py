"""The published models by name (facts §1.3), and toys with each generation's real variants."""

from __future__ import annotations

from omma.errors import UnknownModel
from omma.spec import DecoderSpec, ModelSpec, SwiGLU, TokenIds, VisionSpec


def _qwen25(
    depth: int, width: int, heads: int, key_heads: int, feed: int, *, vision_feed: int, tied: bool = False
) -> ModelSpec:
    return ModelSpec(
        vision=VisionSpec(
            depth=32, width=1280, heads=16, feed_forward=SwiGLU(vision_feed, bias=True), out_width=width
        ),
        decoder=DecoderSpec(
            depth=depth,
            width=width,
            heads=heads,
            key_heads=key_heads,
            head_width=128,
            feed_forward=SwiGLU(feed),
            vocabulary=151_936 if tied else 152_064,
            tied=tied,
        ),
    )


PRESETS: dict[str, ModelSpec] = {
    "qwen2.5-vl-3b": _qwen25(36, 2048, 16, 2, 11_008, vision_feed=3420, tied=True),
    "qwen2.5-vl-7b": _qwen25(28, 3584, 28, 4, 18_944, vision_feed=3420),
    "qwen2.5-vl-32b": _qwen25(64, 5120, 40, 8, 27_648, vision_feed=3456),
    "qwen2.5-vl-72b": _qwen25(80, 8192, 64, 8, 29_568, vision_feed=3456),
}

_TINY_IDS = TokenIds(
    end_of_text=300, turn_start=301, turn_end=302, vision_start=303, vision_end=304, image=305, video=306
)
_TINY: dict[str, ModelSpec] = {
    "qwen2.5-vl": ModelSpec(
        vision=VisionSpec(
            depth=4,
            width=32,
            heads=2,
            feed_forward=SwiGLU(44, bias=True),
            out_width=64,
            full_layers=(1, 3),
        ),
        decoder=DecoderSpec(
            depth=3,
            width=64,
            heads=4,
            key_heads=2,
            head_width=16,
            feed_forward=SwiGLU(96),
            vocabulary=320,
            tied=True,
            sections=(2, 3, 3),
            context=2048,
        ),
        ids=_TINY_IDS,
    ),
}
GENERATIONS: tuple[str, ...] = tuple(_TINY)


def preset(name: str) -> ModelSpec:
    """The published model of this name. Raises UnknownModel with the names there are."""
    if name not in PRESETS:
        raise UnknownModel(f"no preset is called {name!r}; known: {', '.join(PRESETS)}")
    return PRESETS[name]


def tiny(generation: str) -> ModelSpec:
    """A toy of a generation: its real variants at toy widths, milliseconds on a CPU. Raises UnknownModel."""
    if generation not in _TINY:
        raise UnknownModel(f"no generation is called {generation!r}; known: {', '.join(_TINY)}")
    return _TINY[generation]
