"""What each rank of a model that is cut over several holds, and that together they answer as one does.

``python -m bench.split`` reckons the published models on the meta device; under ``torchrun --nproc-per-node 2
-m bench.split MODEL PICTURE QUESTION`` the ranks answer together, and rank 0 alone before that, to compare.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh

from bench.results import Table
from omma.chat import Image, message
from omma.engine.engine import Engine, Failed
from omma.engine.request import Request, Sampling
from omma.loading import load_folder
from omma.model.vlm import Vlm
from omma.presets import PRESETS
from omma.sample import Sample
from omma.train.shard import leave, together
from omma.weights.split import bytes_here, split

TOKENS = 64
CHUNK = 256  # tokens that are read at a time: what is read together must not go by anyone's clock


def reckon(ranks: int) -> int:
    """A table of all published models: bytes of weights as a whole, and on one of so many ranks."""
    from torch.testing._internal.distributed.fake_pg import FakeStore

    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=ranks)
    table = Table("split", f"python -m bench.split {ranks}")
    mesh = init_device_mesh("cpu", (ranks,))
    for name, spec in PRESETS.items():
        with torch.device("meta"):
            model = Vlm(spec).to(torch.bfloat16)
        whole = bytes_here(model)
        split(model, mesh)
        share = bytes_here(model) / whole
        goal = 1.02 / ranks
        note = f"{bytes_here(model) / 1e9:.2f} of {whole / 1e9:.2f} GB in bf16"
        shown = f"≤ {goal:.3f}"
        table.row(
            f"{name}: weights on one of {ranks} ranks",
            round(share, 4),
            goal=shown,
            met=share <= goal,
            note=note,
        )
    dist.destroy_process_group()
    return table.publish()


def write(model: Vlm, sample: Sample) -> list[int]:
    """Tokens after a prompt, greedily."""
    engine = Engine(model, rows=1, chunk=CHUNK)
    ids = model.spec.ids
    engine.add(Request(sample, Sampling(), frozenset({ids.turn_end, ids.end_of_text}), TOKENS))
    tokens = []
    while not engine.idle:
        for told in engine.step():
            if isinstance(told, Failed):
                raise told.error
            tokens.append(told.token)
    return tokens


def answer(name: str, picture: Path, question: str) -> int:
    """The ranks answer together; whether that is what one says alone."""
    with together("cpu") as ranks:
        loaded = load_folder(name, device="cpu", dtype="float32")
        sample = loaded.processor.sample([message("user", Image(picture), question)])
        whole = bytes_here(loaded.model)
        alone = write(loaded.model, sample)
        if ranks.mesh is not None:
            split(loaded.model, ranks.mesh)
        told = write(loaded.model, sample)
        if ranks.first:
            text = b"".join(loaded.processor.tokenizer.bytes_of(token, skip_marks=True) for token in told)
            print(text.decode("utf-8", "replace"))
            print(
                f"{ranks.count} ranks, {bytes_here(loaded.model) / 1e6:.1f} of {whole / 1e6:.1f} MB on each; "
                f"{'the same' if told == alone else 'other'} tokens as alone",
                file=sys.stderr,
            )
    if told == alone:
        leave()
        return 0
    return 1


if __name__ == "__main__":
    words = sys.argv[1:]
    raise SystemExit(
        answer(words[0], Path(words[1]), words[2]) if len(words) == 3 else reckon(int((words or ["2"])[0]))
    )
