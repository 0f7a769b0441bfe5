"""A program for torchrun: models of every generation over several ranks; each rank writes what it makes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from omma.engine.engine import Engine, Written
from omma.engine.request import Request, Sampling
from omma.model.attend import Segments
from omma.model.vlm import Vlm
from omma.prep.patches import patch_rows
from omma.prep.positions import blocks_of, mrope_positions
from omma.prep.rules import published_rules, square_rules
from omma.presets import tiny
from omma.sample import Sample, Visual, pack
from omma.sample import Size as Pixels
from omma.train.shard import leave, together
from omma.weights.split import bytes_here, split

WORDS = 9


def model(generation: str) -> Vlm:
    """The toy, the same on every rank."""
    made = Vlm(tiny(generation))
    made.initialise(torch.Generator().manual_seed(3))
    return made.requires_grad_(False)


def sample(made: Vlm) -> Sample:
    """A picture among words."""
    spec = made.spec
    rules = square_rules(spec.vision) or published_rules(spec)
    side = rules.side or 4 * rules.factor
    pixels = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    rows, grid = patch_rows(pixels, rules)
    start, places = 4, grid.cells(rules.merge)
    size = Pixels(side, side)
    visual = Visual("image", rows, grid, start, start + places, size, size)
    ids = np.concatenate([np.arange(1, 5), np.full(places, spec.ids.image), np.arange(5, 5 + WORDS)])
    blocks = blocks_of([visual]) if any(spec.decoder.sections[1:]) else ()
    positions = mrope_positions(len(ids), blocks, merge=rules.merge, tokens_per_second=spec.tokens_per_second)
    return Sample(ids.astype(np.int64), positions, (visual,))


def logits(made: Vlm, one: Sample) -> torch.Tensor:
    """Scores after every token."""
    with torch.no_grad():
        return made.logits(made.read(pack([one]), Segments((0, one.length)))).float()


def written(made: Vlm, one: Sample, count: int = 12) -> list[int]:
    """Tokens that the engine writes after it, greedily."""
    engine = Engine(made)
    engine.add(Request(one, Sampling(), frozenset(), count))
    tokens = []
    while not engine.idle:
        for told in engine.step():
            assert isinstance(told, Written), told
            tokens.append(told.token)
    return tokens


def main(folder: Path, generations: list[str]) -> None:
    with together("cpu") as ranks:
        mesh = ranks.mesh
        assert mesh is not None
        for generation in generations:
            made = model(generation)
            one, whole = sample(made), bytes_here(made)
            split(made, mesh)
            told = {"logits": logits(made, one), "written": torch.tensor(written(made, one))}
            sizes = torch.tensor([whole, bytes_here(made)])
            torch.save(told | {"bytes": sizes}, folder / f"{generation}-{ranks.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
    leave()
