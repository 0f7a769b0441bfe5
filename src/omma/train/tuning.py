"""How a model is fitted to somebody's data: what a person may ask for, and what is chosen for them."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from omma.errors import BadRecipe
from omma.spec import ModelSpec
from omma.train.fields import check_fields
from omma.train.published import Published, published
from omma.train.recipe import PARTS, SEEDS, AdamW, Lines, Rate, Recipe

METHODS = ("auto", "lora", "full")
OF_PAIRS = ("published", "rank", "alpha", "dropout", "layers")
CHECKS = 20  # held-out losses in a whole run
SEEN, LEAST_TURNS, MOST_TURNS = 6000, 3, 20  # dialogues shown in all; how often each
RANK, DROPOUT = 16, 0.05  # of pairs where nobody says another
NARROW, WIDE = 256, 3584  # widths of decoders
RATES = {"lora": (1e-3, 1e-4), "full": (2e-4, 1e-5)}  # peak rates at the two


@dataclass(frozen=True)
class Tuning:
    """A wish. What is None or "auto" is chosen by `settled`, from the sizes of the data and the model.

    `method` "full" moves the weights themselves, "lora" lays low-rank pairs of `rank` beside the linear
    layers. `learns` names the parts that move: vision, bridge, decoder. `alpha` by `rank` scales the pairs,
    `dropout` is that of what goes into them, and `layers` says which layers carry one, by the last word of
    their names (query, key, value, out, gate, up, down …). `published` names a set of values in the place of
    the choices made here (`train/published.py`); what the wish says itself goes before it.
    `form` and `media` say how the data's records are written and where their pictures are, where that is not
    told by looking (see `omma.corpus.reading.Corpus`). `rate` is the peak learning rate, `turns` how often
    every dialogue comes up, `batch` the dialogues of a step. Training ends when `patience` checks in a row
    have brought nothing better.
    """

    data: str
    model: str = "omma-nano"
    test: str | None = None
    method: str = "auto"
    learns: tuple[str, ...] | None = None
    rank: int | None = None
    alpha: float | None = None
    dropout: float | None = None
    layers: tuple[str, ...] | None = None
    published: str | None = None
    rate: float | None = None
    turns: float | None = None
    batch: int | None = None
    patience: int = 6
    seed: int = 0
    form: str | None = None
    media: Path | None = None

    def check(self) -> None:
        """Raise BadRecipe naming the field that cannot be."""
        check_fields(self, "tuning")
        if self.method not in METHODS:
            raise BadRecipe(f"method is {self.method!r}; wanted one of {', '.join(METHODS)}")
        if self.learns is not None and not (self.learns and set(self.learns) <= set(PARTS)):
            raise BadRecipe(
                f"learns is {', '.join(self.learns) or 'empty'}; wanted at least one of {', '.join(PARTS)}"
            )
        if self.published is not None:
            published(self.published)
        if self.method == "full" and (said := [name for name in OF_PAIRS if getattr(self, name) is not None]):
            raise BadRecipe(f"{said[0]} is of an adapter's pairs, and method full has none; leave one out")
        if self.layers is not None and not all(self.layers or ("",)):
            raise BadRecipe(
                f"layers is {','.join(self.layers)!r}; wanted names of linear layers such as query,value"
            )
        limits = {"rank": (1, 4096), "patience": (1, 1000), "batch": (1, 65_536), "seed": (0, SEEDS)}
        for name, (low, high) in limits.items():
            if (value := getattr(self, name)) is not None and not low <= value <= high:
                raise BadRecipe(f"{name} is {value}; wanted a whole number from {low:,} to {high:,}")
        for name, most in {"rate": 1, "turns": 100_000, "alpha": 65_536}.items():
            if (number := getattr(self, name)) is not None and not 0 < number <= most:
                raise BadRecipe(f"{name} is {number}; wanted a number over 0, at most {most:,}")
        if self.dropout is not None and not 0 <= self.dropout <= 0.95:
            raise BadRecipe(f"dropout is {self.dropout}; wanted a number from 0 to 0.95")


class Pairs(NamedTuple):
    """Rank, scale and dropout of an adapter's pairs."""

    rank: int
    alpha: float
    dropout: float


