"""A layer of experts beside transformers' loop over them: same weights, tokens and threads, in one run.

    python -m bench.experts              the table of docs/results/experts.json
    python -m bench.experts --json       the same as one line of JSON, and writes nothing
    python -m bench.experts --toy        toy widths, to try the bench itself; writes nothing

The layer has Qwen3-VL-30B-A3B's width. With one thread processor seconds are counted, else seconds of the
clock; both take turns, and the least of the repeats counts. How far any forward pass can go is told by the
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
    """Our layer and the peer's with the same weights."""

    def __init__(self, shape: Shape, dtype: torch.dtype) -> None:
        self.shape, self.dtype = shape, dtype
        self.ours = ExpertLayer(shape.width, shape.experts)
        self.ours.to(dtype)
        self._draw()
        config: Any = Qwen3VLMoeTextConfig(
            hidden_size=shape.width,
            moe_intermediate_size=shape.experts.width,
            num_experts=shape.experts.count,
            num_experts_per_tok=shape.experts.chosen,
        )
        config._experts_implementation = "eager"
        with torch.device("meta"):
            self.theirs: Any = Qwen3VLMoeTextSparseMoeBlock(config)
        bank = self.ours.experts
        self.theirs.gate.weight = nn.Parameter(self.ours.router.weight.detach())
        self.theirs.experts.gate_up_proj = nn.Parameter(bank.gate_up.detach().mT.contiguous())
        self.theirs.experts.down_proj = nn.Parameter(bank.down.detach().mT.contiguous())

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
        """The layer forward, ours and theirs."""
        return (
            torch.inference_mode()(lambda: self.ours(x_TD)),
            torch.inference_mode()(lambda: self.theirs(x_TD[None])[0]),
        )

    def learning(self, x_TD: Tensor) -> Work:
        """The layer forward and backward, ours and theirs; gives the router's gradient."""

        def learn(layer: nn.Module, router: Callable[[], Tensor], rows: Tensor) -> Tensor:
            layer.zero_grad(set_to_none=True)
            layer(rows).square().mean().backward()
            return router()

        x_TD = x_TD.requires_grad_()
        return (
            lambda: learn(self.ours, lambda: _gradient(self.ours.router.weight), x_TD),
            lambda: learn(self.theirs, lambda: _gradient(self.theirs.gate.weight), x_TD[None]),
        )


def _gradient(weight: Tensor) -> Tensor:
    assert weight.grad is not None
    return weight.grad.clone()


Work = tuple[Callable[[], Tensor], Callable[[], Tensor]]


class Told(NamedTuple):
    """The least seconds of ours and theirs, and the largest difference, as a part of the largest number."""

    ours: float
    theirs: float
    apart: float


def beside(clock: Callable[[], float], work: Work, repeats: int) -> Told:
    """Ours and theirs, taken in turns."""
    best, gave = [math.inf] * 2, list[Tensor]()
    for _ in range(repeats):
        gave = []
        for i, one in enumerate(work):
            began = clock()
            gave.append(one())
            best[i] = min(best[i], clock() - began)
    mine, other = (one.float() for one in gave)
    return Told(best[0], best[1], float((mine - other).abs().max() / other.abs().max()))


def full_speed(clock: Callable[[], float], dtype: torch.dtype) -> float:
    """Floating-point operations a second of a large product."""
    x = torch.randn(LARGE, LARGE).to(dtype)
    return 2 * LARGE**3 / beside(clock, (lambda: x @ x, lambda: x @ x), 2).theirs


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
    note = f"{times:.2f}× the loop" + (f"; {note}" if note else "")
    table.row(name, 1000 * told.ours, "ms", goal=goal, met=met, peer=1000 * told.theirs, note=note)


def main() -> int:
    """Measure, print, write; 1 when something that was promised is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.experts", description=__doc__)
    parser.add_argument("--toy", action="store_true", help="toy widths; nothing is written")
    parser.add_argument("--json", action="store_true", help="one line of JSON; nothing is written")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precisions", nargs="*", default=["float32", "bfloat16"])
    wish = parser.parse_args()
    torch.set_num_threads(wish.threads)
    clock = time.process_time if wish.threads == 1 else time.perf_counter
    table = Table("experts", f"python -m bench.experts --threads {wish.threads}")
    for precision in wish.precisions:
        measure(table, TOY if wish.toy else REAL, getattr(torch, precision), clock)
    if wish.json:
        print(json.dumps({"command": table.command, "rows": [asdict(one) for one in table.rows]}))
        return table.exit_code
    if wish.toy:
        table.show()
        return table.exit_code
    return table.publish()


if __name__ == "__main__":
    raise SystemExit(main())
