"""A run before its first step: the model it starts from, what of it learns, and the ground it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from omma.errors import BadFolder, BadRecipe
from omma.loading import load_folder, resolve
from omma.model.vlm import Vlm
from omma.synth.colours import COLOURS
from omma.synth.world import CLASSES
from omma.train import checkpoint
from omma.train.feed import read_processor
from omma.train.ground import ground
from omma.train.marks import MarksHead
from omma.train.names import lexicon
from omma.train.numbers import Numbers, numbers_for
from omma.train.optimise import Named, Optimiser
from omma.train.passes import Pupil
from omma.train.rate import part_of
from omma.train.recipe import Muon, Recipe
from omma.train.recompute import recompute_layers
from omma.train.routers import Routers
from omma.train.shard import ALONE, Ranks, shard


@dataclass
class Run:
    """A model on its way: what a step changes and what a checkpoint holds."""

    pupil: Pupil
    optimiser: Optimiser
    ground: dict[str, str]
    ranks: Ranks = ALONE
    step: int = 0

    @property
    def model(self) -> Vlm:
        """The model itself."""
        return self.pupil.model

    @property
    def head(self) -> MarksHead | None:
        """The dense head beside it."""
        return self.pupil.head


def begin(recipe: Recipe, device: str, ranks: Ranks = ALONE, *, numbers: Numbers | None = None) -> Run:
    """The model before the first step: from the recipe's start, or from random weights of its seed.

    It computes in `numbers`, by default what the recipe asks for; its masters are float32. Raises BadRecipe
    when the recipe does not fit the model, BadCheckpoint when the ranks' ground differs.
    """
    numbers = numbers or numbers_for(recipe.precision, device)
    dtype = numbers.dtype
    model = _model(recipe, spread=ranks.count > 1)
    numbers.lay(model)
    torch.manual_seed(recipe.seed)
    head = _head(recipe) if recipe.marks else None
    pupil = Pupil(
        model,
        head,
        words=recipe.words,
        marks=recipe.marks,
        together=ranks.count > 1,
        names=recipe.names,
        lexicon=lexicon(read_processor(recipe).tokenizer) if recipe.names else None,
    )
    _check_names(recipe, _named(pupil))
    stands = ground(recipe, _named(pupil), numbers)
    ranks.agree(stands | {"recipe": recipe.fingerprint()}, "ground")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(part_of(name) in recipe.learns)
    if routers := Routers(model, balance=recipe.balance, z=recipe.z_loss):
        pupil.routers = routers
    if recipe.recompute:
        recompute_layers(model)
    if ranks.count > 1:
        shard(pupil, ranks, dtype)
        optimiser = Optimiser(_learning(pupil), recipe)
    else:
        pupil.to(device)
        optimiser = Optimiser(_learning(pupil), recipe, rounded=dtype != torch.float32)
        pupil.to(dtype)
    return Run(pupil, optimiser, stands, ranks)


def _model(recipe: Recipe, *, spread: bool) -> Vlm:
    """The model in fp32 on the processor; one that is to be spread stays mapped as its files hold it."""
    if recipe.start is None:
        model = Vlm(recipe.model)
        model.initialise(torch.Generator().manual_seed(recipe.seed))
        return model
    loaded = load_folder(recipe.start, device="cpu", dtype="auto" if spread else "float32")
    if loaded.spec != recipe.model:
        raise BadRecipe(f"{recipe.start} holds another model than the recipe's; wanted the same spec")
    return loaded.model


def _head(recipe: Recipe) -> MarksHead:
    """The dense head: the recipe's, or as it stands beside the model that it starts from, or afresh."""
    vision = recipe.model.vision
    head = MarksHead(vision.width, vision.out_width, len(CLASSES), len(COLOURS))
    kept = recipe.head
    if kept is None and recipe.start is not None:
        beside = resolve(recipe.start) / "marks.safetensors"
        kept = beside if beside.exists() else None
    if kept is not None:
        try:
            head.load_state_dict(checkpoint.read(kept))
        except RuntimeError:
            raise BadFolder(f"{kept} is of another head; remove it to begin with a fresh one") from None
    return head


def _named(pupil: Pupil) -> Named:
    """All weights by the names that recipes know."""
    head = [] if pupil.head is None else list(pupil.head.named_parameters(prefix="head"))
    return [*pupil.model.named_parameters(), *head]


def _learning(pupil: Pupil) -> Named:
    return [(name, parameter) for name, parameter in _named(pupil) if parameter.requires_grad]


def _check_names(recipe: Recipe, named: Named) -> None:
    """Raise BadRecipe for a start of names that no parameter has: it would turn nothing up or down."""
    apart: Sequence[str] = recipe.optimiser.apart if isinstance(recipe.optimiser, Muon) else ()
    for start in (*recipe.scale, *apart):
        if not start.startswith("head.") and not any(name.startswith(start) for name, _ in named):
            raise BadRecipe(f"no parameter's name begins with {start!r}; the first is called {named[0][0]}")
