"""The language decoder: grouped-head attention with multimodal rotary positions (facts §2.9, §3.4)."""

from __future__ import annotations

from torch import Tensor, nn

from omma.model.attend import Attend
from omma.model.layers import Embedding, Linear, RMSNorm, feed_forward
from omma.ops import Tables, axis_tables, rotate
from omma.spec import DecoderSpec


class DecoderAttention(nn.Module):
    """Queries in H heads over keys and values in G heads."""

    def __init__(self, spec: DecoderSpec) -> None:
        super().__init__()
        inner, shared = spec.heads * spec.head_width, spec.key_heads * spec.head_width
        self.head_width = spec.head_width
        self.query = Linear(spec.width, inner, spec.attention_bias)
        self.key = Linear(spec.width, shared, spec.attention_bias)
        self.value = Linear(spec.width, shared, spec.attention_bias)
        self.out = Linear(inner, spec.width, False)

    def forward(self, x_TD: Tensor, tables: Tables, attend: Attend, layer: int) -> Tensor:
        """(T, D) in, (T, D) out; `attend` decides which rows see which."""
        heads = (-1, self.head_width)
        q_THK = rotate(self.query(x_TD).unflatten(-1, heads), tables)
        k_TGK = rotate(self.key(x_TD).unflatten(-1, heads), tables)
        v_TGK = self.value(x_TD).unflatten(-1, heads)
        y_TD: Tensor = self.out(attend(q_THK, k_TGK, v_TGK, layer).flatten(1))
        return y_TD


class DecoderLayer(nn.Module):
    """Attention and feed-forward, each behind its norm and beside its residual."""

    def __init__(self, spec: DecoderSpec) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(spec.width, spec.norm_eps)
        self.attention = DecoderAttention(spec)
        self.feed_norm = RMSNorm(spec.width, spec.norm_eps)
        self.feed = feed_forward(spec.feed_forward, spec.width)

    def forward(self, x_TD: Tensor, tables: Tables, attend: Attend, layer: int) -> Tensor:
        """(T, D) in, (T, D) out."""
        x_TD = x_TD + self.attention(self.attention_norm(x_TD), tables, attend, layer)
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

    def forward(self, x_TD: Tensor, positions_3T: Tensor, attend: Attend) -> Tensor:
        """Final-normed hidden states (T, D)."""
        tables = axis_tables(positions_3T, self.spec.sections, self.spec.rope_theta)
        for number, layer in enumerate(self.layers):
            x_TD = layer(x_TD, tables, attend, number)
        y_TD: Tensor = self.norm(x_TD)
        return y_TD
