"""Models that a public description of Qwen2.5-VL speaks of and no release has, for anyone to build and train.

Described: towers of 12, 24 and 48 layers, 768, 1024 and 4096 wide, for a model of 3, 7 and 72 billion; in the
last a mixture of 32 experts; windows of 8 × 8 patches; frames told apart by number, second and interval; and
1.8 billion for small machines. The published model has none of this but the windows (facts §0.1).
Not described and chosen here: heads of 64, gated feed-forwards of 8/3 of the width, every sixth of a tower's
layers (of twelve: every third) without windows, 2 experts of the 32 a patch, each an eighth of the width.
Decoders are Qwen2.5's of the same size, but for the 72B's, of 64 layers in place of 80 since its tower holds
13 billion, and for the smallest.
"""

from __future__ import annotations

from dataclasses import replace

from omma.presets.published import DECODER_3B, DECODER_7B, DECODER_72B, qwen2_decoder
from omma.spec import DecoderSpec, Experts, FeedForward, ModelSpec, SwiGLU, VisionSpec, Written

FAMILY = "described"


def _described(depth: int, width: int, feed: FeedForward, decoder: DecoderSpec) -> ModelSpec:
    every = 3 if depth == 12 else 6
    return ModelSpec(
        vision=VisionSpec(
            depth=depth,
            width=width,
            heads=width // 64,
            feed_forward=feed,
            out_width=decoder.width,
            window=8 * 14,
            full_layers=tuple(range(every - 1, depth, every)),
        ),
        decoder=decoder,
        tokens_per_second=None,
        family=FAMILY,
        written_times=Written(number=True, stamp=True, interval=True, decimals=2),
    )


DESCRIBED_PRESETS: dict[str, ModelSpec] = {
    "described-3b": _described(12, 768, SwiGLU(2048, bias=True), DECODER_3B),
    "described-7b": _described(24, 1024, SwiGLU(2730, bias=True), DECODER_7B),
    "described-72b": _described(48, 4096, Experts(512, 32, 2), replace(DECODER_72B, depth=64)),
    "described-edge-1.8b": _described(
        12, 768, SwiGLU(2048, bias=True), qwen2_decoder(24, 2048, 16, 2, 8192, tied=True)
    ),
}
