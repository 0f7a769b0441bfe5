"""A model answers: whole or in pieces, alone or in a crowd, and refuses what it does not understand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import omma
from omma.chat import Answer, Image, Message, Options, Responder, Seen, Usage, message, messages, whole
from omma.errors import (
    BadFolder,
    BadMessage,
    BadModel,
    BadPicture,
    MissingFile,
    OutOfMemory,
    PromptTooLong,
    UnknownOption,
)
from omma.loading import Loaded
from omma.model.vlm import Vlm
from omma.prep.boxes import Box, Point
from omma.prep.processor import Processor
from omma.prep.rules import published_rules
from omma.prep.vocabulary import SILENT, train_tokenizer
from omma.presets import GENERATIONS, tiny
from omma.respond import Model
from omma.sample import Size
from omma.shape import Matching
from omma.skills import describe, find, read
from omma.verbs import Reply

TOKENIZER = train_tokenizer(iter(["You are a helpful assistant. user assistant system"] * 4), 310)
PICTURE = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
every_generation = pytest.mark.parametrize("generation", GENERATIONS)


def model(generation: str, **generation_config: object) -> Model:
    spec = replace(tiny(generation), ids=TOKENIZER.token_ids)
    network = Vlm(spec)
    network.initialise(torch.Generator().manual_seed(3))
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(4 if weight.ndim > 1 else 1)
    processor = Processor(TOKENIZER, spec, replace(published_rules(spec), min_pixels=1024, max_pixels=8192))
    return Model(Loaded(network.requires_grad_(False), processor, spec, dict(generation_config), "toy"))


@every_generation
def test_the_pieces_joined_are_the_whole(generation: str) -> None:
    toy = model(generation)
    said = [message("user", Image(PICTURE), "What is this?")]
    pieces = list(toy.chat(said, stream=True, max_tokens=40))
    answer = toy.chat(said, max_tokens=40)
    assert "".join(piece.text for piece in pieces) == answer.text
    assert whole(iter(pieces)) == Answer(answer.text, answer.finish_reason, answer.usage, answer.seen)


@every_generation
def test_a_model_is_a_responder(generation: str) -> None:
    assert isinstance(model(generation), Responder)


@every_generation
def test_many_at_once_are_each_alone(generation: str) -> None:
    toy = model(generation)
    said = [[message("user", *([Image(PICTURE)] * (i % 3)), "Say " + "more " * i)] for i in range(6)]
    assert toy.generate(said, max_tokens=20) == [toy.chat(one, max_tokens=20) for one in said]


@every_generation
def test_a_conversation_that_cannot_be_answered_ends_alone(generation: str) -> None:
    toy = model(generation)
    said = [[message("user", Image(PICTURE), "Say " + "more " * i)] for i in range(6)]
    alone = [toy.chat(one, max_tokens=20) for one in said]
    said[0] = [message("user", Image(b"not a picture"), "What?")]
    said[3] = [message("user", "word " * 3000)]
    said[5] = [{"role": "nobody", "content": "Hello?"}]  # type: ignore[list-item]
    for rows in (1, 2, 32):
        told = dict(toy.answers(said, Options(max_tokens=20), rows=rows))
        assert {i: type(told[i]) for i in (0, 3, 5)} == {0: BadPicture, 3: PromptTooLong, 5: BadMessage}
        assert [told[i] for i in (1, 2, 4)] == [alone[i] for i in (1, 2, 4)]


def test_answers_are_each_given_once_even_if_none_can_be() -> None:
    told = list(model("qwen2.5-vl").answers([[message("user", Image(b"")), ""]] * 3))  # type: ignore[list-item]
    assert [index for index, _ in told] == [0, 1, 2]
    assert not any(error.__traceback__ or error.__context__ for _, error in told)  # type: ignore[union-attr]


def test_an_error_among_many_is_raised_or_returned_as_the_caller_says() -> None:
    toy = model("qwen2.5-vl")
    said = [[message("user", "One.")], [message("user", Image(b""), "Two?")], [message("user", "Three.")]]
    with pytest.raises(BadPicture, match="conversation 1: "):
        toy.generate(said, max_tokens=5)
    first, second, third = toy.generate(said, errors="return", max_tokens=5)
    assert [first, third] == [toy.chat(said[i], max_tokens=5) for i in (0, 2)]
    assert isinstance(second, BadPicture)
    with pytest.raises(UnknownOption, match="errors"):
        toy.generate(said, errors="ignore")  # type: ignore[call-overload]


def test_options_out_of_range_are_no_matter_of_one_conversation() -> None:
    with pytest.raises(UnknownOption, match="top_p"):
        next(model("qwen2.5-vl").answers([[message("user", "Hello?")]], Options(top_p=7)))


def test_logits_that_are_no_numbers_are_raised_in_a_stream() -> None:
    toy = model("qwen2.5-vl")
    with torch.no_grad():
        toy.network.decoder.norm.weight.fill_(torch.nan)
    with pytest.raises(BadModel, match="dtype"):
        list(toy.chat([message("user", "Hello?")], stream=True))
    with pytest.raises(BadModel, match="dtype"):
        toy.ask(None, "Hello?")


@every_generation
def test_an_answer_says_what_it_took_and_what_was_seen(generation: str) -> None:
    answer = model(generation).ask(PICTURE, "What?", max_tokens=5)
    assert answer.usage.completion_tokens <= 5
    assert answer.usage.visual_tokens == 6  # 90 × 70 pixels become 84 × 56: 6 × 4 patches, merged by 2 × 2
    assert answer.seen[0].original == Size(90, 70)


@every_generation
def test_scores_of_a_dialogue_lead_from_each_token_to_the_next(generation: str) -> None:
    toy = model(generation)
    said = messages([{"role": "user", "content": "Go on."}])
    answer = toy.chat(said, max_tokens=12)
    scores = toy.logits([*said, message("assistant", answer.text)])
    prompt = toy.logits(said)
    assert scores.dtype == torch.float32
    assert prompt.shape == (answer.usage.prompt_tokens, tiny(generation).decoder.vocabulary)
    torch.testing.assert_close(scores[: len(prompt)], prompt, atol=1e-4, rtol=1e-4)


@every_generation
def test_a_seed_fixes_the_answer_in_any_company(generation: str) -> None:
    toy = model(generation)
    said = [message("user", "Dice.")]
    wish: dict[str, Any] = {"temperature": 1.5, "seed": 5, "max_tokens": 30}
    alone = toy.chat(said, **wish)
    assert toy.generate([said, [message("user", "Other things.")], said], **wish)[2] == alone
    assert toy.chat(said, **wish | {"seed": 6}) != alone


def test_words_are_enough() -> None:
    assert model("qwen2.5-vl").ask(None, "Hello?", max_tokens=3).seen == ()


def test_several_pictures_are_seen_in_order() -> None:
    answer = model("qwen2.5-vl").ask([PICTURE, PICTURE.transpose(1, 0, 2).copy()], "Which?", max_tokens=2)
    assert [seen.original for seen in answer.seen] == [Size(90, 70), Size(70, 90)]


@pytest.mark.parametrize("words", [None, 5])
def test_what_is_no_text_is_no_question(words: Any) -> None:
    one = model(GENERATIONS[0])
    for ask in (lambda: one.ask(None, words), lambda: one.find(PICTURE, words)):
        with pytest.raises(BadMessage, match="in words"):
            ask()
    with pytest.raises(BadMessage, match="conversations is"):
        one.generate(words)


def test_an_unknown_option_is_refused_by_name() -> None:
    with pytest.raises(UnknownOption, match="temprature"):
        model("qwen2.5-vl").ask(None, "Hello?", temprature=1)


def test_options_given_as_an_object_are_checked_too() -> None:
    with pytest.raises(UnknownOption, match="top_p"):
        model("qwen2.5-vl").stream([message("user", "Hello?")], Options(top_p=7))


def test_what_is_wrong_is_raised_before_the_first_piece() -> None:
    toy = model("qwen2.5-vl")
    with pytest.raises(MissingFile):
        toy.chat([message("user", Image("no/such.png"), "What?")], stream=True)
    with pytest.raises(BadPicture):
        toy.ask(b"not a picture", "What?")


def test_a_prompt_that_fills_the_context_is_too_long() -> None:
    toy = model("qwen2.5-vl")
    with pytest.raises(PromptTooLong):
        toy.ask(None, "word " * 3000)


def test_an_answer_ends_where_the_context_ends() -> None:
    toy = model("qwen2.5-vl", eos_token_id=[])
    answer = toy.ask(None, "a" * 1980, max_tokens=5000)
    assert answer.usage.prompt_tokens + answer.usage.completion_tokens == 2048
    assert answer.finish_reason == "length"


@pytest.mark.parametrize("ends", [151_645, [151_645, 151_643], -1, []], ids=str)
def test_a_folder_whose_ends_no_vocabulary_has_still_answers_in_a_shape(ends: int | list[int]) -> None:
    pytest.importorskip("llguidance")
    toy = model("qwen2.5-vl", eos_token_id=ends)
    answer = toy.ask(None, "Yes?", shape=Matching("yes|no"), max_tokens=20)
    assert (answer.text in ("yes", "no"), answer.finish_reason) == (True, "stop")


def test_ends_that_the_vocabulary_lacks_are_as_if_nothing_were_said() -> None:
    silent, beyond = model("qwen2.5-vl"), model("qwen2.5-vl", eos_token_id=[10**9, -1])
    said = {"max_tokens": 200, "temperature": 50.0, "seed": 0, "keep_loops": True}
    assert silent.ask(None, "Hello?", **said) == beyond.ask(None, "Hello?", **said)


def test_the_folder_says_how_to_draw_unless_the_caller_does() -> None:
    said = [message("user", "Dice.")]
    drawn = model("qwen2.5-vl", do_sample=True, temperature=3.0, max_new_tokens=20)
    greedy = model("qwen2.5-vl", do_sample=False, temperature=3.0, max_new_tokens=20)
    assert drawn.chat(said, seed=1) != drawn.chat(said, seed=2)
    assert greedy.chat(said, seed=1) == greedy.chat(said, seed=2) == drawn.chat(said, temperature=0)
    assert greedy.chat(said).usage.completion_tokens <= 20


@pytest.mark.parametrize(
    "said", [{"num_beams": 4}, {"top_p": 7, "do_sample": True}, {"eos_token_id": "end"}], ids=str
)
def test_a_folder_that_wants_what_is_not_done_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(BadFolder, match="generation_config"):
        model("qwen2.5-vl", **said)


def test_marks_are_not_shown_in_the_text() -> None:
    toy = model("qwen2.5-vl", eos_token_id=[])
    answer = toy.ask(None, "Hello?", max_tokens=200, temperature=50.0, seed=0)
    assert not any(mark in answer.text for mark in SILENT)


def test_boxes_in_an_answer_are_in_pixels_of_the_picture() -> None:
    seen = Seen("image", Size(200, 100), Size(196, 112), "grid")
    reply = Reply('[{"bbox_2d":[0,500,250,999],"label":"a"}]', "stop", Usage(1, 1), (seen,))
    (box,) = reply.boxes()
    assert box == Box(0, 50, 50, pytest.approx(99.9), "a")
    assert Reply('{"point_2d":[500,500]}', "stop", Usage(1, 1), (seen,)).points() == [Point(100, 50)]


def test_an_answer_gives_every_kind_of_geometry_in_pixels_and_seconds() -> None:
    seen = Seen("video", Size(200, 100), Size(196, 112), "relative", (0.0, 1.0, 2.0))
    written = {
        "polygons": (
            '{"quad_2d":[0,0,500,0,500,500,0,500]}',
            "corners",
            ((0, 0), (100, 0), (100, 50), (0, 50)),
        ),
        "solids": ('{"bbox_3d":[0,0,4,1,1,1,0,0.5,0]}', "turns", (0, 90, 0)),
        "spans": ('{"start_time":"00:01.50","end_time":99}', "end", 3),
        "sightings": ('{"time":1,"bbox_2d":[0,0,500,500]}', "box", Box(0, 0, 100, 50)),
    }
    for kind, (text, name, value) in written.items():
        (found,) = getattr(Reply(text, "stop", Usage(1, 1), (seen,)), kind)()
        assert getattr(found, name) == value
        assert getattr(Reply(text, "stop", Usage(1, 1)), kind)() == []
    page = Reply('<p data-bbox="0 0 500 500">a</p>', "stop", Usage(1, 1), (seen,)).document()
    assert page is not None
    assert page.blocks[0].box == Box(0, 0, 100, 50)
    call = '{"name":"computer_use","arguments":{"action":"left_click","coordinate":[500,500]}}'
    (action,) = Reply(call, "stop", Usage(1, 1), (seen,)).step().actions
    assert action.point == Point(100, 50)


def test_the_verbs_are_the_skills() -> None:
    toy = model("qwen2.5-vl")
    wish = Options(max_tokens=16)
    assert toy.find(PICTURE, "a mug", max_tokens=16) == find.find(toy, PICTURE, "a mug", wish)
    assert toy.read(PICTURE, max_tokens=16) == read.read(toy, PICTURE, wish)
    assert toy.describe(PICTURE, max_tokens=16) == describe.describe(toy, PICTURE, wish)


def test_what_loading_cannot_do_yet_is_refused() -> None:
    with pytest.raises(UnknownOption, match="quantize"):
        omma.load("omma-nano", quantize="int8")


def test_a_closed_stream_is_over() -> None:
    stream: Iterator[object] = model("qwen2.5-vl").chat([message("user", "Go on.")], stream=True)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert list(stream) == []


def test_a_stop_that_is_no_text_is_refused() -> None:
    with pytest.raises(UnknownOption, match="stop"):
        Options.of(stop=5)
    with pytest.raises(UnknownOption, match="stop holds half of a character"):
        Options.of(stop=["END", "\ud83d"])


def test_a_message_made_by_hand_is_read_before_it_is_streamed() -> None:
    wrong = Message("user", (3,))  # type: ignore[arg-type]
    with pytest.raises(BadMessage, match=r"messages\[0\]"):
        model("qwen2.5-vl").stream([wrong])


def test_a_stop_given_bare_to_options_is_not_taken_letter_by_letter() -> None:
    with pytest.raises(UnknownOption, match="'abc'; wanted a tuple"):
        Options(stop="abc").check()  # type: ignore[arg-type]
    assert Options.of(stop="abc").stop == ("abc",)


def test_a_picture_too_large_to_open_is_a_matter_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("omma.prep.visuals.patch_rows", full)
    with pytest.raises(OutOfMemory, match="smaller ones"):
        model("qwen2.5-vl").ask(PICTURE, "What?")


def test_log_probabilities_come_with_the_whole_answer_too() -> None:
    asked, wishes = [message("user", "Go on.")], {"logprobs": 2, "prompt_logprobs": True, "max_tokens": 4}
    answering = model("qwen2.5-vl")
    pieces = list(answering.chat(asked, stream=True, **wishes))
    for told in (answering.chat(asked, **wishes), *answering.generate([asked], **wishes)):
        assert told.chosen == tuple(token for piece in pieces for token in piece.chosen)
        assert told.read == pieces[0].read
        assert [len(token.likeliest) for token in told.chosen] == [2] * told.usage.completion_tokens
