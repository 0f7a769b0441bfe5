"""Models that are only described can be built, taught, kept and planned for; no part of one is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from omma.chat import Image, Message, Part, Text, Video, message
from omma.cli import main
from omma.errors import BadFolder
from omma.loading import load_folder
from omma.model.attend import Segments
from omma.model.vlm import Vlm
from omma.prep.processor import Processor
from omma.prep.rules import DESCRIBED as RULES
from omma.prep.visuals import picture_size
from omma.presets import DESCRIBED, preset, tiny
from omma.sample import Sample, Size, pack
from omma.spec import Experts, ModelSpec, Written
from omma.train.lesson import Lesson, batch
from omma.train.passes import Pupil
from omma.train.routers import Routers
from omma.weights import read_spec, write_folder
from omma.weights.config import check_writable, write_config
from tests.train.school import small_tokenizer

every_one = pytest.mark.parametrize("name", DESCRIBED)
TOLD = [told for told in product((False, True), repeat=3) if any(told)]
WRITTEN = [Written(number, stamp, interval, decimals=2) for number, stamp, interval in TOLD]


def processor_of(spec: ModelSpec) -> Processor:
    """Its processor, for the vocabulary of the tests; frames as small as may be."""
    tokenizer = small_tokenizer()
    decoder = replace(spec.decoder, vocabulary=tokenizer.size)
    spec = replace(spec, ids=tokenizer.token_ids, decoder=decoder)
    return Processor(tokenizer, spec, replace(RULES, min_pixels=56**2, frame_min_pixels=56**2))


def noise(*shape: int, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


def dialogues() -> Iterator[list[Message]]:
    """Pictures larger than a window, a film, and words; each with its own answer."""
    for number, answer in enumerate(("red", "green", "blue")):
        shown: list[Part] = [
            Image(noise(112, 140, seed=number)),
            Video(noise(4, 56, 84, seed=number), fps=5.0),
        ]
        asked = [message("user", *shown, "What colour is the square?")]
        yield [*asked, Message("assistant", (Text(answer),))]


@every_one
def test_a_toy_learns_in_every_part(name: str) -> None:
    torch.manual_seed(0)
    processor = processor_of(tiny(name))
    model = Vlm(processor.spec)
    model.initialise(torch.Generator().manual_seed(0))
    pupil = Pupil(model, None, words=1.0, marks=0.0, routers=Routers(model, balance=0.01, z=1e-3))
    taught = batch([Lesson(processor.sample(said, prompt=False), ("answer",)) for said in dialogues()])
    teacher = torch.optim.AdamW(model.parameters(), lr=3e-3)
    reached = {part: torch.zeros_like(weight) for part, weight in model.named_parameters()}
    costs = []
    for _ in range(24):
        loss, told = pupil(taught)
        teacher.zero_grad()
        loss.backward()
        for part, weight in model.named_parameters():
            assert weight.grad is not None, part
            assert weight.grad.isfinite().all(), part
            reached[part] += weight.grad.abs()
        teacher.step()
        costs.append(told["answers"])
    assert costs[-1] < 0.5 * costs[0]
    for part, sums in reached.items():
        # Of a mixture every expert is reached, of a table of embeddings some rows are.
        each = sums.flatten(1).sum(1) if ".experts." in part else sums.sum()
        assert (each > 0).all(), part


@every_one
def test_a_toy_is_kept_and_comes_back(name: str, tmp_path: Path) -> None:
    processor = processor_of(tiny(name))
    model = Vlm(processor.spec)
    model.initialise(torch.Generator().manual_seed(3))
    write_folder(model, processor.spec, tmp_path, dtype=torch.float32)
    processor.save(tmp_path)
    sample = processor.sample(next(dialogues())[:1])
    kept = load_folder(tmp_path)
    again = kept.processor.sample(next(dialogues())[:1])
    assert kept.spec == processor.spec
    assert kept.processor.rules == processor.rules
    assert np.array_equal(again.ids_T, sample.ids_T)
    assert torch.equal(said(kept.model, again), said(model, sample))


@torch.no_grad()
def said(model: Vlm, sample: Sample) -> torch.Tensor:
    """The logits of a conversation."""
    return model.logits(model.read(pack([sample]), Segments((0, sample.length))))


@pytest.mark.parametrize("written", WRITTEN, ids=str)
@pytest.mark.parametrize("rate", [None, 2.0])
def test_each_way_of_telling_time_is_kept(written: Written, rate: float | None, tmp_path: Path) -> None:
    spec = replace(tiny("described-72b"), written_times=written, tokens_per_second=rate)
    write_config(spec, tmp_path, dtype="bfloat16")
    assert read_spec(tmp_path) == spec


def test_no_two_ways_of_telling_time_show_the_same() -> None:
    """Alone on the axis of time, alone in words, and any of them together."""
    film = Video(noise(8, 56, 56, seed=0), fps=0.5)
    shown = []
    for written, rate in product((None, *WRITTEN), (None, 1.0)):
        if written is not None and rate is not None:
            continue  # slices between words stand in line: nothing is left to be told on the axis
        spec = replace(tiny("described-7b"), written_times=written, tokens_per_second=rate)
        sample = processor_of(spec).sample([message("user", film)])
        shown.append((sample.ids_T.tobytes(), sample.positions_3T.tobytes()))
    assert len(set(shown)) == len(shown) == 2 + 7


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"written_times": {"number": False}}, "writes nothing"),
        ({"written_times": {"stamp": True, "decimals": 9}}, "decimals"),
        ({"written_times": {"stamp": True, "day": True}}, "day"),
        ({"written_times": {"stamp": "yes"}}, "stamp"),
        ({"pictures": 3}, "pictures"),
    ],
)
def test_a_way_of_telling_time_that_is_not_built_is_refused(
    wrong: dict[str, object], why: str, tmp_path: Path
) -> None:
    write_config(tiny("described-3b"), tmp_path, dtype="bfloat16")
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"omma": config["omma"] | wrong}))
    with pytest.raises(BadFolder, match=why):
        read_spec(tmp_path)


@every_one
def test_the_public_format_is_refused_for_what_it_has_no_word_for(name: str, tmp_path: Path) -> None:
    spec = replace(tiny(name), family="qwen2.5-vl", tokens_per_second=2.0)
    with pytest.raises(BadFolder, match=r"the public format knows no other value"):
        check_writable(spec)
    plain = replace(spec, written_times=None)
    if isinstance(spec.vision.feed_forward, Experts):
        with pytest.raises(BadFolder, match="feed-forward"):
            check_writable(plain)
    else:  # a tower of another depth and width is a Qwen2.5-VL like any other
        write_config(plain, tmp_path, dtype="bfloat16")
        assert read_spec(tmp_path) == plain


@pytest.mark.parametrize(
    ("name", "depth", "width"),
    [
        ("described-3b", 12, 768),
        ("described-7b", 24, 1024),
        ("described-72b", 48, 4096),
        ("described-edge-1.8b", 12, 768),
    ],
)
def test_towers_are_as_they_are_described(name: str, depth: int, width: int) -> None:
    tower = preset(name).vision
    assert (tower.depth, tower.width) == (depth, width)
    assert tower.window == 8 * tower.patch
    assert isinstance(tower.feed_forward, Experts) == (name == "described-72b")
    assert (RULES.min_pixels, RULES.max_pixels) == (224**2, 1024**2)
    assert (RULES.min_frames, RULES.max_frames) == (1, 32)
    assert preset("described-72b").vision.feed_forward == Experts(512, 32, 2)


@given(st.integers(1, 5000), st.floats(1 / 150, 150))
def test_pictures_are_seen_at_224_to_1024_pixels_square(height: int, ratio: float) -> None:
    width = max(round(height * ratio), 1)
    assume(max(width, height) < 200 * min(width, height))
    size = picture_size(Image(""), RULES, Size(width, height))
    assert 224**2 <= size.width * size.height <= 1024**2


@pytest.mark.parametrize(
    "name", [*DESCRIBED[:2], pytest.param(DESCRIBED[2], marks=pytest.mark.soak), *DESCRIBED[3:]]
)
def test_one_can_plan_for_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", name, "--video", "640x360@3", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    billions = float(name.rpartition("-")[2].removesuffix("b"))
    assert plan["parameters"]["total"] == pytest.approx(billions * 1e9, rel=0.15)
    assert plan["conversation"]["shown"][0]["frames"] == 32
