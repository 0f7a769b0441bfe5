"""Does a training task with transformers' Trainer: ``python -m bench.learn_transformers TASK``."""

from __future__ import annotations

import tempfile
import time
from statistics import median
from typing import Any

import numpy as np
import torch
from torch.utils.data import SequentialSampler
from transformers import AutoModelForImageTextToText, Trainer, TrainerCallback, TrainingArguments

from bench.drawn import steps_of
from bench.job import peak
from bench.lessons import RATE, Learned, Task
from omma.sample import Sample

UNLEARNED = -100  # a label that counts for nothing


class InOrder(Trainer):
    """A Trainer that takes samples as they come."""

    def _get_train_sampler(self, *_: Any, **__: Any) -> SequentialSampler:
        in_order: Any = self.train_dataset
        return SequentialSampler(in_order)


class Clock(TrainerCallback):
    """Seconds of each optimiser step, as the Trainer begins and ends them."""

    def __init__(self) -> None:
        self.began, self.seconds = 0.0, list[float]()

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """The batch is there; forward begins."""
        self.began = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """The weights have moved."""
        self.seconds.append(time.perf_counter() - self.began)


def collate(samples: list[Sample], image: int) -> dict[str, torch.Tensor]:
    """A padded batch as the model's documentation has it."""
    longest = max(sample.length for sample in samples)
    ids = np.zeros((len(samples), longest), np.int64)
    labels = np.full_like(ids, UNLEARNED)
    there = np.zeros_like(ids)
    for row, sample in enumerate(samples):
        assert sample.weights_T is not None
        ids[row, : sample.length] = sample.ids_T
        there[row, : sample.length] = 1
        labels[row, : sample.length] = np.where(sample.weights_T > 0, sample.ids_T, UNLEARNED)
    shown = [visual for sample in samples for visual in sample.visuals]
    return {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(there),
        "labels": torch.from_numpy(labels),
        "pixel_values": torch.from_numpy(np.concatenate([visual.rows_PC for visual in shown])),
        "image_grid_thw": torch.tensor([visual.grid for visual in shown]),
        "mm_token_type_ids": torch.from_numpy((ids == image).astype(np.int32)),
    }


def main() -> None:
    """Draw, learn; report."""
    task = Task.from_command_line()
    torch.set_num_threads(task.threads)
    model: Any = AutoModelForImageTextToText.from_pretrained(
        task.folder, dtype=torch.float32, attn_implementation="sdpa"
    )
    if task.recompute:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    samples = [lesson.sample for lessons in steps_of(task) for lesson in lessons]
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            folder, max_steps=2 * task.steps, per_device_train_batch_size=task.dialogues,
            learning_rate=RATE, lr_scheduler_type="constant", adam_beta1=0.9, adam_beta2=0.999,
            adam_epsilon=1e-8, weight_decay=0.0, max_grad_norm=1.0, bf16=task.precision == "bfloat16",
            use_cpu=True, logging_steps=1, save_strategy="no", report_to=[], disable_tqdm=True,
            remove_unused_columns=False, dataloader_num_workers=0,
        )  # fmt: skip
        image = int(model.config.image_token_id)
        trainer: Any = InOrder(
            model, settings, train_dataset=samples + samples, callbacks=[clock],
            data_collator=lambda made: collate(made, image),
        )  # fmt: skip
        trainer.train()
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    tokens = sum(sample.length for sample in samples)
    steps = [samples[at : at + task.dialogues] for at in range(0, len(samples), task.dialogues)]
    rows = sum(len(made) * max(sample.length for sample in made) for made in steps)
    Learned(
        median(clock.seconds[task.steps :]), tokens / task.steps, losses[-1], peak(), 1 - tokens / rows
    ).tell()


if __name__ == "__main__":
    main()
