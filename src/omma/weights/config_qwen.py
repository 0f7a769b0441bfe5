"""config.json of Qwen-VL and Qwen-VL-Chat (model_type "qwen", 2023), read to a spec and written from one."""

from __future__ import annotations

import math
from typing import Any

from omma.errors import BadFolder
from omma.prep.dialects import DIALECTS
from omma.spec import (
    DecoderSpec,
    Gelu,
    ModelSpec,
    Resampler,
    Stretch,
    SwiGLU,
    TokenIds,
    VisionSpec,
)
from omma.weights.fields import DEEPEST, WIDEST_PATCH, Fields

MODEL_TYPE, FAMILY = "qwen", "qwen-vl"
PLACES = 16  # the side of the tower's table: 256 rows, whatever the pictures' size
QUERIES = 256  # where the config does not say
LARGEST_SIDE = 8192  # pixels; each picture is made so large
HEAD = 128  # the width of a head of the resampler, which no config says
MARKS_BEFORE = 214  # from the end of text to the start of a picture (facts §5.1)
CHAT, RAW = "chatml", "raw"  # what generation_config.json says of how one talks to the model


def read_qwen(config: Fields, generation: Fields, boxes: str) -> ModelSpec:
    """The spec of a config and of the generation_config.json beside it. Raises BadFolder naming a field.

    `boxes` is the dialect that the config names, or "tags" (facts §1.1, §4.4).
    """
    if not isinstance(config.raw.get("visual"), dict):
        raise BadFolder(
            f"{config.where}: a Qwen without visual reads words alone; wanted Qwen-VL or Qwen-VL-Chat"
        )
    said = generation.raw.get("chat_format", CHAT)
    if said not in (CHAT, RAW):
        raise BadFolder(f"{generation.where}: chat_format is {said!r}; wanted {CHAT!r} or {RAW!r}")
    first = config.inner("visual").whole("image_start_id", 151_857, least=MARKS_BEFORE)
    return ModelSpec(
        vision=_vision(config.inner("visual")),
        decoder=_decoder(config),
        ids=ids_around(first),
        tokens_per_second=None,
        boxes=boxes,
        family=FAMILY,
        turns=said == CHAT,
    )


def ids_around(picture_start: int) -> TokenIds:
    """The ids of a vocabulary whose pictures begin with this one; a video's place is a picture's."""
    end = picture_start - MARKS_BEFORE
    pad = picture_start + 2
    return TokenIds(end, end + 1, end + 2, picture_start, picture_start + 1, image=pad, video=pad)


def public_qwen(spec: ModelSpec, dtype: str) -> dict[str, Any]:
    """config.json as the public folders have it; the code they point to is not part of ours."""
    decoder, stretch = spec.decoder, spec.decoder.stretch or Stretch(ntk=False, logn=False)
    return {
        "architectures": ["QWenLMHeadModel"],
        "model_type": MODEL_TYPE,
        "torch_dtype": dtype,
        "tokenizer_type": "QWenTokenizer",
        "hidden_size": decoder.width,
        "num_hidden_layers": decoder.depth,
        "num_attention_heads": decoder.heads,
        "kv_channels": decoder.head_width,
        "intermediate_size": 2 * decoder.feed_forward.width,
        "layer_norm_epsilon": decoder.norm_eps,
        "no_bias": True,
        "vocab_size": decoder.vocabulary,
        "tie_word_embeddings": decoder.tied,
        "rotary_emb_base": _plain_number(decoder.rope_theta),
        "rotary_pct": 1.0,
        "scale_attn_weights": True,
        "seq_length": stretch.trained,
        "use_dynamic_ntk": stretch.ntk,
        "use_logn_attn": stretch.logn,
        "max_position_embeddings": decoder.context,
        "attn_dropout_prob": 0.0,
        "emb_dropout_prob": 0.0,
        "use_cache": True,
        "visual": _public_visual(spec),
    }


def public_generation(spec: ModelSpec) -> dict[str, Any]:
    """What generation_config.json says of a model that is asked greedily."""
    end = spec.ids.end_of_text
    talk = CHAT if spec.turns else RAW
    return {"chat_format": talk, "do_sample": False, "eos_token_id": end, "pad_token_id": end}


def wrong_with(spec: ModelSpec) -> str | None:
    """What of a spec cannot be, or cannot be said in this format; None if all is well."""
    vision, decoder = spec.vision, spec.decoder
    side = vision.side or 0
    checks = {
        "the tower's out width is not the decoder's width": vision.out_width == decoder.width,
        "the tower's width is not a multiple of its heads": vision.width % vision.heads == 0,
        "pictures have no size of whole merged cells": side > 0 and side % (vision.patch * vision.merge) == 0,
        f"the tower's table is not {PLACES} places square": vision.places == PLACES,
        f"the bridge is no resampler with heads {HEAD} wide": vision.resampler == Resampler(HEAD),
        f"the decoder's width is not a multiple of {HEAD}": decoder.width % HEAD == 0,
        f"boxes is {spec.boxes!r}": spec.boxes in DIALECTS,
        "the tower is not Qwen-VL's": vision == _tower(vision),
        "the decoder is not Qwen-7B's": decoder == _plain(decoder),
        "the decoder's width is not heads · head width": decoder.heads * decoder.head_width == decoder.width,
        "the width of a head is odd": decoder.head_width % 2 == 0,
        "the ids do not follow one another as in qwen.tiktoken": spec.ids
        == ids_around(spec.ids.vision_start),
        "the id of a mark is not in the vocabulary": spec.ids.image < decoder.vocabulary,
    }
    return next((wrong for wrong, holds in checks.items() if not holds), None)


