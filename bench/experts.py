"""A layer of experts beside transformers' loop over them: same weights, tokens and threads, in one run.

    python -m bench.experts              the table of docs/results/experts.json
    python -m bench.experts --json       the same as one line of JSON, and writes nothing
    python -m bench.experts --toy        toy widths, to try the bench itself; writes nothing
    python -m bench.experts --experts 16 some of the experts and of the tokens, 32 for each; writes nothing

transformers has two ways: a loop over experts (`eager`), and the products of all experts in one call
(`grouped_mm`), which models take by themselves where torch has it. Both stand here.

The layer has Qwen3-VL-30B-A3B's width. With one thread processor seconds are counted, else seconds of the
clock; all take turns, and the least of the repeats counts. How far any forward pass can go is told by the
speed of large products on the same machine: the layer's products alone take so long at that speed.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers.models.qwen3_vl_moe.configuration_qwen3_vl_moe import Qwen3VLMoeTextConfig
from transformers.models.qwen3_vl_moe.modeling_qwen3_vl_moe import Qwen3VLMoeTextSparseMoeBlock

from bench.results import Table
from omma.model.experts import ExpertLayer
from omma.spec import Experts

GOAL = 3.0  # times as fast as the peer's loop
CLOSE = {torch.float32: 1e-4, torch.bfloat16: 2e-2}  # of the largest output
LARGE = 2048  # rows and columns of the product that tells the machine's speed


@dataclass(frozen=True)
class Shape:
    """A layer and how many tokens go through it."""

    width: int
    experts: Experts
    tokens: int


REAL = Shape(2048, Experts(768, 128, 8), 512)
TOY = Shape(64, Experts(24, 16, 4), 32)


class Pair:
    """Our layer and the peer's with the same weights, in both of the peer's ways."""

    def __init__(self, shape: Shape, dtype: torch.dtype) -> None:
        self.shape, self.dtype = shape, dtype
        self.ours = ExpertLayer(shape.width, shape.experts)
        self.ours.to(dtype)
        self._draw()
        bank = self.ours.experts
        self.gate_up = nn.Parameter(bank.gate_up.detach().mT.contiguous())
        self.down = nn.Parameter(bank.down.detach().mT.contiguous())
        self.theirs, self.grouped = (self._peer(way) for way in ("eager", "grouped_mm"))

    def _peer(self, way: str) -> Any:
        """The peer's layer in one of its ways."""
        shape = self.shape
        config: Any = Qwen3VLMoeTextConfig(
            hidden_size=shape.width,
            moe_intermediate_size=shape.experts.width,
            num_experts=shape.experts.count,
            num_experts_per_tok=shape.experts.chosen,
        )
        config._experts_implementation = way
        with torch.device("meta"):
            layer: Any = Qwen3VLMoeTextSparseMoeBlock(config)
        layer.gate.weight = nn.Parameter(self.ours.router.weight.detach())
        layer.experts.gate_up_proj, layer.experts.down_proj = self.gate_up, self.down
        return layer

    @torch.no_grad()
    def _draw(self) -> None:
        """Weights of the usual size; experts differ by a factor only, since drawing all takes long."""
        draw = torch.Generator().manual_seed(0)
        own_E11 = torch.linspace(0.5, 1.5, self.shape.experts.count)[:, None, None]
        for weight in self.ours.parameters():
            one = torch.randn(weight.shape[-2:], generator=draw) * weight.shape[-2] ** -0.5
            for expert in range(len(own_E11) if weight.dim() > 2 else 0):
                weight[expert] = one * own_E11[expert]
            if weight.dim() == 2:
                weight.copy_(one)

    def tokens(self, count: int) -> Tensor:
        """So many rows of noise."""
        return torch.randn(count, self.shape.width, generator=torch.Generator().manual_seed(1)).to(self.dtype)

    def forward(self, x_TD: Tensor) -> Work:
        """The layer forward: ours, their loop, their products in one call."""
        return (
            torch.inference_mode()(lambda: self.ours(x_TD)),
            torch.inference_mode()(lambda: self.theirs(x_TD[None])[0]),
            torch.inference_mode()(lambda: self.grouped(x_TD[None])[0]),
        )

    def learning(self, x_TD: Tensor) -> Work:
        """The layer forward and backward, in the same order; gives the router's gradient."""

        def learn(layer: nn.Module, router: Callable[[], Tensor], rows: Tensor) -> Tensor:
            layer.zero_grad(set_to_none=True)
            layer(rows).square().mean().backward()
            return router()

        x_TD = x_TD.requires_grad_()
        return (
            lambda: learn(self.ours, lambda: _gradient(self.ours.router.weight), x_TD),
            lambda: learn(self.theirs, lambda: _gradient(self.theirs.gate.weight), x_TD[None]),
            lambda: learn(self.grouped, lambda: _gradient(self.grouped.gate.weight), x_TD[None]),
        )


