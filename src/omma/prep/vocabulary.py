"""A vocabulary of one's own: a byte-level BPE with Qwen's split rule, learned from texts, and the marks."""

from __future__ import annotations

import json
from collections.abc import Iterable

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from omma.prep.tokenizer import Tokenizer

# Words with one leading sign, digits one by one, runs of signs, line ends, blanks (facts §5.1, §5.3).
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# The added tokens in the order of the public ids 151643 … 151668 (facts §5.3). The first 14 are markup that
# decoding leaves out; the rest (code completion, tools, thoughts) is part of what a reader is shown.
SILENT = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>"),
    *("<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>"),
    *("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
)
SHOWN = (
    *("<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>"),
    *("<|repo_name|>", "<|file_sep|>", "<tool_response>", "</tool_response>", "<think>", "</think>"),
)


def train_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """Learn merges from texts. `size` counts everything: 256 bytes, merges, and the 26 marks at the end.

    With too few texts there are fewer merges, and the tokenizer is smaller: look at its `size`.
    """
    names = SILENT + SHOWN
    if size < 256 + len(names):
        raise ValueError(f"a vocabulary of {size} cannot hold 256 bytes and {len(names)} marks")
    learned = tokenizers.Tokenizer(models.BPE())
    learned.normalizer = normalizers.NFC()
    learned.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(tokenizers.Regex(SPLIT), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    learned.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(names), initial_alphabet=alphabet, show_progress=False, min_frequency=2
    )
    learned.train_from_iterator(texts, trainer)
    raw = json.loads(learned.to_str())
    first = len(raw["model"]["vocab"])
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    raw["added_tokens"] = [
        {"id": first + i, "content": name, **flags, "special": name in SILENT} for i, name in enumerate(names)
    ]
    return Tokenizer(json.dumps(raw, ensure_ascii=False, indent=1))
