"""Does a training task with omma: ``python -m bench.learn_omma TASK``."""

from __future__ import annotations

import time
from statistics import median

import torch

from bench.drawn import recipe_of, steps_of
from bench.job import peak, timed
from bench.lessons import RATE, Learned, Task
from omma.cli.pages import keep_pages
from omma.train.begin import Run, begin
from omma.train.lesson import Batch, batch
from omma.train.loop import step
from omma.train.marks import Seen
from omma.train.passes import answer_logits


def shares(run: Run, made: Batch, repeats: int) -> dict[str, float]:
    """Seconds of the parts of a step, each forward and back by itself."""
    model, pack = run.model, made.pack
    assert pack.rows_PC is not None
    rows_PC = torch.from_numpy(pack.rows_PC).to(model.vision.patches.weight.dtype)

    def tower() -> list[torch.Tensor]:
        looks = model.vision.look(rows_PC, pack.grids)
        torch.autograd.backward(looks, [torch.ones_like(look_PW) for look_PW in looks])
        return [look_PW.detach() for look_PW in looks]

    def bridge() -> torch.Tensor:
        features_NX = model.vision.merge([look_PW.requires_grad_() for look_PW in looks])
        torch.autograd.backward(features_NX, torch.ones_like(features_NX))
        return features_NX.detach()

    def decoder() -> None:
        seen = Seen(looks[0], features_NX.requires_grad_())
        logits_AV, truth_A, weights_A = answer_logits(model, made, seen)
        each_A = torch.nn.functional.cross_entropy(logits_AV.float(), truth_A, reduction="none")
        torch.autograd.backward((each_A * weights_A).sum())

    def optimiser() -> None:
        run.optimiser.gather()
        run.optimiser.step(RATE)

    seconds: dict[str, float] = {}
    seconds["tower"], looks = timed(tower, repeats)
    seconds["bridge"], features_NX = timed(bridge, repeats)
    seconds["decoder"], _ = timed(decoder, repeats)
    seconds["optimiser"], _ = timed(optimiser, repeats)
    return seconds


def main() -> None:
    """Draw, learn, take the step apart; report."""
    keep_pages()  # as `omma train` does
    task = Task.from_command_line()
    torch.set_num_threads(task.threads)
    recipe = recipe_of(task)
    run = begin(recipe, "cpu")
    began = time.perf_counter()
    made = [[batch(lessons)] for lessons in steps_of(task)]
    drawing = (time.perf_counter() - began) / len(made)
    lines = [step(run, recipe, batches) for batches in made + made][len(made) :]
    held = peak()
    parts = shares(run, made[-1][0], task.steps) | {"data": drawing}
    Learned(
        median(line["seconds"] for line in lines),
        sum(line["tokens"] for line in lines) / len(lines),
        lines[-1]["answers"],
        held,
        shares=parts,
    ).tell()


if __name__ == "__main__":
    main()