def _gradient(weight: Tensor) -> Tensor:
    assert weight.grad is not None
    return weight.grad.clone()


Work = tuple[Callable[[], Tensor], ...]


class Told(NamedTuple):
    """The least seconds of ours, of their loop and of their products in one call.

    And the largest difference from the loop, as a part of its largest number.
    """

    ours: float
    theirs: float
    grouped: float
    apart: float


def beside(clock: Callable[[], float], work: Work, repeats: int) -> Told:
    """Ours and theirs, taken in turns."""
    best, gave = [math.inf] * len(work), list[Tensor]()
    for _ in range(repeats):
        gave = []
        for i, one in enumerate(work):
            began = clock()
            gave.append(one())
            best[i] = min(best[i], clock() - began)
    mine, other = (one.float() for one in gave[:2])
    ours, theirs, grouped = best
    return Told(ours, theirs, grouped, float((mine - other).abs().max() / other.abs().max()))


def full_speed(clock: Callable[[], float], dtype: torch.dtype) -> float:
    """Floating-point operations a second of a large product."""
    x = torch.randn(LARGE, LARGE).to(dtype)
    return 2 * LARGE**3 / min(beside(clock, (lambda: x @ x,) * 3, 2)[:3])


def measure(table: Table, shape: Shape, dtype: torch.dtype, clock: Callable[[], float]) -> None:
    """All rows of one dtype."""
    name = str(dtype).removeprefix("torch.")
    pair = Pair(shape, dtype)
    x_TD, one_1D = pair.tokens(shape.tokens), pair.tokens(1)
    spec = shape.experts
    products = 6 * shape.tokens * spec.chosen * shape.width * spec.width
    least = products / full_speed(clock, dtype)
    whole = f"{shape.tokens} tokens"
    print(f"{name}: forward", file=sys.stderr)
    told = beside(clock, pair.forward(x_TD), 3)
    limit = f"products at full speed take {1000 * least:.0f} ms, {told.theirs / least:.2f}× the loop"
    row(table, f"{name}: forward, {whole}", told, limit)
    near(table, f"{name}: outputs apart", told, dtype)
    row(table, f"{name}: forward, one token", beside(clock, pair.forward(one_1D), 9))
    print(f"{name}: forward and backward; the loop takes minutes", file=sys.stderr)
    told = beside(clock, pair.learning(x_TD), 1)
    row(table, f"{name}: forward and backward, {whole}", told, wanted=True)
    near(table, f"{name}: router's gradients apart", told, dtype)


def near(table: Table, name: str, told: Told, dtype: torch.dtype) -> None:
    """How near the two are to each other."""
    table.row(name, told.apart, "", goal=f"≤ {CLOSE[dtype]:g}", met=told.apart <= CLOSE[dtype])


def row(table: Table, name: str, told: Told, note: str = "", *, wanted: bool = False) -> None:
    """Milliseconds beside the peer's."""
    times = told.theirs / told.ours
    goal, met = (f"≥ {GOAL:g}× the loop", times >= GOAL) if wanted else (None, None)
    note = "; ".join(
        filter(None, (f"{times:.2f}× the loop", f"{told.grouped / told.ours:.2f}× one call", note))
    )
    table.row(name, 1000 * told.ours, "ms", goal=goal, met=met, peer=1000 * told.theirs, note=note)


def main() -> int:
    """Measure, print, write; 1 when something that was promised is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.experts", description=__doc__)
    parser.add_argument("--toy", action="store_true", help="toy widths; nothing is written")
    parser.add_argument("--json", action="store_true", help="one line of JSON; nothing is written")
    parser.add_argument("--experts", type=int, help="so many of the experts, 32 tokens for each")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precisions", nargs="*", default=["float32", "bfloat16"])
    wish = parser.parse_args()
    torch.set_num_threads(wish.threads)
    clock = time.process_time if wish.threads == 1 else time.perf_counter
    shape = TOY if wish.toy else REAL
    if wish.experts:
        chosen = min(REAL.experts.chosen, wish.experts)
        shape = Shape(REAL.width, Experts(768, wish.experts, chosen), 32 * wish.experts // chosen)
    table = Table("experts", f"python -m bench.experts --threads {wish.threads}")
    for precision in wish.precisions:
        measure(table, shape, getattr(torch, precision), clock)
    if wish.json:
        print(json.dumps({"command": table.command, "rows": [asdict(one) for one in table.rows]}))
        return table.exit_code
    if wish.toy or wish.experts:
        table.show()
        return table.exit_code
    return table.publish()


if __name__ == "__main__":
    raise SystemExit(main())