def _vision(fields: Fields) -> VisionSpec:
    side = fields.whole("image_size", 448, most=LARGEST_SIDE)
    patch = fields.whole("patch_size", 14, most=WIDEST_PATCH)
    queries, width = fields.whole("n_queries", QUERIES), fields.whole("width", 1664)
    merge = side // patch // math.isqrt(queries) or 1
    if side % patch or merge * math.isqrt(queries) * patch != side or math.isqrt(queries) ** 2 != queries:
        raise BadFolder(
            f"{fields.where}: {queries} queries do not lie evenly over pictures of {side} pixels a side in "
            f"patches of {patch}; wanted 448, 14 and {QUERIES}, or numbers that divide alike"
        )
    shape = VisionSpec(
        depth=fields.whole("layers", 48, most=DEEPEST),
        width=width,
        heads=fields.whole("heads", 16),
        feed_forward=Gelu(int(width * fields.number("mlp_ratio", 4.9231)), "erf"),
        out_width=fields.whole("output_dim", 4096),
        patch=patch,
        merge=merge,
        side=side,
    )
    return _tower(shape)


def _tower(spec: VisionSpec) -> VisionSpec:
    """The tower of these sizes, all else as Qwen-VL has it."""
    return VisionSpec(
        **{name: getattr(spec, name) for name in ("depth", "width", "heads", "out_width", "patch", "merge")},
        feed_forward=Gelu(spec.feed_forward.width, "erf"),
        temporal=1,
        window=None,
        full_layers=(),
        norm="layer",
        places=PLACES,
        side=spec.side,
        resampler=Resampler(HEAD),
    )


def _decoder(fields: Fields) -> DecoderSpec:
    fields.fixed("no_bias", True)
    fields.fixed("rotary_pct", 1.0)
    fields.fixed("scale_attn_weights", True)
    heads, head_width = fields.whole("num_attention_heads", 32), fields.whole("kv_channels", 128)
    if (feed := fields.whole("intermediate_size", 22_016)) % 2:
        raise BadFolder(f"{fields.where}: intermediate_size is {feed}; wanted an even number, two branches")
    trained = fields.whole("seq_length", 2048, least=2)
    return DecoderSpec(
        depth=fields.whole("num_hidden_layers", 32, most=DEEPEST),
        width=fields.whole("hidden_size", 4096),
        heads=heads,
        key_heads=heads,
        head_width=head_width,
        feed_forward=SwiGLU(feed // 2),
        vocabulary=fields.whole("vocab_size", 151_936),
        tied=fields.flag("tie_word_embeddings"),
        sections=(head_width // 2, 0, 0),
        rope_theta=fields.number("rotary_emb_base", 10_000.0),
        norm_eps=fields.number("layer_norm_epsilon", 1e-6),
        context=fields.whole("max_position_embeddings", 8192, most=2**40),
        fused=True,
        stretch=Stretch(trained, fields.flag("use_dynamic_ntk"), fields.flag("use_logn_attn")),
    )


def _plain(spec: DecoderSpec) -> DecoderSpec:
    """The decoder of these sizes, all else as Qwen-7B has it."""
    sizes = ("depth", "width", "heads", "head_width", "vocabulary", "rope_theta", "norm_eps", "context")
    return DecoderSpec(
        **{name: getattr(spec, name) for name in sizes},
        key_heads=spec.heads,
        feed_forward=SwiGLU(spec.feed_forward.width),
        tied=spec.tied,
        sections=(spec.head_width // 2, 0, 0),
        fused=True,
        stretch=spec.stretch or Stretch(),
    )


def _public_visual(spec: ModelSpec) -> dict[str, Any]:
    vision, side = spec.vision, spec.vision.side or 0
    visual = {
        "heads": vision.heads,
        "image_size": side,
        "image_start_id": spec.ids.vision_start,
        "layers": vision.depth,
        "mlp_ratio": _ratio(vision.feed_forward.width, vision.width),
        "output_dim": vision.out_width,
        "patch_size": vision.patch,
        "width": vision.width,
    }
    queries = (side // vision.patch // vision.merge) ** 2
    return visual | ({} if queries == QUERIES else {"n_queries": queries})


def _ratio(feed: int, width: int) -> float:
    """A ratio whose product with the width is cut down to the feed-forward's; of four digits if it can."""
    short = round(feed / width, 4)
    return short if int(width * short) == feed else (feed + 0.5) / width


def _plain_number(value: float) -> float | int:
    """A whole number without a point, as the public files have it."""
    return int(value) if float(value).is_integer() else value
