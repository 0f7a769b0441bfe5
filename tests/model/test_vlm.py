"""What must hold of the model in every generation: packed = alone, all of it learns, order in = order out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.chunks import logits_in_chunks
from omma.errors import PlaceholderMismatch
from omma.model import attend
from omma.model.attend import Segments
from omma.model.decoder import Embedded
from omma.model.layers import feed_forward
from omma.model.pieces import whole
from omma.model.vlm import Vlm
from omma.presets import DESCRIBED, GENERATIONS, tiny
from omma.sample import Grid, Sample, Size, Visual, pack
from omma.spec import ModelSpec

every_generation = pytest.mark.parametrize("generation", [*GENERATIONS, *DESCRIBED])
GRIDS = (Grid(1, 6, 10), Grid(2, 4, 4), Grid(1, 16, 16))


def drawn(spec: ModelSpec) -> Vlm:
    """A model with random weights, large enough that its parts matter."""
    model = Vlm(spec)
    model.initialise(torch.Generator().manual_seed(0))
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(4 if weight.ndim > 1 else 1)
    return model


def rows(spec: ModelSpec, *grids: Grid) -> Tensor:
    patches = sum(grid.patches for grid in grids)
    return torch.randn(patches, spec.vision.row, generator=torch.Generator().manual_seed(patches))


def think(model: Vlm, ids_T: Tensor, starts: tuple[int, ...]) -> Tensor:
    positions = torch.cat([torch.arange(b - a) for a, b in pairwise(starts)]).expand(3, -1)
    hidden = model(model.embed(ids_T, None, None), positions, Segments(starts))
    return model.logits(hidden)


@every_generation
def test_a_packed_sample_says_what_it_says_alone(generation: str) -> None:
    model = drawn(tiny(generation))
    ids, starts = torch.arange(60), (0, 7, 40, 41, 60)
    packed = think(model, ids, starts)
    alone = [think(model, ids[a:b], (0, b - a)) for a, b in pairwise(starts)]
    assert torch.allclose(packed, torch.cat(alone), atol=1e-5)


def shown(spec: ModelSpec, grid: Grid, words: int) -> Sample:
    """A picture and some words."""
    cells = grid.cells(spec.vision.merge)
    ids = np.array([spec.ids.image] * cells + list(range(words)))
    size = Size(grid.columns * spec.vision.patch, grid.rows * spec.vision.patch)
    visual = Visual("image", rows(spec, grid).numpy(), grid, 0, cells, size, size)
    return Sample(ids, np.tile(np.arange(len(ids)), (3, 1)), (visual,))


@every_generation
def test_a_pack_is_read_as_its_samples_are_alone(generation: str) -> None:
    model = drawn(tiny(generation))
    words = Sample(np.arange(11), np.tile(np.arange(11), (3, 1)))
    samples = [shown(model.spec, Grid(1, 4, 6), 5), words, shown(model.spec, Grid(1, 2, 2), 9)]
    together = pack(samples)
    read = model.read(together, Segments(together.starts))
    alone = [model.read(pack([one]), Segments((0, one.length))) for one in samples]
    assert torch.allclose(read, torch.cat(alone), atol=1e-5)
    assert together.rows_PC is not None
    seen = model.see(torch.from_numpy(together.rows_PC), together.grids)
    assert torch.equal(model.read(together, Segments(together.starts), seen), read)
    with pytest.raises(PlaceholderMismatch, match="features"):
        model.read(together, Segments(together.starts), seen[1:])


@every_generation
@pytest.mark.parametrize("wanted", [[7, 0, 12, 7], [], None])
def test_wanted_rows_are_those_of_the_whole(generation: str, wanted: list[int] | None) -> None:
    model = drawn(tiny(generation))
    together = pack([shown(model.spec, Grid(1, 4, 6), 5), shown(model.spec, Grid(1, 2, 2), 9)])
    attend = Segments(together.starts)
    wanted_A = None if wanted is None else torch.tensor(wanted, dtype=torch.int64)
    whole_TD = model.read(together, attend)
    part_AD = model.read(together, attend, wanted_A=wanted_A)
    assert torch.allclose(part_AD, whole_TD if wanted_A is None else whole_TD[wanted_A], atol=1e-5)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_what_deepstack_adds_after_the_last_layer_reaches_wanted_rows(levels: int) -> None:
    spec = tiny("qwen3-vl")
    model = drawn(replace(spec, decoder=replace(spec.decoder, depth=2)))
    seen = torch.randn(3, (1 + levels) * spec.decoder.width)
    deep_LND = seen[:, spec.decoder.width :].reshape(3, levels, -1).transpose(0, 1)
    rows = Embedded(torch.randn(9, spec.decoder.width), torch.tensor([2, 3, 5]), deep_LND)
    positions, wanted_A = torch.arange(9).expand(3, -1), torch.tensor([3, 8])
    whole_TD = model(rows, positions, Segments((0, 9)))
    part_AD = model(rows._replace(wanted_A=wanted_A), positions, Segments((0, 9)))
    assert torch.allclose(part_AD, whole_TD[wanted_A], atol=1e-5)


@pytest.mark.parametrize("size", [1, 7, 32, 33, 36])
def test_a_border_may_cut_through_what_deepstack_adds(size: int) -> None:
    model = drawn(tiny("qwen3-vl"))
    sample = shown(model.spec, Grid(1, 8, 8), 20)
    whole = model.logits(model.read(pack([sample]), Segments((0, sample.length))))
    assert torch.allclose(logits_in_chunks(model, sample, size), whole, atol=1e-5)
    deaf = replace(model.spec, vision=replace(model.spec.vision, deepstack=()))
    without = Vlm(deaf)
    without.load_state_dict({name: w for name, w in model.state_dict().items() if ".deep." not in name})
    other = without.logits(without.read(pack([sample]), Segments((0, sample.length))))
    assert (other - whole).abs().max() > 0.1


def test_levels_are_added_after_the_decoders_first_layers_to_visual_tokens_alone() -> None:
    model = drawn(tiny("qwen3-vl"))
    seen: list[Tensor] = []
    for layer in model.decoder.layers:
        layer.register_forward_hook(lambda _, given, made: seen.extend((given[0], made)))
    sample = shown(model.spec, Grid(1, 4, 4), 5)
    features = model.see(torch.from_numpy(sample.visuals[0].rows_PC), [Grid(1, 4, 4)])
    model.read(pack([sample]), Segments((0, sample.length)), features)
    for level, (made, given) in enumerate(zip(seen[1::2], seen[2::2], strict=False)):
        added = torch.zeros_like(made)
        if level < 3:
            added[:4] = features.reshape(len(features), 4, -1)[:, level + 1]
        assert torch.allclose(given - made, added, atol=1e-4)


@every_generation
def test_a_picture_among_others_is_seen_as_alone(generation: str) -> None:
    spec = tiny(generation)
    model = drawn(spec)
    each = [rows(spec, grid) for grid in GRIDS]
    together = model.see(torch.cat(each), GRIDS)
    alone = [model.see(patches, [grid]) for patches, grid in zip(each, GRIDS, strict=True)]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


@every_generation
@pytest.mark.parametrize("scores", [1, 100, 1000, 2**23])
def test_a_picture_is_seen_in_pieces_as_at_once(
    generation: str, scores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attend, "SCORES", scores)
    spec = tiny(generation)
    model = drawn(spec)
    for grid in (Grid(1, 6, 10), Grid(3, 4, 10)):
        patches = rows(spec, grid)
        whole_NX, pieces = model.see(patches, [grid]), model.looking(patches, [grid])
        assert torch.allclose(whole(pieces), whole_NX, atol=1e-5)


@every_generation
def test_slices_of_a_video_are_seen_as_pictures(generation: str) -> None:
    spec = tiny(generation)
    model = drawn(spec)
    patches = rows(spec, Grid(3, 4, 10))
    pictures = model.see(patches, [Grid(1, 4, 10)] * 3)
    assert torch.allclose(model.see(patches, [Grid(3, 4, 10)]), pictures, atol=1e-5)


@every_generation
def test_a_token_comes_out_where_its_patches_went_in(generation: str) -> None:
    """Without attention, a cell depends on its own patches alone: the window order must have been undone."""
    spec = tiny(generation)
    model = drawn(spec)
    for layer in model.vision.layers:
        torch.nn.init.zeros_(layer.get_submodule("attention.out").get_parameter("weight"))
    patches, unit = rows(spec, Grid(1, 12, 20)), spec.vision.merge**2
    changed = patches.clone()
    changed[17 * unit : 18 * unit] += 1
    moved = (model.see(patches, [Grid(1, 12, 20)]) - model.see(changed, [Grid(1, 12, 20)])).abs().sum(-1)
    assert moved.nonzero().flatten().tolist() == [17]


@pytest.mark.parametrize("generation", [name for name in GENERATIONS if tiny(name).vision.window])
def test_windows_keep_far_cells_apart_until_a_full_layer(generation: str) -> None:
    spec = tiny(generation)
    windows_only = replace(spec, vision=replace(spec.vision, full_layers=()))
    patches = rows(spec, Grid(1, 16, 16))
    changed = patches.clone()
    changed[0] += 1
    for each, reached in ((windows_only, 16), (spec, 64)):
        model = drawn(each)
        moved = (model.see(patches, [Grid(1, 16, 16)]) - model.see(changed, [Grid(1, 16, 16)])).abs().sum(-1)
        assert int((moved > 0).sum()) == reached


@every_generation
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_gradients_reach_every_parameter(generation: str, tied: bool, dtype: torch.dtype) -> None:
    spec = tiny(generation)
    model = drawn(replace(spec, decoder=replace(spec.decoder, tied=tied))).to(dtype)
    features = model.see(rows(spec, *GRIDS), GRIDS)
    places = torch.arange(len(features)) + 3
    ids = torch.arange(len(features) + 8) % spec.decoder.vocabulary
    hidden = model(
        model.embed(ids, features, places), torch.arange(len(ids)).expand(3, -1), Segments((0, 50, len(ids)))
    )
    model.logits(hidden).float().logsumexp(-1).sum().backward()  # type: ignore[no-untyped-call]
    gradients = {name: p.grad for name, p in model.named_parameters()}
    assert not [name for name, g in gradients.items() if g is None or not g.any() or not g.isfinite().all()]


@every_generation
def test_half_width_parameters_stay_near_the_full_ones(generation: str) -> None:
    model = drawn(tiny(generation))
    ids = torch.arange(40)
    full = think(model, ids, (0, 40))
    half = think(model.bfloat16(), ids, (0, 40))
    assert half.dtype == torch.bfloat16
    assert (half.float() - full).abs().max() < 0.05 * full.abs().max()


@every_generation
def test_a_model_on_the_meta_device_holds_no_memory(generation: str) -> None:
    with torch.device("meta"):
        model = Vlm(tiny(generation))
    assert all(p.is_meta for p in (*model.parameters(), *model.buffers()))


@every_generation
def test_the_same_seed_draws_the_same_weights(generation: str) -> None:
    one, two = drawn(tiny(generation)), drawn(tiny(generation))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


@pytest.mark.parametrize("generation", [name for name in GENERATIONS if "moe" not in name])
def test_what_ends_a_residual_branch_is_drawn_narrower(generation: str) -> None:
    spec = tiny(generation)
    model = Vlm(spec)
    model.initialise(torch.Generator().manual_seed(0))
    layer = model.decoder.layers[0]
    inner, last = (
        float(layer.get_parameter(f"feed.{part}.weight").detach().std()) for part in ("up", "down")
    )
    assert last / inner == pytest.approx((2 * spec.decoder.depth) ** -0.5, rel=0.05)


@every_generation
@pytest.mark.parametrize("places", [None, torch.arange(14), torch.arange(16)], ids=["none", "fewer", "more"])
def test_places_and_features_that_differ_are_refused(generation: str, places: Tensor | None) -> None:
    model = drawn(tiny(generation))
    features = torch.zeros(15, model.spec.decoder.width)
    with pytest.raises(PlaceholderMismatch, match="15 features"):
        model.embed(torch.zeros(20, dtype=torch.int64), features, places)


@every_generation
def test_rows_that_are_not_the_grids_are_refused(generation: str) -> None:
    spec = tiny(generation)
    for grid in (Grid(1, 4, 6), Grid(2, 4, 4), Grid(1, 16, 1)):  # the last has cells of half a width
        with pytest.raises(PlaceholderMismatch, match="one Processor"):
            drawn(spec).see(rows(spec, Grid(1, 4, 4)), [grid])


@every_generation
def test_what_was_seen_without_gradients_can_be_learned_from_later(generation: str) -> None:
    model = drawn(tiny(generation))
    patches, grids = rows(model.spec, Grid(1, 10, 6), Grid(1, 4, 4)), [Grid(1, 10, 6), Grid(1, 4, 4)]
    with torch.inference_mode():
        seen = model.see(patches, grids)
    learned = model.see(patches, grids)
    learned.sum().backward()  # type: ignore[no-untyped-call]
    assert torch.allclose(seen, learned.detach(), atol=1e-5)


def test_an_unknown_feed_forward_is_not_built() -> None:
    with pytest.raises(TypeError, match="no feed-forward"):
        feed_forward("gelu", 8)  # type: ignore[arg-type]
