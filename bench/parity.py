"""How far omma is from transformers, and for Qwen-VL from plain numpy: ids, patch rows, logits, tokens."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from safetensors.torch import load_file, save_file

from bench import parity_qwen_vl
from bench.chunks import logits_in_chunks
from bench.greedy import TOKENS, greedy
from bench.oracle import Oracle
from bench.results import Table
from bench.toys import JUDGED, cases, picture, variants, write_toy
from bench.wide import WIDE, wide_gaps
from omma.chat import Image, Message, Video, message
from omma.loading import BUNDLED, Loaded, load_folder
from omma.presets import tiny
from omma.respond import Model
from omma.sample import Sample, Size
from omma.weights.names import in_memory

CLOSE = 1e-4  # between logits of a few units, fp32 on both sides
NEAR = 1e-6  # between normalised patch rows
CHUNK = 13  # tokens read at a time: cuts through pictures, slices and words
# Sides in merged cells: one cell, a window less one, a window, one more, two and a bit.
SIDES = [(1, 1), (1, 5), (3, 3), (4, 4), (5, 4), (4, 9), (7, 3), (8, 8), (9, 5)]


def main() -> int:
    """Compare, print, write docs/results/parity.json."""
    torch.manual_seed(0)
    table = Table("parity", "make parity")
    with tempfile.TemporaryDirectory() as place:
        for generation in JUDGED:
            room = Path(place) / generation
            folder = write_toy(room / "base", tiny(generation))
            _conversations(table, generation, folder)
            _batch(table, generation, folder)
            _pictures(table, generation, folder)
            _variants(table, generation, room)
            _spellings(table, generation, folder, room)
        parity_qwen_vl.rows(table, Path(place) / parity_qwen_vl.NAME)
    _wide(table)
    _bundled(table)
    return table.publish()


def _conversations(table: Table, generation: str, folder: Path) -> None:
    ours, theirs = load_folder(folder, device="cpu"), Oracle(folder)
    for case in track(cases(), f"{generation}, conversations", transient=True):
        name, sample = f"{generation}, {case.name}", ours.processor.sample(case.said)
        alike = np.array_equal(theirs.positions(sample), sample.positions_3T)
        note = "" if alike else "both at our positions: transformers goes on too early after a video (§3.2)"
        wrong = _ids_apart(theirs.ids(case.said, sample), sample)
        table.row(f"{name}: ids that differ", wrong, "", goal=0, met=wrong == 0)
        _compare(table, name, ours, theirs, case.said, note)
        gap = float((logits_in_chunks(ours.model, sample, CHUNK) - theirs.logits(sample)).abs().max())
        _close(table, f"{name}: logits, {CHUNK} tokens read at a time", gap)


def _batch(table: Table, generation: str, folder: Path) -> None:
    """All conversations answered together, and each alone by transformers."""
    ours, theirs = load_folder(folder, device="cpu"), Oracle(folder)
    samples = [ours.processor.sample(case.said) for case in cases()]
    right = sum(
        wrote == wanted
        for wrote, wanted in zip(
            greedy(ours, samples, stops(ours)),
            (greedy_theirs(ours, theirs, one) for one in samples),
            strict=True,
        )
    )
    table.row(
        f"{generation}: conversations of uneven length answered together as alone",
        right,
        f"of {len(samples)}",
        goal=len(samples),
        met=right == len(samples),
    )


def _close(table: Table, name: str, gap: float, note: str = "", goal: float = CLOSE) -> None:
    table.row(name, gap, "", goal=f"≤ {goal:g}", met=gap <= goal, note=note)


def _compare(
    table: Table, name: str, ours: Loaded, theirs: Oracle, said: Sequence[Message], note: str = ""
) -> None:
    sample = ours.processor.sample(said)
    gap, largest = logits_apart(ours, theirs, said)
    size = f"largest logit {largest:.1f}"
    _close(table, f"{name}: logits", gap, f"{size}; {note}" if note else size)
    wrote, wanted = greedy_both(ours, theirs, sample)
    same = next((i for i, (a, b) in enumerate(zip(wrote, wanted, strict=False)) if a != b), len(wanted))
    table.row(
        f"{name}: greedy tokens alike",
        same,
        f"of {len(wanted)}",
        goal=len(wanted),
        met=wrote == wanted,
        note="" if len(wanted) == TOKENS else "both ended there",
    )


def logits_apart(ours: Loaded, theirs: Oracle, said: Sequence[Message]) -> tuple[float, float]:
    """The largest difference between logits at any token, and the largest logit."""
    mine = Model(ours).logits(said)
    wanted = theirs.logits(ours.processor.sample(said))
    return float((mine - wanted).abs().max()), float(wanted.abs().max())


def greedy_both(ours: Loaded, theirs: Oracle, sample: Sample) -> tuple[list[int], list[int]]:
    """What each writes after the prompt."""
    return greedy(ours, [sample], stops(ours))[0], greedy_theirs(ours, theirs, sample)


def stops(ours: Loaded) -> tuple[int, int]:
    """What ends an answer."""
    return ours.spec.ids.turn_end, ours.spec.ids.end_of_text


def greedy_theirs(ours: Loaded, theirs: Oracle, sample: Sample) -> list[int]:
    """What transformers writes after one prompt."""
    ids = ours.spec.ids
    return theirs.greedy(sample, TOKENS, stop=stops(ours), never=(ids.image, ids.video))


def _ids_apart(wanted: list[int], sample: Sample) -> int:
    got: list[int] = sample.ids_T.tolist()
    return sum(a != b for a, b in zip(got, wanted, strict=False)) + abs(len(got) - len(wanted))


def _pictures(table: Table, generation: str, folder: Path) -> None:
    """Patch rows of many sizes, of a video, and the tower at the borders of windows."""
    ours, theirs = load_folder(folder, device="cpu"), Oracle(folder)
    cell = ours.processor.rules.factor
    sizes = [Size(cell * a, cell * b) for a, b in SIDES] + [Size(333, 200), Size(77, 401), Size(640, 480)]
    rows_gap = tower_gap = 0.0
    for size in track(sizes, f"{generation}, pictures", transient=True):
        shown = picture(*size)
        (visual,) = ours.processor.sample([message("user", Image(shown))]).visuals
        rows_gap = max(rows_gap, float(np.abs(theirs.rows(shown) - visual.rows_PC).max()))
        rows, grid = torch.from_numpy(visual.rows_PC), visual.grid
        with torch.inference_mode():
            wanted = theirs.model.model.visual(rows, torch.tensor([tuple(grid)]))
            deep = getattr(wanted, "deepstack_features", None) or []
            features = torch.cat([wanted.pooler_output, *deep], -1)
            tower_gap = max(tower_gap, float((ours.model.see(rows, [grid]) - features).abs().max()))
    count = f"largest difference over {len(sizes)} sizes"
    _close(table, f"{generation}: patch rows", rows_gap, f"{count}, Pillow processor", NEAR)
    _close(table, f"{generation}: visual tokens", tower_gap, f"{count}, every level")
    gap = video_rows_apart(ours, theirs)
    _close(table, f"{generation}: patch rows of a video", gap, "each frame twice, against pictures", NEAR)


def video_rows_apart(ours: Loaded, theirs: Oracle) -> float:
    """Between the rows of a video that stands still in every slice, and those of its frames as pictures."""
    cell = ours.processor.rules.factor
    frames = [picture(12 * cell, 11 * cell), picture(12 * cell, 11 * cell).rotate(180)]
    film = [frame for frame in frames for _ in range(2)]
    (visual,) = ours.processor.sample([message("user", Video(film))]).visuals
    wanted = np.concatenate([theirs.rows(frame) for frame in frames])
    return float(np.abs(wanted - visual.rows_PC).max())


def _variants(table: Table, generation: str, place: Path) -> None:
    said = next(case.said for case in cases() if case.name == "two pictures")
    shapes = track(list(variants(generation)), f"{generation}, variants", transient=True)
    for number, (name, spec) in enumerate(shapes):
        folder = write_toy(place / f"variant-{number}", spec)
        _compare(table, f"{generation}, {name}", load_folder(folder, device="cpu"), Oracle(folder), said)


def _spellings(table: Table, generation: str, folder: Path, place: Path) -> None:
    """Folders that transformers saved, and one with the names it uses in memory."""
    said = next(case.said for case in cases() if case.name == "one picture")
    theirs = Oracle(folder)
    for name, saved in (
        ("saved by transformers", resaved(theirs, folder, place / "resaved")),
        ("names as in its memory", respelled(theirs, folder, place / "respelled")),
    ):
        _compare(table, f"{generation}, {name}", load_folder(saved, device="cpu"), theirs, said)


def _wide(table: Table) -> None:
    """Layers of the largest models as wide as they are."""
    for name in track(WIDE, "layers at full width", transient=True):
        gaps = wide_gaps(name)
        note = f"random weights; largest {gaps.largest:.1f}"
        _close(table, f"{name}: a layer of the decoder at full width", gaps.decoder, note)
        _close(table, f"{name}: a layer of the tower and its mergers at full width", gaps.tower, note)


def _bundled(table: Table) -> None:
    """The model inside the package, in fp32 on both sides."""
    for name, folder in BUNDLED.items():
        if not folder.exists():
            table.row(f"{name}: logits", None, note="not in the package yet")
            continue
        said = [message("user", Image(picture(300, 200)), "Describe the picture.")]
        _compare(table, name, load_folder(name, device="cpu", dtype="float32"), Oracle(folder), said)


def resaved(theirs: Oracle, folder: Path, to: Path) -> Path:
    """The model saved again by transformers: nested config, its own shards."""
    load_folder(folder).processor.save(to)
    theirs.model.save_pretrained(to, max_shard_size="200KB")
    return to


def respelled(theirs: Oracle, folder: Path, to: Path) -> Path:
    """The folder with every tensor under its name in transformers' memory."""
    resaved(theirs, folder, to)
    files = sorted(to.glob("*.safetensors*"))
    tensors = {
        name: tensor
        for path in files
        if path.suffix == ".safetensors"
        for name, tensor in load_file(path).items()
    }
    for path in files:
        path.unlink()
    new = {in_memory(name): tensor for name, tensor in tensors.items()}
    assert set(new) <= set(theirs.model.state_dict())
    save_file(new, to / "model.safetensors")
    return to


if __name__ == "__main__":
    raise SystemExit(main())
