"""What config.json says alike in every generation since Qwen2-VL, and what no model can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from omma.errors import BadFolder
from omma.prep.dialects import DIALECTS
from omma.spec import DecoderSpec, ModelSpec, TokenIds, VisionSpec
from omma.weights.fields import DEEPEST, WIDEST_PATCH, Fields

TURNS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


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


def settle_ids(ids: TokenIds, config: Fields, marks: Mapping[str, int]) -> TokenIds:
    """The ids of turns and of a text's end as a vocabulary's `marks` have them, where no config can tell.

    It has no word for the mark that begins a turn, and transformers writes the published ends beside any
    vocabulary; an end of another name is where answers end, not what ends a turn. An id that is no mark of
    the three, but of the vocabulary, is left to contradict it. Without these marks nothing is settled.
    """
    if any(name not in marks for name in TURNS):
        return ids
    end_of_text, start, end = (marks[name] for name in TURNS)
    text = config.inner("text_config") if "text_config" in config.raw else config
    vocabulary = text.raw.get("vocab_size")

    def open_to(name: str, said: int) -> bool:
        silent = text.raw.get(name) in (None, [])
        return silent or said in (end_of_text, start, end) or (type(vocabulary) is int and said >= vocabulary)

    return replace(
        ids,
        end_of_text=end_of_text if open_to("bos_token_id", ids.end_of_text) else ids.end_of_text,
        turn_start=ids.turn_start if "turn_start" in config.inner("omma").raw else start,
        turn_end=end if open_to("eos_token_id", ids.turn_end) else ids.turn_end,
    )


def public_ids(ids: TokenIds) -> dict[str, Any]:
    """The ids of vision, as every config has them at its top."""
    return {
        "vision_start_token_id": ids.vision_start,
        "vision_end_token_id": ids.vision_end,
        "image_token_id": ids.image,
        "video_token_id": ids.video,
    }


def read_tower(fields: Fields, usual: VisionSpec) -> VisionSpec:
    """What all towers' fields say alike, over class defaults: depth, heads, how patches are cut."""
    return replace(
        usual,
        depth=fields.whole("depth", usual.depth, most=DEEPEST),
        heads=fields.whole("num_heads", usual.heads),
        patch=fields.whole("patch_size", usual.patch, most=WIDEST_PATCH),
        temporal=fields.whole("temporal_patch_size", usual.temporal, most=WIDEST_PATCH),
        merge=fields.whole("spatial_merge_size", usual.merge, most=WIDEST_PATCH),
        channels=fields.whole("in_channels", usual.channels, most=WIDEST_PATCH),
        rope_theta=fields.inner("rope_parameters").number("rope_theta", usual.rope_theta),
    )


def public_tower(vision: VisionSpec, model_type: str) -> dict[str, Any]:
    """The same as files have it."""
    return {
        "model_type": model_type,
        "depth": vision.depth,
        "num_heads": vision.heads,
        "in_channels": vision.channels,
        "patch_size": vision.patch,
        "spatial_merge_size": vision.merge,
        "temporal_patch_size": vision.temporal,
    }


def read_rope(text: Fields, kinds: tuple[str, ...]) -> Fields:
    """The object about rotary positions, under either of its names; other kinds than these are refused."""
    rope = text.inner("rope_parameters" if text.raw.get("rope_parameters") else "rope_scaling")
    if (kind := rope.raw.get("rope_type", rope.raw.get("type", "default"))) not in kinds:
        raise BadFolder(f"{rope.where}: type is {kind!r}, which is not built here; wanted {kinds[-1]!r}")
    return rope


def read_decoder(text: Fields, rope: Fields, usual: DecoderSpec) -> DecoderSpec:
    """What all decoders' fields say alike, over a decoder of class defaults. Raises BadFolder naming one."""
    text.fixed("hidden_act", "silu")
    sections = rope.wholes("mrope_section", usual.sections)
    if len(sections) != 3:
        raise BadFolder(f"{rope.where}: mrope_section is {list(sections)}; wanted three numbers")
    heads = text.whole("num_attention_heads", usual.heads)
    alone = text.raw.get("num_key_value_heads", usual.key_heads) is None
    return replace(
        usual,
        depth=text.whole("num_hidden_layers", usual.depth, most=DEEPEST),
        width=text.whole("hidden_size", usual.width),
        heads=heads,
        key_heads=heads if alone else text.whole("num_key_value_heads", usual.key_heads),
        vocabulary=text.whole("vocab_size", usual.vocabulary),
        sections=sections,
        rope_theta=rope.number("rope_theta", text.number("rope_theta", usual.rope_theta)),
        norm_eps=text.number("rms_norm_eps", usual.norm_eps),
        context=text.whole("max_position_embeddings", usual.context, most=2**40),
    )


def public_decoder(spec: ModelSpec) -> dict[str, Any]:
    """The same as files have it, with the ids that stand among it."""
    decoder = spec.decoder
    return {
        "bos_token_id": spec.ids.end_of_text,
        "eos_token_id": spec.ids.turn_end,
        "vocab_size": decoder.vocabulary,
        "hidden_size": decoder.width,
        "num_hidden_layers": decoder.depth,
        "num_attention_heads": decoder.heads,
        "num_key_value_heads": decoder.key_heads,
        "hidden_act": "silu",
        "max_position_embeddings": decoder.context,
        "rms_norm_eps": decoder.norm_eps,
        "rope_theta": decoder.rope_theta,
        "attention_dropout": 0.0,
        "use_cache": True,
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
    mark, highest = max(asdict(spec.ids).items(), key=lambda named: named[1])
    heads, key_heads, halves = decoder.heads, decoder.key_heads, 2 * sum(decoder.sections)
    widths = f"{vision.out_width} and {decoder.width}"
    evenly = vision.width % (4 * vision.heads) == 0
    whole = vision.window is None or vision.window % cell == 0
    cut = f"{list(decoder.sections)} and a head {decoder.head_width} wide"
    return {
        f"the tower's out width is not the decoder's width: {widths}": vision.out_width == decoder.width,
        f"the tower's width is not a multiple of 4 · heads: {vision.width} and {vision.heads} heads": evenly,
        f"a window is not a multiple of a merged cell: {vision.window} and {cell} pixels": whole,
        f"key heads do not divide the heads: {key_heads} and {heads}": heads % key_heads == 0,
        f"mrope_section does not sum to half a head: {cut}": halves == decoder.head_width,
        f"boxes is {spec.boxes!r}": spec.boxes in DIALECTS,
        f"the id of {mark} is {highest}, which is not in the vocabulary: its ids end at "
        f"{decoder.vocabulary - 1}": highest < decoder.vocabulary,
    }
