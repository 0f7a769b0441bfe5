"""How far omma is from an independent reading of Qwen-VL in plain numpy: what transformers does not have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL.Image
import torch
from rich.progress import track

from bench.chunks import logits_in_chunks
from bench.greedy import TOKENS, greedy
from bench.qwen_vl import write_toy
from bench.results import Table
from omma.chat import Image, Message, message
from omma.loading import Loaded, load_folder
from omma.presets import tiny
from omma.respond import Model
from omma.sample import Sample
from omma.spec import ModelSpec, Stretch
from tests.oracle.numpy_qwen_vl import QwenVL
from tests.oracle.tiktoken_qwen_vl import Spelling, listed

NAME = "qwen-vl"
CLOSE, RESAMPLED, NEAR = 1e-4, 1e-5, 1e-6  # logits, the resampler's output, patch rows; fp32 of ours
CHUNK = 13
PLACE = ("image", "")  # a picture without a name
LONG = "Picture 1: a red circle over a blue square (12,34). été 日本語 1234. " * 40


class Case(NamedTuple):
    """A conversation, its pictures, and the same in the words of the independent spelling."""

    name: str
    said: list[Message]
    pictures: list[PIL.Image.Image]
    query: str
    history: list[tuple[str, str]]


def rows(table: Table, place: Path) -> None:
    """All figures of Qwen-VL. The toy was trained, so to say, on 512 tokens."""
    folder = write_toy(place / "base")
    ours, theirs, spelling = (
        load_folder(folder, device="cpu", dtype="float32"),
        QwenVL(folder),
        Spelling(folder / "qwen.tiktoken"),
    )
    for case in track(list(cases()), f"{NAME}, conversations", transient=True):
        sample = ours.processor.sample(case.said)
        wrong = _apart(sample, spelling.chat(case.query, case.history))
        table.row(f"{NAME}, {case.name}: ids that differ", wrong, "", goal=0, met=wrong == 0)
        _logits(table, f"{NAME}, {case.name}", ours, theirs, case)
        _tokens(table, f"{NAME}, {case.name}", ours, theirs, case)
    _raw(table, ours, spelling)
    _together(table, ours)
    _pictures(table, ours, theirs)
    for number, (name, spec) in enumerate(track(list(variants()), f"{NAME}, variants", transient=True)):
        folder = write_toy(place / f"variant-{number}", spec)
        ours, theirs = load_folder(folder, device="cpu", dtype="float32"), QwenVL(folder)
        _logits(table, f"{NAME}, {name}", ours, theirs, list(cases())[-1])


def picture(width: int, height: int) -> PIL.Image.Image:
    """Noise: no patch like another."""
    pixels = np.random.default_rng(width * 10_000 + height).integers(0, 256, (height, width, 3), np.uint8)
    return PIL.Image.fromarray(pixels)


def cases() -> Iterator[Case]:
    """Every kind of conversation; the last two reach over the trained length, once and twice as far."""
    one, two = picture(170, 130), picture(60, 250)
    turns = [message("user", "A red circle."), message("assistant", "A blue square.")]
    yield Case("text only", [message("user", "What is 1234?")], [], "What is 1234?", [])
    history = [("A red circle.", "A blue square.")]
    yield Case("three turns", [*turns, message("user", "été 日本語?")], [], "été 日本語?", history)
    query = listed(PLACE, "What is <ref>this</ref><box>(1,2),(34,56)</box>?")
    said = [message("user", Image(one), "What is <ref>this</ref><box>(1,2),(34,56)</box>?")]
    yield Case("one picture with a box", said, [one], query, [])
    yield Case("a long text", [message("user", LONG)], [], LONG, [])
    query = listed(PLACE, "over", PLACE, "What?")
    said = [message("user", Image(one), "over", Image(two), "What?")]
    yield Case("two pictures", said, [one, two], query, [])


def variants() -> Iterator[tuple[str, ModelSpec]]:
    """The toy with other numbers."""
    spec = tiny(NAME)
    decoder, vision = spec.decoder, spec.vision

    def stretched(stretch: Stretch) -> ModelSpec:
        return replace(spec, decoder=replace(decoder, stretch=stretch))

    yield "nothing stretched", stretched(Stretch(512, ntk=False, logn=False))
    yield "trained on 100 tokens", stretched(Stretch(100))
    yield "queries stretched only", stretched(Stretch(300, ntk=False))
    yield "base stretched only", stretched(Stretch(300, logn=False))
    yield (
        "heads 128 wide",
        replace(spec, decoder=replace(decoder, heads=2, key_heads=2, head_width=128, sections=(64, 0, 0))),
    )
    yield "tower heads 104 wide", replace(spec, vision=replace(vision, width=208))
    yield (
        "four heads look",
        replace(
            spec,
            vision=replace(vision, out_width=512),
            decoder=replace(decoder, width=512, heads=8, key_heads=8),
        ),
    )


def _logits(table: Table, name: str, ours: Loaded, theirs: QwenVL, case: Case) -> None:
    sample = ours.processor.sample(case.said)
    wanted = theirs.logits(sample.ids_T.tolist(), case.pictures)
    size = f"largest logit {np.abs(wanted).max():.1f}, {sample.length} tokens"
    gap = float(np.abs(Model(ours).logits(case.said).numpy() - wanted).max())
    _close(table, f"{name}: logits", gap, CLOSE, size)
    parts = logits_in_chunks(ours.model, sample, CHUNK).numpy()
    _close(
        table, f"{name}: logits, {CHUNK} tokens read at a time", float(np.abs(parts - wanted).max()), CLOSE
    )


def _stops(ours: Loaded) -> tuple[int, int, int]:
    return ours.spec.ids.turn_end, ours.spec.ids.turn_start, ours.spec.ids.end_of_text


def _tokens(table: Table, name: str, ours: Loaded, theirs: QwenVL, case: Case) -> None:
    sample, ids = ours.processor.sample(case.said), ours.spec.ids
    stops = _stops(ours)
    (wrote,) = greedy(ours, [sample], stops)
    wanted = theirs.greedy(sample.ids_T.tolist(), case.pictures, count=TOKENS, stops=stops, never={ids.image})
    same = next((i for i, (a, b) in enumerate(zip(wrote, wanted, strict=False)) if a != b), len(wanted))
    note = "" if len(wanted) == TOKENS else "both ended there"
    table.row(
        f"{name}: greedy tokens alike",
        same,
        f"of {len(wanted)}",
        goal=len(wanted),
        met=wrote == wanted,
        note=note,
    )


def _raw(table: Table, ours: Loaded, spelling: Spelling) -> None:
    """The base model's running text."""
    reader = replace(ours.processor, spec=replace(ours.spec, turns=False))
    said = [message("user", Image(picture(50, 40)), "<ref>a red circle</ref><box>")]
    wrong = _apart(reader.sample(said), spelling.ids(listed(PLACE, "<ref>a red circle</ref><box>")))
    table.row(f"{NAME}, one running text: ids that differ", wrong, "", goal=0, met=wrong == 0)


