"""config.json of described models: Qwen2.5-VL's words, and words of our own where there are none.

Its model_type is one that no other program knows. What would be read without its experts, or shown frames
without the words before them, would be another model under the same name.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from omma.errors import BadFolder
from omma.spec import Experts, FeedForward, ModelSpec, SwiGLU, Written
from omma.weights.config_parts import read_ids, told_beside
from omma.weights.config_qwen2 import (
    plain_checks,
    plain_decoder,
    public_plain_decoder,
    public_windowed_tower,
    windowed,
    windowed_tower,
)
from omma.weights.fields import Fields

MODEL_TYPE, FAMILY = "omma_described", "described"
FAMILIES = {MODEL_TYPE: FAMILY}
BOXES = "pixels"
MOST_DECIMALS = 3


def read(config: Fields) -> ModelSpec:
    """The spec of a config; an absent field is as in Qwen2.5-VL's. Raises BadFolder naming the field."""
    vision, ours = config.inner("vision_config"), config.inner("omma")
    tower = windowed_tower(vision)
    rate = vision.raw.get("tokens_per_second")
    return ModelSpec(
        vision=replace(tower, feed_forward=_feed(vision)) if "num_experts" in vision.raw else tower,
        decoder=plain_decoder(config, config),
        ids=read_ids(config, config),
        tokens_per_second=None if rate is None else vision.number("tokens_per_second", 2.0),
        boxes=str(ours.raw.get("boxes", BOXES)),
        family=FAMILY,
        written_times=_written(ours.inner("written_times")) if "written_times" in ours.raw else None,
    )


def checks(spec: ModelSpec) -> dict[str, bool]:
    """What would be wrong with a spec in this format, in words, and whether it is not so."""
    written = spec.written_times
    return plain_checks(spec) | {
        "the tower has no windows, or norms of another kind": windowed(spec.vision),
        **_checks_feed(spec.vision.feed_forward),
        "written_times writes nothing": written is None or _says_something(written),
    }


def public(spec: ModelSpec, dtype: str) -> dict[str, Any]:
    """config.json, flat; what has no public word stands under "omma"."""
    ours = told_beside(spec, BOXES).get("omma", {})
    if spec.written_times is not None:
        ours |= {"written_times": asdict(spec.written_times)}
    return {
        "architectures": ["OmmaDescribed"],
        "model_type": MODEL_TYPE,
        **public_plain_decoder(spec, dtype),
        "vision_config": public_windowed_tower(spec.vision, MODEL_TYPE)
        | {"tokens_per_second": spec.tokens_per_second}
        | _public_feed(spec.vision.feed_forward),
        "omma": ours,
    }


def _feed(vision: Fields) -> Experts:
    return Experts(
        width=vision.whole("moe_intermediate_size", 0),
        count=vision.whole("num_experts", 0),
        chosen=vision.whole("num_experts_per_tok", 0),
    )


def _public_feed(feed: FeedForward) -> dict[str, Any]:
    match feed:
        case Experts(width, count, chosen):
            return {"moe_intermediate_size": width, "num_experts": count, "num_experts_per_tok": chosen}
        case _:
            return {}


def _checks_feed(feed: FeedForward) -> dict[str, bool]:
    match feed:
        case Experts(_, count, chosen):
            return {f"{chosen} experts of {count} are chosen": 1 <= chosen <= count}
        case SwiGLU(bias=True):
            return {}
        case _:
            return {"the tower's feed-forward is neither a gated one with biases nor experts": False}


def _written(fields: Fields) -> Written:
    if unread := sorted(fields.raw.keys() - asdict(Written()).keys()):
        raise BadFolder(f"{fields.where} has {', '.join(unread)}, which nobody reads; take it out")
    return Written(
        number=fields.flag("number"),
        stamp=fields.flag("stamp"),
        interval=fields.flag("interval"),
        decimals=fields.whole("decimals", 1, least=0, most=MOST_DECIMALS),
    )


def _says_something(written: Written) -> bool:
    some = written.number or written.stamp or written.interval
    return some and 0 <= written.decimals <= MOST_DECIMALS
