"""Toys: the real variants of a generation, or of a described model, at widths that take milliseconds."""

from __future__ import annotations

from dataclasses import replace

from omma.presets.described import DESCRIBED_PRESETS
from omma.presets.published import PUBLISHED_PRESETS, QWEN, qwen3
from omma.spec import Experts, Gelu, ModelSpec, Stretch, SwiGLU, TokenIds

IDS = TokenIds(
    end_of_text=300, turn_start=301, turn_end=302, vision_start=303, vision_end=304, image=305, video=306
)


def _small(spec: ModelSpec) -> ModelSpec:
    """A model with a tower of 4 layers and a decoder of 3 under the usual widths of a toy."""
    tower = replace(spec.vision, depth=4, width=32, heads=2, out_width=64)
    decoder = replace(
        spec.decoder,
        depth=3,
        width=64,
        heads=4,
        key_heads=2,
        head_width=16,
        feed_forward=SwiGLU(96),
        vocabulary=320,
        sections=(2, 3, 3),
        context=2048,
    )
    return replace(spec, vision=tower, decoder=decoder, ids=IDS)


def _toy_qwen() -> ModelSpec:
    return replace(
        QWEN,
        vision=replace(QWEN.vision, depth=2, width=32, heads=2, feed_forward=Gelu(44), out_width=256),
        decoder=replace(
            QWEN.decoder,
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


def _toy_qwen2() -> ModelSpec:
    small = _small(PUBLISHED_PRESETS["qwen2-vl-2b"])
    return replace(small, vision=replace(small.vision, feed_forward=Gelu(64, "quick")))


def _toy_qwen25() -> ModelSpec:
    small = _small(PUBLISHED_PRESETS["qwen2.5-vl-3b"])
    tower = replace(small.vision, feed_forward=SwiGLU(44, bias=True), full_layers=(1, 3))
    return replace(small, vision=tower)


def _toy_qwen3() -> ModelSpec:
    whole = qwen3((4, 64, 4, 2), SwiGLU(96), large=False, tied=True)
    tower = replace(
        whole.vision,
        depth=4,
        width=32,
        heads=2,
        feed_forward=Gelu(44, "tanh"),
        places=6,
        deepstack=(0, 1, 2),
    )
    # The width of a head is not the width over the heads, and the sections do not come out even.
    decoder = replace(whole.decoder, head_width=24, vocabulary=320, sections=(5, 4, 3), context=2048)
    return replace(whole, vision=tower, decoder=decoder, ids=IDS)


def _toy_qwen3_moe() -> ModelSpec:
    dense = _toy_qwen3()
    decoder = replace(dense.decoder, feed_forward=Experts(24, 8, 3), tied=False)
    return replace(dense, decoder=decoder, family="qwen3-vl-moe")


def _toy_described(name: str) -> ModelSpec:
    small = _small(DESCRIBED_PRESETS[name])
    match small.vision.feed_forward:
        case Experts(_, count, chosen):
            feed: Experts | SwiGLU = Experts(12, count, chosen)
        case _:
            feed = SwiGLU(44, bias=True)
    depth = 6 if name == "described-7b" else 4
    full = tuple(range(1, depth, 2))
    return replace(small, vision=replace(small.vision, depth=depth, feed_forward=feed, full_layers=full))


TOYS: dict[str, ModelSpec] = {
    "qwen2.5-vl": _toy_qwen25(),
    "qwen-vl": _toy_qwen(),
    "qwen2-vl": _toy_qwen2(),
    "qwen3-vl": _toy_qwen3(),
    "qwen3-vl-moe": _toy_qwen3_moe(),
    **{name: _toy_described(name) for name in DESCRIBED_PRESETS},
}
