"""Does a speed job with transformers: ``python -m bench.run_transformers JOB``; ``cold`` writes one token."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import PIL.Image
import torch
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

from bench.job import Job, Report, peak, timed


class Peer:
    """The model with its Pillow-based picture processor and its tokenizer, as its documentation uses them."""

    def __init__(self, folder: str) -> None:
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        processors: Any = AutoImageProcessor
        self.pictures = processors.from_pretrained(folder, backend="pil")
        self.model: Any = AutoModelForImageTextToText.from_pretrained(
            folder, dtype="auto", attn_implementation="sdpa"
        )
        self.model.generation_config.eos_token_id = None  # nothing ends the answer early

    def prepare(self, job: Job) -> dict[str, Any]:
        """The picture and the words as the model's inputs."""
        with PIL.Image.open(job.picture) as picture:
            shown = self.pictures(picture.convert("RGB"), return_tensors="pt")
        (grid,) = shown["image_grid_thw"].tolist()
        count = grid[0] * grid[1] * grid[2] // self.pictures.merge_size**2
        turn = [{"type": "image"}, {"type": "text", "text": job.question}]
        text = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": turn}], tokenize=False, add_generation_prompt=True
        )
        ids = self.tokenizer(text.replace("<|image_pad|>", "<|image_pad|>" * count), return_tensors="pt")
        marks = (ids["input_ids"] == self.model.config.image_token_id).int()
        return {**ids, **shown, "mm_token_type_ids": marks}

    def write(self, inputs: dict[str, Any], tokens: int) -> Callable[[], Any]:
        """Writes so many greedy tokens when called."""
        return lambda: self.model.generate(
            **inputs, do_sample=False, min_new_tokens=tokens, max_new_tokens=tokens, pad_token_id=0
        )


class Watched:
    """The model's tower with a watch on it: the seconds of its last look."""

    def __init__(self, tower: Any) -> None:
        self.look, self.seconds = tower.forward, 0.0
        tower.forward = self

    def __call__(self, *seen: Any, **named: Any) -> Any:
        """What the tower makes of it."""
        began = time.perf_counter()
        made = self.look(*seen, **named)
        self.seconds = time.perf_counter() - began
        return made


def written(peer: Peer, tower: Watched, inputs: dict[str, Any], tokens: int) -> tuple[float, float, float]:
    """Seconds of the tower, seconds of the rest until the first token, tokens a second from there on."""
    began = time.perf_counter()
    peer.write(inputs, 1)()
    first = time.perf_counter() - began
    seen = tower.seconds
    began = time.perf_counter()
    peer.write(inputs, tokens)()
    # The answer begins with the same work, and its tower has a watch of its own.
    rest = time.perf_counter() - began - tower.seconds - (first - seen)
    return seen, first - seen, (tokens - 1) / rest


def main() -> None:
    """Load, prepare, see, write; report."""
    job = Job.from_command_line()
    torch.set_num_threads(job.threads)
    torch.set_grad_enabled(False)
    began = time.perf_counter()
    peer = Peer(job.folder)
    load = time.perf_counter() - began
    if sys.argv[2:] == ["cold"]:
        print(peer.tokenizer.decode(peer.write(peer.prepare(job), 1)()[0, -1:]))
        return
    prepare, inputs = timed(lambda: peer.prepare(job), 5 * job.repeats)
    watched = Watched(peer.model.model.visual)
    runs = [written(peer, watched, inputs, job.tokens) for _ in range(job.repeats + 1)][1:]
    tower, prefill, decode = (median(column) for column in zip(*runs, strict=True))
    length = inputs["input_ids"].shape[1]
    Report(load, prepare, tower, prefill, decode, length, peak()).tell()


if __name__ == "__main__":
    main()
