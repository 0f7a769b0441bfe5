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
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.qwen3_vl_moe.configuration_qwen3_vl_moe import Qwen3VLMoeTextConfig
from transformers.models.qwen3_vl_moe.modeling_qwen3_vl_moe import Qwen3VLMoeTextSparseMoeBlock

from bench.results import Table
from omma.model.experts import ExpertLayer
from omma.model.initialise import draw_weights
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
        draw_weights(self.ours, 1, torch.Generator().manual_seed(0))
        self.ours.to(dtype)
        config: Any = Qwen3VLMoeTextConfig(
            hidden_size=shape.width,
            moe_intermediate_size=shape.experts.width,
            num_experts=shape.experts.count,
            num_experts_per_tok=shape.experts.chosen,
        )
        config._experts_implementation = "eager"
        with torch.device("meta"):
            self.theirs: Any = Qwen3VLMoeTextSparseMoeBlock(config)  # type: ignore[no-untyped-call]
        bank = self.ours.experts
        self.theirs.gate.weight = nn.Parameter(self.ours.router.weight.detach())
        self.theirs.experts.gate_up_proj = nn.Parameter(bank.gate_up.detach().mT.contiguous())
        self.theirs.experts.down_proj = nn.Parameter(bank.down.detach().mT.contiguous())

    def tokens(self, count: int) -> Tensor:
        """So many rows of noise."""
        return torch.randn(count, self.shape.width, generator=torch.Generator().manual_seed(1)).to(self.dtype)

    @torch.inference_mode()
    def forward(self, x_TD: Tensor) -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
        """The layer forward, ours and theirs."""
        return (
            torch.inference_mode()(lambda: self.ours(x_TD)),
            torch.inference_mode()(lambda: self.theirs(x_TD[None])[0]),
        )

    def learning(self, x_TD: Tensor) -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
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


def seconds(clock: Callable[[], float], work: tuple[Callable[[], Tensor], ...], repeats: int) -> list[float]:
    """The least seconds of each, taken in turns."""
    best = [float("inf")] * len(work)
    for _ in range(repeats):
        for i, one in enumerate(work):
            began = clock()
            one()
            best[i] = min(best[i], clock() - began)
    return best


def apart(work: tuple[Callable[[], Tensor], Callable[[], Tensor]]) -> float:
    """The largest difference between the two, of the largest number."""
    ours, theirs = (one().float() for one in work)
    return float((ours - theirs).abs().max() / theirs.abs().max())


def full_speed(clock: Callable[[], float], dtype: torch.dtype) -> float:
    """Floating-point operations a second of a large product."""
    x = torch.randn(LARGE, LARGE).to(dtype)
    x @ x
    return float(2 * LARGE**3 / seconds(clock, (lambda: x @ x,), 3)[0])


def measure(table: Table, shape: Shape, dtype: torch.dtype, clock: Callable[[], float]) -> None:
    """All rows of one dtype."""
    name = str(dtype).removeprefix("torch.")
    pair = Pair(shape, dtype)
    x_TD, one_1D = pair.tokens(shape.tokens), pair.tokens(1)
    spec = shape.experts
    products = 6 * shape.tokens * spec.chosen * shape.width * spec.width
    least = products / full_speed(clock, dtype)
    print(f"{name}: forward", file=sys.stderr)
    gap = apart(pair.forward(x_TD))
    table.row(f"{name}: outputs apart", gap, "", goal=f"≤ {CLOSE[dtype]:g}", met=gap <= CLOSE[dtype])
    ours, theirs = seconds(clock, pair.forward(x_TD), 3)
    told = (
        f"{theirs / ours:.2f}× the loop; products at full speed take {1000 * least:.0f} ms: "
        f"nothing can be more than {theirs / least:.2f}×"
    )
    row(table, f"{name}: forward, {shape.tokens} tokens", ours, theirs, told)
    ours, theirs = seconds(clock, pair.forward(one_1D), 9)
    row(table, f"{name}: forward, one token", ours, theirs, f"{theirs / ours:.2f}× the loop")
    print(f"{name}: forward and backward; the loop takes a minute or two", file=sys.stderr)
    work = pair.learning(x_TD)
    gap = apart(work)
    table.row(
        f"{name}: router's gradients apart", gap, "", goal=f"≤ {CLOSE[dtype]:g}", met=gap <= CLOSE[dtype]
    )
    ours, theirs = seconds(clock, work, 1)
    row(
        table,
        f"{name}: forward and backward, {shape.tokens} tokens",
        ours,
        theirs,
        f"{theirs / ours:.1f}× the loop",
        wanted=True,
    )


def row(table: Table, name: str, ours: float, theirs: float, note: str, *, wanted: bool = False) -> None:
    """Milliseconds beside the peer's."""
    goal = f"≥ {GOAL:g}× the loop" if wanted else None
    met = theirs >= GOAL * ours if wanted else None
    table.row(name, 1000 * ours, "ms", goal=goal, met=met, peer=1000 * theirs, note=note)


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
