"""Values of LoRA that were published with the models, as whole sets that a fitting can begin from."""

from __future__ import annotations

from dataclasses import dataclass

from omma.errors import BadRecipe

ATTENTION = ("query", "key", "value", "qkv", "out")  # qkv where the three are one matrix


@dataclass(frozen=True)
class Published:
    """What a published program fits with, where it says so; None leaves the choice to `tuning.settled`.

    `layers` are the linear layers that carry pairs, by the last word of their names here, of the parts that
    learn. `warm_up` and `final` are shares: of the steps, and of the peak rate.
    """

    rank: int
    alpha: float
    dropout: float
    layers: tuple[str, ...]
    learns: tuple[str, ...] = ("decoder",)
    rate: float | None = None
    turns: float | None = None
    batch: int | None = None
    weight_decay: float = 0.0
    warm_up: float = 0.05
    final: float = 0.1


SETS = {
    # Facts §8.1: c_attn, attn.c_proj, w1 and w2 of the decoder, by the values of finetune/finetune_lora_*.sh.
    "qwen-vl": Published(
        rank=64, alpha=16, dropout=0.05, layers=(*ATTENTION, "gate", "up"),
        rate=1e-5, turns=5, batch=16, weight_decay=0.1, warm_up=0.01, final=0.0,
    ),
    # Facts §8.4. Its dropout of 0 is taken for none said, and 0.05 stands in the program for that.
    "qwen3-vl": Published(
        rank=64, alpha=128, dropout=0.05, layers=ATTENTION, weight_decay=0.01, warm_up=0.03, final=0.0
    ),
}  # fmt: skip


def published(name: str) -> Published:
    """The set of this name. Raises BadRecipe with those that are known."""
    try:
        return SETS[name]
    except KeyError:
        raise BadRecipe(f"published is {name!r}; wanted one of {', '.join(SETS)}") from None
