"""The published models (facts §1), a function for each generation and a line for each size."""

from __future__ import annotations

from dataclasses import replace

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
    Written,
)

HEAD = 128  # the width of a head in every published decoder
SMALL_VOCABULARY, VOCABULARY = 151_936, 152_064  # rows of a tied table of embeddings, and of one with a head


def qwen2_decoder(
    depth: int, width: int, heads: int, key_heads: int, feed: int, *, tied: bool = False
) -> DecoderSpec:
    """Qwen2's decoder, which Qwen2.5-VL has too (facts §1.2, §1.3)."""
    return DecoderSpec(
        depth=depth,
        width=width,
        heads=heads,
        key_heads=key_heads,
        head_width=HEAD,
        feed_forward=SwiGLU(feed),
        vocabulary=SMALL_VOCABULARY if tied else VOCABULARY,
        tied=tied,
    )


DECODER_2B = qwen2_decoder(28, 1536, 12, 2, 8960, tied=True)
DECODER_3B = qwen2_decoder(36, 2048, 16, 2, 11_008, tied=True)
DECODER_7B = qwen2_decoder(28, 3584, 28, 4, 18_944)
DECODER_32B = qwen2_decoder(64, 5120, 40, 8, 27_648)
DECODER_72B = qwen2_decoder(80, 8192, 64, 8, 29_568)


def _qwen25(decoder: DecoderSpec, vision_feed: int) -> ModelSpec:
    feed = SwiGLU(vision_feed, bias=True)
    tower = VisionSpec(depth=32, width=1280, heads=16, feed_forward=feed, out_width=decoder.width)
    return ModelSpec(tower, decoder)


def _qwen2(decoder: DecoderSpec) -> ModelSpec:
    """Qwen2-VL (facts §1.2): the later decoder over a plainer tower, slices counted, no windows."""
    tower = replace(
        _qwen25(decoder, 5120).vision,
        feed_forward=Gelu(5120, "quick"),
        window=None,
        full_layers=(),
        norm="layer",
    )
    decoder = replace(decoder, context=32_768)
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


def qwen3(
    shape: tuple[int, int, int, int], feed: FeedForward, *, large: bool, tied: bool = False
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
            head_width=HEAD,
            feed_forward=feed,
            vocabulary=SMALL_VOCABULARY,
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
        family="qwen3-vl-moe" if isinstance(feed, Experts) else "qwen3-vl",
        written_times=Written(),
        default_system=False,
    )


# Qwen-VL and Qwen-VL-Chat have one shape; the base model reads one running text, the other one turns
# (facts §1.1, §5.2).
QWEN = ModelSpec(
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
        head_width=HEAD,
        feed_forward=SwiGLU(11_008),
        vocabulary=SMALL_VOCABULARY,
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

PUBLISHED_PRESETS: dict[str, ModelSpec] = {
    "qwen2-vl-2b": _qwen2(DECODER_2B),
    "qwen2-vl-7b": _qwen2(DECODER_7B),
    "qwen2-vl-72b": _qwen2(DECODER_72B),
    "qwen2.5-vl-3b": _qwen25(DECODER_3B, 3420),
    "qwen2.5-vl-7b": _qwen25(DECODER_7B, 3420),
    "qwen2.5-vl-32b": _qwen25(DECODER_32B, 3456),
    "qwen2.5-vl-72b": _qwen25(DECODER_72B, 3456),
    "qwen3-vl-2b": qwen3((28, 2048, 16, 8), SwiGLU(6144), large=False, tied=True),
    "qwen3-vl-4b": qwen3((36, 2560, 32, 8), SwiGLU(9728), large=False, tied=True),
    "qwen3-vl-8b": qwen3((36, 4096, 32, 8), SwiGLU(12_288), large=True),
    "qwen3-vl-32b": qwen3((64, 5120, 64, 8), SwiGLU(25_600), large=True),
    "qwen3-vl-30b-a3b": qwen3((48, 2048, 32, 4), Experts(768, 128, 8), large=True),
    "qwen3-vl-235b-a22b": qwen3((94, 4096, 64, 4), Experts(1536, 128, 8), large=True),
    "qwen-vl": replace(QWEN, turns=False),
    "qwen-vl-chat": QWEN,
}
