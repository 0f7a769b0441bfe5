"""The language decoder: grouped-head attention with multimodal rotary positions (facts §2.9, §3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple

from torch import Tensor, nn

from omma.model.attend import Attend
from omma.model.layers import Embedding, Linear, RMSNorm, feed_forward
from omma.ops import Turns, axis_tables, rotate, stretched_turns
from omma.spec import DecoderSpec


class Embedded(NamedTuple):
    """Rows on their way into the decoder: (T, D), and what its first L layers add to some of them.

    `deep_LND` is added to the rows at `places_N`, a level after a layer (facts §2.8). `reach_T` is the length
    of the prompt that each row belongs to, None while learning: positions far out are stretched by it.
    `wanted_A` are the rows whose hidden states are asked for, None for all of them: what the last layer does
    after its attention is done for no others.
    """

    x_TD: Tensor
    places_N: Tensor | None = None
    deep_LND: Tensor | None = None
    reach_T: Tensor | None = None
    wanted_A: Tensor | None = None

    def part(self, start: int, stop: int) -> Embedded:
        """The rows from `start` to `stop`, to be read by themselves: a border may cut through a picture."""
        x_TD = self.x_TD[start:stop]
        reach_T = None if self.reach_T is None else self.reach_T[start:stop]
        if self.places_N is None or self.deep_LND is None:
            return Embedded(x_TD, reach_T=reach_T)
        inside_N = (self.places_N >= start) & (self.places_N < stop)
        return Embedded(x_TD, self.places_N[inside_N] - start, self.deep_LND[:, inside_N], reach_T)


def _picked(x_TD: Tensor, rows_A: Tensor | None) -> Tensor:
    return x_TD if rows_A is None else x_TD.index_select(0, rows_A)


class DecoderAttention(nn.Module):
    """Queries in H heads over keys and values in G heads; in float32 where it is `wide_from` any row on."""

    wide_from: int | None = None

    def __init__(self, spec: DecoderSpec) -> None:
        super().__init__()
        self.widths = [spec.head_width * heads for heads in (spec.heads, spec.key_heads, spec.key_heads)]
        self.head_width = spec.head_width
        self.projections(spec)
        self.out = Linear(self.widths[0], spec.width, False)
        self.query_norm = RMSNorm(spec.head_width, spec.norm_eps) if spec.head_norm else nn.Identity()
        self.key_norm = RMSNorm(spec.head_width, spec.norm_eps) if spec.head_norm else nn.Identity()

    def projections(self, spec: DecoderSpec) -> None:
        """Make the layers that make queries, keys and values."""
        self.query = Linear(spec.width, self.widths[0], spec.attention_bias)
        self.key = Linear(spec.width, self.widths[1], spec.attention_bias)
        self.value = Linear(spec.width, self.widths[2], spec.attention_bias)

    def project(self, x_TD: Tensor) -> Sequence[Tensor]:
        """Queries, keys and values of rows (T, D), each (T, heads · K)."""
        return self.query(x_TD), self.key(x_TD), self.value(x_TD)

    def forward(
        self, x_TD: Tensor, turns: Turns, attend: Attend, layer: int, wanted_A: Tensor | None = None
    ) -> Tensor:
        """(T, D) in, (T, D) out, or the wanted rows of it; `attend` decides which rows see which."""
        width = self.head_width
        q_THK, k_TGK, v_TGK = (
            (made if self.wide_from is None else made.float()).view(len(made), made.shape[-1] // width, width)
            for made in self.project(x_TD)
        )
        q_THK = rotate(self.query_norm(q_THK), turns.query)
        k_TGK = rotate(self.key_norm(k_TGK), turns.key)
        seen_TQ = _picked(attend(q_THK, k_TGK, v_TGK, layer).flatten(1), wanted_A)
        y_TD: Tensor = self.out(seen_TQ.to(x_TD.dtype))
        return y_TD


class FusedAttention(DecoderAttention):
    """The same with one matrix for queries, keys and values."""

    def projections(self, spec: DecoderSpec) -> None:
        """Make the layer that makes all three."""
        self.qkv = Linear(spec.width, sum(self.widths), spec.attention_bias)

    def project(self, x_TD: Tensor) -> Sequence[Tensor]:
        """Queries, keys and values of rows (T, D), each (T, heads · K)."""
        parts: Sequence[Tensor] = self.qkv(x_TD).split(self.widths, -1)
        return parts


class DecoderLayer(nn.Module):
    """Attention and feed-forward, each behind its norm and beside its residual."""

    def __init__(self, spec: DecoderSpec) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(spec.width, spec.norm_eps)
        self.attention = FusedAttention(spec) if spec.fused else DecoderAttention(spec)
        self.feed_norm = RMSNorm(spec.width, spec.norm_eps)
        self.feed = feed_forward(spec.feed_forward, spec.width)

    def forward(
        self, x_TD: Tensor, turns: Turns, attend: Attend, layer: int, wanted_A: Tensor | None = None
    ) -> Tensor:
        """(T, D) in, (T, D) out, or the wanted rows of it."""
        made_TD = self.attention(self.attention_norm(x_TD), turns, attend, layer, wanted_A)
        x_TD = _picked(x_TD, wanted_A) + made_TD
        y_TD: Tensor = x_TD + self.feed(self.feed_norm(x_TD))
        return y_TD


class Decoder(nn.Module):
    """Embedding table, layers, final norm, and a head of its own unless it is tied to the table."""

    def __init__(self, spec: DecoderSpec) -> None:
        super().__init__()
        self.spec = spec
        self.embedding = Embedding(spec.vocabulary, spec.width)
        self.layers = nn.ModuleList(DecoderLayer(spec) for _ in range(spec.depth))
        self.norm = RMSNorm(spec.width, spec.norm_eps)
        self.head: nn.Module | None = None if spec.tied else Linear(spec.width, spec.vocabulary, False)

    def forward(self, rows: Embedded, positions_3T: Tensor, attend: Attend) -> Tensor:
        """Final-normed hidden states (T, D), or those of the wanted rows (A, D)."""
        x_TD, places_N, deep_LND, reach_T, wanted_A = rows
        turns = self.turns(positions_3T, reach_T)
        levels = 0 if places_N is None or deep_LND is None else len(deep_LND)
        last = len(self.layers) - 1
        early = levels <= last  # else something is still added to all rows after the last layer
        for number, layer in enumerate(self.layers):
            x_TD = layer(x_TD, turns, attend, number, wanted_A if early and number == last else None)
            if number < levels and places_N is not None and deep_LND is not None:
                x_TD = x_TD.index_add(0, places_N, deep_LND[number])
        y_TD: Tensor = self.norm(x_TD if early else _picked(x_TD, wanted_A))
        return y_TD

    def turns(self, positions_3T: Tensor, reach_T: Tensor | None) -> Turns:
        """How queries and keys at these positions are turned, stretched beyond what was trained."""
        spec = self.spec
        if spec.stretch is None or reach_T is None:
            tables = axis_tables(positions_3T, spec.sections, spec.rope_theta, spec.interleaved)
            return Turns(tables, tables)
        half, how = spec.head_width // 2, asdict(spec.stretch)
        return stretched_turns(positions_3T[0], reach_T, half, spec.rope_theta, longest=spec.context, **how)
