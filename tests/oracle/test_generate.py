"""What we write, transformers writes: the same greedy tokens from the same folder, pictures or none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import Qwen2_5_VLForConditionalGeneration

import omma
from omma.chat import Image, message
from omma.model.vlm import Vlm
from omma.prep.processor import Processor
from omma.prep.rules import PictureRules
from omma.prep.vocabulary import train_tokenizer
from omma.presets import tiny
from omma.weights import write_folder

TOKENIZER = train_tokenizer(iter(["You are a helpful assistant. What is in the picture?"] * 4), 310)
PICTURE = np.random.default_rng(0).integers(0, 256, (130, 170, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toy")
    spec = replace(tiny("qwen2.5-vl"), ids=TOKENIZER.token_ids)
    model = Vlm(spec)
    model.initialise(torch.Generator().manual_seed(0))
    with torch.no_grad():
        for weight in model.parameters():  # far from zero, so that no two logits lie close
            weight.mul_(4 if weight.ndim > 1 else 1)
    write_folder(model, spec, path, dtype=torch.float32)
    Processor(TOKENIZER, spec, PictureRules(min_pixels=784, max_pixels=50_000)).save(path)
    return path


@pytest.mark.parametrize("penalty", [1.0, 1.3])
@pytest.mark.parametrize("pictures", [0, 1, 2])
def test_32_greedy_tokens_are_those_of_transformers(folder: Path, pictures: int, penalty: float) -> None:
    ours = omma.load(folder, dtype="float32")
    said = [message("user", *([Image(PICTURE)] * pictures), "What is in the picture?")]
    sample = ours.processor.sample(said)
    ids = ours.spec.ids
    shown = {}
    if pictures:
        shown["pixel_values"] = torch.from_numpy(np.concatenate([v.rows_PC for v in sample.visuals]))
        shown["image_grid_thw"] = torch.tensor([tuple(v.grid) for v in sample.visuals])
    theirs = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    prompt = torch.from_numpy(sample.ids_T)[None]
    written = theirs.generate(
        input_ids=prompt,
        attention_mask=torch.ones_like(prompt),
        mm_token_type_ids=(prompt == ids.image).int(),
        do_sample=False,
        max_new_tokens=32,
        repetition_penalty=penalty,
        suppress_tokens=[ids.image, ids.video],
        eos_token_id=[ids.turn_end, ids.end_of_text],
        pad_token_id=ids.end_of_text,
        **shown,
    )[0, sample.length :].tolist()
    answer = ours.chat(said, max_tokens=32, repetition_penalty=penalty)
    assert answer.usage.completion_tokens == len(written)
    assert answer.text == TOKENIZER.decode(written)
