"""How a training run goes: one frozen dataclass that a recipe file fills in, and its checks."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeAlias

from omma.errors import BadRecipe
from omma.spec import Experts, ModelSpec, stated
from omma.train.fields import check_fields
from omma.train.sources import Course, Data, Lines, Mix, Share, Worlds, check_data, without_places

__all__ = [
    "PARTS",
    "SEEDS",
    "AdamW",
    "Course",
    "Data",
    "Lines",
    "Mix",
    "Muon",
    "Rate",
    "Recipe",
    "Share",
    "Worlds",
]

PARTS = ("vision", "bridge", "decoder")
PASSING = ("save_every", "check_every", "check_dialogues", "keep", "gives", "processor", "start", "head")
ROOTS = ("vision.", "decoder.", "head.")  # what parameters' names begin with
SEEDS = 10**12  # the highest: a step's own, this by a million and three, is still a number of 64 bits
_BELOW_1 = 1 - 1e-9


@dataclass(frozen=True)
class Rate:
    """Learning rate over the steps: linear warm-up, then `shape` from `peak` to `final`.

    "cosine" falls all the way; "trapezoid" stays at the peak and falls in the last `fall` of the steps.
    """

    peak: float
    final: float = 0.0
    warm_up: int = 100
    shape: str = "cosine"
    fall: float = 0.2


@dataclass(frozen=True)
class AdamW:
    """Decoupled weight decay for every matrix; norms, biases and embeddings are not decayed."""

    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    weight_decay: float = 0.05


@dataclass(frozen=True)
class Muon:
    """Orthogonalised momentum for the inner matrices (Jordan et al. 2024), AdamW for everything else.

    Updates are scaled to AdamW's size (Liu et al. 2025), so one learning rate serves both. Orthogonalising
    costs the cube of a matrix's shorter side: `apart` names (by their start) parameters left to AdamW.
    """

    momentum: float = 0.95
    apart: tuple[str, ...] = ()
    weight_decay: float = 0.05
    others: AdamW = AdamW()


@dataclass(frozen=True)
class Recipe:
    """One stage of a school.

    `start` is a model to go on from, by its folder or its name, None random weights; `head` its dense head,
    by default the folder's marks.safetensors. `processor` is a folder with the tokenizer and the picture
    rules; `min_pixels` and `max_pixels` narrow its limits while the stage lasts. `learns` names the parts
    that move. `scale` turns the learning rate up or down by how names begin; `tower_decay` lowers it layer by
    layer down the tower, most at the patches. `dialogues` go into one optimiser step, cut into `micro`
    passes; `longest` is the most tokens one may have. Where their lengths differ much, `tokens` in the place
    of `micro` bounds memory: the step's dialogues are laid into as many passes as it takes for none to have
    more tokens, visual ones counted. The step stays the same: losses are means over all passes. A drawn
    dialogue that alone has more than `longest` or `tokens` ends the run, a data file's record is set aside.
    `seed` is from 0 to a million millions.

    `marks` weighs the dense loss on the tower's features (what stands at each place of the picture), `names`
    that on naming it by the words' own embeddings (`train/names.py`); `words` weighs the loss on answers, and
    0 leaves the decoder out of the step. With `apart` the turns about a drawn picture do not see one another
    (`train/branches.py`). A dialogue weighs what it says in tokens, with `roots` the square root of that,
    with `alike` as much as any other; apart, every turn is one of its own.

    In a model with experts, `balance` weighs how unevenly tokens fall on them and `z_loss` how large their
    routers' scores grow (`train/routers.py`); 1e-3 is usual for each.
    `average` is the decay of a running mean of the weights (0: none is kept); `gives` says which of them the
    finished model holds, "last" or "average". With `recompute` layers keep their input alone and run again
    in the backward pass. `precision` is "auto", "float32" or "bfloat16"; masters are always float32.
    """

    name: str
    model: ModelSpec
    data: Data
    steps: int
    rate: Rate
    processor: Path
    start: Path | str | None = None
    head: Path | None = None
    learns: tuple[str, ...] = PARTS
    dialogues: int = 16
    micro: int = 1
    longest: int | None = None
    tokens: int | None = None
    min_pixels: int | None = None
    max_pixels: int | None = None
    optimiser: AdamW | Muon = field(default_factory=AdamW)
    scale: dict[str, float] = field(default_factory=dict)  # start of a name → factor on the learning rate
    tower_decay: float = 1.0
    clip: float = 1.0
    words: float = 1.0
    marks: float = 0.0
    names: float = 0.0
    balance: float = 0.0
    z_loss: float = 0.0
    apart: bool = False
    roots: bool = False
    alike: bool = False
    average: float = 0.0
    gives: str = "last"
    recompute: bool = False
    precision: str = "auto"
    seed: int = 0
    save_every: int = 200
    check_every: int = 200
    check_dialogues: int = 96
    keep: int = 2

    def check(self) -> None:
        """Raise BadRecipe naming the field that cannot be, UnknownOption for a form that nobody reads."""
        check_fields(self, "recipe")
        for wrong, sentence in (*_counts(self), *_choices(self), *_numbers(self), *_losses(self)):
            if wrong:
                raise BadRecipe(sentence)
        check_data(self.data)

    def fingerprint(self) -> str:
        """Tells whether two recipes make the same weights step by step; where things stand is left out.

        What stands there has a digest of its own: `train/ground.py`.
        """
        facts = {name: value for name, value in asdict(self).items() if name not in PASSING}
        facts["model"] = stated(self.model)
        for name, silent in (("tokens", None), ("balance", 0), ("z_loss", 0), ("names", 0)):
            if getattr(self, name) == silent:
                facts.pop(name)  # as in recipes of before, whose runs can go on
        facts["data"] = without_places(facts["data"])
        text = json.dumps(facts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


Complaint: TypeAlias = tuple[bool, str]


def _counts(recipe: Recipe) -> Iterator[Complaint]:
    for name in ("steps", "dialogues", "micro", "save_every", "check_every", "keep"):
        value = getattr(recipe, name)
        yield value < 1, f"{name} is {value}; wanted a whole number, 1 or more"
    for name in ("longest", "tokens", "min_pixels", "max_pixels"):
        value = getattr(recipe, name)
        wrong = value is not None and value < 1
        yield wrong, f"{name} is {value}; wanted a whole number, 1 or more, or None"
    yield not 0 <= recipe.seed <= SEEDS, f"seed is {recipe.seed}; wanted a whole number from 0 to {SEEDS:,}"
    yield (
        recipe.tokens is not None and recipe.micro > 1,
        f"micro is {recipe.micro} and tokens {recipe.tokens}; each cuts a step into passes, so take one",
    )
    checked = recipe.check_dialogues
    yield checked < 0, f"check_dialogues is {checked}; wanted 0 or more"
    least, most = recipe.min_pixels, recipe.max_pixels
    yield (
        least is not None and most is not None and least > most,
        f"min_pixels is {least} and max_pixels {most}; wanted the first no greater than the second",
    )
    yield (
        recipe.dialogues % recipe.micro > 0,
        f"{recipe.dialogues} dialogues do not divide into {recipe.micro} passes",
    )


def _choices(recipe: Recipe) -> Iterator[Complaint]:
    yield (
        not recipe.name or Path(recipe.name).name != recipe.name,
        f"name is {recipe.name!r:.80}; wanted one that a folder may have, without a slash",
    )
    choices = {
        "rate.shape": (recipe.rate.shape, ("cosine", "trapezoid")),
        "precision": (recipe.precision, ("auto", "float32", "bfloat16")),
        "gives": (recipe.gives, ("last", "average")),
    }
    for name, (value, known) in choices.items():
        yield value not in known, f"{name} is {value!r}; wanted {' or '.join(known)}"
    yield (
        not recipe.learns or not set(recipe.learns) <= set(PARTS),
        f"learns is {recipe.learns}; wanted at least one of {', '.join(PARTS)}",
    )
    strange = sorted(start for start in recipe.scale if not start.startswith(ROOTS))
    yield bool(strange), f"scale names {', '.join(strange)}; wanted starts such as {', '.join(ROOTS)}"
    yield (
        recipe.gives == "average" and recipe.average == 0,
        "gives is 'average' but average is 0, so that none is kept; wanted a decay such as 0.999",
    )


def _numbers(recipe: Recipe) -> Iterator[Complaint]:
    adamw = recipe.optimiser.others if isinstance(recipe.optimiser, Muon) else recipe.optimiser
    ranges: dict[str, tuple[float, float, float]] = {
        "rate.final": (recipe.rate.final, 0, recipe.rate.peak),
        "rate.warm_up": (recipe.rate.warm_up, 0, math.inf),
        "clip": (recipe.clip, 1e-12, math.inf),
        "words": (recipe.words, 0, math.inf),
        "marks": (recipe.marks, 0, math.inf),
        "names": (recipe.names, 0, math.inf),
        "balance": (recipe.balance, 0, math.inf),
        "z_loss": (recipe.z_loss, 0, math.inf),
        "average": (recipe.average, 0, _BELOW_1),
        "tower_decay": (recipe.tower_decay, 1e-3, 1),
        "optimiser.weight_decay": (recipe.optimiser.weight_decay, 0, math.inf),
        "the first beta": (adamw.betas[0], 0, _BELOW_1),
        "the second beta": (adamw.betas[1], 0, _BELOW_1),
        "eps": (adamw.eps, 0, math.inf),
        "the weight_decay of AdamW": (adamw.weight_decay, 0, math.inf),
        **{f"scale[{start!r}]": (factor, 0, math.inf) for start, factor in recipe.scale.items()},
    }
    if isinstance(recipe.optimiser, Muon):
        ranges["optimiser.momentum"] = (recipe.optimiser.momentum, 0, _BELOW_1)
    peak, fall = recipe.rate.peak, recipe.rate.fall
    yield not 0 < peak < math.inf, f"rate.peak is {peak!r}; wanted a number over 0"
    yield not 0 < fall <= 1, f"rate.fall is {fall!r}; wanted a share of the steps, over 0 and at most 1"
    for name, (value, low, high) in ranges.items():
        within = f"from {low:g} to {high:g}" if high < math.inf else f"of {low:g} or more"
        within = f"from {low:g} to below 1" if high == _BELOW_1 else within
        yield not (low <= value <= high and math.isfinite(value)), f"{name} is {value!r}; wanted one {within}"


def _losses(recipe: Recipe) -> Iterator[Complaint]:
    yield recipe.words == 0 and recipe.marks == 0, "words and marks are both 0; nothing would be learned"
    yield (
        recipe.words == 0 and "decoder" in recipe.learns,
        "the decoder cannot learn with words at 0; leave it out of learns",
    )
    yield (
        recipe.names > 0 and not recipe.marks,
        "names are learned from marks, and marks is 0; weigh them too",
    )
    yield (
        recipe.marks > 0 and not isinstance(recipe.data, Worlds),
        "marks need drawn worlds, which know every place of a picture; files do not",
    )
    yield (
        recipe.head is not None and not recipe.marks,
        f"head is {recipe.head}, which nothing reads while marks is 0; weigh marks, or leave head out",
    )
    model, learns = recipe.model, recipe.learns
    decoders = isinstance(model.decoder.feed_forward, Experts) and "decoder" in learns
    towers = isinstance(model.vision.feed_forward, Experts) and "vision" in learns
    yield (
        max(recipe.balance, recipe.z_loss) > 0 and not (decoders or towers),
        "balance and z_loss are for routers of experts, and no part that learns has any; leave them at 0",
    )
    yield recipe.roots and recipe.alike, "roots and alike are both on; a dialogue can weigh one way only"
