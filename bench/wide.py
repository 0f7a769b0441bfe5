"""One layer of the largest models at full width, of each stack, against transformers on the same weights."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoConfig, AutoModelForImageTextToText

from omma.model.attend import Segments
from omma.model.vlm import Vlm
from omma.presets import preset
from omma.sample import Grid
from omma.spec import ModelSpec, TokenIds
from omma.weights.config import write_config
from omma.weights.names import in_memory, is_bank, public_name, public_shape

WIDE = ("qwen2-vl-72b", "qwen2.5-vl-72b", "qwen3-vl-32b", "qwen3-vl-30b-a3b")
GRID = Grid(1, 6, 8)
WORDS = 24


class Gaps(NamedTuple):
    """The largest differences: of hidden states after a layer, and of the tower's features."""

    decoder: float
    tower: float
    largest: float


def one_layer(name: str) -> ModelSpec:
    """A published model cut to one layer of each stack and a vocabulary of a few words."""
    whole = preset(name)
    deep = (0,) if whole.vision.deepstack else ()
    return replace(
        whole,
        vision=replace(whole.vision, depth=1, full_layers=(), deepstack=deep),
        decoder=replace(whole.decoder, depth=1, vocabulary=64),
        ids=TokenIds(*range(50, 57)),
    )


@torch.inference_mode()
def wide_gaps(name: str) -> Gaps:
    """How far one layer of each stack is from transformers' at the model's own widths, in fp32."""
    spec = one_layer(name)
    ours = Vlm(spec)
    torch.manual_seed(0)
    for parameter in ours.parameters():
        bound = 1.0 if parameter.ndim == 1 else (3 / parameter.shape[-1]) ** 0.5
        parameter.uniform_(-bound, bound)
    theirs = _in_transformers(ours)
    rows = torch.rand(GRID.patches, spec.vision.row) * 2 - 1
    seen = theirs.model.visual(rows, torch.tensor([tuple(GRID)]))
    wanted = torch.cat([seen.pooler_output, *(getattr(seen, "deepstack_features", None) or [])], -1)
    tower = float((ours.see(rows, [GRID]) - wanted).abs().max())
    x_TD = torch.rand(WORDS, spec.decoder.width) * 2 - 1
    positions_3T = torch.randint(0, 500, (3, WORDS))
    told = theirs.model.language_model(inputs_embeds=x_TD[None], position_ids=positions_3T[:, None])
    made = ours.decoder(
        ours.embed(torch.zeros(WORDS, dtype=torch.int64), None, None)._replace(x_TD=x_TD),
        positions_3T,
        Segments((0, WORDS)),
    )
    decoder = float((made - told.last_hidden_state[0]).abs().max())
    return Gaps(decoder, tower, float(told.last_hidden_state.abs().max()))


def _in_transformers(ours: Vlm) -> Any:
    """The same weights in transformers, in the same memory."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    spec = ours.spec
    with tempfile.TemporaryDirectory() as place:
        write_config(spec, Path(place), dtype="float32")
        config = AutoConfig.from_pretrained(place)
    tensors = {
        in_memory(public_name(name, spec.family)): weight.mT
        if is_bank(name)  # turned in its memory (facts §4.3)
        else weight.reshape(public_shape(name, tuple(weight.shape), spec))
        for name, weight in ours.named_parameters()
    }
    with torch.device("meta"):
        theirs: Any = AutoModelForImageTextToText.from_config(config)  # type: ignore[no-untyped-call]
    left = theirs.load_state_dict(tensors, strict=False, assign=True)
    lacking = set(left.missing_keys) - {"lm_head.weight"}  # a tied one is the table's own
    assert not lacking, lacking
    assert not left.unexpected_keys, left.unexpected_keys
    for module in theirs.modules():  # tables that no file holds
        if any(buffer.is_meta for buffer in module.buffers(recurse=False)):
            fresh = type(module)(module.config)
            for name, buffer in fresh.named_buffers(recurse=False):
                setattr(module, name, buffer)
    return theirs.eval()
