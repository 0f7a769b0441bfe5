"""Many requests in one loop write what each writes alone, and leave nothing behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from omma.engine.cache import Cache, Part, Store
from omma.engine.engine import Engine, Failed, score
from omma.engine.generate import Piece, generate
from omma.engine.request import Request, Sampling
from omma.errors import BadModel, OmmaError, OutOfMemory
from omma.model.attend import Attend, Segments
from omma.model.decoder import Embedded
from omma.model.memory import memory_for
from omma.model.vlm import Vlm
from omma.presets import GENERATIONS, tiny
from omma.sample import Grid, Sample, Size, Visual, pack

every_generation = pytest.mark.parametrize("generation", GENERATIONS)
SPELLED = {token: chr(97 + token % 26).encode() for token in range(320)}


@cache
def model(generation: str) -> Vlm:
    vlm = Vlm(tiny(generation))
    vlm.initialise(torch.Generator().manual_seed(0))
    with torch.no_grad():
        for weight in vlm.parameters():  # far from zero, so that no two logits lie close
            weight.mul_(4 if weight.ndim > 1 else 1)
    return vlm.eval().requires_grad_(False)


def sample(generation: str, length: int, seed: int, *, side: int = 0) -> Sample:
    """A prompt of `length` words, with a picture of `side` × `side` patches in front if there is one."""
    spec, dice = tiny(generation), np.random.default_rng(seed)
    cells = (side // spec.vision.merge) ** 2
    ids = np.concatenate([np.full(cells, spec.ids.image), dice.integers(0, 256, length)]).astype(np.int64)
    positions = np.broadcast_to(np.arange(len(ids)), (3, len(ids))).copy()
    if not side:
        return Sample(ids, positions)
    rows = dice.normal(size=(side * side, spec.vision.row)).astype(np.float32)
    size = Size(side * spec.vision.patch, side * spec.vision.patch)
    positions[:, cells:] -= cells - side  # a picture takes fewer positions than tokens
    return Sample(ids, positions, (Visual("image", rows, Grid(1, side, side), 0, cells, size, size),))


def request(one: Sample, most: int = 12, **wishes: float) -> Request:
    stop_ids = frozenset({300, 302})
    stop = wishes.pop("stop", ())
    return Request(one, Sampling(**wishes), stop_ids, most, stop)  # type: ignore[arg-type]


def told(pieces: Iterator[Piece]) -> dict[int, str]:
    texts: dict[int, str] = {}
    for piece in pieces:
        texts[piece.index] = texts.get(piece.index, "") + piece.text
    return texts


def test_thoughts_are_counted_up_to_the_token_that_ends_them() -> None:
    asked = request(sample("qwen3-vl", 7, seed=3))
    written = tokens(Engine(model("qwen3-vl")), asked)
    for mark in {*written, 319}:
        (last,) = [
            piece.usage
            for piece in generate(model("qwen3-vl"), [replace(asked, thoughts_end=mark)], SPELLED.__getitem__)
            if piece.usage is not None
        ]
        assert last.reasoning_tokens == (written.index(mark) + 1 if mark in written else len(written))


def tokens(engine: Engine, one: Request) -> list[int]:
    ticket, written = engine.add(one), []
    while not engine.idle:
        written += [step.token for step in engine.step() if step.ticket == ticket]
    return written


def plainly(vlm: Vlm, one: Sample, count: int) -> list[int]:
    """The plain twin: the whole text is read again for every token."""
    ids, positions, written = one.ids_T, one.positions_3T, []
    for _ in range(count):
        features = places = None
        if one.visuals:
            visual = one.visuals[0]
            features = vlm.see(torch.from_numpy(visual.rows_PC), [visual.grid])
            places = torch.arange(visual.start, visual.stop)
        rows = vlm.embed(torch.from_numpy(ids), features, places)
        hidden = vlm(rows, torch.from_numpy(positions), Segments((0, len(ids))))
        logits = vlm.logits(hidden)[-1]
        logits[[vlm.spec.ids.image, vlm.spec.ids.video]] = -torch.inf
        written.append(int(logits.argmax()))
        ids = np.append(ids, written[-1])
        positions = np.concatenate([positions, np.full((3, 1), positions.max() + 1)], 1)
    return written


@every_generation
@pytest.mark.parametrize("side", [0, 4])
def test_the_cache_changes_nothing(generation: str, side: int) -> None:
    one = sample(generation, 57, 1, side=side)  # crosses the border between two shelves
    wanted = plainly(model(generation), one, 12)
    got = tokens(Engine(model(generation)), request(one))
    assert got == wanted[: len(got)]
    assert len(got) == 12 or got[-1] in (300, 302)


@every_generation
@settings(max_examples=8)
@given(
    lengths=st.lists(st.integers(1, 150), min_size=1, max_size=6),
    sides=st.lists(st.sampled_from([0, 0, 2, 6]), min_size=7, max_size=7),
    counts=st.lists(st.integers(1, 40), min_size=7, max_size=7),
    rows=st.integers(1, 5),
)
def test_together_is_alone(
    generation: str, lengths: list[int], sides: list[int], counts: list[int], rows: int
) -> None:
    asked = [
        request(sample(generation, length, i, side=sides[i]), counts[i], temperature=(i % 2) * 0.8, seed=i)
        for i, length in enumerate(lengths)
    ]
    alone = [told(generate(model(generation), [one], SPELLED.__getitem__))[0] for one in asked]
    together = told(generate(model(generation), asked, SPELLED.__getitem__, rows=rows))
    assert [together[i] for i in range(len(asked))] == alone


@every_generation
def test_requests_are_drawn_only_when_there_is_room(generation: str) -> None:
    drawn: list[int] = []

    def line() -> Iterator[Request]:
        for i in range(10):
            drawn.append(i)
            yield request(sample(generation, 5, i))

    next(generate(model(generation), line(), SPELLED.__getitem__, rows=3))
    assert drawn == [0, 1, 2]


@every_generation
def test_a_finished_request_leaves_no_memory(generation: str) -> None:
    engine = Engine(model(generation))
    tokens(engine, request(sample(generation, 9, 0)))
    assert engine.bytes == 0


@every_generation
def test_a_cancelled_request_leaves_no_memory_and_the_others_go_on(generation: str) -> None:
    asked = [request(sample(generation, length, length), 20) for length in (5, 90, 7)]
    alone = tokens(Engine(model(generation)), asked[2])
    engine = Engine(model(generation))
    tickets = [engine.add(one) for one in asked]
    written = [step.token for step in engine.step() if step.ticket == tickets[2]]
    held = engine.bytes
    engine.cancel(tickets[0])
    engine.cancel(tickets[1])
    assert engine.bytes < held
    while not engine.idle:
        written += [step.token for step in engine.step()]
    assert written == alone
    assert engine.bytes == 0


@every_generation
def test_a_closed_stream_leaves_no_engine(generation: str) -> None:
    stream = generate(model(generation), [request(sample(generation, 5, 0), 50)], SPELLED.__getitem__)
    list(islice(stream, 2))
    stream.close()  # type: ignore[attr-defined]
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one) is Engine]


@every_generation
def test_a_stop_text_ends_an_answer_before_it(generation: str) -> None:
    one = sample(generation, 8, 3)
    whole = told(generate(model(generation), [request(one, 20)], SPELLED.__getitem__))[0]
    stop = whole[4:7]
    *_, last = pieces = list(
        generate(model(generation), [request(one, 20, stop=(stop,))], SPELLED.__getitem__)  # type: ignore[arg-type]
    )
    assert "".join(piece.text for piece in pieces) == whole[: whole.index(stop)]
    assert last.finish == "stop"
    assert last.usage is not None
    assert last.usage.completion_tokens == whole.index(stop) + len(stop)


@every_generation
def test_gradients_are_as_they_were_between_the_pieces(generation: str) -> None:
    for _ in generate(model(generation), [request(sample(generation, 5, 0), 3)], SPELLED.__getitem__):
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()


@every_generation
def test_a_model_that_has_answered_can_learn(generation: str) -> None:
    vlm = Vlm(tiny(generation))
    vlm.initialise(torch.Generator().manual_seed(0))
    one = sample(generation, 9, 0, side=4)
    tokens(Engine(vlm), request(one))
    hidden = vlm.read(pack([one]), Segments((0, one.length)))
    (score(vlm, one).sum() + vlm.logits(hidden).sum()).backward()
    assert all(weight.grad is not None for weight in vlm.parameters())


def poisoned(one: Sample) -> Sample:
    """The same prompt with a picture of no numbers."""
    (visual,) = one.visuals
    return replace(one, visuals=(replace(visual, rows_PC=np.full_like(visual.rows_PC, np.nan)),))


def ended(engine: Engine, asked: list[Request]) -> tuple[dict[int, list[int]], dict[int, OmmaError]]:
    """Tokens and errors by the requests' places, everything run together."""
    tickets = {engine.add(one): i for i, one in enumerate(asked)}
    written: dict[int, list[int]] = {i: [] for i in tickets.values()}
    errors = {}
    while not engine.idle:
        for step in engine.step():
            if isinstance(step, Failed):
                errors[tickets[step.ticket]] = step.error
            else:
                written[tickets[step.ticket]].append(step.token)
    return written, errors


