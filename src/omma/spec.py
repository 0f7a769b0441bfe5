"""What a model is: frozen nouns, a field for every number, a small dataclass for every difference in kind.

Numbers and their sources: facts sheet §1.2–1.4 (published tables), §2.3–2.8 (towers), §2.9 (decoder), §3.
A field's default is Qwen2.5-VL's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

LATER = {"later": True}  # of a field that specs did not always have: see `stated`


@dataclass(frozen=True)
class SwiGLU:
    """Gated feed-forward: ``down(silu(gate(x)) * up(x))``, `width` hidden units, with or without biases."""

    width: int
    bias: bool = False


@dataclass(frozen=True)
class Gelu:
    """Plain feed-forward with biases: ``down(gelu(up(x)))``, `width` hidden units.

    `curve` is how the Gaussian is taken: "erf" exactly, "tanh" or "quick" (a sigmoid) nearly.
    """

    width: int
    curve: Literal["erf", "tanh", "quick"] = "erf"


@dataclass(frozen=True)
class Experts:
    """A mixture of `count` gated feed-forwards without biases, `width` hidden units each.

    A router sends each token through the `chosen` likeliest of them; their probabilities, made to sum to 1,
    weigh what they say (Qwen3-VL's mixtures, facts §1.4, §2.9).
    """

    width: int
    count: int
    chosen: int


FeedForward = SwiGLU | Gelu | Experts
Norm = Literal["rms", "layer"]


@dataclass(frozen=True)
class Resampler:
    """A bridge of learned queries, one for each merged cell, that look once at all patches of a picture.

    A head is `head_width` wide. Queries and keys know their places, values do not (Qwen-VL, facts §2.1).
    """

    head_width: int = 128


@dataclass(frozen=True)
class Stretch:
    """What is done for positions beyond the `trained` length, and never while learning (facts §3.1).

    `ntk`: the rotary base grows with the length of the prompt. `logn`: queries grow with their position.
    """

    trained: int = 2048
    ntk: bool = True
    logn: bool = True


@dataclass(frozen=True)
class Written:
    """What stands in words before each slice of a video: one of three, or several together.

    `number`: that of its first frame among those taken, from 1. `stamp`: its second in the video. `interval`:
    the seconds since the slice before. Seconds have so many `decimals`. Qwen3-VL writes the stamp alone
    (facts §3.5).
    """

    number: bool = False
    stamp: bool = True
    interval: bool = False
    decimals: int = 1


@dataclass(frozen=True)
class VisionSpec:
    """The vision tower and its mergers.

    `window` is the side of an attention window in pixels; the layers in `full_layers` see a whole
    temporal slice instead. With None there are no windows: every layer sees the slice.
    `out_width` is the width after the merger: the decoder's. `places` is the side of a learned grid of
    positions that is stretched over each picture and added to its patches (None: rotary positions alone).
    `deepstack` names the layers whose output, merged too, is added after the decoder's first layers.
    With `side` every picture is squashed to so many pixels a side. With a `resampler` the bridge is one, and
    the tower's layers have no rotary positions (Qwen-VL).
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
    window: int | None = 112
    full_layers: tuple[int, ...] = (7, 15, 23, 31)
    norm_eps: float = 1e-6
    rope_theta: float = 10_000.0
    norm: Norm = field(default="rms", metadata=LATER)
    patch_bias: bool = field(default=False, metadata=LATER)
    places: int | None = field(default=None, metadata=LATER)
    deepstack: tuple[int, ...] = field(default=(), metadata=LATER)
    side: int | None = field(default=None, metadata=LATER)
    resampler: Resampler | None = field(default=None, metadata=LATER)

    @property
    def row(self) -> int:
        """Numbers in one raw patch row: channels · temporal · patch · patch."""
        return self.channels * self.temporal * self.patch * self.patch


@dataclass(frozen=True)
class DecoderSpec:
    """The language decoder with multimodal rotary positions.

    `sections` cuts the head's frequencies between the axes time, row, column; it sums to ``head_width // 2``.
    They lie one after the other, or `interleaved` (facts §3.4). With `head_norm` each head's queries and keys
    are normed before they are turned. With `fused` one matrix makes queries, keys and values.
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
    interleaved: bool = field(default=False, metadata=LATER)
    head_norm: bool = field(default=False, metadata=LATER)
    fused: bool = field(default=False, metadata=LATER)
    stretch: Stretch | None = field(default=None, metadata=LATER)


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
    """A whole model. `boxes` names the dialect its coordinates are written in (see `prep/boxes.py`).

    A video's slices stand at their seconds times `tokens_per_second`; with None they are counted. With
    `written_times` each slice is a block of its own, with those words before it (facts §3.3, §3.5).
    Without a message of the system's one is put first if it has a `default_system`.
    `family` names the public format of its folders, and nothing of what is computed.
    """

    vision: VisionSpec
    decoder: DecoderSpec
    ids: TokenIds = TokenIds()
    tokens_per_second: float | None = 2.0
    boxes: str = "pixels"  # "tags" (2023), "marks" (2), "pixels" (2.5), "relative" (3), or omma's own "grid"
    family: str = "qwen2.5-vl"
    written_times: Written | None = field(default=None, metadata=LATER)
    default_system: bool = field(default=True, metadata=LATER)
    turns: bool = field(default=True, metadata=LATER)  # a base model of 2023 reads one running text instead


def stated(spec: Any) -> dict[str, Any]:
    """What a spec says, as plain values. A later field that holds its default is left out: it says no more
    than specs said before there was one.
    """
    said: dict[str, Any] = {}
    for each in fields(spec):
        value = getattr(spec, each.name)
        if not (each.metadata.get("later") and value == each.default):
            said[each.name] = stated(value) if is_dataclass(value) else value
    return said