def _together(table: Table, ours: Loaded) -> None:
    samples = [ours.processor.sample(case.said) for case in cases()]
    alone = [greedy(ours, [one], _stops(ours))[0] for one in samples]
    right = sum(a == b for a, b in zip(greedy(ours, samples, _stops(ours)), alone, strict=True))
    table.row(
        f"{NAME}: conversations of uneven length answered together as alone",
        right,
        f"of {len(samples)}",
        goal=len(samples),
        met=right == len(samples),
    )


def _pictures(table: Table, ours: Loaded, theirs: QwenVL) -> None:
    """Patch rows and the resampler's output of many sizes."""
    sizes = [(448, 448), (1, 1), (640, 480), (33, 900), (1333, 77)]
    rows_gap = seen_gap = largest = 0.0
    for size in track(sizes, f"{NAME}, pictures", transient=True):
        shown = picture(*size)
        (visual,) = ours.processor.sample([message("user", Image(shown))]).visuals
        wanted = theirs.pixels(shown).reshape(3, 16, 2, 14, 16, 2, 14).transpose(1, 4, 2, 5, 0, 3, 6)
        rows_gap = max(rows_gap, float(np.abs(visual.rows_PC - wanted.reshape(1024, -1)).max()))
        with torch.inference_mode():
            seen = ours.model.see(torch.from_numpy(visual.rows_PC), [visual.grid]).numpy()
        told = theirs.see(shown)
        largest = max(largest, float(np.abs(told).max()))
        seen_gap = max(seen_gap, float(np.abs(seen - told).max()))
    count = f"largest difference over {len(sizes)} sizes"
    _close(table, f"{NAME}: patch rows", rows_gap, NEAR, count)
    _close(table, f"{NAME}: the resampler's output", seen_gap, RESAMPLED, f"{count}, largest {largest:.1f}")


def _close(table: Table, name: str, gap: float, goal: float, note: str = "") -> None:
    judge = "against plain numpy"
    noted = f"{note}; {judge}" if note else judge
    table.row(name, gap, "", goal=f"≤ {goal:g}", met=gap <= goal, note=noted)


def _apart(sample: Sample, wanted: list[int]) -> int:
    got: list[int] = sample.ids_T.tolist()
    return sum(a != b for a, b in zip(got, wanted, strict=False)) + abs(len(got) - len(wanted))
