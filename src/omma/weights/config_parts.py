"""What config.json says in every generation since Qwen2-VL: ids of marks, and what no model can be."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from omma.prep.dialects import DIALECTS
from omma.spec import ModelSpec, TokenIds
from omma.weights.fields import Fields


def read_ids(config: Fields, text: Fields) -> TokenIds:
    """Ids with a meaning of their own; of several ends the first is that of a turn (facts §5.3)."""
    usual, end = TokenIds(), text.raw.get("eos_token_id")
    ends = text.wholes("eos_token_id", ()) if isinstance(end, list) else ()
    begin = text.raw.get("bos_token_id")
    return TokenIds(
        end_of_text=usual.end_of_text if begin is None else text.whole("bos_token_id", 0, least=0),
        turn_start=config.inner("omma").whole("turn_start", usual.turn_start, least=0),
        turn_end=ends[0]
        if ends
        else usual.turn_end
        if end in (None, [])
        else text.whole("eos_token_id", 0, 0),
        vision_start=config.whole("vision_start_token_id", usual.vision_start, least=0),
        vision_end=config.whole("vision_end_token_id", usual.vision_end, least=0),
        image=config.whole("image_token_id", usual.image, least=0),
        video=config.whole("video_token_id", usual.video, least=0),
    )


def public_ids(ids: TokenIds) -> dict[str, Any]:
    """The ids of vision, as every config has them at its top."""
    return {
        "vision_start_token_id": ids.vision_start,
        "vision_end_token_id": ids.vision_end,
        "image_token_id": ids.image,
        "video_token_id": ids.video,
    }


def told_beside(spec: ModelSpec, dialect: str) -> dict[str, Any]:
    """What is said of a spec in a field of our own, where it is not as in the family's published models."""
    ours: dict[str, Any] = {}
    if spec.boxes != dialect:
        ours["boxes"] = spec.boxes
    if spec.ids.turn_start != TokenIds().turn_start:
        ours["turn_start"] = spec.ids.turn_start
    return {"omma": ours} if ours else {}


def possible(spec: ModelSpec) -> dict[str, bool]:
    """What would be wrong with a model, in words, and whether it is not so."""
    vision, decoder = spec.vision, spec.decoder
    cell = vision.patch * vision.merge
    return {
        "the tower's out width is not the decoder's width": vision.out_width == decoder.width,
        "the tower's width is not a multiple of 4 · heads": vision.width % (4 * vision.heads) == 0,
        "a window is not a multiple of a merged cell": vision.window is None or vision.window % cell == 0,
        "key heads do not divide the heads": decoder.heads % decoder.key_heads == 0,
        "mrope_section does not sum to half a head": 2 * sum(decoder.sections) == decoder.head_width,
        f"boxes is {spec.boxes!r}": spec.boxes in DIALECTS,
        "the id of a mark is not in the vocabulary": max(astuple(spec.ids)) < decoder.vocabulary,
    }
