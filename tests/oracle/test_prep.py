"""What prep makes is what transformers makes from the folder that prep saves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoImageProcessor, AutoTokenizer, Qwen2_5_VLConfig
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel

from omma import chat
from omma.chat import Image, Message, Text, Video, message
from omma.prep.processor import Processor
from omma.prep.resize import smart_resize
from omma.prep.rules import PictureRules
from omma.prep.vocabulary import train_tokenizer
from omma.sample import Sample, Size
from omma.spec import DecoderSpec, ModelSpec, SwiGLU, VisionSpec

TOKENIZER = train_tokenizer(iter(["What is this? A red circle, a blue square. été 日本語"] * 4), 360)
GATES = SwiGLU(8)
SPEC = ModelSpec(
    VisionSpec(depth=1, width=8, heads=1, feed_forward=GATES, out_width=8),
    DecoderSpec(1, 8, 1, 1, 8, GATES, vocabulary=TOKENIZER.size, tied=True),
    TOKENIZER.token_ids,
)
PROCESSOR = Processor(TOKENIZER, SPEC, PictureRules(max_pixels=1_003_520))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    PROCESSOR.save(path)
    return path


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(folder)


def noise(width: int, height: int, mode: str = "RGB") -> PIL.Image.Image:
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return PIL.Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("size", [(640, 480), (28, 28), (1, 1), (33, 2000), (1333, 777), (100, 60)])
def test_patch_rows_are_those_of_the_pillow_processor(size: tuple[int, int], folder: Path) -> None:
    theirs = AutoImageProcessor.from_pretrained(folder, backend="pil")
    picture = noise(*size)
    wanted = theirs(picture, return_tensors="np")
    (visual,) = PROCESSOR.sample([message("user", Image(picture))]).visuals
    assert wanted.image_grid_thw.tolist() == [list(visual.grid)]
    assert np.abs(wanted.pixel_values - visual.rows_PC).max() < 1e-6


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 30), st.integers(1, 3000))
def test_sizes_are_those_of_transformers(width: int, height: int, least: int, more: int) -> None:
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize as theirs

    if max(width, height) > 200 * min(width, height):
        return
    limits = {"factor": 28, "min_pixels": least * 784, "max_pixels": (least + more) * 784}
    assert smart_resize(Size(width, height), **limits) == theirs(height, width, **limits)[::-1]


# Texts without marks. One difference is meant: an answer that begins with a line end is not joined with the
# line end before it, since the model that wrote it saw the two apart.
sentences = st.text(st.characters(codec="utf-8", exclude_characters="<"))
turns = st.tuples(st.sampled_from(["user", "assistant", "system"]), sentences).filter(
    lambda turn: turn[0] != "assistant" or not re.match(r"\s*[\r\n]", turn[1])
)


@settings(max_examples=50)
@given(st.lists(turns, min_size=1, max_size=4))
def test_a_conversation_has_the_ids_of_transformers(theirs: Any, said: list[tuple[chat.Role, str]]) -> None:
    wanted = theirs.apply_chat_template(
        [{"role": role, "content": text} for role, text in said],
        add_generation_prompt=True,
        return_dict=False,
    )
    ours = PROCESSOR.sample([Message(role, (Text(text),)) for role, text in said])
    assert ours.ids_T.tolist() == wanted


def test_pictures_and_videos_stand_where_transformers_puts_them(theirs: Any) -> None:
    parts = [
        {"type": "image"},
        {"type": "text", "text": "or"},
        {"type": "video"},
        {"type": "text", "text": "?"},
    ]
    text = theirs.apply_chat_template([{"role": "user", "content": parts}], tokenize=False)
    ours = PROCESSOR.sample(
        [message("user", Image(noise(56, 56)), "or", Video([noise(60, 60)] * 2), "?")], prompt=False
    )
    for visual, pad in zip(ours.visuals, ("<|image_pad|>", "<|video_pad|>"), strict=True):
        text = text.replace(pad, pad * (visual.stop - visual.start))
    assert theirs(text)["input_ids"] == ours.ids_T.tolist()


def test_the_vocabulary_is_the_same_in_transformers(theirs: Any) -> None:
    assert len(theirs) == TOKENIZER.size
    assert {name: theirs.convert_tokens_to_ids(name) for name in TOKENIZER.marks} == TOKENIZER.marks
    assert (theirs.eos_token, theirs.pad_token) == ("<|im_end|>", "<|endoftext|>")
    ids = [TOKENIZER.mark("<think>"), *TOKENIZER.text("a red é 日"), TOKENIZER.mark("<|im_end|>")]
    assert theirs.decode(ids, skip_special_tokens=True) == TOKENIZER.decode(ids)


def rope_index(sample: Sample) -> torch.Tensor:
    """The positions that transformers gives the sample."""
    config = Qwen2_5_VLConfig()
    config.vision_config.tokens_per_second = 2
    holder = type(
        "Holder", (), {"config": config, "get_vision_position_ids": Qwen2_5_VLModel.get_vision_position_ids}
    )
    kinds = torch.zeros(1, sample.length, dtype=torch.int32)
    for visual in sample.visuals:
        kinds[0, visual.start : visual.stop] = 1 if visual.kind == "image" else 2
    grids = {kind: [v.grid for v in sample.visuals if v.kind == kind] for kind in ("image", "video")}
    positions, _ = Qwen2_5_VLModel.get_rope_index(
        holder(),
        torch.from_numpy(sample.ids_T)[None],
        kinds,
        torch.tensor(grids["image"]) if grids["image"] else None,
        torch.tensor(grids["video"]) if grids["video"] else None,
        torch.tensor([v.seconds_per_slice for v in sample.visuals if v.kind == "video"], dtype=torch.float64),
    )
    return positions[:, 0]


@pytest.mark.parametrize("fps", [1.0, 2.0, 3.0, 8.0])
def test_positions_are_those_of_transformers(fps: float) -> None:
    # Short videos only: after one that lasts longer than it is wide, transformers 5.3 and later goes on too
    # early, and we keep to the rule of the papers (facts §3.2).
    frames = [noise(300, 200)] * 8
    sample = PROCESSOR.sample([message("user", "a", Image(noise(90, 60)), "b", Video(frames, fps=fps), "c?")])
    assert np.array_equal(rope_index(sample).numpy(), sample.positions_3T)
