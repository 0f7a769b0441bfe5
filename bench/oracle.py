"""transformers as the judge: ids, patch rows, positions, logits and greedy tokens of the same folder."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer
from transformers.models.qwen3_vl.processing_qwen3_vl import Qwen3VLProcessor
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from omma.chat import Image, Message, Text
from omma.sample import Sample, Visual

MARKS = ("<|vision_start|>", "<|vision_end|>")
PADS = {"image": "<|image_pad|>", "video": "<|video_pad|>"}


class Oracle:
    """The model of a folder in transformers, fp32, fed with the rows and grids of our samples."""

    def __init__(self, folder: Path) -> None:
        disable_progress_bar()  # type: ignore[no-untyped-call]
        set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.getLogger("transformers").setLevel(logging.ERROR)
        self.folder = folder
        self.model: Any = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)

    def ids(self, said: Sequence[Message], sample: Sample) -> list[int]:
        """The prompt's ids: its own template and tokenizer, each pad repeated for its visual tokens."""
        tokenizer: Any = AutoTokenizer.from_pretrained(self.folder)
        wire = [{"role": m.role, "content": [_wire(part) for part in m.parts]} for m in said]
        text = tokenizer.apply_chat_template(wire, tokenize=False, add_generation_prompt=True)
        pieces: list[str] = []
        for visual in sample.visuals:
            before, text = text.split(PADS[visual.kind], 1)
            pads = PADS[visual.kind] * (visual.tokens // visual.grid.slices)
            if visual.stretches:  # its slices have marks of their own, and those of the template go (§3.5)
                before, text = before.removesuffix(MARKS[0]), text.removeprefix(MARKS[1])
                pieces += [before, *(f"<{t:.1f} seconds>{MARKS[0]}{pads}{MARKS[1]}" for t in seconds(visual))]
            else:
                pieces += [before, pads * visual.grid.slices]
        ids: list[int] = tokenizer("".join([*pieces, text]))["input_ids"]
        return ids

    def rows(self, picture: PIL.Image.Image) -> NDArray[np.float32]:
        """Patch rows of its Pillow image processor."""
        processor: Any = AutoImageProcessor.from_pretrained(self.folder, backend="pil")  # type: ignore[no-untyped-call]
        rows: NDArray[np.float32] = processor(picture, return_tensors="np").pixel_values
        return rows

    def positions(self, sample: Sample) -> NDArray[np.int64]:
        """The positions it would give the sample."""
        shown = self._shown(sample)
        names = ("mm_token_type_ids", "image_grid_thw", "video_grid_thw", "second_per_grid_ts")
        shown |= self._paced(sample)
        known = {name: shown[name] for name in names if name in shown}
        found, _ = self.model.model.get_rope_index(torch.from_numpy(sample.ids_T)[None], **known)
        positions: NDArray[np.int64] = found[:, 0].numpy()
        return positions

    @torch.inference_mode()
    def logits(self, sample: Sample, more: Sequence[int] = ()) -> Tensor:
        """Logits (T, V) of the sample and what was written after it; at our positions if its own differ."""
        shown = self._shown(sample, len(more)) | self._paced(sample)
        ids = torch.from_numpy(np.append(sample.ids_T, np.array(more, np.int64)))[None]
        if not np.array_equal(self.positions(sample), sample.positions_3T):
            after = np.arange(len(more)) + sample.next_position
            places = np.concatenate([sample.positions_3T, np.broadcast_to(after, (3, len(more)))], axis=1)
            shown["position_ids"] = torch.from_numpy(places)[:, None]
        logits: Tensor = self.model(input_ids=ids, attention_mask=torch.ones_like(ids), **shown).logits[0]
        return logits

    @torch.inference_mode()
    def greedy(self, sample: Sample, count: int, *, stop: Sequence[int], never: Sequence[int]) -> list[int]:
        """`count` likeliest tokens, or fewer to a `stop` id: by its own `generate` if positions agree."""
        prompt = torch.from_numpy(sample.ids_T)[None]
        if np.array_equal(self.positions(sample), sample.positions_3T):
            written: list[int] = self.model.generate(
                input_ids=prompt,
                attention_mask=torch.ones_like(prompt),
                do_sample=False,
                max_new_tokens=count,
                suppress_tokens=list(never),
                eos_token_id=list(stop),
                pad_token_id=stop[0],
                **self._shown(sample),
                **self._paced(sample),
            )[0, sample.length :].tolist()
            return written
        tokens: list[int] = []
        while len(tokens) < count and (not tokens or tokens[-1] not in stop):
            last = self.logits(sample, tokens)[-1].index_fill(0, torch.tensor(never), -torch.inf)
            tokens.append(int(last.argmax()))
        return tokens

    def _shown(self, sample: Sample, more: int = 0) -> dict[str, Tensor]:
        """The sample's pictures and videos as its forward takes them; every number is ours."""
        kinds = torch.zeros(1, sample.length + more, dtype=torch.int32)
        shown: dict[str, Tensor] = {"mm_token_type_ids": kinds}
        for number, (kind, rows, grid) in enumerate(
            [
                ("image", "pixel_values", "image_grid_thw"),
                ("video", "pixel_values_videos", "video_grid_thw"),
            ],
            1,
        ):
            visuals = [visual for visual in sample.visuals if visual.kind == kind]
            for visual in visuals:
                kinds[0, visual.places] = number
            if visuals:
                shown[rows] = torch.from_numpy(np.concatenate([visual.rows_PC for visual in visuals]))
                shown[grid] = torch.tensor([tuple(visual.grid) for visual in visuals])
        return shown

    def _paced(self, sample: Sample) -> dict[str, Tensor]:
        """What the one generation is told whose positions go by seconds."""
        paces = [visual.seconds_per_slice for visual in sample.visuals if visual.kind == "video"]
        timed = self.model.config.model_type == "qwen2_5_vl"
        return {"second_per_grid_ts": torch.tensor(paces)} if paces and timed else {}


def seconds(visual: Visual) -> list[float]:
    """The second of each slice of a video, as its processor counts them from numbers and a rate of frames."""
    times: list[float] = Qwen3VLProcessor._calculate_timestamps(None, list(visual.times), 1.0, 2)  # type: ignore[arg-type]
    return times


def _wire(part: object) -> dict[str, str]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    return {"type": "image" if isinstance(part, Image) else "video"}
