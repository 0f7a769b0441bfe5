"""What a model is: frozen nouns, a field for every number, a small dataclass for every difference in kind.

Numbers and their sources: facts sheet §1.3 (published tables), §2.3–2.6 (tower), §2.9 (decoder), §3.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SwiGLU:
    """Gated feed-forward: ``down(silu(gate(x)) * up(x))``, `width` hidden units, with or without biases."""

    width: int
    bias: bool = False


FeedForward = SwiGLU


@dataclass(frozen=True)
class VisionSpec:
    """The vision tower and its merger (Qwen2.5-VL's kind).

    `window` is the side of an attention window in pixels; the layers in `full_layers` see a whole
    temporal slice instead. `out_width` is the width after the merger: the decoder's.
    """

    depth: int
    width: int
    heads: int
    feed_forward: FeedForward
    out_width: int
    patch: int = 14
    temporal: int = 2
    merge: int = 2
    channels: int = 3
    window: int = 112
    full_layers: tuple[int, ...] = (7, 15, 23, 31)
    norm_eps: float = 1e-6
    rope_theta: float = 10_000.0

    @property
    def row(self) -> int:
        """Numbers in one raw patch row: channels · temporal · patch · patch."""
        return self.channels * self.temporal * self.patch * self.patch


@dataclass(frozen=True)
class DecoderSpec:
    """The language decoder with multimodal rotary positions (Qwen2.5's kind).

    `sections` cuts the head's frequencies between the axes time, row, column; it sums to ``head_width // 2``.
    """

    depth: int
    width: int
    heads: int
    key_heads: int
    head_width: int
    feed_forward: FeedForward
    vocabulary: int
    tied: bool
    sections: tuple[int, int, int] = (16, 24, 24)
    rope_theta: float = 1_000_000.0
    norm_eps: float = 1e-6
    context: int = 128_000
    attention_bias: bool = True


@dataclass(frozen=True)
class TokenIds:
    """Ids with a meaning of their own (facts §5.3; the defaults are those of every Qwen2-VL and later)."""

    end_of_text: int = 151_643
    turn_start: int = 151_644
    turn_end: int = 151_645
    vision_start: int = 151_652
    vision_end: int = 151_653
    image: int = 151_655
    video: int = 151_656


@dataclass(frozen=True)
class ModelSpec:
    """A whole model. `boxes` names the dialect its coordinates are written in (see `prep/boxes.py`)."""

    vision: VisionSpec
    decoder: DecoderSpec
    ids: TokenIds = TokenIds()
    tokens_per_second: float = 2.0
    boxes: str = "pixels"  # "pixels" of the resized picture (Qwen2.5-VL) or "grid", [0,1000) of each side
    family: str = "qwen2.5-vl"
