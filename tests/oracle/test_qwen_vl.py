"""The 2023 model says what an independent reading of its description says; and that judge is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.chunks import logits_in_chunks
from bench.qwen_vl import write_toy
from omma import chat
from omma.chat import Image, Message, message
from omma.engine.engine import Engine, Failed, score
from omma.engine.request import Request, Sampling
from omma.loading import Loaded, load_folder
from omma.presets import preset, tiny
from omma.respond import Model
from omma.spec import SwiGLU
from tests.oracle.numpy_qwen_vl import QwenVL, interpolated, rotation, sincos
from tests.oracle.tiktoken_qwen_vl import SEEING, Spelling, listed

ROLES: tuple[chat.Role, chat.Role] = ("user", "assistant")
SHOWN = ("image", "")  # our slots hold pads alone: what the public code writes for a picture without a name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("qwen-vl"), seed=7)  # it does not repeat itself


@pytest.fixture(scope="module")
def ours(folder: Path) -> Loaded:
    return load_folder(folder, device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> QwenVL:
    return QwenVL(folder)


@pytest.fixture(scope="module")
def spelling(folder: Path) -> Spelling:
    return Spelling(folder / "qwen.tiktoken")


def noise(width: int, height: int, mode: str = "RGB") -> PIL.Image.Image:
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return PIL.Image.fromarray(pixels).convert(mode)


FIRST, SECOND, THIRD = noise(300, 200), noise(90, 400), noise(448, 448)
LONG = "Picture 1: a red circle over a blue square (12,34). été 日本語 1234. " * 40


def cases() -> dict[str, tuple[list[Message], list[PIL.Image.Image]]]:
    """Conversations and the pictures in them. The toy was trained, so to say, on 512 tokens."""
    one, two, three = Image(FIRST), Image(SECOND), Image(THIRD)
    return {
        "text": ([message("user", "What is in this picture?")], []),
        "a picture": ([message("user", one, "What is in this picture?")], [FIRST]),
        "pictures, stretched twice": (
            [
                message("system", "Red or blue."),
                message("user", "Over", one, "a", two, "What?"),
                message("assistant", "A red circle."),
                message("user", three, "a blue square <box>(12,34),(56,78)</box>?"),
            ],
            [FIRST, SECOND, THIRD],
        ),
        "a text far beyond the trained length": ([message("user", LONG)], []),
    }


CASES = cases()


@pytest.mark.parametrize("size", [(448, 448), (1, 1), (640, 480), (33, 2000), (1333, 777)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pixels_are_those_of_the_judge(
    size: tuple[int, int], mode: str, ours: Loaded, theirs: QwenVL
) -> None:
    shown = noise(*size, mode)
    (visual,) = ours.processor.sample([message("user", Image(shown))]).visuals
    wanted = theirs.pixels(shown).reshape(3, 16, 2, 14, 16, 2, 14).transpose(1, 4, 2, 5, 0, 3, 6)
    assert np.abs(visual.rows_PC - wanted.reshape(1024, -1)).max() < 1e-6


@pytest.mark.parametrize("shown", [FIRST, SECOND, THIRD], ids=("wide", "tall", "square"))
def test_what_the_resampler_sees_is_what_the_judge_sees(
    shown: PIL.Image.Image, ours: Loaded, theirs: QwenVL
) -> None:
    (visual,) = ours.processor.sample([message("user", Image(shown))]).visuals
    with torch.inference_mode():
        seen = ours.model.see(torch.from_numpy(visual.rows_PC), [visual.grid])
    wanted = theirs.see(shown)
    assert wanted.shape == (256, ours.spec.decoder.width)
    assert np.abs(wanted).max() > 1
    assert np.abs(seen.numpy() - wanted).max() <= 1e-5


@pytest.mark.parametrize("name", CASES)
def test_logits_are_those_of_the_judge(name: str, ours: Loaded, theirs: QwenVL) -> None:
    said, pictures = CASES[name]
    wanted = theirs.logits(ours.processor.sample(said).ids_T.tolist(), pictures)
    assert np.abs(wanted).max() > 1
    assert np.abs(Model(ours).logits(said).numpy() - wanted).max() <= 1e-4


@pytest.mark.parametrize("changed", [{"ntk": False}, {"logn": False}, {"trained": 300}], ids=str)
def test_each_way_of_stretching_is_the_judges(changed: dict[str, object], tmp_path: Path) -> None:
    spec = tiny("qwen-vl")
    assert spec.decoder.stretch is not None
    stretch = replace(spec.decoder.stretch, **changed)  # type: ignore[arg-type]
    write_toy(tmp_path, replace(spec, decoder=replace(spec.decoder, stretch=stretch)))
    loaded, said = load_folder(tmp_path, device="cpu", dtype="float32"), [message("user", LONG)]
    wanted = QwenVL(tmp_path).logits(loaded.processor.sample(said).ids_T.tolist())
    assert np.abs(Model(loaded).logits(said).numpy() - wanted).max() <= 1e-4


def written(loaded: Loaded, *asked: Sequence[Message], count: int = 32) -> list[list[int]]:
    """The likeliest tokens after each prompt, all of them answered at once.

    A picture's place is the one token that a model never writes.
    """
    engine, wrote = Engine(loaded.model), dict[int, list[int]]()
    for said in asked:
        sample = loaded.processor.sample(said)
        wrote[engine.add(Request(sample, Sampling(), frozenset(), count))] = []
    while not engine.idle:
        for step in engine.step():
            assert not isinstance(step, Failed)
            wrote[step.ticket].append(step.token)
    return list(wrote.values())


def told(loaded: Loaded, judge: QwenVL, name: str, count: int = 32) -> list[int]:
    """What the judge writes after the same prompt."""
    said, pictures = CASES[name]
    ids = loaded.processor.sample(said).ids_T.tolist()
    return judge.greedy(ids, pictures, count=count, never={loaded.spec.ids.image})


@pytest.mark.parametrize("name", CASES)
def test_32_greedy_tokens_are_those_of_the_judge(name: str, ours: Loaded, theirs: QwenVL) -> None:
    assert written(ours, CASES[name][0]) == [told(ours, theirs, name)]


def test_prompts_answered_together_are_each_stretched_by_their_own_length(
    ours: Loaded, theirs: QwenVL
) -> None:
    together = written(ours, *(said for said, _ in CASES.values()), count=6)
    assert together == [told(ours, theirs, name, 6) for name in CASES]


@pytest.mark.parametrize("size", [100, 513])
def test_what_is_read_in_chunks_is_stretched_by_the_whole(size: int, ours: Loaded, theirs: QwenVL) -> None:
    said, pictures = CASES["pictures, stretched twice"]
    sample = ours.processor.sample(said)
    wanted = theirs.logits(sample.ids_T.tolist(), pictures)
    assert np.abs(logits_in_chunks(ours.model, sample, size).numpy() - wanted).max() <= 1e-4


def test_an_answer_that_grows_over_the_trained_length_is_the_judges(ours: Loaded, theirs: QwenVL) -> None:
    # The prompt is within, so its base stays; but queries grow from the trained length on.
    said = [message("user", LONG[:1100])]
    ids = ours.processor.sample(said).ids_T.tolist()
    room = 512 - len(ids)
    assert 0 < room < 60
    wanted = theirs.greedy(ids, count=room + 16, never={ours.spec.ids.image})
    assert written(ours, said, count=room + 16) == [wanted]


@pytest.mark.soak
def test_heads_of_the_published_widths_are_the_judges(tmp_path: Path) -> None:
    # One layer each; at 224 pixels a side there are as many patches as places and queries.
    spec = preset("qwen-vl-chat")
    vision = replace(spec.vision, depth=1, side=224, merge=1)
    decoder = replace(spec.decoder, depth=1, feed_forward=SwiGLU(512))
    write_toy(tmp_path, replace(spec, vision=vision, decoder=decoder))
    loaded, judge = load_folder(tmp_path, device="cpu", dtype="float32"), QwenVL(tmp_path)
    sample = loaded.processor.sample([message("user", Image(FIRST), "What?")])
    with torch.inference_mode():
        seen = loaded.model.see(torch.from_numpy(sample.visuals[0].rows_PC), [sample.visuals[0].grid])
    assert np.abs(seen.numpy() - judge.see(FIRST)).max() <= 1e-5
    wanted = judge.logits(sample.ids_T.tolist(), [FIRST])
    assert np.abs(score(loaded.model, sample).numpy() - wanted).max() <= 1e-4


def test_a_chat_has_the_ids_of_the_judge(ours: Loaded, spelling: Spelling) -> None:
    said, _ = CASES["pictures, stretched twice"]
    over = listed("Over", SHOWN, "a", SHOWN, "What?")
    last = listed(SHOWN, "a blue square <box>(12,34),(56,78)</box>?").replace("Picture 1", "Picture 3")
    wanted = spelling.chat(last, [(over, "A red circle.")], "Red or blue.")
    assert ours.processor.sample(said).ids_T.tolist() == wanted


def test_a_running_text_has_the_ids_of_the_judge(ours: Loaded, spelling: Spelling) -> None:
    raw = replace(ours.processor, spec=replace(ours.spec, turns=False))
    said = [message("user", Image(FIRST), "What is <ref>a red circle</ref><box>")]
    wanted = spelling.ids(listed(SHOWN, "What is <ref>a red circle</ref><box>"))
    assert raw.sample(said).ids_T.tolist() == wanted


TEXTS = st.text(st.characters(codec="utf-8"))


@settings(max_examples=300)
@given(TEXTS)
def test_words_are_spelled_as_the_judge_spells_them(ours: Loaded, spelling: Spelling, text: str) -> None:
    tags = [mark for mark in SEEING if "img" not in mark]
    assert ours.processor.tokenizer.text(text) == spelling.ids(text, tags)


@settings(max_examples=50)
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=3), TEXTS, TEXTS)
def test_a_conversation_is_spelled_as_the_judge_spells_it(
    ours: Loaded, spelling: Spelling, history: list[tuple[str, str]], query: str, system: str
) -> None:
    said = [message("system", system)]
    said += [message(role, text) for turn in history for role, text in zip(ROLES, turn, strict=True)]
    wanted = spelling.chat(query, history, system, window=100_000)
    assert ours.processor.sample([*said, message("user", query)]).ids_T.tolist() == wanted


@pytest.mark.parametrize(("own", "side"), [(16, 32), (16, 8), (16, 16), (4, 7), (7, 3)])
def test_the_judge_interpolates_as_torch_does(own: int, side: int) -> None:
    table = np.random.default_rng(own).normal(size=(own * own, 5))
    grid = torch.from_numpy(table).reshape(1, own, own, 5).permute(0, 3, 1, 2)
    wanted = torch.nn.functional.interpolate(grid, size=(side, side), mode="bicubic", align_corners=False)
    assert np.abs(interpolated(table, side) - wanted[0].permute(1, 2, 0).reshape(-1, 5).numpy()).max() < 1e-12


def test_the_judge_turns_heads_at_the_speeds_of_torch() -> None:
    speeds = 1.0 / 10_000.0 ** (torch.arange(0, 128, 2).float() / 128)
    angles = torch.outer(torch.arange(5000.0), speeds).double()
    cosine, sine = rotation(5000, 128, 10_000)
    assert np.abs(cosine[:, :64] - angles.cos().numpy()).max() < 1e-12
    assert np.abs(sine[:, 64:] - angles.sin().numpy()).max() < 1e-12


def test_the_places_of_the_resampler_are_waves_of_column_and_row() -> None:
    table = sincos(8, 3).reshape(3, 3, 8)
    assert np.allclose(table[0, 0], [0, 0, 1, 1, 0, 0, 1, 1])
    assert np.allclose(table[2, 1, :4], np.r_[np.sin([1, 0.01]), np.cos([1, 0.01])])
    assert np.allclose(table[2, 1, 4:], np.r_[np.sin([2, 0.02]), np.cos([2, 0.02])])