@every_generation
def test_a_poisoned_request_ends_alone_and_its_memory_harms_nobody(generation: str) -> None:
    vlm = model(generation)
    asked = [request(sample(generation, length, length, side=4), 12) for length in (30, 20, 9, 25, 11)]
    alone = [tokens(Engine(vlm), one) for one in asked]
    asked[1] = replace(asked[1], sample=poisoned(asked[1].sample))
    engine = Engine(vlm, rows=3)  # the fourth takes the slot that was the second's
    written, errors = ended(engine, asked)
    assert list(errors) == [1]
    assert isinstance(errors[1], BadModel)
    assert written == {0: alone[0], 1: [], 2: alone[2], 3: alone[3], 4: alone[4]}
    assert engine.bytes == 0


def test_a_lane_is_empty_for_its_next_row() -> None:
    spec = tiny("qwen2.5-vl").decoder
    cache = Cache(spec, torch.float32, torch.device("cpu"))
    keys = torch.full((9, spec.key_heads, spec.head_width), torch.nan)
    queries = torch.zeros(9, spec.heads, spec.head_width)

    def remember(row: int, tokens: int, keys: Tensor) -> None:
        cache.open(row, tokens)
        cache.attend([Part(row, 0, tokens)])(queries[:tokens], keys[:tokens], keys[:tokens], 0)

    remember(1, 9, keys)
    remember(2, 9, keys.clone().zero_())
    cache.drop(1)
    remember(3, 2, keys.clone().zero_())
    beside = [Part(3, 2, 1), Part(2, 9, 1)]  # they lie in lanes side by side, and one call reads both
    assert cache.ordered(beside) == beside
    assert cache.pages.lanes[3].stop == cache.pages.lanes[2].start
    one = torch.zeros(2, spec.key_heads, spec.head_width)
    assert cache.attend(beside)(torch.zeros(2, spec.heads, spec.head_width), one, one, 0).isfinite().all()


