"""The published models by name (facts §1), and toys with each generation's real variants."""

from __future__ import annotations

from dataclasses import replace

from omma.errors import UnknownModel
from omma.spec import (
    DecoderSpec,
    Experts,
    FeedForward,
    Gelu,
    ModelSpec,
    Resampler,
    Stretch,
    SwiGLU,
    TokenIds,
    VisionSpec,
)


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


def _qwen2(depth: int, width: int, heads: int, key_heads: int, feed: int, *, tied: bool = False) -> ModelSpec:
    """Qwen2-VL (facts §1.2): the later decoder over a plainer tower, slices counted, no windows."""
    spec = _qwen25(depth, width, heads, key_heads, feed, vision_feed=5120, tied=tied)
    tower = replace(spec.vision, feed_forward=Gelu(5120, "quick"), window=None, full_layers=(), norm="layer")
    decoder = replace(spec.decoder, context=32_768)
    return ModelSpec(tower, decoder, tokens_per_second=None, boxes="marks", family="qwen2-vl")


def _qwen3_tower(out_width: int, *, large: bool) -> VisionSpec:
    return VisionSpec(
        depth=27 if large else 24,
        width=1152 if large else 1024,
        heads=16,
        feed_forward=Gelu(4304 if large else 4096, "tanh"),
        out_width=out_width,
        patch=16,
        window=None,
        full_layers=(),
        norm="layer",
        patch_bias=True,
        places=48,
        deepstack=(8, 16, 24) if large else (5, 11, 17),
    )


def _qwen3(
    shape: tuple[int, int, int, int],
    feed: FeedForward,
    *,
    large: bool,
    tied: bool = False,
    family: str = "qwen3-vl",
) -> ModelSpec:
    """Qwen3-VL of (depth, width, heads, key heads) over its `large` tower or its small one (facts §1.4)."""
    depth, width, heads, key_heads = shape
    return ModelSpec(
        vision=_qwen3_tower(width, large=large),
        decoder=DecoderSpec(
            depth=depth,
            width=width,
            heads=heads,
            key_heads=key_heads,
            head_width=128,
            feed_forward=feed,
            vocabulary=151_936,
            tied=tied,
            sections=(24, 20, 20),
            rope_theta=5_000_000.0,
            context=262_144,
            attention_bias=False,
            interleaved=True,
            head_norm=True,
        ),
        tokens_per_second=None,
        boxes="relative",
        family=family,
        written_times=True,
        default_system=False,
    )


PRESETS: dict[str, ModelSpec] = {
    "qwen2-vl-2b": _qwen2(28, 1536, 12, 2, 8960, tied=True),
    "qwen2-vl-7b": _qwen2(28, 3584, 28, 4, 18_944),
    "qwen2-vl-72b": _qwen2(80, 8192, 64, 8, 29_568),
    "qwen2.5-vl-3b": _qwen25(36, 2048, 16, 2, 11_008, vision_feed=3420, tied=True),
    "qwen2.5-vl-7b": _qwen25(28, 3584, 28, 4, 18_944, vision_feed=3420),
    "qwen2.5-vl-32b": _qwen25(64, 5120, 40, 8, 27_648, vision_feed=3456),
    "qwen2.5-vl-72b": _qwen25(80, 8192, 64, 8, 29_568, vision_feed=3456),
    "qwen3-vl-2b": _qwen3((28, 2048, 16, 8), SwiGLU(6144), large=False, tied=True),
    "qwen3-vl-4b": _qwen3((36, 2560, 32, 8), SwiGLU(9728), large=False, tied=True),
    "qwen3-vl-8b": _qwen3((36, 4096, 32, 8), SwiGLU(12_288), large=True),
    "qwen3-vl-32b": _qwen3((64, 5120, 64, 8), SwiGLU(25_600), large=True),
    "qwen3-vl-30b-a3b": _qwen3((48, 2048, 32, 4), Experts(768, 128, 8), large=True, family="qwen3-vl-moe"),
    "qwen3-vl-235b-a22b": _qwen3((94, 4096, 64, 4), Experts(1536, 128, 8), large=True, family="qwen3-vl-moe"),
}

# The same weights' shape; the base model reads one running text, the other one turns (facts §1.1, §5.2).
_QWEN = ModelSpec(
    vision=VisionSpec(
        depth=48,
        width=1664,
        heads=16,
        feed_forward=Gelu(8192),
        out_width=4096,
        temporal=1,
        window=None,
        full_layers=(),
        norm="layer",
        places=16,
        side=448,
        resampler=Resampler(),
    ),
    decoder=DecoderSpec(
        depth=32,
        width=4096,
        heads=32,
        key_heads=32,
        head_width=128,
        feed_forward=SwiGLU(11_008),
        vocabulary=151_936,
        tied=False,
        sections=(64, 0, 0),
        rope_theta=10_000.0,
        context=8192,
        fused=True,
        stretch=Stretch(),
    ),
    ids=TokenIds(vision_start=151_857, vision_end=151_858, image=151_859, video=151_859),
    tokens_per_second=None,
    boxes="tags",
    family="qwen-vl",
)
PRESETS |= {"qwen-vl": replace(_QWEN, turns=False), "qwen-vl-chat": _QWEN}

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
_TINY["qwen-vl"] = replace(
    _QWEN,
    vision=replace(_QWEN.vision, depth=2, width=32, heads=2, feed_forward=Gelu(44), out_width=256),
    decoder=replace(
        _QWEN.decoder,
        depth=2,
        width=256,
        heads=4,
        key_heads=4,
        head_width=64,
        feed_forward=SwiGLU(96),
        vocabulary=520,
        sections=(32, 0, 0),
        context=2048,
        stretch=Stretch(trained=512),
    ),
    ids=TokenIds(300, 301, 302, vision_start=514, vision_end=515, image=516, video=516),
)
_TINY["qwen2-vl"] = replace(
    _TINY["qwen2.5-vl"],
    vision=replace(
        _TINY["qwen2.5-vl"].vision,
        feed_forward=Gelu(64, "quick"),
        window=None,
        full_layers=(),
        norm="layer",
    ),
    tokens_per_second=None,
    boxes="marks",
    family="qwen2-vl",
)
_QWEN3 = _qwen3((4, 64, 4, 2), SwiGLU(96), large=False, tied=True)
_TINY["qwen3-vl"] = replace(
    _QWEN3,
    vision=replace(
        _QWEN3.vision,
        depth=4,
        width=32,
        heads=2,
        feed_forward=Gelu(44, "tanh"),
        places=6,
        deepstack=(0, 1, 2),
    ),
    # The width of a head is not the width over the heads, and the sections do not come out even.
    decoder=replace(_QWEN3.decoder, head_width=24, vocabulary=320, sections=(5, 4, 3), context=2048),
    ids=_TINY_IDS,
)
# Those that see pictures of every shape and size: most properties are said of them.
_TINY["qwen3-vl-moe"] = replace(
    _TINY["qwen3-vl"],
    decoder=replace(_TINY["qwen3-vl"].decoder, feed_forward=Experts(24, 8, 3), tied=False),
    family="qwen3-vl-moe",
)
GENERATIONS: tuple[str, ...] = tuple(name for name, spec in _TINY.items() if spec.vision.side is None)


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
