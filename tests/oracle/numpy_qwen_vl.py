"""Qwen-VL of 2023 a second time, in plain numpy: what our own must agree with.

Written from the facts (§1.1, §2.1, §3.1, §4.1, §5.1, §5.2, §6.1) by someone who had not read ours; it knows
neither omma nor torch. It reads a folder in public names and computes in double precision, except where the
public model's single precision is part of the answer: the rotary angles and the pixels.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from safetensors.numpy import load_file

Array = NDArray[np.float64]
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
VISUAL_EPS = 1e-6
ERF = np.vectorize(math.erf, otypes=[np.float64])


def softmax(scores: Array) -> Array:
    """Along the last axis."""
    raised: Array = np.exp(scores - scores.max(-1, keepdims=True))
    total: Array = raised.sum(-1, keepdims=True)
    return raised / total


def gelu(x: Array) -> Array:
    """The exact one, by the error function."""
    share: Array = 0.5 * (1 + ERF(x / math.sqrt(2)))
    return x * share


def cubic(distance: Array) -> Array:
    """Keys' convolution kernel with a = -0.75, the one torch interpolates with."""
    a, x = -0.75, np.abs(distance)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def stretch(source: int, target: int) -> Array:
    """The (target, source) matrix of bicubic interpolation along one axis.

    Pixel centres lie at half coordinates (corners not aligned), nothing is smoothed when shrinking, and
    samples past the border are the border's.
    """
    matrix = np.zeros((target, source))
    for row in range(target):
        centre = (row + 0.5) * source / target - 0.5
        for tap in range(math.floor(centre) - 1, math.floor(centre) + 3):
            matrix[row, min(max(tap, 0), source - 1)] += cubic(np.array(centre - tap))
    return matrix


def interpolated(table: Array, side: int) -> Array:
    """A square grid of rows, (n·n, width), brought to side·side rows."""
    own = math.isqrt(len(table))
    if own == side:
        return table
    along = stretch(own, side)
    grid = table.reshape(own, own, -1)
    spread: Array = np.einsum("yr,xc,rcw->yxw", along, along, grid)
    return spread.reshape(side * side, -1)


