"""Writes answers in batches with transformers: the job as JSON on stdin, its rounds as JSON on stdout."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import torch
from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration


def main() -> None:
    """Each number of clients is one batch, padded on the left; the second of two runs counts."""
    job = json.load(sys.stdin)
    torch.set_num_threads(job["threads"])
    tokenizer: Any = AutoTokenizer.from_pretrained(job["folder"], padding_side="left")
    model: Any = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        job["folder"], dtype="auto", attn_implementation="sdpa"
    )
    model.generation_config.eos_token_id = None  # nothing ends an answer early
    told = {}
    for clients, said in job["prompts"].items():
        texts = [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": words}], tokenize=False, add_generation_prompt=True
            )
            for words in said
        ]
        inputs = tokenizer(texts, return_tensors="pt", padding=True)
        for _ in range(2):
            began = time.perf_counter()
            written = model.generate(
                **inputs,
                do_sample=False,
                min_new_tokens=job["tokens"],
                max_new_tokens=job["tokens"],
                pad_token_id=0,
            )
            spent = time.perf_counter() - began
        length = inputs["input_ids"].shape[1]
        count = written.shape[0] * (written.shape[1] - length)
        told[clients] = {"speed": count / spent, "prompt": length}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
