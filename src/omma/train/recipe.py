"""How a training run goes: one frozen dataclass that a recipe file fills in, and its checks."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from omma.errors import BadRecipe
from omma.sample import Size
from omma.spec import ModelSpec

PARTS = ("vision", "bridge", "decoder")
ROOTS = ("vision.", "decoder.", "head.")  # what parameters' names begin with


@dataclass(frozen=True)
class Course:
    """One world at one level, and how often it comes up. `sizes` are drawn evenly; empty: the world's own."""

    world: str
    weight: float = 1.0
    level: int = 0
    sizes: tuple[Size, ...] = ()


@dataclass(frozen=True)
class Worlds:
    """Pictures drawn while the run goes: endless, never stored, sample i the same for everyone."""

    courses: tuple[Course, ...]
    fonts: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Lines:
    """Dialogues from JSON Lines, in a new order each time round; one line in twenty is kept for the check."""

    path: Path


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

    `start` is a model's folder to go on from; None means random weights. `learns` names the parts that move.
    `dialogues` go into one optimiser step, cut into `micro` passes. `marks` weighs the dense loss on the
    tower's features (what stands at each place of the picture); `words` weighs the loss on answers, and 0
    leaves the decoder out of the step. With `apart` the turns about a drawn picture do not see one another
    (`train/branches.py`); with `roots` an answer weighs the square root of its length instead of its length.
    `precision` is "auto", "float32" or "bfloat16"; masters are always float32. `processor` is a folder with
    the tokenizer and the picture rules.
    """

    name: str
    model: ModelSpec
    data: Worlds | Lines
    steps: int
    rate: Rate
    processor: Path
    start: Path | None = None
    learns: tuple[str, ...] = PARTS
    dialogues: int = 16
    micro: int = 1
    optimiser: AdamW | Muon = field(default_factory=AdamW)
    scale: dict[str, float] = field(default_factory=dict)  # start of a name → factor on the learning rate
    clip: float = 1.0
    words: float = 1.0
    marks: float = 0.0
    apart: bool = False
    roots: bool = False
    precision: str = "auto"
    seed: int = 0
    save_every: int = 200
    check_every: int = 200
    check_dialogues: int = 96
    keep: int = 2

    def check(self) -> None:
        """Raise BadRecipe naming the field that cannot be."""
        if not self.learns or not set(self.learns) <= set(PARTS):
            raise BadRecipe(f"learns is {self.learns}; wanted at least one of {', '.join(PARTS)}")
        if strange := [start for start in self.scale if not start.startswith(ROOTS)]:
            raise BadRecipe(
                f"scale names {', '.join(sorted(strange))}; wanted starts such as {', '.join(ROOTS)}"
            )
        for name in ("steps", "dialogues", "micro", "save_every", "check_every", "keep"):
            if getattr(self, name) < 1:
                raise BadRecipe(f"{name} is {getattr(self, name)}; wanted 1 or more")
        if self.dialogues % self.micro:
            raise BadRecipe(f"{self.dialogues} dialogues do not divide into {self.micro} passes")
        if self.rate.shape not in ("cosine", "trapezoid"):
            raise BadRecipe(f"rate.shape is {self.rate.shape!r}; wanted cosine or trapezoid")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise BadRecipe(f"precision is {self.precision!r}; wanted auto, float32 or bfloat16")
        if self.words == 0 and self.marks == 0:
            raise BadRecipe("words and marks are both 0; nothing would be learned")
        if self.words == 0 and "decoder" in self.learns:
            raise BadRecipe("the decoder cannot learn with words at 0; leave it out of learns")
        if self.marks and isinstance(self.data, Lines):
            raise BadRecipe("marks need drawn worlds, which know every place of a picture; files do not")
        if isinstance(self.data, Worlds) and not self.data.courses:
            raise BadRecipe("data names no course; wanted at least one world")

    def fingerprint(self) -> str:
        """Tells whether two recipes make the same weights step by step; where they stand is left out."""
        facts = asdict(self)
        for passing in ("save_every", "check_every", "check_dialogues", "keep", "processor", "start"):
            facts.pop(passing)
        facts["data"].pop("fonts", None)
        text = json.dumps(facts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