@dataclass(frozen=True)
class Settled:
    """A wish with every choice made, and the recipe of its steps."""

    wish: Tuning
    recipe: Recipe
    every: int  # steps between two held-out losses

    @property
    def lora(self) -> bool:
        """Whether pairs learn, rather than the weights themselves."""
        return self.wish.method == "lora"

    @property
    def pairs(self) -> Pairs:
        """The numbers of the pairs, where such learn."""
        wish = self.wish
        if wish.rank is None or wish.alpha is None or wish.dropout is None:
            raise BadRecipe(f"method {wish.method} has no pairs; wanted lora")
        return Pairs(wish.rank, wish.alpha, wish.dropout)

    def fingerprint(self, data: str, model: str) -> str:
        """Tells whether two runs take the same steps: by the wish, the data's and the model's own hash."""
        facts = asdict(self.wish) | {"data": data, "model": model, "steps": self.recipe.steps}
        del facts["form"], facts["media"]
        facts = {name: value for name, value in facts.items() if value is not None or name not in OF_PAIRS}
        facts["test"] = self.wish.test is not None  # its hash is part of the data's
        return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def settled(wish: Tuning, spec: ModelSpec, folder: Path, lessons: int) -> Settled:
    """Choose what the wish leaves open, for a model of `spec` in `folder` and so many dialogues.

    Raises BadRecipe.
    """
    wish.check()
    method = "lora" if wish.method == "auto" else wish.method
    usual = published(wish.published) if wish.published else None
    wish = _with_pairs(replace(wish, method=method), usual)
    batch = wish.batch or (usual and usual.batch) or min(lessons, 8 if lessons <= 1000 else 16)
    turns = wish.turns or (usual and usual.turns) or min(max(SEEN / lessons, LEAST_TURNS), MOST_TURNS)
    steps = max(1, math.ceil(turns * lessons / batch))
    rate = wish.rate or (usual and usual.rate) or usual_rate(method, spec.decoder.width)
    learns = wish.learns or (usual.learns if usual else PARTS)
    wish = replace(wish, learns=learns, batch=batch, turns=turns, rate=rate)
    warm_up, final = (usual.warm_up, usual.final) if usual else (0.05, 0.1)
    decay = usual.weight_decay if usual else 0.0 if method == "lora" else 0.01
    recipe = Recipe(
        name="tune",
        model=spec,
        data=Lines(Path(wish.data), wish.form, wish.media),
        steps=steps,
        rate=Rate(peak=rate, final=rate * final, warm_up=max(1, math.floor(steps * warm_up + 1e-9))),
        processor=folder,
        learns=learns,
        dialogues=batch,
        roots=True,  # long answers do not drown short ones
        optimiser=AdamW(weight_decay=decay),
        seed=wish.seed,
    )
    recipe.check()
    return Settled(wish, recipe, max(1, round(steps / CHECKS)))


def _with_pairs(wish: Tuning, usual: Published | None) -> Tuning:
    """The wish with every number of its pairs said: its own, the published ones, or those chosen here."""
    if wish.method == "full":
        return wish
    rank = wish.rank or (usual.rank if usual else RANK)
    alpha = wish.alpha or (usual.alpha if usual else 2.0 * rank)
    dropout = usual.dropout if usual else DROPOUT
    return replace(
        wish,
        rank=rank,
        alpha=alpha,
        dropout=dropout if wish.dropout is None else wish.dropout,
        layers=wish.layers or (usual.layers if usual else None),
    )


def usual_rate(method: str, width: int) -> float:
    """The peak rate for a decoder of this width: between those two on a line of powers, never over the first.

    The first was chosen among rates tried on the bundled model (docs/log.md). The last of `full` is the
    published one (facts §8.1); pairs commonly learn ten times as fast as weights.
    """
    narrow, wide = RATES[method]
    share = math.log(width / NARROW) / math.log(WIDE / NARROW)
    return float(narrow * (wide / narrow) ** max(share, 0.0))
