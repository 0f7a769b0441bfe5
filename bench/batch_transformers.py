"""Writes answers in batches with transformers: the job as JSON on stdin, its rounds as JSON on stdout."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoTokenizer


def main() -> None:
    """A round is some batches one after the other, padded on the left; each lasts until its longest answer.

    Only tokens that were asked for count. A batch of its own warms up.
    """
    job = json.load(sys.stdin)
    torch.set_num_threads(job["threads"])
    tokenizer: Any = AutoTokenizer.from_pretrained(job["folder"], padding_side="left")
    model: Any = AutoModelForImageTextToText.from_pretrained(
        job["folder"], dtype="auto", attn_implementation="sdpa"
    )
    model.generation_config.eos_token_id = None  # nothing ends an answer early
    written(model, tokenizer, [["Count to a hundred, then back.", 16]])
    told = []
    for batches in job["rounds"]:
        began = time.perf_counter()
        read = sum(written(model, tokenizer, batch) for batch in batches)
        spent = time.perf_counter() - began
        wanted = sum(tokens for batch in batches for _, tokens in batch)
        told.append({"speed": wanted / spent, "prompts": read})
    print(json.dumps(told))


def written(model: Any, tokenizer: Any, batch: list[list[Any]]) -> int:
    """Answer all questions of a batch; gives the tokens of their prompts."""
    texts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": words}], tokenize=False, add_generation_prompt=True
        )
        for words, _ in batch
    ]
    inputs = tokenizer(texts, return_tensors="pt", padding=True)
    longest = max(tokens for _, tokens in batch)
    model.generate(**inputs, do_sample=False, min_new_tokens=longest, max_new_tokens=longest, pad_token_id=0)
    return int(inputs["attention_mask"].sum())


if __name__ == "__main__":
    main()