def sincos(width: int, side: int) -> Array:
    """The fixed two-dimensional table, (side·side, width): column in the first half, row in the second.

    Each half is sines, then cosines, of the coordinate times 10000^(-i / (width / 4)).
    """
    speeds = 10_000.0 ** (-np.arange(width // 4) / (width / 4))
    rows, columns = np.divmod(np.arange(side * side), side)
    halves = [np.outer(places, speeds) for places in (columns, rows)]
    return np.concatenate([turn(angle) for angle in halves for turn in (np.sin, np.cos)], axis=1)


def rotation(length: int, width: int, base: float) -> tuple[Array, Array]:
    """Cosines and sines, (length, width), of angles in single precision, as the public model has them."""
    exponents = np.arange(0, width, 2, dtype=np.float32) / np.float32(width)
    slowness = np.float64(np.float32(base)) ** exponents.astype(np.float64)  # rounded once, as torch does
    speeds = np.float32(1) / slowness.astype(np.float32)
    half = np.outer(np.arange(length, dtype=np.float32), speeds)
    angles = np.concatenate([half, half], axis=1).astype(np.float64)
    return np.cos(angles), np.sin(angles)


def rotated(x_THK: Array, cosine_TK: Array, sine_TK: Array) -> Array:
    """The first half of a head's numbers turned against the second."""
    first, second = np.split(x_THK, 2, axis=-1)
    return x_THK * cosine_TK[:, None] + np.concatenate([-second, first], axis=-1) * sine_TK[:, None]


@dataclass
class Memory:
    """What decoding remembers: rotated keys and values per layer, and the stretch chosen at the prompt."""

    alpha: float
    keys: list[Array] = field(default_factory=list)
    values: list[Array] = field(default_factory=list)


class QwenVL:
    """A folder of the 2023 model: config.json and safetensors in its public names."""

    def __init__(self, folder: Path) -> None:
        self.config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.visual: dict[str, Any] = self.config["visual"]
        self.tensors: dict[str, NDArray[np.floating[Any]]] = {}
        for shard in sorted(folder.glob("*.safetensors")):
            for name, tensor in load_file(shard).items():
                assert name.removeprefix("transformer.") not in self.tensors
                self.tensors[name.removeprefix("transformer.")] = tensor

    def tensor(self, name: str) -> Array:
        """One tensor, in double precision."""
        return self.tensors[name].astype(np.float64)

    def linear(self, x: Array, name: str) -> Array:
        made = x @ self.tensor(f"{name}.weight").T
        return made + self.tensor(f"{name}.bias") if f"{name}.bias" in self.tensors else made

    def layer_norm(self, x: Array, name: str) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        scaled: Array = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + VISUAL_EPS)
        return scaled * self.tensor(f"{name}.weight") + self.tensor(f"{name}.bias")

    def rms_norm(self, x: Array, name: str) -> Array:
        size: Array = np.sqrt((x**2).mean(-1, keepdims=True) + self.config["layer_norm_epsilon"])
        return x / size * self.tensor(f"{name}.weight")

    # -- eyes -------------------------------------------------------------------------------------------

    def pixels(self, picture: PIL.Image.Image) -> NDArray[np.float32]:
        """(3, side, side): squashed to the square without regard to its form, bicubic, normalised."""
        side = self.visual["image_size"]
        square = picture.convert("RGB").resize((side, side), PIL.Image.Resampling.BICUBIC)
        scaled = np.asarray(square, np.float32) / np.float32(255)
        return np.ascontiguousarray(((scaled - MEAN) / STD).transpose(2, 0, 1))

    def tower(self, pixels_CYX: NDArray[np.float32]) -> Array:
        """(patches, width): what the vision transformer makes of one picture, before the resampler."""
        patch, count = self.visual["patch_size"], self.visual["image_size"] // self.visual["patch_size"]
        cut = pixels_CYX.astype(np.float64).reshape(3, count, patch, count, patch)
        rows_PC = cut.transpose(1, 3, 0, 2, 4).reshape(count * count, -1)
        kernel = self.tensor("visual.conv1.weight")
        x = rows_PC @ kernel.reshape(len(kernel), -1).T
        x = x + interpolated(self.tensor("visual.positional_embedding"), count)
        x = self.layer_norm(x, "visual.ln_pre")
        for layer in range(self.visual["layers"]):
            at = f"visual.transformer.resblocks.{layer}"
            x = x + self._look(self.layer_norm(x, f"{at}.ln_1"), f"{at}.attn")
            hidden = gelu(self.linear(self.layer_norm(x, f"{at}.ln_2"), f"{at}.mlp.c_fc"))
            x = x + self.linear(hidden, f"{at}.mlp.c_proj")
        return x

    def _look(self, x: Array, at: str) -> Array:
        """Attention of the tower. Its packed rows go head by head: query, key and value of a head adjoin."""
        heads = self.visual["heads"]
        packed_PHNK = self.linear(x, f"{at}.in_proj").reshape(len(x), heads, 3, -1)
        q, k, v = (packed_PHNK[:, :, part].transpose(1, 0, 2) for part in range(3))
        mixed = softmax(q / math.sqrt(q.shape[-1]) @ k.transpose(0, 2, 1)) @ v
        return self.linear(mixed.transpose(1, 0, 2).reshape(len(x), -1), f"{at}.out_proj")

    def resampler(self, seen_PW: Array) -> Array:
        """(queries, width of the decoder): places go to queries and keys only, never to values."""
        at = "visual.attn_pool"
        values = self.layer_norm(self.linear(seen_PW, f"{at}.kv_proj"), f"{at}.ln_kv")
        places = self.tensor(f"{at}.pos_embed")
        keys = values + interpolated(places, math.isqrt(len(seen_PW)))
        queries = self.layer_norm(self.tensor(f"{at}.query"), f"{at}.ln_q") + places
        weights = np.split(self.tensor(f"{at}.attn.in_proj_weight"), 3)
        biases = np.split(self.tensor(f"{at}.attn.in_proj_bias"), 3)
        heads = self.visual["output_dim"] // 128
        q, k, v = (
            (x @ weight.T + bias).reshape(len(x), heads, -1).transpose(1, 0, 2)
            for x, weight, bias in zip((queries, keys, values), weights, biases, strict=True)
        )
        mixed = softmax(q / math.sqrt(q.shape[-1]) @ k.transpose(0, 2, 1)) @ v
        return self.linear(mixed.transpose(1, 0, 2).reshape(len(queries), -1), f"{at}.attn.out_proj")

    def see(self, picture: PIL.Image.Image) -> Array:
        """(queries, width): one picture as the decoder receives it."""
        pooled = self.resampler(self.tower(self.pixels(picture)))
        return self.layer_norm(pooled, "visual.ln_post") @ self.tensor("visual.proj")

    # -- words ------------------------------------------------------------------------------------------

    def alpha(self, length: int) -> float:
        """How far a prompt of this length stretches the rotary base: 1 up to the training length."""
        if not self.config["use_dynamic_ntk"]:
            return 1.0
        return max(2.0 ** math.ceil(math.log2(length / self.config["seq_length"]) + 1) - 1, 1.0)

    def logits(
        self, ids: Sequence[int], pictures: Iterable[PIL.Image.Image] = (), memory: Memory | None = None
    ) -> Array:
        """(tokens, vocabulary). With a memory, ids follow what it holds and are added to it.

        Pictures are looked for in the prompt only: a mark that the model writes later shows it nothing.
        """
        memory = Memory(self.alpha(len(ids))) if memory is None else memory
        x = self.tensors["wte.weight"][list(ids)].astype(np.float64)
        if not memory.keys:
            for start, stop, picture in zip(*self.slots(ids), pictures, strict=True):
                x[start:stop] = self.see(picture)
            empty = np.zeros((0, self.config["num_attention_heads"], self.config["kv_channels"]))
            memory.keys, memory.values = ([empty] * self.config["num_hidden_layers"] for _ in range(2))
        for layer in range(self.config["num_hidden_layers"]):
            x = x + self._listen(self.rms_norm(x, f"h.{layer}.ln_1"), layer, memory)
            normed = self.rms_norm(x, f"h.{layer}.ln_2")
            gate = self.linear(normed, f"h.{layer}.mlp.w2")
            gated = self.linear(normed, f"h.{layer}.mlp.w1") * gate / (1 + np.exp(-gate))
            x = x + self.linear(gated, f"h.{layer}.mlp.c_proj")
        return self.linear(self.rms_norm(x, "ln_f"), "lm_head")

    def slots(self, ids: Sequence[int]) -> tuple[list[int], list[int]]:
        """Where the places of pictures begin and end: between their opening and closing marks."""
        opening = self.visual["image_start_id"]
        starts = [place + 1 for place, token in enumerate(ids) if token == opening]
        stops = [place for place, token in enumerate(ids) if token == opening + 1]
        return starts, stops

    def _listen(self, x: Array, layer: int, memory: Memory) -> Array:
        heads, width = self.config["num_attention_heads"], self.config["kv_channels"]
        before, after = len(memory.keys[layer]), len(memory.keys[layer]) + len(x)
        packed = self.linear(x, f"h.{layer}.attn.c_attn")
        q, k, v = (part.reshape(len(x), heads, width) for part in np.split(packed, 3, axis=-1))
        base = self.config["rotary_emb_base"] * memory.alpha ** (width / (width - 2))
        cosine, sine = (table[before:] for table in rotation(after, width, base))
        memory.keys[layer] = np.concatenate([memory.keys[layer], rotated(k, cosine, sine)])
        memory.values[layer] = np.concatenate([memory.values[layer], v])
        q = rotated(q, cosine, sine) * self._sharpening(before, after)[:, None, None]
        keys, values = memory.keys[layer].transpose(1, 2, 0), memory.values[layer].transpose(1, 0, 2)
        scores = q.transpose(1, 0, 2) @ keys / math.sqrt(width)
        unseen = np.arange(after)[None] > np.arange(before, after)[:, None]
        mixed = softmax(np.where(unseen, -np.inf, scores)) @ values
        return self.linear(mixed.transpose(1, 0, 2).reshape(len(x), -1), f"h.{layer}.attn.c_proj")

    def _sharpening(self, before: int, after: int) -> Array:
        """Log-n: a query at the place i, counted from one, times log i to the base of the training length."""
        trained = self.config["seq_length"]
        if not self.config["use_logn_attn"]:
            return np.ones(after - before)
        return np.array([max(math.log(i, trained), 1.0) for i in range(before + 1, after + 1)])

    def greedy(
        self,
        ids: Sequence[int],
        pictures: Iterable[PIL.Image.Image] = (),
        *,
        count: int,
        stops: Collection[int] = (),
        never: Collection[int] = (),
    ) -> list[int]:
        """The likeliest tokens one by one, up to `count`, the stop that ended them among them.

        Tokens of `never` are passed over.
        """
        memory = Memory(self.alpha(len(ids)))
        written: list[int] = []
        scores_V = self.logits(ids, pictures, memory)[-1]
        while True:
            scores_V[list(never)] = -np.inf
            written.append(int(scores_V.argmax()))
            if len(written) == count or written[-1] in stops:
                return written
            scores_V = self.logits(written[-1:], memory=memory)[-1]