@every_generation
def test_logits_that_are_no_numbers_are_an_error(generation: str) -> None:
    broken = Vlm(tiny(generation))
    with torch.no_grad():
        for weight in broken.parameters():
            weight.fill_(torch.nan)
    (last,) = generate(broken, [request(sample(generation, 5, 0))], SPELLED.__getitem__)
    assert isinstance(last.error, BadModel)
    assert "dtype" in str(last.error)


class Small(Vlm):
    """A model on a machine that has memory for so many rows at once and no more."""

    most = 40

    def forward(self, rows: Embedded, positions_3T: Tensor, attend: Attend) -> Tensor:
        if len(rows.x_TD) > self.most:
            torch.empty(10**15)
        return super().forward(rows, positions_3T, attend)


def small(generation: str) -> Vlm:
    vlm = Small(tiny(generation))
    vlm.load_state_dict(model(generation).state_dict())
    return vlm.eval().requires_grad_(False)


@every_generation
def test_a_prompt_too_large_for_the_machine_ends_alone(generation: str) -> None:
    asked = [request(sample(generation, length, length)) for length in (20, 60, 30)]
    written, errors = ended(Engine(small(generation)), asked)
    assert list(errors) == [1]
    assert isinstance(errors[1], OutOfMemory)
    assert "60 tokens" in str(errors[1])
    for i in (0, 2):
        assert written[i] == tokens(Engine(model(generation)), asked[i])


def no_more_than(pages: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the machine have memory for so many pages, whatever the engine thinks."""
    resized = Store.resize
    monkeypatch.setattr(
        Store,
        "resize",
        lambda store, wanted: resized(store, wanted) if wanted <= pages else refused(wanted),
    )


def refused(pages: int) -> None:
    raise OutOfMemory(f"{pages} pages are too many; ask for fewer")


@every_generation
def test_an_answer_too_long_for_the_machine_ends(generation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = replace(request(sample(generation, 60, 60), 12), stop_ids=frozenset())
    alone = tokens(Engine(model(generation)), one)
    no_more_than(4, monkeypatch)
    written, errors = ended(Engine(model(generation)), [one])
    assert "remembering 65 tokens takes more memory" in str(errors[0])
    assert written[0] == alone[:5]


@every_generation
def test_answers_too_long_together_are_written_one_after_the_other(
    generation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [request(sample(generation, length, length), 40, seed=1) for length in (20, 60, 30)]
    asked = [replace(one, stop_ids=frozenset()) for one in asked]
    alone = [tokens(Engine(model(generation)), one) for one in asked]
    no_more_than(8, monkeypatch)
    written, errors = ended(Engine(model(generation)), asked)
    assert not errors
    assert written == dict(enumerate(alone))


def test_scores_too_large_for_the_machine_say_so() -> None:
    with pytest.raises(OutOfMemory, match="60 × 320 scores"):
        score(small("qwen2.5-vl"), sample("qwen2.5-vl", 60, 0))


def test_an_error_that_is_not_about_memory_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="ours"), memory_for("a prompt", "say less"):
        raise RuntimeError("ours")
